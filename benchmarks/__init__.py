"""Every figure in README and docs comes from a command in here. `python -m benchmarks` runs all.

Rules:
- A benchmark prints where and how it was measured: commit, machine, seed, date.
- Tacit and what it is compared with run in the same run, interleaved; ratios are of medians.
- Nothing is typed into a document that a command did not print.
"""
