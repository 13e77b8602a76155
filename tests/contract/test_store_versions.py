"""Older versions: paged in the order of their memories, resealed, and gone with them."""

from __future__ import annotations

from dataclasses import replace

from memory.adapters.sql.store import SqlStore
from memory.core.values import SealedRecord
from memory.ports import VersionHead, VersionRow
from tests.contract.rows import ANY, a_version, stored_person

FIRST = VersionHead(-1, 0)


def kept(store: SqlStore, memories: int = 3, versions: int = 2) -> list[VersionRow]:
    """A person with so many memories, each with so many older versions."""
    subject = stored_person(store, memories=memories).subject
    with store.write() as unit:
        rows = [
            a_version(memory, number)
            for memory in unit.page_memories(subject, ANY, -1, memories)
            for number in range(1, versions + 1)
        ]
        unit.add_versions(rows[::-1])
        unit.commit()
    return rows


def test_they_come_in_pages_each_once_and_in_order(store: SqlStore) -> None:
    rows, others = kept(store), kept(store)
    seen: list[VersionRow] = []
    after = FIRST
    with store.read() as unit:
        while page := unit.page_versions(rows[0].subject, after, 4):
            seen += page
            after = VersionHead(page[-1].seq, page[-1].version)
        assert unit.version_heads(rows[0].subject) == [VersionHead(r.seq, r.version) for r in rows]
        assert unit.page_versions(others[0].subject, FIRST, 10) == others
    assert seen == rows


def test_they_go_with_their_memory_and_with_the_person(store: SqlStore) -> None:
    rows = kept(store)
    subject = rows[0].subject
    with store.write() as unit:
        unit.delete_memory(subject, rows[0].id)
        unit.commit()
    with store.read() as unit:
        assert unit.page_versions(subject, FIRST, 10) == rows[2:]
    with store.write() as unit:
        unit.delete_person(subject)
        unit.commit()
    with store.read() as unit:
        assert unit.version_heads(subject) == []


def test_a_new_seal_changes_the_seal_alone(store: SqlStore) -> None:
    rows = kept(store)
    anew = [
        replace(r, key_version=2, body=SealedRecord(b"b"), originals=SealedRecord(b"o"))
        for r in rows[1:3]
    ]
    with store.write() as unit:
        unit.reseal_versions(anew)
        unit.commit()
    with store.read() as unit:
        assert unit.page_versions(rows[0].subject, FIRST, 10) == [rows[0], *anew, *rows[3:]]
