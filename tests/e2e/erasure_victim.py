"""Processes that erase, and are killed or refused at one step of it.

    python -m tests.e2e.erasure_victim        jobs on stdin, outcomes on stdout, JSON lines

Every port call that writes is a step, twice: before it and after it. `kill` ends the process there
with SIGKILL; `fail` makes the call raise what a full disk or a dead server raises, once; `none`
does no harm. This process imports and loads the models, and forks for each job: a job costs a tenth
of the processor time that way, and what it opens and harms is its own.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import chromadb.api.client
import chromadb.api.rust  # noqa: F401

import memory.bootstrap as bootstrap
from memory.adapters.chroma_index import ChromaIndex
from memory.bootstrap import SHIPPED_ENCODER, Tacit, open_tacit
from memory.config import Config
from memory.core.values import PersonId, RawText, RecordId
from memory.errors import (
    ConsentError,
    IndexUnavailableError,
    KeyUnavailableError,
    StorageFullError,
    TacitError,
)
from memory.ports import MemoryFilter
from tests.integration.conftest import access, caller, wait_until

ALICE = PersonId("alice")


@dataclass
class Job:
    """What to do to which folder."""

    folder: str
    database: str | None
    scope: str
    harm: str
    at: int
    record: str

    def open(self) -> Tacit:
        config = Config(data=Path(self.folder), database=self.database, erasure_seconds=0)
        return open_tacit(config)


class Steps:
    """Counts the steps of the process, and does harm at one of them."""

    def __init__(self, job: Job, out: int) -> None:
        self.job, self.out = job, out
        self.lock, self.number, self.armed = threading.Lock(), 0, False

    def pass_by(self, name: str, error: type[TacitError]) -> None:
        with self.lock:
            if not self.armed:
                return
            self.number += 1
            if self.number != self.job.at:
                return
            os.write(self.out, f"{self.number} {name}".encode())
            if self.job.harm == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
        if self.job.harm == "fail":
            raise error("made to fail")

    def around(self, owner: Any, name: str, error: type[TacitError]) -> None:
        """Makes a method two steps."""
        method: Callable[..., Any] = getattr(owner, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.pass_by(f"before {name}", error)
            result = method(*args, **kwargs)
            self.pass_by(f"after {name}", error)
            return result

        setattr(owner, name, wrapped)

    def around_all(self, tacit: Tacit) -> None:
        """Puts steps around every port call that writes."""
        store: Any = tacit.forget.store
        write = store.write

        @contextmanager
        def counted() -> Iterator[Any]:
            with write() as uow:
                self.around(uow, "commit", StorageFullError)
                yield uow

        store.write = counted
        self.around(store, "scrub", StorageFullError)
        for name in ("drop", "scrub"):
            self.around(tacit.indexer.index, name, IndexUnavailableError)
        for name in ("new_epoch", "destroy_epoch"):
            self.around(tacit.rotate.provider, name, KeyUnavailableError)


def erase(tacit: Tacit, job: Job) -> None:
    """Erases Alice, or one memory of hers; repeats what was refused, as a caller would."""
    while True:
        try:
            if job.scope == "person":
                tacit.forget(caller(), ALICE, at_once=True, wait=0)
            else:
                tacit.erase_memories.one(caller(), ALICE, RecordId.parse(job.record))
        except TacitError as error:
            if error.status == "NOT_FOUND":
                return
        else:
            return


def settled(tacit: Tacit) -> bool:
    """Whether every erasure is done, with its epoch destroyed, and no rotation is under way."""
    with tacit.forget.store.read() as uow:
        return not uow.unsettled_erasures() and uow.unfinished_rotation() is None


def facts(tacit: Tacit) -> dict[str, Any]:
    """What is there, once all is settled."""
    index = tacit.indexer.index
    assert isinstance(index, ChromaIndex)
    ref = tacit.recall.keyring.ref(caller().tenant, ALICE)
    with tacit.forget.store.read() as uow:
        row = uow.person(ref)
        erasures = uow.erasures(caller().tenant, None, 100)
        kept = [] if row is None else uow.page_memories(row.subject, MemoryFilter(), -1, 1000)
    return {
        "erasures": [[e.state.value, e.memories, e.settled, bool(e.certificate)] for e in erasures],
        "alice": sorted(str(memory.id) for memory in kept),
        "alice_recalls": _recalls(tacit, "alice"),
        "bob_recalls": _recalls(tacit, "bob"),
        "collections": sorted(index.collections().values()),
    }


def _recalls(tacit: Tacit, person: str) -> list[str] | None:
    try:
        hits = tacit.recall(access(person), RawText("tea"), 100)
    except ConsentError:
        return None
    return sorted(hit.memory.content.text.value for hit in hits)


def run(job: Job, out: int) -> None:
    """One job, in a process of its own."""
    with job.open() as tacit:
        steps = Steps(job, out)
        if job.harm != "none":
            steps.around_all(tacit)
            steps.armed = True
            erase(tacit, job)
        wait_until(lambda: settled(tacit), 100)
        steps.armed = False
        wait_until(lambda: tacit.status().unindexed == 0, 100)  # an indexer's lease
        os.write(out, b"\n" + json.dumps(facts(tacit)).encode())


def load_once() -> None:
    """Has the models loaded here, before any fork: their jobs find them made."""
    threads = os.listdir("/proc/self/task")
    made: Any = bootstrap
    made.OnnxEncoder = cache(made.OnnxEncoder)
    made.read_detection = cache(made.read_detection)
    made.OnnxEncoder(SHIPPED_ENCODER)
    made.read_detection(None)
    assert os.listdir("/proc/self/task") == threads, "a fork would lose what these threads do"


def main() -> None:
    """See the module."""
    load_once()
    for line in sys.stdin:
        job = Job(**json.loads(line))
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            try:
                run(job, write)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as pipe:
            said = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        step, _, found = said.partition("\n")
        print(json.dumps({"status": status, "step": step, "facts": json.loads(found or "null")}))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
