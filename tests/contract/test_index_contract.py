"""Every `VectorIndex` keeps the port's promises: Chroma in this process and a Chroma server.

What only the folder promises (damage, crashes, residue) stands in `test_index_folder.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from memory.adapters.chroma_index import ChromaIndex
from memory.adapters.residue_scan import Place, scan
from memory.core.residue import Needles, StoreName
from memory.core.values import Vector, VeiledVector
from memory.errors import ConfigurationError, IndexUnavailableError
from memory.ports import VectorIndex
from tests.contract.chroma_server import ChromaProcess
from tests.contract.vectors import DIMENSIONS, ids, unit, veiled


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaProcess]:
    with ChromaProcess(tmp_path_factory.mktemp("server")) as process:
        yield process


@pytest.fixture(params=["folder", "server"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorIndex]:
    index = (
        ChromaIndex(tmp_path / "index")
        if request.param == "folder"
        else ChromaIndex.remote(request.getfixturevalue("server").url)
    )
    yield index
    for name in index.collections():
        index.drop(name)
    index.close()


def test_what_is_upserted_is_found_best_first(index: VectorIndex) -> None:
    rows, vectors = ids(20), unit(20)
    index.upsert("person-a", rows, veiled(vectors))
    found = index.query("person-a", VeiledVector(vectors[7]), 5)
    assert found[0].record == rows[7]
    assert found[0].score == pytest.approx(1.0, abs=1e-5)
    scores = [candidate.score for candidate in found]
    assert len(found) == 5
    assert scores == sorted(scores, reverse=True)


def test_scores_are_cosine_similarities(index: VectorIndex) -> None:
    rows, vectors, question = ids(50), unit(50), unit(1)[0]
    index.upsert("person-a", rows, veiled(vectors))
    exact = dict(zip(rows, vectors @ question, strict=True))
    for candidate in index.query("person-a", VeiledVector(question), 50):
        assert candidate.score == pytest.approx(float(exact[candidate.record]), abs=1e-5)


def test_upserting_again_changes_nothing_and_upserting_anew_replaces(index: VectorIndex) -> None:
    rows, vectors = ids(10), unit(10)
    for _ in range(3):
        index.upsert("person-a", rows, veiled(vectors))
    assert index.collections() == {"person-a": 10}
    moved = unit(1, seed=9)
    index.upsert("person-a", rows[:1], veiled(moved))
    best = index.query("person-a", VeiledVector(moved[0]), 1)[0]
    assert (best.record, round(best.score, 4)) == (rows[0], 1.0)
    assert index.collections() == {"person-a": 10}


def test_one_call_may_name_a_record_twice_and_the_last_vector_holds(index: VectorIndex) -> None:
    row, vectors = ids(1)[0], unit(2)
    index.upsert("person-a", [row, row], veiled(vectors))
    (found,) = index.query("person-a", VeiledVector(vectors[1]), 9)
    assert found.score == pytest.approx(1.0, abs=1e-5)


def test_nothing_to_do_is_done(index: VectorIndex) -> None:
    index.upsert("person-a", [], [])
    index.delete("person-a", [])
    assert index.query("person-a", VeiledVector(unit(1)[0]), 0) == []
    assert index.collections() == {}


def test_a_collection_that_does_not_exist_has_no_candidates(index: VectorIndex) -> None:
    assert index.query("nobody", VeiledVector(unit(1)[0]), 10) == []
    index.delete("nobody", ids(3))
    index.drop("nobody")
    assert index.collections() == {}


def test_deleted_records_are_found_no_more(index: VectorIndex) -> None:
    rows, vectors = ids(40), unit(40)
    index.upsert("person-a", rows, veiled(vectors))
    index.delete("person-a", [*rows[:30], *ids(5, seed=5)])
    found = index.query("person-a", VeiledVector(vectors[0]), 100)
    assert {candidate.record for candidate in found} == set(rows[30:])
    assert index.collections() == {"person-a": 10}
    index.delete("person-a", rows)
    assert index.query("person-a", VeiledVector(vectors[0]), 100) == []


def test_people_are_apart_and_dropping_one_leaves_the_other(index: VectorIndex) -> None:
    vectors = unit(30)
    index.upsert("person-a", ids(30, seed=1), veiled(vectors))
    index.upsert("person-b", ids(30, seed=2), veiled(vectors))
    before = index.query("person-b", VeiledVector(vectors[3]), 30)
    index.drop("person-a")
    assert index.query("person-a", VeiledVector(vectors[3]), 30) == []
    assert index.collections() == {"person-b": 30}
    assert index.query("person-b", VeiledVector(vectors[3]), 30) == before
    index.upsert("person-a", ids(1), veiled(unit(1)))
    assert index.collections() == {"person-a": 1, "person-b": 30}


def test_a_top_hundred_holds_the_exact_top_ten(index: VectorIndex) -> None:
    """Random vectors are the hardest case: no cluster helps the graph."""
    rows, vectors, questions = ids(2_000), unit(2_000), unit(50, seed=3)
    index.upsert("person-a", rows, veiled(vectors))
    assert index.collections() == {"person-a": 2_000}
    hits = 0
    for question in questions:
        exact = {rows[i] for i in np.argsort(-(vectors @ question))[:10]}
        found = index.query("person-a", VeiledVector(question), 100)
        assert len(found) == 100
        hits += len(exact & {candidate.record for candidate in found})
    assert hits / (10 * len(questions)) >= 0.99


def test_a_wrong_dimension_is_refused_and_harms_nothing(index: VectorIndex) -> None:
    rows, vectors = ids(5), unit(5)
    index.upsert("person-a", rows, veiled(vectors))
    with pytest.raises(IndexUnavailableError):
        index.upsert("person-a", ids(1, seed=4), [VeiledVector(vectors[0][:7].copy())])
    with pytest.raises(IndexUnavailableError):
        index.query("person-a", VeiledVector(vectors[0][:7].copy()), 5)
    assert index.collections() == {"person-a": 5}
    assert len(index.query("person-a", VeiledVector(vectors[0]), 5)) == 5


def test_errors_carry_nothing_of_the_call(index: VectorIndex) -> None:
    with pytest.raises(IndexUnavailableError) as caught:
        index.upsert("secret name!", ids(1), veiled(unit(1)))
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_eight_threads_share_an_index(index: VectorIndex) -> None:
    errors: list[BaseException] = []

    def person(number: int) -> None:
        try:
            _live(index, f"person-{number % 4}", number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=person, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert index.collections() == {f"person-{number}": 2 * 60 for number in range(4)}


def _live(index: VectorIndex, name: str, seed: int) -> None:
    rows, vectors = ids(80, seed=seed), unit(80, seed=seed)
    for start in range(0, 80, 16):
        part = slice(start, start + 16)
        index.upsert(name, rows[part], veiled(vectors[part]))
        best = index.query(name, VeiledVector(vectors[start]), 3)[0]
        assert best.record == rows[start]
    index.delete(name, rows[60:])


def test_two_replicas_see_one_server(server: ChromaProcess) -> None:
    one, other = ChromaIndex.remote(server.url), ChromaIndex.remote(server.url)
    vectors: Vector = unit(2)
    one.upsert("shared", ids(1), veiled(vectors[:1]))
    assert len(other.query("shared", VeiledVector(vectors[0]), 9)) == 1
    one.drop("shared")
    assert other.query("shared", VeiledVector(vectors[0]), 9) == []
    one.upsert("shared", ids(2), veiled(vectors))
    other.upsert("shared", ids(1, seed=8), veiled(unit(1, seed=8)))
    assert one.collections() == other.collections() == {"shared": 3}
    one.drop("shared")
    one.close()
    other.close()


def test_a_server_that_is_away_is_unavailable_and_then_used_again(tmp_path: Path) -> None:
    with ChromaProcess(tmp_path) as process:
        index = ChromaIndex.remote(process.url)
        index.upsert("person-a", ids(3), veiled(unit(3)))
        process.kill()
        with pytest.raises(IndexUnavailableError):
            index.query("person-a", VeiledVector(unit(1)[0]), 3)
        with pytest.raises(IndexUnavailableError):
            index.collections()
        process.start()
        assert len(index.query("person-a", VeiledVector(unit(1)[0]), 3)) == 3
        assert index.collections() == {"person-a": 3}
        index.close()


def test_a_server_need_not_be_there_at_the_start(tmp_path: Path) -> None:
    process = ChromaProcess(tmp_path)
    index = ChromaIndex.remote(process.url)
    with pytest.raises(IndexUnavailableError):
        index.upsert("person-a", ids(1), veiled(unit(1)))
    with process:
        index.upsert("person-a", ids(1), veiled(unit(1)))
        assert index.collections() == {"person-a": 1}
        index.close()


def test_a_server_whose_folder_is_known_keeps_nothing_of_a_dropped_collection(
    tmp_path: Path,
) -> None:
    with ChromaProcess(tmp_path / "server") as process:
        index = ChromaIndex.remote(process.url, tmp_path / "server")
        others = ids(30, seed=1)
        index.upsert("others", others, veiled(unit(30, seed=1)))
        needles = Needles()
        needles.add_veiled(index.written(veiled(unit(250))))
        index.upsert("person-a", ids(250), veiled(unit(250)))
        where = [Place(StoreName.CHROMA, tmp_path / "server")]
        assert scan(where, needles).residues == 250
        index.drop("person-a")
        index.scrub()
        assert scan(where, needles).residues == 0
        for seed in range(2, 8):  # new files, which Chroma writes from its heap
            index.upsert(f"person-{seed}", ids(20, seed), veiled(unit(20, seed)))
        assert scan(where, needles).residues == 0
        assert index.query("others", VeiledVector(unit(30, seed=1)[4]), 1)[0].record == others[4]
        index.close()


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://localhost", "http://"])
def test_a_url_that_is_none_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError):
        ChromaIndex.remote(url)


def test_a_closed_index_is_unavailable(tmp_path: Path) -> None:
    index = ChromaIndex(tmp_path / "index")
    index.close()
    index.close()
    with pytest.raises(IndexUnavailableError):
        index.query("person-a", VeiledVector(unit(1)[0]), 1)
    assert DIMENSIONS == 384
