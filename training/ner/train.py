"""The training loop: AdamW with layer-wise rates, bfloat16 where the machine has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.ner.encode import Batch, Encoded, batches
from training.ner.labels import ANYTHING, LABELS
from training.ner.model import Tagger

TAUGHT = 0.75
"""Where there is a teacher, its share of the loss; the rest is the labels'."""


@dataclass(frozen=True)
class Cycle:
    """Epochs through which the rate warms up and decays: each ends with a usable model."""

    epochs: int
    peak: float
    tokens_per_batch: int = 1024


@dataclass(frozen=True)
class Recipe:
    """What a run is made of; the defaults are those of the first run, without a teacher."""

    cycles: tuple[Cycle, ...] = (
        Cycle(1, 2e-4, 2048),
        Cycle(1, 1.5e-4),
        Cycle(1, 1.5e-4),
        Cycle(1, 1.5e-4),
        Cycle(1, 1.2e-4),
        Cycle(1, 1.2e-4),
        Cycle(1, 1.2e-4),
        *(Cycle(1, 1.0e-4) for _ in range(3)),
        *(Cycle(1, 0.8e-4) for _ in range(3)),
    )
    averaged: int = 6
    """The model is the mean of this many last cycles' ends."""
    decay_by_layer: float = 0.9
    weight_decay: float = 0.01
    warm_up: float = 0.06
    seed: int = 20


def _say(line: str) -> None:
    """Print a line with the time."""
    print(time.strftime("%H:%M:%S"), line, flush=True)


def loss_of(logits: Tensor, allowed: Tensor) -> Tensor:
    """Mean over known tokens of minus log of the probability of the allowed labels; 0 if none is
    known.
    """
    known = allowed != ANYTHING
    scores = torch.log_softmax(logits.float()[known], dim=-1)
    bits = torch.arange(len(LABELS), device=allowed.device)
    inside = (allowed[known][:, None] >> bits) & 1
    losses = -torch.logsumexp(scores.masked_fill(inside == 0, -1e4), dim=-1)
    return losses.sum() / max(len(losses), 1)


def taught_loss(logits: Tensor, taught: Tensor) -> Tensor:
    """Mean over taught tokens of the cross-entropy with the teacher's probabilities."""
    known = taught.sum(dim=-1) > 0
    scores = torch.log_softmax(logits.float()[known], dim=-1)
    return -(taught[known] * scores).sum(dim=-1).mean()


def _groups(model: Tagger, recipe: Recipe, peak: float) -> list[dict[str, object]]:
    """Lower layers learn more slowly; norms and biases do not decay."""
    depth = model.size.layers
    groups = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith("head"):
            level = depth + 1
        elif name.startswith("layers."):
            level = int(name.split(".")[1]) + 1
        else:
            level = 0
        rate = peak * recipe.decay_by_layer ** (depth + 1 - level)
        if name.startswith("shapes"):
            rate = peak
        decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
        groups.append({"params": [parameter], "lr": rate, "peak": rate, "weight_decay": decay})
    return groups


def _loss(model: Tagger, batch: Batch, half: bool) -> Tensor:
    with torch.autocast(batch.ids.device.type, dtype=torch.bfloat16, enabled=half):
        logits = model(batch.ids, batch.shapes, batch.mask)
    loss = loss_of(logits, batch.allowed)
    if not bool(batch.taught.any()):
        return loss
    return TAUGHT * taught_loss(logits, batch.taught) + (1 - TAUGHT) * loss


def fit(
    model: Tagger,
    pieces_of: Callable[[int], Sequence[Encoded]],
    recipe: Recipe,
    skip_cycles: int = 0,
    ended: Callable[[int, Tagger], None] = lambda number, model: None,
) -> None:
    """Train ``model`` in place; ``pieces_of(n)`` gives the data of epoch ``n``.

    ``skip_cycles`` goes on from the model of an earlier run that stopped after so many cycles;
    where that one stopped counts as an end. ``ended`` is called with each cycle's number and the
    model at its end.
    """
    model.words.weight.requires_grad_(False)  # half of all weights, little to gain
    first = 0
    ends = [_weights(model)] if skip_cycles else []
    for number, cycle in enumerate(recipe.cycles):
        epochs = range(first, first + cycle.epochs)
        if number >= skip_cycles:
            _run(model, pieces_of, recipe, cycle, epochs)
            ended(number, model)
            ends.append(_weights(model))
        first = epochs.stop
    model.load_state_dict(mean(ends[-recipe.averaged :]))


def _weights(model: Tagger) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def mean(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of some models' weights: better on foreign text than any one of them."""
    return {name: torch.stack([s[name] for s in states]).mean(dim=0) for name in states[0]}


def _run(
    model: Tagger,
    pieces_of: Callable[[int], Sequence[Encoded]],
    recipe: Recipe,
    cycle: Cycle,
    epochs: range,
) -> None:
    torch.manual_seed(recipe.seed + epochs.start)
    device = next(model.parameters()).device
    half = device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()
    groups = _groups(model, recipe, cycle.peak)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
    model.train()
    total, step, tokens, running, began = 0, 0, 0, 0.0, time.monotonic()
    for epoch in epochs:
        order = np.random.default_rng([recipe.seed, epoch])
        todo = list(batches(pieces_of(epoch), cycle.tokens_per_batch, order))
        total = total or len(todo) * len(epochs)
        for batch in todo:
            share = min(step / total, 1.0)
            factor = min(share / recipe.warm_up, (1 - share) / (1 - recipe.warm_up))
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * max(factor, 0.005)
            moved = Batch(*(tensor.to(device) for tensor in vars(batch).values()))
            loss = _loss(model, moved, half)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            running = 0.98 * running + 0.02 * loss.item() if step else loss.item()
            tokens += int(batch.mask.sum())
            step += 1
            if step % 25 == 0:
                speed = tokens / (time.monotonic() - began)
                _say(f"epoch {epoch} step {step}/{total} loss {running:.4f} {speed:.0f} tokens/s")
