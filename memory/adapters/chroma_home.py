"""Where Chroma lives: a folder of this process, or a server.

`ChromaIndex` speaks to either through the same few calls. Written against chromadb 1.5.9; what
was measured is in `docs/adr/0006-chroma.md`.

Rules:
- Nothing of this process's heap reaches Chroma's files: it is blanked (`heap`) before Chroma loads,
  because HNSW writes `length.bin` from memory that it never initialised.
- A folder has one thread in Chroma at a time. Chroma keeps Python's lock for the length of each
  call, so this costs nothing, and it keeps cold loads and persists apart.
- Chroma's own cache never evicts (it loses vectors when it does): before it could, the client is
  closed and opened anew. That also bounds memory and open files.
- What a `kill -9` may have torn is dropped on opening, by evidence: the collection that was being
  written, if its files were touched. A damaged database is removed with all of the index, since
  the index is derived and personal vectors must not pile up in copies.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from memory.adapters import chroma_files, heap
from memory.adapters.chroma_files import Kept
from memory.errors import ConfigurationError, IndexUnavailableError

if TYPE_CHECKING:
    from chromadb.api.client import Client

log = logging.getLogger(__name__)

MAX_RESIDENT: Final = 256
"""Collections in memory at once: 3 to 20 MB each."""

MAX_DROPPED: Final = 32
"""Collections dropped since the client was opened: it lets go of none, in memory or open files."""

_MARKER: Final = "tacit.writing"
_MARKER_BYTES: Final = 512
_FILES_PER_COLLECTION: Final = 5
_FILES_FOR_OTHERS: Final = 256
_NO_EVICTION: Final = 100_000
_ASIDE_SECONDS: Final = 600
_HTTP_SECONDS: Final = 30.0
_END_SECONDS: Final = 5.0
_PAGE: Final = 500


class _DamagedError(Exception):
    """The index folder cannot be used as it is."""


class ChromaFolder:
    """Chroma in this process, over a folder that no other process holds."""

    batch: Final = 32
    """Vectors a write: other threads wait that long (some 20 ms) for Python's lock."""

    def __init__(self, folder: Path) -> None:
        self.was_reset = False
        self._folder = folder
        self._lock = threading.Lock()
        _still_the_heap()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            marker = folder / _MARKER
            self._marker = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"the index folder {folder} cannot be used: {error.strerror}"
            ) from None
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise ConfigurationError(f"the index folder {folder} cannot be read and written")
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.capacity = max(8, min(MAX_RESIDENT, (limit - _FILES_FOR_OTHERS) // 5))
        self.dropped = MAX_DROPPED
        self._examining: Popen[bytes] | None = _begin("examine", folder)

    def open(self) -> Client:
        """The client. Whatever is damaged is gone by then; `was_reset` says if all of it."""
        try:
            found = self._examined()
            torn = self._torn(found)
            client = self._connect()
        except BaseException as error:
            if not _is_damage(error):
                raise
            log.warning(
                "the vector index in %s was damaged and is removed; it is rebuilt from SQL",
                self._folder,
            )
            chroma_files.remove_all(self._folder)
            self.was_reset = True
            found, torn = self._examined(), []
            client = self._connect()
        if not found:  # Chroma's tables may be new
            self._aside("index")
        for name in torn:
            log.warning("a collection was torn by a crash and is dropped; it is rebuilt from SQL")
            client.delete_collection(name)
        if torn:
            self.after_drop()
        self._mark("")
        return client

    def renew(self, client: Client) -> Client:
        """Lets go of every vector in memory."""
        client.close()
        heap.give_back()
        return self._connect()

    @contextmanager
    def using(self, collection: str) -> Iterator[None]:
        """Alone in Chroma, with a note of what a crash now would tear."""
        with self._lock:
            self._mark(collection)
            try:
                yield
            finally:
                self._mark("")

    def survey(self, client: Client) -> list[Kept]:
        """Every collection on disk."""
        with self._lock:
            return self._aside("survey")

    def after_drop(self) -> None:
        """Unlinks the files of dropped collections."""
        self._aside("unlink")

    def scrub(self) -> None:
        """See `chroma_files.scrub`; calls wait meanwhile."""
        with self._lock:
            self._aside("scrub")

    def close(self, client: Client | None) -> None:
        with self._lock:
            if self._examining is not None:
                self._examining.kill()
                self._examining.communicate()
            if client is not None:
                client.close()
                self._await_end()
            os.close(self._marker)

    def _examined(self) -> list[Kept]:
        """What lies in the folder: by the process that was begun for it, or by another."""
        begun, self._examining = self._examining, None
        return _end("examine", begun or _begin("examine", self._folder))

    def _torn(self, found: list[Kept]) -> list[str]:
        """Names of the collections not to be trusted."""
        written = os.pread(self._marker, _MARKER_BYTES, 0).decode(errors="replace").strip()
        since = os.fstat(self._marker).st_mtime_ns
        return [
            kept.name
            for kept in found
            if not kept.sound
            or (kept.name == written and _touched(self._folder / kept.segment, since))
        ]

    def _connect(self) -> Client:
        from chromadb.api.client import Client
        from chromadb.api.rust import RustBindingsAPI
        from chromadb.config import Settings, System

        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            anonymized_telemetry=False,
            is_persistent=True,
            persist_directory=str(self._folder),
        )
        system = System(settings)
        system.instance(RustBindingsAPI).hnsw_cache_size = _NO_EVICTION
        system.start()
        return Client.from_system(system)

    def _aside(self, work: str) -> list[Kept]:
        return _aside(work, self._folder)

    def _await_end(self) -> None:
        """Chroma lets go of its database in the background. Its log may stay: where the last two
        connections close at once, neither is the last.
        """
        deadline = time.monotonic() + _END_SECONDS
        with suppress(FileNotFoundError):  # somebody removed it
            database = (self._folder / chroma_files.DATABASE).stat()
            while _is_open(database) and time.monotonic() < deadline:
                time.sleep(0.01)

    def _mark(self, collection: str) -> None:
        os.pwrite(self._marker, collection.encode().ljust(_MARKER_BYTES), 0)


class ChromaServer:
    """A Chroma server by URL. It takes as many callers as come; its files are its operator's."""

    batch: Final = 300
    """Vectors a write: Chroma Cloud's limit, and some 0.6 MB."""

    capacity: Final = 4096
    dropped: Final = sys.maxsize
    was_reset: Final = False

    def __init__(self, url: str, files: Path | None = None) -> None:
        """`files` is the server's own folder, where this account can write it."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError("the Chroma server must be given as http(s)://host:port")
        self._host = parts.hostname
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._files = files

    def open(self) -> Client:
        from chromadb import HttpClient
        from chromadb.api.client import Client
        from chromadb.config import Settings

        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            anonymized_telemetry=False,
        )
        client = HttpClient(self._host, self._port, self._tls, settings=settings)
        assert isinstance(client, Client)
        # Without it a server that hangs would hold its caller for ever.
        client._server._session.timeout = _HTTP_SECONDS  # type: ignore[attr-defined]
        if self._files is not None:
            with suppress(IndexUnavailableError, _DamagedError):  # without it, only slower
                _aside("index", self._files)
        return client

    def renew(self, client: Client) -> Client:
        return client

    def using(self, collection: str) -> AbstractContextManager[None]:
        return nullcontext()

    def survey(self, client: Client) -> list[Kept]:
        kept: list[Kept] = []
        for offset in range(0, client.count_collections(), _PAGE):
            page = client.list_collections(limit=_PAGE, offset=offset)
            kept += [Kept(each.name, "", each.count(), sound=True) for each in page]
        return kept

    def after_drop(self) -> None:
        """Unlinks the files of dropped collections, where they can be reached."""
        if self._files is not None:
            _aside("unlink", self._files)

    def scrub(self) -> None:
        """See `chroma_files.scrub`. By the API alone nothing can be done: then the operator runs
        `chroma vacuum` and removes folders.
        """
        if self._files is not None:
            _aside("scrub", self._files)

    def close(self, client: Client | None) -> None:
        if client is not None:
            for part in (client, client._admin_client):  # `close` forgets their connections
                part._server._session.close()  # type: ignore[union-attr]
            client.close()


def _aside(work: str, folder: Path) -> list[Kept]:
    """Runs `chroma_files` as a process of its own."""
    return _end(work, _begin(work, folder))


def _begin(work: str, folder: Path) -> Popen[bytes]:
    command = [sys.executable, "-I", "-S", chroma_files.__file__, work, str(folder)]
    try:
        return Popen(command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
    except OSError:
        raise _stuck(work) from None


def _end(work: str, process: Popen[bytes]) -> list[Kept]:
    with process:
        try:
            output, _ = process.communicate(timeout=_ASIDE_SECONDS)
        except TimeoutExpired:
            process.kill()
            raise _stuck(work) from None
    if process.returncode == chroma_files.DAMAGED:
        raise _DamagedError
    if process.returncode:
        raise _stuck(work)
    return [Kept(**row) for row in json.loads(output or b"[]")]


def _still_the_heap() -> None:
    if not heap.blank():
        log.warning(
            "this C library cannot blank its heap: Chroma's files may receive bits of this "
            "process's memory; use glibc, or a Chroma server"
        )


def _is_damage(error: BaseException) -> bool:
    """What Chroma cannot open, though nothing passing is wrong. Its panics are no `Exception`."""
    kind = type(error)
    return (
        isinstance(error, _DamagedError)
        or kind.__name__ == "PanicException"
        or kind.__module__ == "chromadb.errors"
    )


def _stuck(work: str) -> IndexUnavailableError:
    return IndexUnavailableError(f"the index files could not be worked on ({work}); try again")


def _is_open(file: os.stat_result) -> bool:
    """Whether this process holds it open."""
    for descriptor in Path("/dev/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            if os.path.samestat(os.fstat(int(descriptor.name)), file):
                return True
    return False


def _touched(segment: Path, since: int) -> bool:
    try:
        return any(entry.stat().st_mtime_ns >= since for entry in segment.iterdir())
    except OSError:
        return False
