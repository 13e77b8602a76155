"""The residue scan finds what it looks for, wherever and however it lies."""

from __future__ import annotations

import base64
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.adapters import residue_scan
from memory.adapters.residue_scan import Place, ResidueScan, scan
from memory.core.residue import Coding, Kind, Needles, StoreName

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=80)
PAD = st.binary(max_size=9)


def texts(*said: str) -> Needles:
    needles = Needles()
    needles.add_texts(said)
    return needles


def residues(folder: Path, needles: Needles) -> int:
    return scan([Place(StoreName.OTHER, folder)], needles).residues


@given(text=TEXTS, before=PAD, after=PAD)
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16-le", "utf-16-be", "hex", "base64", "urlsafe"]
)
def test_a_text_is_found_in_every_encoding_and_at_every_offset(
    tmp_path_factory: pytest.TempPathFactory, encoding: str, text: str, before: bytes, after: bytes
) -> None:
    whole = before + text.encode() + after
    match encoding:
        case "hex":
            content = whole.hex().encode()
        case "base64":
            content = base64.b64encode(whole)
        case "urlsafe":
            content = base64.urlsafe_b64encode(whole)
        case _:
            content = before + text.encode(encoding) + after
    folder = tmp_path_factory.mktemp("residue")
    (folder / "deep").mkdir()
    (folder / "deep" / "file").write_bytes(content)
    assert residues(folder, texts(text)) == 1


@given(
    kept=st.sampled_from([(0, 30), (35, 70), (70, 100)]),
    seed=st.integers(0, 2**32),
    pad=st.integers(0, 20),
)
def test_a_piece_of_a_long_text_is_enough(
    tmp_path_factory: pytest.TempPathFactory, kept: tuple[int, int], seed: int, pad: int
) -> None:
    text = np.random.default_rng(seed).bytes(50).hex()
    folder = tmp_path_factory.mktemp("residue")
    (folder / "file").write_bytes(bytes(pad) + text[slice(*kept)].encode() + b"overwritten")
    assert residues(folder, texts(text)) == 1


@given(seed=st.integers(0, 2**32), at=st.integers(0, 40))
@pytest.mark.parametrize("kind", ["float32", "float16", "veiled", "key"])
def test_vectors_and_wrapped_keys_are_found(
    tmp_path_factory: pytest.TempPathFactory, kind: str, seed: int, at: int
) -> None:
    vectors = np.random.default_rng(seed).standard_normal((3, 384)).astype("<f4")
    wrapped = vectors[0].tobytes()[:69]
    needles = Needles()
    needles.add_vectors(vectors[:2])
    needles.add_veiled([[vectors[2], vectors[2] * np.float32(1.0001)]])
    needles.add_wrapped_keys([wrapped])
    content, expected = {
        "float32": (vectors[1].tobytes(), Kind.VECTOR),
        "float16": (vectors[1].astype("<f2").tobytes(), Kind.VECTOR),
        "veiled": ((vectors[2] * np.float32(1.0001)).tobytes(), Kind.VEILED_VECTOR),
        "key": (wrapped, Kind.WRAPPED_KEY),
    }[kind]
    folder = tmp_path_factory.mktemp("residue")
    (folder / "file").write_bytes(os.urandom(at) + content + os.urandom(at))
    report = scan([Place(StoreName.OTHER, folder)], needles)
    assert report.found == {expected: 1}
    assert report.looked_for == {Kind.VECTOR: 2, Kind.VEILED_VECTOR: 1, Kind.WRAPPED_KEY: 1}


def test_case_does_not_hide_a_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"...oKaFoR...PRIYA...")
    needles = Needles()
    needles.add_names(["Okafor", "Priya", "Jo"])
    report = scan([Place(StoreName.OTHER, tmp_path)], needles)
    assert [(find.coding, find.offset) for find in report.finds] == [
        (Coding.UTF_8, 3),
        (Coding.UTF_8, 12),
    ]
    assert report.looked_for == {Kind.NAME: 2}  # two letters prove nothing


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 64 + os.urandom(1 << 21))
    needles = texts("Okafor", "a text that was never said to anybody", "Kemi")
    needles.add_vectors(np.random.default_rng(1).standard_normal((50, 384)))
    needles.add_wrapped_keys([os.urandom(69)])
    report = scan([Place(StoreName.OTHER, tmp_path)], needles)
    assert (report.files, report.size, report.residues) == (1, 256 * 64 + (1 << 21), 0)


@pytest.mark.parametrize("around", [0, 1, 2, 7, 8, 300])
def test_what_lies_across_two_portions_is_found(tmp_path: Path, around: int) -> None:
    text = b"a sentence that lies across two portions of the file"
    start = residue_scan._PORTION - len(text) + around
    (tmp_path / "file").write_bytes(bytes(start) + text + bytes(99))
    (find,) = scan([Place(StoreName.OTHER, tmp_path)], texts(text.decode())).finds
    assert start <= find.offset < start + len(text)


def test_each_file_counts_for_the_store_that_names_it_most_exactly(tmp_path: Path) -> None:
    (tmp_path / "chroma" / "deep").mkdir(parents=True)
    for name in ("tacit.db", "tacit.log", "chroma/deep/file"):
        (tmp_path / name).write_text("the secret sentence")
    (tmp_path / "link").symlink_to(tmp_path / "tacit.log")
    os.mkfifo(tmp_path / "pipe")
    places = [
        Place(StoreName.OTHER, tmp_path),
        Place(StoreName.SQL, tmp_path / "tacit.db"),
        Place(StoreName.CHROMA, tmp_path / "chroma"),
        Place(StoreName.KEYS, tmp_path / "not there"),
    ]
    report = ResidueScan(places).scan(texts("the secret sentence"))
    assert report.found == {Kind.TEXT: 1}
    assert {store: (c.files, c.found) for store, c in report.stores.items()} == {
        store: (1, {Kind.TEXT: 1}) for store in (StoreName.OTHER, StoreName.SQL, StoreName.CHROMA)
    }
    assert "secret" not in repr(report)


def test_another_process_finds_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"zzz" + "Tobias Okafor".encode("utf-16-be"))
    needles = texts("Tobias Okafor", "nobody of this name")
    report = ResidueScan([Place(StoreName.BACKUPS, tmp_path)]).scan(needles)
    here = scan([Place(StoreName.BACKUPS, tmp_path)], needles)
    assert (report.stores, report.finds, report.found, report.looked_for) == (
        here.stores,
        here.finds,
        here.found,
        here.looked_for,
    )
    assert report.residues == 1


def test_a_file_that_cannot_be_read_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> object:
        raise OSError(5, "Input/output error")

    (tmp_path / "file").write_bytes(b"anything")
    monkeypatch.setattr(residue_scan, "_portions", broken)
    report = scan([Place(StoreName.OTHER, tmp_path)], texts("anything else"))
    assert report.unread == [str(tmp_path / "file")]


def test_needles_do_not_leave_the_process() -> None:
    needles = texts("Tobias Okafor")
    assert "Okafor" not in repr(needles) + repr(needles.patterns)
    with pytest.raises(TypeError, match="serialized"):
        pickle.dumps(needles)
