"""The suite finds what each benchmark needs."""

import importlib
from pathlib import Path

from benchmarks.__main__ import SUITE, folder_with


def test_every_benchmark_of_the_suite_exists():
    for name in SUITE:
        assert callable(importlib.import_module(f"benchmarks.{name}").main)


def test_files_are_found_in_the_folder_or_right_inside_it(tmp_path: Path):
    assert folder_with(tmp_path, "*.json") is None
    inside = tmp_path / "talks"
    inside.mkdir()
    (inside / "a.json").touch()
    assert folder_with(tmp_path, "*.json") == inside
    assert folder_with(tmp_path, "*.jsonl") is None
    (tmp_path / "b.json").touch()
    assert folder_with(tmp_path, "*.json") == tmp_path
