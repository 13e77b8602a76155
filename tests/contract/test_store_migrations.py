"""The tables are made and upgraded when a store opens; a newer program's are left alone."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Integer, LargeBinary, Text, inspect

from memory.adapters.sql import migrations
from memory.adapters.sql.memories import (
    _COUNT,
    _HEADS,
    _HEADS_BY_SEQ,
    _PAGE,
    _SOME,
    _SOME_HEADS,
    _TAGGED,
    _UNINDEXED_HEADS,
)
from memory.adapters.sql.narrowing import narrowed
from memory.adapters.sql.store import open_store
from memory.adapters.sql.tables import metadata
from memory.errors import ConfigurationError, StorageUnavailableError
from memory.ports import MemoryFilter
from tests.contract.conftest import administer
from tests.contract.rows import stored_person


def test_the_migrations_make_the_tables_that_the_code_speaks_of(fresh_url: str) -> None:
    open_store(fresh_url).close()
    engine = administer(fresh_url)
    made = inspect(engine)
    assert set(made.get_table_names()) == {*metadata.tables, "alembic_version"}
    for name, table in metadata.tables.items():
        columns = {column["name"]: column for column in made.get_columns(name)}
        assert list(columns) == [column.name for column in table.c], name
        keys = made.get_pk_constraint(name)["constrained_columns"]
        assert keys == [column.name for column in table.primary_key], name
        for column in table.c:
            kind = {BigInteger: Integer, Text: Text}.get(type(column.type), LargeBinary)
            assert isinstance(columns[column.name]["type"], kind), f"{name}.{column.name}"
    engine.dispose()


def test_opening_again_changes_nothing(fresh_url: str) -> None:
    store = open_store(fresh_url)
    ref = stored_person(store, memories=1).ref
    with store.read() as unit:
        before = unit.person(ref)
    store.close()
    store = open_store(fresh_url)
    with store.read() as unit:
        assert before is not None
        assert unit.person(ref) == before
    store.close()


def test_servers_that_start_at_once_migrate_once(fresh_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        stores = list(threads.map(lambda _: open_store(fresh_url), range(4)))
    stored_person(stores[0])
    for store in stores:
        with store.read() as unit:
            assert unit.totals() == (1, 0)
        store.close()


def test_a_database_of_a_newer_program_is_refused_and_left_alone(fresh_url: str) -> None:
    store = open_store(fresh_url)
    person = stored_person(store)
    store.close()
    _set_version(fresh_url, "9999")
    with pytest.raises(ConfigurationError, match="newer version of Tacit") as refused:
        open_store(fresh_url)
    assert "9999" in refused.value.message
    _set_version(fresh_url, _newest())
    store = open_store(fresh_url)
    with store.read() as unit:
        assert unit.person(person.ref) == person
    store.close()


def test_a_migration_that_fails_leaves_the_database_as_it_was(fresh_url: str) -> None:
    engine = administer(fresh_url)
    with engine.begin() as connection:  # a table of a migration is in the way
        connection.exec_driver_sql("CREATE TABLE index_outbox (id INTEGER)")
    with pytest.raises(StorageUnavailableError):
        open_store(fresh_url)
    assert inspect(engine).get_table_names() == ["index_outbox"]
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE index_outbox")
    engine.dispose()
    open_store(fresh_url).close()


def test_every_migration_has_its_sql_for_both_databases() -> None:
    versions = Path(migrations.__file__).parent / "versions"
    found = sorted(versions.glob("[0-9]*.py"))
    assert found
    for migration in found:
        for dialect in ("sqlite", "postgresql"):
            assert migration.with_suffix(f".{dialect}.sql").is_file()


def _newest() -> str:
    versions = Path(migrations.__file__).parent / "versions"
    return max(file.name[:4] for file in versions.glob("[0-9]*.py"))


def _set_version(url: str, version: str) -> None:
    engine = administer(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
    engine.dispose()


def test_sqlite_goes_to_the_memories_it_is_asked_for_and_walks_through_no_others(
    tmp_path: Path,
) -> None:
    store = open_store(f"sqlite:///{tmp_path}/tacit.db")
    of_session = MemoryFilter(session_tags=frozenset({b"t"}))
    plans = {
        _SOME: "(subject=? AND id=?)",
        _SOME_HEADS: "(subject=? AND id=?)",
        _UNINDEXED_HEADS: "(subject=? AND id=?)",
        _HEADS_BY_SEQ: "(subject=? AND seq=?)",
        _PAGE: "(subject=? AND seq>?)",
        _TAGGED: "memories_told (subject=? AND content_tag=?)",
        narrowed(_PAGE, of_session): "session_tag=?",
        _HEADS: "COVERING INDEX memories_heads",
        _COUNT: "COVERING INDEX",
    }
    with store._engines.readers.connect() as connection:
        for statement, expected in plans.items():
            sql = re.sub(r"\(__\[POSTCOMPILE_\w+\]\)", "(1, 2)", str(statement.compile(connection)))
            plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sql.replace("?", "1"))
            assert any(expected in step[-1] for step in plan), sql
    store.close()
