"""The erasure benchmark counts what it says it counts."""

from __future__ import annotations

from itertools import islice

from benchmarks.erasure import figures
from benchmarks.erasure_tacit import Cleared
from benchmarks.erasure_texts import made
from memory.core.residue import Kind, Report


def cleared(found: dict[Kind, int], dead_keys: int = 0, *, same: bool = True) -> Cleared:
    report = Report({Kind.TEXT: 5}, {}, found, [], [], 1.0)
    return Cleared(report, dead_keys, 2.5, same)


def test_every_text_has_a_name_of_its_own():
    said = list(islice(made(7), 500))
    assert len({each.name for each in said}) == len({each.text for each in said}) == 500
    for each in said[:20]:
        assert [other.name for other in said if each.name in other.text] == [each.name]


def test_keys_of_a_dead_epoch_and_sealed_records_are_counted_apart():
    found = {Kind.WRAPPED_KEY: 1, Kind.SEALED_RECORD: 3, Kind.VEILED_VECTOR: 2}
    tacit = {"sqlite": {"one": cleared(found, 1), "two": cleared({Kind.TEXT: 1}, same=False)}}
    results = figures(tacit, {})
    assert results["tacit"]["residues"] == 3
    assert (results["tacit"]["dead_keys"], results["tacit"]["sealed_records"]) == (1, 3)
    assert results["others_unchanged"] is False


def test_a_key_of_a_living_epoch_is_a_residue():
    assert cleared({Kind.WRAPPED_KEY: 1}).residues == 1


def test_chroma_is_counted_after_its_kindest_way():
    chroma = {
        "one": {"delete": {Kind.TEXT: 4}, "delete + vacuum": {Kind.TEXT: 2, Kind.NAME: 1}},
        "two": {"delete": {Kind.TEXT: 4}, "delete_collection + vacuum": {}},
    }
    assert figures({}, chroma)["chroma"]["residues"] == 3
