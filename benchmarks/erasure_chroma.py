"""Plain Chroma as it is used, erased in each way that it offers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import chromadb
import numpy as np
from chromadb.api.client import Client
from chromadb.config import Settings

from benchmarks.erasure_texts import Said
from memory.adapters.onnx_encoder import OnnxEncoder
from memory.adapters.residue_scan import Place, ResidueScan
from memory.bootstrap import SHIPPED_ENCODER
from memory.core.residue import Kind, Needles, StoreName
from memory.core.values import PseudonymizedText, Vector

BATCH = 100
COLLECTION = "person"


def erase_from_chroma(said: Sequence[Said], *, one_by_one: bool) -> dict[str, dict[Kind, int]]:
    """What is found after each way: `delete`, `delete_collection` (of all), each with `vacuum`."""
    encoder = OnnxEncoder(SHIPPED_ENCODER)
    # Plain Chroma is given the text as it is: that is what it is compared for.
    vectors = np.concatenate(
        [encoder.encode([PseudonymizedText(s.text) for s in part]) for part in _parts(said)]
    )
    encoder.close()
    gone = slice(None, None, 2 if one_by_one else 1)
    needles = _needles(said[gone], vectors[gone])
    found: dict[str, dict[Kind, int]] = {}
    for way in ("delete",) if one_by_one else ("delete", "delete_collection"):
        with TemporaryDirectory(prefix="tacit-bench-") as folder:
            _fill_and_erase(Path(folder), said, vectors, gone, way)
            found[way] = _look(Path(folder), needles)
            _vacuum(Path(folder))
            found[f"{way} + vacuum"] = _look(Path(folder), needles)
    return found


def _parts(said: Sequence[Said]) -> Iterator[Sequence[Said]]:
    return (said[start : start + BATCH] for start in range(0, len(said), BATCH))


def _needles(said: Sequence[Said], vectors: Vector) -> Needles:
    needles = Needles()
    needles.add_texts(each.text for each in said)
    needles.add_names(each.name for each in said)
    needles.add_vectors(vectors)
    return needles


def _fill_and_erase(
    folder: Path, said: Sequence[Said], vectors: Vector, gone: slice, way: str
) -> None:
    client = chromadb.PersistentClient(folder, settings=Settings(anonymized_telemetry=False))
    ids = [str(number) for number in range(len(said))]
    collection = client.create_collection(COLLECTION, embedding_function=None)
    for start in range(0, len(said), BATCH):
        part = slice(start, start + BATCH)
        collection.add(
            ids=ids[part], embeddings=vectors[part], documents=[s.text for s in said[part]]
        )
    if way == "delete_collection":
        client.delete_collection(COLLECTION)
    else:
        for start in range(0, len(ids[gone]), BATCH):
            collection.delete(ids=ids[gone][start : start + BATCH])
    assert isinstance(client, Client)
    client.close()


def _vacuum(folder: Path) -> None:
    command = Path(sys.executable).with_name("chroma")
    subprocess.run(
        [command, "vacuum", "--path", folder, "--force"], check=True, capture_output=True
    )


def _look(folder: Path, needles: Needles) -> dict[Kind, int]:
    """In a process of its own: Chroma may still be letting go of its files here."""
    return dict(ResidueScan([Place(StoreName.CHROMA, folder)]).scan(needles).found)
