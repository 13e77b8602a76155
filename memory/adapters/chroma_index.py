"""The vector index over Chroma: one collection a person, holding veiled vectors and random ids.

    ChromaIndex(folder)          Chroma in this process
    ChromaIndex.remote(url)      a Chroma server

Rules:
- No documents, no metadata, no embedding function, no telemetry. Chroma learns the collection's
  random name, random record ids and veiled vectors.
- A folder is looked over by another process, and opened by the first call that needs it. Whoever
  comes meanwhile waits; a recall of up to some thousand memories never comes.
- Everything here can be lost: SQL rebuilds it. A collection that fails is left out of
  `collections()`, refuses calls with `IndexUnavailableError`, and is healed by `drop()` and
  new upserts.
- `was_reset` says that a damaged index was removed when it was opened. A folder that was lost
  altogether looks like a new one: compare `collections()` with SQL at start.
- Chroma's own errors and panics do not get out; none of their text does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeVar

import numpy as np

from memory.adapters.chroma_home import ChromaFolder, ChromaServer
from memory.core.values import RecordId, Vector, VeiledVector
from memory.errors import IndexUnavailableError, TacitError
from memory.ports import Candidate

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateCollectionConfiguration
    from chromadb.api.models.Collection import Collection

_CONFIGURATION: Final[CreateCollectionConfiguration] = {
    "hnsw": {
        "space": "cosine",
        "max_neighbors": 16,
        "ef_construction": 200,
        "ef_search": 400,
        "sync_threshold": 200,
    }
}
"""For a top 100 with recall@10 of 0.99 and more; see the ADR for what the last line buys."""

_T = TypeVar("_T")


class ChromaIndex:
    """A `VectorIndex`. Safe to share between threads."""

    def __init__(self, home: Path | ChromaServer) -> None:
        self._home = ChromaFolder(home) if isinstance(home, Path) else home
        self._client: Client | None = None
        self._handles: dict[str, Collection] = {}
        self._dropped = 0
        self._failed: set[str] = set()
        self._proven: set[str] = set()
        self._closed = False
        self._opening = threading.Lock()

    @classmethod
    def remote(cls, url: str, files: Path | None = None) -> Self:
        """Connects when first used, and again after the server was away."""
        return cls(ChromaServer(url, files))

    @property
    def was_reset(self) -> bool:
        """Whether the index was damaged and emptied on opening: everything is owed to it again."""
        return self._home.was_reset

    def upsert(
        self, collection: str, records: Sequence[RecordId], vectors: Sequence[VeiledVector]
    ) -> None:
        rows = {str(record): vector.value for record, vector in zip(records, vectors, strict=True)}
        ids = list(rows)
        for start in range(0, len(ids), self._home.batch):
            part = ids[start : start + self._home.batch]
            matrix = np.stack([rows[id_] for id_ in part]).astype(np.float32, copy=False)

            def write(handle: Collection, part: list[str] = part, matrix: _Matrix = matrix) -> None:
                handle.upsert(ids=part, embeddings=matrix)

            self._on(collection, write, create=True)

    def delete(self, collection: str, records: Sequence[RecordId]) -> None:
        ids = list(dict.fromkeys(str(record) for record in records))
        for start in range(0, len(ids), self._home.batch):
            part = ids[start : start + self._home.batch]

            def remove(handle: Collection, part: list[str] = part) -> None:
                handle.delete(ids=part)

            self._on(collection, remove)

    def query(self, collection: str, vector: VeiledVector, limit: int) -> list[Candidate]:
        if limit <= 0:
            return []

        def search(handle: Collection) -> list[Candidate]:
            found = handle.query(
                query_embeddings=vector.value[np.newaxis], n_results=limit, include=["distances"]
            )
            distances = found["distances"] or [[]]
            return [
                Candidate(RecordId(bytes.fromhex(id_)), 1.0 - distance)
                for id_, distance in zip(found["ids"][0], distances[0], strict=True)
            ]

        return self._on(collection, search) or []

    def count(self, collection: str) -> int:
        return self._on(collection, lambda handle: handle.count()) or 0

    def collections(self) -> Mapping[str, int]:
        with _translated():
            kept = self._home.survey(self._connected())
        return {each.name: each.vectors for each in kept if each.sound and self._answers(each.name)}

    def drop(self, collection: str) -> None:
        from chromadb.errors import NotFoundError

        with _translated(), self._using(collection):
            self._handles.pop(collection, None)
            with suppress(NotFoundError):
                self._connected().delete_collection(collection)
                self._dropped += 1
                self._home.after_drop()
        self._failed.discard(collection)
        self._proven.discard(collection)

    def scrub(self) -> None:
        with _translated():
            self._connected()
            self._home.scrub()

    def written(self, vectors: Sequence[VeiledVector]) -> list[list[Vector]]:
        """As given, in the queue; and as HNSW keeps it: scaled by a sum in float32, in order."""
        forms = []
        for vector in vectors:
            total = np.add.accumulate(vector.value * vector.value, dtype=np.float32)[-1]
            scale = np.float32(1) / (np.sqrt(total) + np.float32(1e-30))
            forms.append([vector.value, vector.value * scale])
        return forms

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._home.close(self._client)
            self._client = None
            self._handles.clear()

    def _on(
        self, collection: str, work: Callable[[Collection], _T], *, create: bool = False
    ) -> _T | None:
        """`work` on the collection; None where there is none and none is to be made."""
        from chromadb.errors import NotFoundError

        if collection in self._failed and not self._answers(collection):
            raise _unavailable()
        try:
            with _translated(), self._using(collection):
                for known in (collection in self._handles, False):
                    handle = self._handle(collection, create=create)
                    if handle is None:
                        return None
                    try:
                        return work(handle)
                    except NotFoundError:  # dropped and made anew by another replica
                        self._handles.pop(collection, None)
                        if not known:
                            raise
        except IndexUnavailableError:
            self._failed.add(collection)
            raise
        return None

    @contextmanager
    def _using(self, collection: str) -> Iterator[None]:
        """Opened first: what a folder's note says of the last server is read before it changes."""
        self._connected()
        with self._home.using(collection):
            yield

    def _handle(self, collection: str, *, create: bool) -> Collection | None:
        from chromadb.errors import NotFoundError

        handle = self._handles.get(collection)
        if handle is not None:
            return handle
        client = self._connected()
        held = len(self._handles) + self._dropped
        if held >= self._home.capacity or self._dropped >= self._home.dropped:
            self._handles.clear()
            self._dropped = 0
            with self._opening:
                self._client = None
                self._client = client = self._home.renew(client)
        try:
            handle = (
                client.get_or_create_collection(
                    collection, configuration=_CONFIGURATION, embedding_function=None
                )
                if create
                else client.get_collection(collection, embedding_function=None)
            )
        except NotFoundError:
            return None
        self._handles[collection] = handle
        return handle

    def _answers(self, collection: str) -> bool:
        """Whether a query for one of its own vectors comes back; remembered until it fails."""
        needs_proof = isinstance(self._home, ChromaServer) and collection not in self._proven
        if collection not in self._failed and not needs_proof:
            return True

        def probe(handle: Collection) -> None:
            some = handle.get(limit=1, include=["embeddings"])["embeddings"]
            if some is not None and len(some):
                handle.query(query_embeddings=np.asarray(some), n_results=1, include=[])

        self._failed.discard(collection)
        try:
            self._on(collection, probe)
        except IndexUnavailableError:
            return False
        self._proven.add(collection)
        return True

    def _connected(self) -> Client:
        if self._closed:
            raise IndexUnavailableError("the vector index is closed")
        with self._opening:
            if self._client is None:
                self._client = self._home.open()
            return self._client


_Matrix = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@contextmanager
def _translated() -> Iterator[None]:
    """Chroma's errors as ours. Its panics are no `Exception`."""
    try:
        yield
    except TacitError:
        raise
    except Exception:
        raise _unavailable() from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise _unavailable() from None
        raise


def _unavailable() -> IndexUnavailableError:
    return IndexUnavailableError("the vector index does not answer; it is rebuilt if need be")
