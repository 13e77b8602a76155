"""What Chroma in this process must survive, and must not leave behind.

Real files, real kills. Each promise here answers a fact of `docs/adr/0006-chroma.md`.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from memory.adapters import chroma_home
from memory.adapters.chroma_index import ChromaIndex
from memory.core.values import VeiledVector
from memory.errors import ConfigurationError, IndexUnavailableError
from tests.contract.vectors import ids, unit, veiled

ROOT = Path(__file__).parents[2]


@contextmanager
def opened(folder: Path) -> Iterator[ChromaIndex]:
    with closing(ChromaIndex(folder)) as index:
        index.collections()
        yield index


def fill(index: ChromaIndex, name: str, count: int, seed: int = 0) -> None:
    rows, vectors = ids(count, seed), unit(count, seed)
    for start in range(0, count, 50):
        part = slice(start, start + 50)
        index.upsert(name, rows[part], veiled(vectors[part]))


def answers(index: ChromaIndex, name: str, limit: int = 20) -> list[object]:
    return [index.query(name, VeiledVector(row), limit) for row in unit(10, seed=77)]


def segments(folder: Path) -> list[Path]:
    return [entry for entry in folder.iterdir() if entry.is_dir()]


def test_an_index_is_the_same_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as index:
        fill(index, "person-a", 250)
        before = answers(index, "person-a")
    with opened(tmp_path) as index:
        assert not index.was_reset
        assert index.collections() == {"person-a": 250}
        assert answers(index, "person-a") == before


def test_the_folder_is_private(tmp_path: Path) -> None:
    with opened(tmp_path / "new" / "index"):
        assert (tmp_path / "new" / "index").stat().st_mode & 0o077 == 0


def test_more_people_than_fit_in_memory_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chroma's own cache answers wrongly once it evicts a collection that was not persisted."""
    monkeypatch.setattr(chroma_home, "MAX_RESIDENT", 8)
    with opened(tmp_path) as index:
        for person in range(30):
            fill(index, f"person-{person}", 40, seed=person)
        for _ in range(2):
            for person in range(30):
                name, own = f"person-{person}", unit(40, seed=person)
                found = index.query(name, VeiledVector(own[9]), 100)
                assert len(found) == 40
                assert found[0].record == ids(40, seed=person)[9]


def test_people_who_come_and_go_leave_no_open_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chroma holds what was dropped, in memory and open files, as long as its client is open."""
    monkeypatch.setattr(chroma_home, "MAX_DROPPED", 4)
    with opened(tmp_path) as index:
        fill(index, "stays", 40, seed=99)
        before = answers(index, "stays")
        for person in range(20):
            fill(index, f"person-{person}", 20, seed=person)
            index.drop(f"person-{person}")
            assert _unlinked_and_open(tmp_path) <= 5 * 4
        assert answers(index, "stays") == before


def test_a_closed_index_holds_no_file(tmp_path: Path) -> None:
    for _ in range(5):
        with opened(tmp_path) as index:
            fill(index, "person-a", 50)
        assert not _open_in(tmp_path)


def _unlinked_and_open(folder: Path) -> int:
    return sum(target.endswith(" (deleted)") for target in _open_in(folder))


def _open_in(folder: Path) -> list[str]:
    """What this process holds open of it."""
    held = []
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            held.append(str(handle.readlink()))
    return [target for target in held if target.startswith(f"{folder}/")]


def test_a_dropped_collection_is_nowhere_in_the_files_and_others_answer_as_before(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as index:
        index.upsert("gone", ids(1), veiled(unit(1)))
        (gone,) = segments(tmp_path)
        for start in range(0, 650, 50):  # interleaved, so that pages and queue rows are mixed
            part = slice(start, start + 50)
            for seed, name in enumerate(("gone", "stays")):
                index.upsert(name, ids(650, seed)[part], veiled(unit(650, seed)[part]))
        index.delete("gone", ids(650, 0)[:20])
        before = answers(index, "stays")
        (stays,) = set(segments(tmp_path)) - {gone}
        traces = _traces(gone, seed=0)
        assert len(_found(tmp_path, traces)) > 130 + 120  # all ids, and most vectors
        stop, heard = threading.Event(), [before]

        def keep_asking() -> None:
            while not stop.is_set():
                heard.append(answers(index, "stays"))

        asking = threading.Thread(target=keep_asking)
        asking.start()
        index.drop("gone")
        index.scrub()
        stop.set()
        asking.join()
        assert all(answer == before for answer in heard)
        assert _found(tmp_path, traces) == set()
        assert answers(index, "stays") == before
        assert len(_found(tmp_path, _traces(stays, seed=1))) > 130 + 120
        assert segments(tmp_path) == [stays]
    with opened(tmp_path) as index:
        assert index.collections() == {"stays": 650}
        assert answers(index, "stays") == before


def test_every_form_in_which_a_vector_is_written_is_known(tmp_path: Path) -> None:
    with opened(tmp_path) as index:
        fill(index, "person-a", 450)
        forms = index.written(veiled(unit(450)))
    (segment,) = segments(tmp_path)
    (persisted,) = segment.glob("data_level0.bin")
    kept = persisted.read_bytes()
    in_order = [any(form.tobytes() in kept for form in written) for written in forms]
    assert in_order == [True] * 400 + [False] * 50
    queue = (tmp_path / "chroma.sqlite3").read_bytes()
    assert all(any(form[:16].tobytes() in queue for form in written) for written in forms[400:])


def _traces(segment: Path, seed: int) -> set[bytes]:
    """What tells on 650 records, every fifth: ids, vectors as given and as HNSW keeps them."""
    header = (segment / "header.bin").read_bytes()
    elements, stride, _, data_at = struct.unpack_from("=QQQQ", header, 20)
    stored = (segment / "data_level0.bin").read_bytes()
    normalised = [stored[at + data_at :][32:56] for at in range(0, elements * stride, stride)]
    given = [row[8:14].tobytes() for row in unit(650, seed)]
    names = [str(record).encode() for record in ids(650, seed)]
    return {*normalised[::5], *given[::5], *names[::5]}


def _found(folder: Path, traces: set[bytes]) -> set[bytes]:
    """The traces that stand in any file.

    Another process copies the files first: were they opened here, closing them would void the
    locks of a Chroma that is open in this process.
    """
    with tempfile.TemporaryDirectory() as copy:
        subprocess.run(["cp", "-r", f"{folder}/.", copy], check=True)
        files = [path.read_bytes() for path in Path(copy).rglob("*") if path.is_file()]
    return {trace for trace in traces if any(trace in data for data in files)}


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "chroma.sqlite3").write_bytes(b"not a database" * 999),
        lambda folder: os.truncate(folder / "chroma.sqlite3", 50_000),
        lambda folder: _overwrite(folder / "chroma.sqlite3", 8_192, 20_000),
        lambda folder: (folder / "chroma.sqlite3").unlink(),
        lambda folder: (folder / "chroma.sqlite3").write_bytes(b""),
    ],
    ids=["garbage", "truncated", "overwritten", "missing", "empty"],
)
def test_a_damaged_database_is_removed_with_all_vectors_and_said_so(
    tmp_path: Path, damage: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path) as index:
        fill(index, "person-a", 250)
        index.scrub()
    (tmp_path / "notes.txt").write_text("someone else's")
    damage(tmp_path)
    with opened(tmp_path) as index:
        assert index.was_reset
        assert "rebuilt from SQL" in caplog.text
        assert index.collections() == {}
        assert segments(tmp_path) == []
        fill(index, "person-a", 60)
        assert index.collections() == {"person-a": 60}
    assert (tmp_path / "notes.txt").exists()
    with opened(tmp_path) as index:
        assert not index.was_reset


def _overwrite(path: Path, start: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * length)


def test_a_folder_that_was_deleted_is_an_empty_index(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with opened(folder) as index:
        fill(index, "person-a", 60)
    shutil.rmtree(folder)
    with opened(folder) as index:
        assert index.collections() == {}
        assert index.query("person-a", VeiledVector(unit(1)[0]), 3) == []


@pytest.mark.parametrize(
    "name", ["header.bin", "data_level0.bin", "length.bin", "link_lists.bin", ""]
)
def test_a_collection_with_torn_files_is_dropped_and_others_stay(tmp_path: Path, name: str) -> None:
    with opened(tmp_path) as index:
        fill(index, "person-a", 250)
        (torn,) = segments(tmp_path)
        fill(index, "person-b", 250, seed=1)
        before = answers(index, "person-b")
    if name:
        os.truncate(torn / name, (torn / name).stat().st_size // 2)
    else:
        shutil.rmtree(torn)
    with opened(tmp_path) as index:
        assert not index.was_reset
        assert index.collections() == {"person-b": 250}
        assert answers(index, "person-b") == before
        assert not torn.exists()
        fill(index, "person-a", 250)
        assert index.collections() == {"person-a": 250, "person-b": 250}


def test_a_collection_that_fails_is_left_out_until_it_is_dropped(tmp_path: Path) -> None:
    with opened(tmp_path) as index:
        fill(index, "person-a", 250)
        (bricked,) = segments(tmp_path)
        fill(index, "person-b", 250, seed=1)
    (bricked / "index_metadata.pickle").write_bytes(b"\x80\x02garbage")
    with opened(tmp_path) as index:
        for _ in range(2):
            with pytest.raises(IndexUnavailableError):
                answers(index, "person-a")
            with pytest.raises(IndexUnavailableError):
                fill(index, "person-a", 50)
        assert index.collections() == {"person-b": 250}
        index.drop("person-a")
        assert not bricked.exists()
        fill(index, "person-a", 250)
        assert index.collections() == {"person-a": 250, "person-b": 250}
        assert len(index.query("person-a", VeiledVector(unit(1)[0]), 300)) == 250


def test_a_folder_that_is_a_file_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("")
    with pytest.raises(ConfigurationError, match="index"):
        ChromaIndex(tmp_path / "index")


_WRITER = """
import sys
from pathlib import Path
from memory.adapters.chroma_index import ChromaIndex
from tests.contract.vectors import ids, unit, veiled

index = ChromaIndex(Path(sys.argv[1]))
print("ready", flush=True)
for start in range(0, 100_000, 10):
    person = start // 10 % 3
    rows, vectors = ids(700, seed=person), unit(700, seed=person)
    part = slice(start // 3 % 700, start // 3 % 700 + 10)
    index.upsert(f"person-{person}", rows[part], veiled(vectors[part]))
    print(person, part.start, part.stop, flush=True)
"""


@pytest.mark.timeout(600)
def test_kill_nine_while_writing_bricks_nothing_for_good(tmp_path: Path, stress: bool) -> None:
    """What was acknowledged is there, or its whole collection is absent and can be rebuilt."""
    source = random.Random(9)
    acknowledged: dict[int, set[int]] = {0: set(), 1: set(), 2: set()}
    rebuilt = 0
    for _ in range(50 if stress else 10):
        for person, start, stop in _killed_writer(tmp_path, source.uniform(0.0, 2.0)):
            acknowledged[person] |= set(range(start, stop))
        with opened(tmp_path) as index:
            assert not index.was_reset
            there = index.collections()
            for person, rows in acknowledged.items():
                name, keep = f"person-{person}", sorted(rows)
                if name not in there and keep:
                    rebuilt += 1
                    index.drop(name)
                    own, vectors = ids(700, seed=person), unit(700, seed=person)
                    index.upsert(name, [own[i] for i in keep], veiled(vectors[i] for i in keep))
                _assert_all_there(index, person, keep)
    print(f"rebuilt {rebuilt} collections")


def _killed_writer(folder: Path, after: float) -> list[tuple[int, int, int]]:
    """The (person, first, behind last) that a writer acknowledged before its kill -9."""
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    time.sleep(after)
    writer.send_signal(signal.SIGKILL)
    lines = writer.communicate()[0].splitlines(keepends=True)
    return [
        (int(person), int(start), int(stop))
        for person, start, stop in (line.split() for line in lines if line.endswith("\n"))
    ]


def _assert_all_there(index: ChromaIndex, person: int, rows: list[int]) -> None:
    own, vectors = ids(700, seed=person), unit(700, seed=person)
    for i in rows[::7]:
        best = index.query(f"person-{person}", VeiledVector(vectors[i]), 1)
        assert best, "an acknowledged vector is gone"
        assert (best[0].record, round(best[0].score, 4)) == (own[i], 1.0)
    everyone = index.query(f"person-{person}", VeiledVector(vectors[0]), 1_000) if rows else []
    assert {own[i] for i in rows} <= {candidate.record for candidate in everyone}


_CANARY = """
import ctypes, sys
from pathlib import Path
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
from memory.adapters.chroma_index import ChromaIndex
from tests.contract.vectors import ids, unit, veiled

def spill(count):
    blocks = [libc.malloc(size) for size in (64, 256, 512, 1024, 4096, 16384) for _ in range(count)]
    for block in blocks:
        ctypes.memmove(block, b"CANARY-" * 9, 63)
    for block in blocks:
        libc.free(block)

index = ChromaIndex(Path(sys.argv[1]))
rows, vectors = ids(450), unit(450)
for start in range(0, 450, 25):
    spill(200)
    index.upsert("person-a", rows[start:start + 25], veiled(vectors[start:start + 25]))
spill(200)
index.close()
"""


@pytest.mark.timeout(1_800)
def test_nothing_of_this_process_reaches_the_files(tmp_path: Path, stress: bool) -> None:
    """HNSW writes length.bin from heap it never initialised."""
    blank = np.frombuffer(b"\xaa" * 4, dtype=np.float32)[0]
    for run in range(20 if stress else 2):
        folder = tmp_path / str(run)
        subprocess.run(
            [sys.executable, "-c", _CANARY, str(folder)],
            cwd=ROOT,
            env={**os.environ, "MALLOC_ARENA_MAX": "1"},
            check=True,
        )
        assert _found(folder, {b"CANARY-"}) == set()
        (segment,) = segments(folder)
        lengths = np.fromfile(segment / "length.bin", dtype=np.float32)
        assert all(length == blank or abs(length - 1) < 0.01 for length in lengths)
        print(f"run {run + 1}: 0 secrets in Chroma's files")
