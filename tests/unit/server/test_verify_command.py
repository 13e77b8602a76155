"""`tacit verify` says what a good file proves, and nothing of any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from memory.core.certificate import CERTIFICATE_TYPE, statement
from memory.core.signing import Signer
from memory.core.values import Secret
from server.cli.app import run
from tests.unit.core.test_certificate import FILE as CUSTODY
from tests.unit.core.test_certificate import _erasure as an_erasure

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


def test_a_good_certificate_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    erasure = an_erasure()
    envelope = SIGNER.dsse(statement(erasure, CUSTODY, erasure.started_at), CERTIFICATE_TYPE)
    file = tmp_path / "certificate.json"
    file.write_bytes(envelope)
    assert run(["verify", str(file), "--key", str(SIGNER.verifier)]) == 0
    said = capsys.readouterr().out
    assert "good: a erasure certificate" not in said
    assert "good: an erasure certificate signed by memory.example.org" in said
    assert "erased: 1 consents, 2 memories, 3 pseudonyms" in said
    assert "epoch 4: to be destroyed by 2026-11-25T13:00:00+00:00" in said
    assert "residue scan: not performed" in said
    assert "cannot vouch for (1): backups" in said
    file.write_bytes(envelope.replace(b"A", b"B", 1))
    assert run(["verify", str(file), "--key", str(SIGNER.verifier)]) != 0
