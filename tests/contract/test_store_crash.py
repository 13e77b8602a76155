"""`kill -9` at any instant: what was acknowledged is there, and nothing is there by half."""

from __future__ import annotations

import random
import subprocess
import sys
import time

from sqlalchemy import make_url

from memory.adapters.sql.store import open_store
from tests.contract.rows import ANY, stored_person


def test_a_killed_writer_leaves_whole_batches_and_every_acknowledged_one(
    url: str, stress: bool
) -> None:
    store = open_store(url)
    person = stored_person(store)
    store.close()
    acknowledged: set[int] = set()
    for _ in range(20 if stress else 4):
        acknowledged |= _write_and_kill(url, person.ref)
        store = open_store(url)
        with store.read() as unit:
            rows = unit.page_memories(person.subject, ANY, 0, 1_000_000)
            seqs = [row.seq for row in rows]
            firsts = {row.seq: row.id for row in rows if row.seq % 3 == 1}
            requests = unit.seen_requests(
                person.subject, [first.to_bytes(8, "big") for first in firsts]
            )
            assert seqs == list(range(1, len(seqs) + 1))
            assert len(seqs) % 3 == 0
            assert acknowledged <= firsts.keys()
            assert requests == {seq.to_bytes(8, "big"): id_ for seq, id_ in firsts.items()}
            assert unit.index_backlog() == len(rows)
        if make_url(url).drivername == "sqlite":
            with store._engines.readers.connect() as connection:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        store.close()
    assert acknowledged


def _write_and_kill(url: str, ref: bytes) -> set[int]:
    """Lets a writer run for a moment; returns the first number of each acknowledged batch."""
    command = [sys.executable, "-m", "tests.contract.writer", url, ref.hex()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = {int(writer.stdout.readline())}
        time.sleep(random.uniform(0, 0.3))
        writer.kill()
        acknowledged |= {int(line) for line in writer.stdout.read().splitlines()}
    return acknowledged
