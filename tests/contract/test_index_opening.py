"""A folder is looked over beside whatever goes on, and opened once, by whoever needs it first."""

from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from memory.adapters.chroma_files import DATABASE
from memory.adapters.chroma_index import ChromaIndex
from memory.core.values import VeiledVector
from tests.contract.vectors import ids, unit, veiled

CALLERS = 8

CHROMAS = (
    "DELETE FROM embeddings_queue WHERE topic = ? AND seq_id < ?",
    "SELECT * FROM embeddings_queue WHERE topic = ? AND seq_id > ? ORDER BY seq_id LIMIT 1",
)
"""What Chroma does with each upsert."""


def _filled(folder: Path) -> None:
    with closing(ChromaIndex(folder)) as index:
        index.upsert("person-a", ids(60), veiled(unit(60)))


def _aside() -> list[str]:
    """The processes beside this one that look folders over."""
    children = Path("/proc/self/task").glob("*/children")
    lines = (Path(f"/proc/{pid}/cmdline") for file in children for pid in file.read_text().split())
    return [line for file in lines if "chroma_files" in (line := file.read_text())]


def test_a_folder_that_nobody_asks_is_closed_with_nothing_left_running(tmp_path: Path) -> None:
    _filled(tmp_path)
    for _ in range(3):
        ChromaIndex(tmp_path).close()
        assert not _aside()
    with closing(ChromaIndex(tmp_path)) as index:
        assert index.collections() == {"person-a": 60}


def test_whoever_comes_at_once_is_answered_by_one_opening(tmp_path: Path) -> None:
    _filled(tmp_path)
    with closing(ChromaIndex(tmp_path)) as index, ThreadPoolExecutor(CALLERS) as pool:
        gate = threading.Barrier(CALLERS)

        def ask(row: int) -> bytes:
            gate.wait()
            return index.query("person-a", VeiledVector(unit(60)[row]), 1)[0].record.value

        assert list(pool.map(ask, range(CALLERS))) == [one.value for one in ids(60)[:CALLERS]]
        assert index.collections() == {"person-a": 60}


def test_an_index_that_is_slow_to_open_keeps_only_those_waiting_who_ask_it(tmp_path: Path) -> None:
    _filled(tmp_path)
    other = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with closing(ChromaIndex(tmp_path)) as index, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(index.count, "person-a")
        time.sleep(0.3)
        assert not asked.done()
        other.close()
        assert asked.result(30) == 60


def test_what_a_killed_server_was_writing_is_dropped_whoever_comes_first(tmp_path: Path) -> None:
    with closing(ChromaIndex(tmp_path)) as index:
        index.upsert("person-a", ids(250), veiled(unit(250)))
        (torn,) = (entry for entry in tmp_path.iterdir() if entry.is_dir())
        index.upsert("person-b", ids(250, 1), veiled(unit(250, 1)))
    (tmp_path / "tacit.writing").write_bytes(b"person-a")
    (torn / "header.bin").touch()
    with closing(ChromaIndex(tmp_path)) as index:
        assert index.query("person-b", VeiledVector(unit(250, 1)[0]), 1)
        assert index.collections() == {"person-b": 250}


def test_a_collection_finds_its_part_of_the_queue_in_new_folders_and_in_old_ones(
    tmp_path: Path,
) -> None:
    _filled(tmp_path)
    assert _reads_all_for(tmp_path) == []
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database:
        database.execute("DROP INDEX tacit_queue_topic")
    assert _reads_all_for(tmp_path) == list(CHROMAS)
    with closing(ChromaIndex(tmp_path)) as index:
        assert index.collections() == {"person-a": 60}
    assert _reads_all_for(tmp_path) == []


def _reads_all_for(folder: Path) -> list[str]:
    """The statements that look at every row of the queue."""
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        plans = {one: database.execute(f"EXPLAIN QUERY PLAN {one}", ("", 1)) for one in CHROMAS}
        return [one for one, plan in plans.items() if "USING INDEX" not in plan.fetchone()[3]]
