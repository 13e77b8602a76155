"""The training: the small encoder learns to make of a text what the large one makes of it.

Loss: 1 - cosine, averaged over a batch. AdamW, the rate rising over `warm_up` steps and falling
evenly to almost nothing; bfloat16 where the machine has it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.quantize import FloatArray
from training.query_encoder.model import Student

Labels = NDArray[np.float16]
Ids = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Recipe:
    """What a run is made of; the defaults are the shipped model's."""

    layers: tuple[int, ...] = (0, 5)
    """Of the large encoder, with whose weights the student begins."""
    epochs: int = 3
    tokens_per_batch: int = 4096
    rate: float = 1e-3
    table_rate: float = 2e-3
    """For the two tables, of which a batch touches few rows."""
    warm_up: int = 100
    least_rate: float = 0.02
    """Share of the rate that is left at the end."""
    alone_length: float = 3.0
    """How much of a vector a rare word's own row makes at the beginning."""
    seed: int = 7


def alone_table(teacher_rows: FloatArray, ids: Ids, length: float) -> FloatArray:
    """What each token says by itself, (vocabulary, d): the large encoder's vector of it alone, less
    what all have in common, the less the more often it is met (smooth inverse frequency).
    """
    met = np.bincount(np.concatenate([np.asarray(i) for i in ids]), minlength=len(teacher_rows))
    share = (met + 1) / met.sum()
    weight = length * 1e-3 / (1e-3 + share)
    table: FloatArray = (teacher_rows - teacher_rows.mean(axis=0)) * weight[:, None]
    return table.astype(np.float32)


def fit(
    model: Student,
    ids: Ids,
    labels: Labels,
    recipe: Recipe,
    say: Callable[[str], None] = print,
) -> None:
    """Train `model` in place on token ids and the vectors (n, d) they should get."""
    chance = np.random.default_rng(recipe.seed)
    lengths = np.array([len(i) for i in ids])
    todo = [
        batch
        for _ in range(recipe.epochs)
        for batch in _batches(lengths, recipe.tokens_per_batch, chance)
    ]
    tables = [model.words.weight, model.alone.weight]
    others = [p for p in model.parameters() if all(p is not table for table in tables)]
    groups = [
        {"params": tables, "peak": recipe.table_rate},
        {"params": others, "peak": recipe.rate},
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    half = torch.cpu._is_avx512_bf16_supported()
    began, running, texts = time.monotonic(), 0.0, 0
    for step, batch in enumerate(todo, start=1):
        share = max(recipe.least_rate, 1 - step / len(todo)) * min(1.0, step / recipe.warm_up)
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * share
        wanted = torch.from_numpy(labels[batch].astype(np.float32))
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            made = model(torch.tensor([ids[i] for i in batch]))
        loss = 1 - (made.float() * wanted).sum(dim=1).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        texts += len(batch)
        running += ((loss.item() - running) * 0.02) if running else loss.item()
        if step % 100 == 0 or step == len(todo):
            speed = texts / (time.monotonic() - began)
            say(f"{step} of {len(todo)}: loss {running:.4f}, {speed:.0f} texts a second")


def token_ids(texts: Sequence[str], tokenizer: Tokenizer, most: int) -> list[list[int]]:
    """Of each text, special tokens included, cut to `most`."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(most)
    tokenizer.encode_special_tokens = True
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]


def _batches(
    lengths: NDArray[np.int64], tokens: int, chance: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """All texts in random order, those of one length together."""
    groups = []
    for length in np.unique(lengths):
        alike = chance.permutation(np.flatnonzero(lengths == length))
        size = max(1, tokens // int(length))
        groups += [alike[start : start + size] for start in range(0, len(alike), size)]
    yield from (groups[i] for i in chance.permutation(len(groups)))
