"""The frame around results."""

import json
from pathlib import Path

import pytest

from benchmarks.frame import parser, publish, table, write_json


def test_the_json_file_has_the_same_frame_for_all(tmp_path: Path, capsys: pytest.CaptureFixture):
    file = tmp_path / "new" / "out.json"
    options = parser("Title.", data="x").parse_args(
        ["--data", str(tmp_path), "--json", str(file), "--seed", "3"]
    )
    publish("speed", options, {"a": 0.5}, [table("Speed", ["", "p50"], [["Tacit", 0.5]])])
    framed = json.loads(file.read_text())
    assert list(framed) == ["name", "commit", "machine", "seed", "date", "results"]
    assert (framed["name"], framed["seed"], framed["results"]) == ("speed", 3, {"a": 0.5})
    printed = capsys.readouterr().out
    assert "Tacit" in printed
    assert "0.500" in printed


def test_a_figure_that_is_no_number_is_an_error_and_leaves_the_file(tmp_path: Path):
    file = tmp_path / "out.json"
    write_json(file, {"results": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(file, {"results": float("nan")})
    assert json.loads(file.read_text()) == {"results": 1}
    assert list(tmp_path.iterdir()) == [file]
