"""The store forgets: a fence, a dead key, and everything that hung on the person gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import make_url

from memory.adapters.sql.store import SqlStore
from memory.adapters.sql.tables import metadata
from memory.core.values import SubjectId
from memory.ports import ErasureState, PersonState, WrappedKey
from tests.contract.conftest import administer
from tests.contract.rows import THEN, an_erasure, as_stored, everything_of, stored_person


def test_a_fence_holds_the_person_and_opens_an_erasure(store: SqlStore) -> None:
    person = stored_person(store)
    erasure = an_erasure(person)
    with store.write() as unit:
        unit.fence(person.subject, erasure)
        unit.commit()
    with store.read() as unit:
        assert unit.person(person.ref) == replace(person, state=PersonState.ERASING)
        assert unit.unfinished_erasures() == [erasure]


def test_an_erasure_goes_on_until_it_is_done(store: SqlStore) -> None:
    person = stored_person(store)
    later = an_erasure(person, started_at=THEN + timedelta(hours=1))
    erasure = an_erasure(person)
    with store.write() as unit:
        unit.put_erasure(later)
        unit.put_erasure(erasure)
        erasure = replace(erasure, state=ErasureState.KEY_DESTROYED)
        unit.put_erasure(erasure)
        assert unit.unfinished_erasures() == [erasure, later]
        done = replace(
            erasure, state=ErasureState.DONE, subject=None, collection="", finished_at=THEN
        )
        unit.put_erasure(done)
        assert unit.unfinished_erasures() == [later]


def test_a_destroyed_key_is_zeros_of_the_same_length(store: SqlStore) -> None:
    person, other = stored_person(store), stored_person(store)
    with store.write() as unit:
        unit.destroy_person_key(person.subject)
        unit.destroy_person_key(SubjectId(bytes(16)))
        unit.commit()
    with store.read() as unit:
        zeros = WrappedKey(1, bytes(len(person.wrapped_key.value)))
        assert unit.person(person.ref) == replace(person, wrapped_key=zeros)
        assert unit.person(other.ref) == other


def test_deleting_a_person_empties_every_table_of_them_but_the_erasure(
    store: SqlStore, row_counts: Callable[[], dict[str, int]]
) -> None:
    person, other = stored_person(store), stored_person(store)
    everything_of(store, person)
    kept = everything_of(store, other)
    other = as_stored(store, other)
    knows_nobody = {"deployment", "erasures", "key_epochs", "rotations", "retired_collections"}
    knows_nobody |= {"rights_requests"}  # outlives the person: see test_store_requests.py
    knows_nobody |= {name for name in metadata.tables if name.startswith(("ledger_", "operator_"))}
    hangs = [name for name in metadata.tables if name not in knows_nobody]
    assert [row_counts()[name] for name in hangs] == [2] * len(hangs)

    erasure = an_erasure(person)
    with store.write() as unit:
        unit.fence(person.subject, erasure)
        unit.delete_person(person.subject)
        unit.delete_person(person.subject)
        unit.commit()

    assert [row_counts()[name] for name in hangs] == [1] * len(hangs)
    with store.read() as unit:
        assert unit.person(person.ref) is None
        assert unit.person(other.ref) == other
        assert unit.memory(other.subject, kept) is not None
        assert unit.unfinished_erasures() == [erasure]


def test_no_table_holds_a_subject_without_a_cascade(store: SqlStore, url: str) -> None:
    """A table that is added later and knows the person must go with them, too."""
    engine = administer(url)
    if make_url(url).drivername == "sqlite":
        query = (
            "SELECT m.name FROM sqlite_master m, pragma_foreign_key_list(m.name) f "
            "WHERE f.\"table\" = 'persons' AND f.on_delete = 'CASCADE'"
        )
    else:
        query = (
            "SELECT conrelid::regclass::text FROM pg_constraint "
            "WHERE contype = 'f' AND confrelid = 'persons'::regclass AND confdeltype = 'c'"
        )
    with engine.connect() as connection:
        cascading = set(connection.exec_driver_sql(query).scalars())
    engine.dispose()
    knowing = {name for name, table in metadata.tables.items() if "subject" in table.c}
    # The register of requests outlives the person, and then names nobody.
    assert knowing - cascading == {"persons", "erasures", "rights_requests"}


def test_someone_who_was_forgotten_may_come_back_as_someone_new(store: SqlStore) -> None:
    person = stored_person(store)
    with store.write() as unit:
        unit.delete_person(person.subject)
        again = replace(person, subject=SubjectId(b"n" * 16), collection="another")
        unit.add_person(again)
        unit.commit()
    with store.read() as unit:
        assert unit.person(person.ref) == again
        assert unit.person_by_subject(person.subject) is None
