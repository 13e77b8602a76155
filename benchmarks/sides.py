"""The sides of a race, each alone in a process of its own.

    with in_process(ChromaSide) as chroma, in_process(TacitSide, address) as tacit:
        timings = tacit.recall(["what was it?"], callers=1)

Rules:
- Only one side is asked at a time; the others wait on a pipe and use no processor.
- A call is timed where the application would: around `query` and `add` of plain Chroma's
  collection, around the gRPC call for Tacit. Making the request is part of it on every side.
- Work that a side put off (Tacit's indexing) is done before another side's turn, and its time
  is told.
"""

from __future__ import annotations

import itertools
import multiprocessing
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final, Protocol, TypeVar

from benchmarks.server import Address
from memory.v1.core_pb2 import Memory

HITS: Final = 10
PERSON: Final = "person-with-a-long-memory"
SESSION_TURNS: Final = 20
"""So many turns make a session, as in a chat."""

_REPLY_SECONDS: Final = 900

Work = TypeVar("Work")


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds of each call, of all of them together, and of what was put off."""

    calls: tuple[float, ...]
    wall: float
    put_off: float = 0.0


class Side(Protocol):
    """A memory under test."""

    def load(self, texts: Sequence[tuple[str, str]]) -> Timings:
        """Stores (speaker, text) in bulk."""
        ...

    def store(self, texts: Sequence[tuple[str, str]], callers: int) -> Timings:
        """Stores one by one, from so many callers at once."""
        ...

    def recall(self, queries: Sequence[str], callers: int) -> Timings:
        """Recalls `HITS` memories for each query, from so many callers at once."""
        ...

    def close(self) -> None: ...


class ChromaSide:
    """Plain Chroma in this process, its usual way: documents in, its embedding function."""

    def __init__(self) -> None:
        from contextlib import ExitStack

        from benchmarks.baselines import plain_chroma
        from benchmarks.fp32 import ChromaFp32, fp32_encoder

        self._stack = ExitStack()
        client = self._stack.enter_context(plain_chroma())
        self._collection = client.create_collection(PERSON, embedding_function=ChromaFp32())
        fp32_encoder()  # loaded before anything is timed, as the server's is
        self._ids = itertools.count()

    def load(self, texts: Sequence[tuple[str, str]]) -> Timings:
        start = time.perf_counter()
        for first in range(0, len(texts), 100):
            self._add(texts[first : first + 100])
        return Timings((), time.perf_counter() - start)

    def store(self, texts: Sequence[tuple[str, str]], callers: int) -> Timings:
        return timed(lambda one: self._add([one]), texts, callers)

    def recall(self, queries: Sequence[str], callers: int) -> Timings:
        return timed(
            lambda query: self._collection.query(query_texts=[query], n_results=HITS),
            queries,
            callers,
        )

    def close(self) -> None:
        self._stack.close()

    def _add(self, texts: Sequence[tuple[str, str]]) -> None:
        numbers = [next(self._ids) for _ in texts]
        self._collection.add(
            ids=[str(number) for number in numbers],
            documents=[text for _, text in texts],
            metadatas=[
                {"speaker": speaker, "session": number // SESSION_TURNS}
                for number, (speaker, _) in zip(numbers, texts, strict=True)
            ],
        )


class TacitSide:
    """Tacit over gRPC; this process is the client, the server has its own."""

    def __init__(self, address: Address) -> None:
        self._client = address.client()
        self._client.grant(PERSON)
        self._numbers = itertools.count()

    def load(self, texts: Sequence[tuple[str, str]]) -> Timings:
        start = time.perf_counter()
        self._client.store(PERSON, [self._memory(one) for one in texts])
        wall = time.perf_counter() - start
        return Timings((), wall, self._client.wait_until_indexed())

    def store(self, texts: Sequence[tuple[str, str]], callers: int) -> Timings:
        timings = timed(
            lambda one: self._client.store_one(PERSON, self._memory(one)), texts, callers
        )
        return Timings(timings.calls, timings.wall, self._client.wait_until_indexed())

    def recall(self, queries: Sequence[str], callers: int) -> Timings:
        return timed(lambda query: self._client.hits(PERSON, query, HITS), queries, callers)

    def close(self) -> None:
        self._client.close()

    def _memory(self, one: tuple[str, str]) -> Memory:
        speaker, text = one
        session = next(self._numbers) // SESSION_TURNS
        return Memory(text=text, speaker=speaker, session=f"session-{session}")


def timed(do: Callable[[Work], object], work: Sequence[Work], callers: int) -> Timings:
    """Each piece of work once, shared among callers that start together."""

    def one(piece: Work) -> float:
        start = time.perf_counter()
        do(piece)
        return time.perf_counter() - start

    if callers == 1:
        start = time.perf_counter()
        calls = [one(piece) for piece in work]
        return Timings(tuple(calls), time.perf_counter() - start)
    with ThreadPoolExecutor(callers) as pool:
        start = time.perf_counter()
        calls = list(pool.map(one, work))
        return Timings(tuple(calls), time.perf_counter() - start)


class Remote:
    """A `Side` in another process, called through a pipe."""

    def __init__(self, pipe: Connection[Any, Any]) -> None:
        self._pipe = pipe

    def load(self, texts: Sequence[tuple[str, str]]) -> Timings:
        return self._ask("load", texts)

    def store(self, texts: Sequence[tuple[str, str]], callers: int) -> Timings:
        return self._ask("store", texts, callers)

    def recall(self, queries: Sequence[str], callers: int) -> Timings:
        return self._ask("recall", queries, callers)

    def _ask(self, method: str, *arguments: object) -> Timings:
        self._pipe.send((method, arguments))
        if not self._pipe.poll(_REPLY_SECONDS):
            raise SystemExit(f"{method} did not end within {_REPLY_SECONDS} s")
        answer = self._pipe.recv()
        if not isinstance(answer, Timings):
            raise SystemExit(f"{method} failed:\n{answer}")
        return answer


@contextmanager
def in_process(make: Callable[..., Side], *arguments: object) -> Iterator[Remote]:
    """The side in a fresh process, which ends with the block."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, make, arguments), daemon=True)
    process.start()
    there.close()
    try:
        yield Remote(here)
    finally:
        here.close()
        process.join(30)
        if process.is_alive():
            process.kill()


def _serve(
    pipe: Connection[Any, Any], make: Callable[..., Side], arguments: Sequence[object]
) -> None:
    side: Side | None = None
    while True:
        try:
            method, given = pipe.recv()
        except EOFError:
            break
        try:
            side = side or make(*arguments)
            pipe.send(getattr(side, method)(*given))
        except Exception:
            pipe.send(traceback.format_exc())
    if side is not None:
        side.close()
