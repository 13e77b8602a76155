"""`tacit verify` says what a good file proves, and nothing of any other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from memory.core.archive import SECTIONS, Writer
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


def test_a_good_archive_is_told_and_another_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = Writer()
    now = datetime(2026, 3, 1, tzinfo=UTC)
    data = writer.header(id="a1", time=now, tenant="acme", person="amara", revealed=True)
    for name, type_ in SECTIONS.items():
        if name == "memories":
            data += writer.content(type_, {"text": "I like tea"}, b"1")
        data += writer.close_section(name)
    data += writer.end("a1", now, SIGNER)
    file = tmp_path / "archive.jsonl"
    file.write_bytes(data)
    assert run(["verify", str(file), "--key", str(SIGNER.verifier)]) == 0
    said = capsys.readouterr().out
    assert "good: a archive" not in said
    assert "good: an archive signed by memory.example.org" in said
    assert "of: amara at acme" in said
    assert "1 memories" in said
    assert "I like tea" not in said
    file.write_bytes(data.replace(b"tea", b"gin"))
    assert run(["verify", str(file), "--key", str(SIGNER.verifier)]) != 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "line" in captured.err
    assert "gin" not in captured.err
