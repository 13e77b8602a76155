"""`tacit verify` says what a good file proves, and nothing of any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from memory.core.signing import Signer
from memory.core.values import Secret
from server.cli.app import run

SIGNER = Signer("memory.example.org", Secret(bytes(range(32))))
NOTE = SIGNER.note("memory.example.org/log\n3\nAAAA\n")


def test_a_good_checkpoint_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, key = tmp_path / "checkpoint", tmp_path / "key"
    file.write_text(NOTE, "utf-8")
    key.write_text(f"{SIGNER.verifier}\n")
    for given in (str(key), str(SIGNER.verifier)):
        assert run(["verify", str(file), "--key", given]) == 0
        said = capsys.readouterr().out
        assert "good: a checkpoint signed by memory.example.org" in said
        assert "events: 3" in said


@pytest.mark.parametrize(
    "text", [NOTE.replace("3", "4"), "something else"], ids=["changed", "other"]
)
def test_nothing_is_told_of_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file = tmp_path / "checkpoint"
    file.write_text(text, "utf-8")
    assert run(["verify", str(file), "--key", str(SIGNER.verifier)]) != 0
    assert capsys.readouterr().out == ""
