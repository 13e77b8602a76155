"""`tacit verify` says what a good file proves, and nothing of any other."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memory.core.archive import SECTIONS, Writer
from memory.core.certificate import CERTIFICATE_TYPE, statement
from memory.core.ledger import Checkpoint, Event
from memory.core.ledger_proof import Consistency, Inclusion
from memory.core.merkle import leaf_hash, node_hash
from memory.core.signing import Signer
from memory.core.values import Secret
from server.cli.app import run
from tests.unit.core.test_certificate import FILE as CUSTODY
from tests.unit.core.test_certificate import _erasure as an_erasure

SIGNER = Signer("memory.example.org", Secret(bytes(range(32))))
THEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEAF = Event(bytes(16), THEN, "acme", "helper", "", "erase", 3, True).leaf(Secret(bytes(32)))
OTHER = leaf_hash(b"other")


def _note(size: int, root: bytes) -> str:
    return Checkpoint(SIGNER.verifier.name, size, root, THEN).sign(SIGNER)


NOTE = _note(2, node_hash(OTHER, LEAF.hash))
INCLUSION = Inclusion(LEAF, 1, (OTHER,), NOTE).to_json()
CONSISTENCY = Consistency(_note(1, OTHER), NOTE, (LEAF.hash,)).to_json()
FILES = {
    "a checkpoint": (NOTE.encode(), "events: 2"),
    "a proof of inclusion": (INCLUSION, "did: erase, refused"),
    "a proof of consistency": (CONSISTENCY, "first events: 1"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_good_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    file, key = tmp_path / "signed", tmp_path / "key"
    content, fact = FILES[kind]
    file.write_bytes(content)
    key.write_text(f"{SIGNER.verifier}\n")
    for given in (str(key), str(SIGNER.verifier)):
        assert run(["verify", str(file), "--key", given]) == 0
        said = capsys.readouterr().out
        assert f"good: {kind} signed by memory.example.org" in said
        assert fact in said


@pytest.mark.parametrize("kind", FILES)
def test_nothing_is_told_of_a_changed_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stress: bool, kind: str
) -> None:
    randomly = random.Random(7)
    file = tmp_path / "signed"
    good = FILES[kind][0]
    for _ in range(1_000 if stress else 40):
        place = randomly.randrange(len(good))
        other = bytes([randomly.choice([b for b in range(256) if b != good[place]])])
        cut = randomly.choice([0, 1])
        file.write_bytes(good[:place] + other + good[place + cut :])
        assert run(["verify", str(file), "--key", str(SIGNER.verifier)]) != 0
    file.write_bytes(good.replace(b"\n", b"\r\n"))
    assert run(["verify", str(file), "--key", str(SIGNER.verifier)]) != 0
    assert capsys.readouterr().out == ""


def test_nothing_is_told_of_something_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "signed"
    file.write_text("something else")
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
