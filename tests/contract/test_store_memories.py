"""The store keeps memories whole, changes them by version, and finds them by filter and page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from memory.adapters.sql.store import SqlStore
from memory.core.values import AssistantId, MemoryKind, PurposeId, SealedRecord
from memory.errors import StorageUnavailableError
from memory.ports import MemoryFilter, UnitOfWork
from tests.contract.rows import (
    ANY,
    THEN,
    a_memory,
    a_person,
    a_record,
    add_memory,
    as_stored,
    stored_person,
)


def test_a_memory_comes_back_as_it_went_in(store: SqlStore) -> None:
    subject = stored_person(store).subject
    memory = add_memory(store, subject)
    with store.read() as unit:
        assert unit.memory(subject, memory.id) == memory
        assert unit.memories(subject, [memory.id], ANY) == [memory]


def test_a_missing_and_a_foreign_memory_read_alike(store: SqlStore) -> None:
    mine, yours = stored_person(store).subject, stored_person(store).subject
    memory = add_memory(store, mine)
    with store.write() as unit:
        for record in (memory.id, a_record()):
            assert unit.memory(yours, record) is None
            assert unit.memories(yours, [record], ANY) == []
            assert not unit.delete_memory(yours, record)
        assert not unit.replace_memory(replace(memory, subject=yours), expected_version=1)
        unit.commit()
    with store.read() as unit:
        assert unit.memory(mine, memory.id) == memory


def test_many_memories_are_found_by_id_each_once(store: SqlStore) -> None:
    subject = stored_person(store).subject
    with store.write() as unit:
        first = unit.next_seq(subject, 1_200)
        rows = [a_memory(subject, first + i, features=SealedRecord(b"")) for i in range(1_200)]
        unit.add_memories(rows)
        unit.commit()
    wanted = [row.id for row in rows] + [rows[0].id, a_record()]
    with store.read() as unit:
        found = unit.memories(subject, wanted, ANY)
    assert sorted(found, key=lambda row: row.seq) == rows


def test_nothing_to_add_or_to_find_is_no_error(store: SqlStore) -> None:
    subject = stored_person(store).subject
    with store.write() as unit:
        unit.add_memories([])
        assert unit.memories(subject, [], ANY) == []
        assert unit.count_memories(subject, ANY) == 0


def test_a_memory_of_nobody_is_refused(store: SqlStore) -> None:
    with store.write() as unit, pytest.raises(StorageUnavailableError):
        unit.add_memories([a_memory(a_person().subject, 1)])


def test_replacing_needs_the_version_that_was_read(store: SqlStore) -> None:
    subject = stored_person(store).subject
    memory = add_memory(store, subject)
    second = replace(memory, version=2, body=SealedRecord(b"two"), kind=MemoryKind.FACT)
    third = replace(memory, version=2, body=SealedRecord(b"late"))
    with store.write() as unit:
        assert unit.replace_memory(second, expected_version=1)
        assert not unit.replace_memory(third, expected_version=1)
        unit.commit()
    with store.read() as unit:
        assert unit.memory(subject, memory.id) == second


def test_a_deleted_memory_is_gone_once(store: SqlStore) -> None:
    subject = stored_person(store).subject
    memory = add_memory(store, subject)
    with store.write() as unit:
        assert unit.delete_memory(subject, memory.id)
        assert not unit.delete_memory(subject, memory.id)
        assert unit.memory(subject, memory.id) is None
        unit.commit()
    with store.read() as unit:
        assert unit.count_memories(subject, ANY) == 0


def test_pages_follow_the_order_of_storing_and_meet_without_gap(store: SqlStore) -> None:
    subject = stored_person(store, memories=7).subject
    stored_person(store, memories=3)
    pages, after = [], 0
    with store.read() as unit:
        while page := unit.page_memories(subject, ANY, after, 3):
            pages.append([row.seq for row in page])
            after = page[-1].seq
    assert pages == [[1, 2, 3], [4, 5, 6], [7]]


@pytest.mark.parametrize(
    ("wanted", "seqs"),
    [
        (MemoryFilter(), [1, 2, 3, 4]),
        (MemoryFilter(purposes=frozenset({PurposeId("support")})), [1, 2, 4]),
        (MemoryFilter(purposes=frozenset({PurposeId("support"), PurposeId("ads")})), [1, 2, 3, 4]),
        (MemoryFilter(assistant=AssistantId("other")), [2]),
        (MemoryFilter(kinds=frozenset({MemoryKind.FACT, MemoryKind.EVENT})), [3, 4]),
        (MemoryFilter(session_tags=frozenset({b"t" * 16})), [4]),
        (MemoryFilter(session_tags=frozenset({b"none"})), []),
        (
            MemoryFilter(
                purposes=frozenset({PurposeId("support")}),
                assistant=AssistantId("helper"),
                kinds=frozenset({MemoryKind.EVENT}),
                session_tags=frozenset({b"t" * 16}),
            ),
            [4],
        ),
    ],
)
def test_every_listing_is_narrowed_alike(
    store: SqlStore, wanted: MemoryFilter, seqs: list[int]
) -> None:
    subject = stored_person(store).subject
    rows = [
        add_memory(store, subject),
        add_memory(store, subject, assistant=AssistantId("other")),
        add_memory(store, subject, purpose=PurposeId("ads"), kind=MemoryKind.FACT),
        add_memory(store, subject, session_tag=b"t" * 16, kind=MemoryKind.EVENT),
    ]
    add_memory(store, stored_person(store).subject, session_tag=b"t" * 16)
    expected = [row for row in rows if row.seq in seqs]
    with store.read() as unit:
        by_id = unit.memories(subject, [row.id for row in rows], wanted)
        assert sorted(by_id, key=lambda row: row.seq) == expected
        assert unit.page_memories(subject, wanted, 0, 100) == expected
        for heads in (unit.heads(subject, wanted), unit.unindexed_heads(subject, wanted)):
            assert sorted(head.id.value for head in heads) == sorted(r.id.value for r in expected)
        assert unit.count_memories(subject, wanted) == len(expected)


def test_heads_are_memories_without_what_is_sealed(store: SqlStore) -> None:
    subject = stored_person(store).subject
    rows = [add_memory(store, subject) for _ in range(3)]
    add_memory(store, stored_person(store).subject)
    with store.read() as unit:
        heads = unit.heads(subject, ANY)
        assert {(h.id, h.seq, h.version, h.session_tag) for h in heads} == {
            (r.id, r.seq, r.version, r.session_tag) for r in rows
        }
        (numbered,) = unit.heads_numbered(subject, ANY, [rows[1].seq, rows[1].seq + 100])
        assert numbered.id == rows[1].id
        (one,) = unit.heads(subject, ANY, [rows[1].id, a_record()])
        assert one.id == rows[1].id
        assert unit.heads(subject, ANY, []) == []


def test_derived_follows_the_lineage_and_links_go_with_their_memories(store: SqlStore) -> None:
    subject = stored_person(store).subject
    a, b, c, d = (add_memory(store, subject).id for _ in range(4))
    with store.write() as unit:
        unit.add_sources(subject, {b: [a], c: [a, b], a: [c], d: []})
        unit.commit()
    with store.read() as unit:
        assert set(unit.derived(subject, [a])) == {b, c}
        assert set(unit.derived(subject, [b])) == {a, c}
        assert unit.derived(subject, [a, b, c]) == unit.derived(subject, [d]) == []
        assert unit.derived(stored_person(store).subject, [a]) == []
    with store.write() as unit:
        assert unit.delete_memory(subject, b)
        unit.commit()
    with store.read() as unit:
        assert set(unit.derived(subject, [a])) == {c}
        assert unit.derived(subject, [b]) == []


def test_every_change_of_a_persons_memories_gives_them_a_new_revision(store: SqlStore) -> None:
    person, other = stored_person(store), stored_person(store, memories=1)
    memory = add_memory(store, person.subject)

    def seen() -> tuple[int, int]:
        with store.read() as unit:
            row = unit.person(person.ref)
            assert row is not None
            return row.numbered, row.revision

    revisions = [seen()[1]]
    with store.write() as unit:
        unit.replace_memory(replace(memory, version=2), expected_version=1)
        unit.commit()
    revisions.append(seen()[1])
    with store.write() as unit:
        unit.delete_memory(person.subject, memory.id)
        unit.commit()
    revisions.append(seen()[1])
    assert len(set(revisions)) == len(revisions)
    assert seen()[0] == 1, "a deleted memory was numbered all the same"
    add_memory(store, other.subject)
    assert seen()[1] == revisions[-1]


def test_adding_memories_leaves_those_before_as_they_were_and_every_other_change_says_so(
    store: SqlStore,
) -> None:
    person = stored_person(store)
    memory = add_memory(store, person.subject)

    def rearranged_since(revision: int) -> bool:
        with store.read() as unit:
            row = unit.person(person.ref)
        assert row is not None
        assert row.revision > revision
        return row.rearranged > revision

    def revision() -> int:
        with store.read() as unit:
            row = unit.person(person.ref)
        assert row is not None
        return row.revision

    changes: list[Callable[[UnitOfWork], object]] = [
        lambda unit: unit.replace_memory(replace(memory, version=2), expected_version=1),
        lambda unit: unit.see_again([replace(memory, version=2, sightings=2)]),
        lambda unit: unit.put_feedback(person.subject, SealedRecord(b"sealed")),
        lambda unit: unit.shorten_retention(person.tenant, memory.purpose, timedelta(days=1)),
        lambda unit: unit.rekey_person(replace(person, key_version=2)),
        lambda unit: unit.delete_memory(person.subject, memory.id),
    ]
    for change in changes:
        before = revision()
        with store.write() as unit:
            change(unit)
            unit.commit()
        assert rearranged_since(before)
    before = revision()
    add_memory(store, person.subject)
    assert not rearranged_since(before)


def test_what_is_told_again_is_found_by_its_tag_while_it_has_one(store: SqlStore) -> None:
    subject, other = stored_person(store).subject, stored_person(store).subject
    one, two = (add_memory(store, subject, content_tag=tag * 16) for tag in (b"1", b"2"))
    add_memory(store, other, content_tag=b"1" * 16)
    add_memory(store, subject)
    with store.write() as unit:
        tags = [b"2" * 16, b"1" * 16, b"3" * 16]
        assert unit.tagged_memories(subject, tags, ANY) == [one, two]
        unit.untag_memories(subject, [two.id, a_record()])
        assert unit.tagged_memories(subject, tags, ANY) == [one]
        unit.untag_memories(other, [one.id])
        unit.commit()
    with store.read() as unit:
        assert unit.tagged_memories(subject, tags, ANY) == [one]
        assert unit.tagged_memories(subject, [], ANY) == []


def test_a_memory_seen_again_keeps_the_rest_of_itself(store: SqlStore) -> None:
    person = stored_person(store)
    memory = add_memory(store, person.subject, content_tag=b"1" * 16)
    before = as_stored(store, person).revision
    seen = replace(
        memory,
        sightings=2,
        last_seen_at=THEN + timedelta(days=1),
        expires_at=THEN + timedelta(days=2),
        features=SealedRecord(b"moved"),
    )
    with store.write() as unit:
        unit.see_again([replace(seen, body=SealedRecord(b"not this"))])
        unit.see_again([])
        unit.commit()
    with store.read() as unit:
        assert unit.memory(person.subject, memory.id) == seen
        (head,) = unit.heads(person.subject, ANY)
        assert (head.version, head.sightings) == (memory.version, 2)
    assert as_stored(store, person).revision > before


def test_a_memory_sealed_anew_has_a_new_tag_if_it_has_one(store: SqlStore) -> None:
    subject = stored_person(store).subject
    tagged, bare = add_memory(store, subject, content_tag=b"1" * 16), add_memory(store, subject)
    anew = [
        replace(row, content_tag=b"2" * 16, body=SealedRecord(b"anew"), key_version=2)
        for row in (tagged, bare)
    ]
    with store.write() as unit:
        unit.reseal_memories(anew)
        unit.commit()
    with store.read() as unit:
        assert unit.memory(subject, tagged.id) == anew[0]
        assert unit.memory(subject, bare.id) == replace(anew[1], content_tag=None)
