"""docs/archive.md is enough to write another reader."""

from __future__ import annotations

from datetime import UTC, datetime

from memory.core.archive import SECTIONS, Writer
from memory.core.signing import Signer
from memory.core.values import Secret
from tests.vectors.archive_reader import check

SIGNER = Signer("memory.example.org", Secret(bytes(range(32))))
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def test_a_reader_written_from_the_page_reads_what_is_written() -> None:
    writer = Writer()
    data = writer.header(id="a1", time=NOW, tenant="acme", person="amara", revealed=True)
    for name, type_ in SECTIONS.items():
        if name in {"memories", "consents"}:
            data += writer.content(type_, {"text": "Zoë, 日本 “quoted”\n", "at": NOW}, b"1")
        data += writer.close_section(name)
    data += writer.end("a1", NOW, SIGNER)
    sections = check(data, SIGNER.verifier.public)
    assert list(sections) == list(SECTIONS)
    assert sections["memories"][0]["text"] == "Zoë, 日本 “quoted”\n"
    assert sections["memories"][0]["at"] == "2026-03-01T12:30:00+00:00"
