"""What each part of the ranking is worth, and whether its weight is well chosen.

    python -m benchmarks.ranking --data FOLDER --json FILE

Stores the conversations in FOLDER in a Tacit of its own, everything on, in this process, and ranks
all memories for each question with the product's own `core.ranking`

- with its weights, without each part, and with each part at half and at twice its weight;
- with the weights that fit best on all other conversations, for each conversation in turn
  (leave one out): what is left of a gain there does not come from knowing the answers.

Questions are asked when the last turn was said. The first row is what `benchmarks.retrieval` finds
over gRPC. No conversation of these says what is important: that part has nothing to show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.table import Table

from benchmarks.conversations import Conversation, read_folder
from benchmarks.frame import Figure, parser, progress, publish, table
from benchmarks.quality import DEPTH, NAMES, SHORT_NAMES, Answer, Metrics, mean
from memory.app.gate import admit
from memory.app.narrow import Narrow
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.corpus import Corpus
from memory.core.draft import Draft
from memory.core.ranking import PARTS, WEIGHTS, Query, Weights, rank
from memory.core.values import (
    Access,
    AssistantId,
    Caller,
    PersonId,
    PurposeId,
    RawText,
    RecordId,
    TenantId,
)

FACTORS: Final = (0.0, 0.5, 0.75, 1.0, 1.5, 2.0)
"""What a weight may be multiplied with when fitting."""

_AIM: Final = ("recall@5", "recall@10", "recall@20", "mrr")
_ROUNDS: Final = 2
_BATCH: Final = 128


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as the ranking gets it, and what it should find."""

    query: Query
    category: str
    evidence: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ranking:
    """One conversation to be ranked again and again; row i of the corpus is turn `ids[i]`."""

    name: str
    corpus: Corpus
    ids: Sequence[str]
    asked: Sequence[Asked]

    def answers(self, weights: Weights) -> list[Answer]:
        return [
            Answer(
                self.name,
                one.category,
                [self.ids[r.index] for r in rank(one.query, self.corpus, DEPTH, weights=weights)],
                one.evidence,
            )
            for one in self.asked
        ]


@dataclass(frozen=True, slots=True)
class Trial:
    """All conversations."""

    rankings: Sequence[Ranking]
    _known: dict[tuple[str, Weights], list[Answer]] = field(default_factory=dict)

    def score(self, weights: Weights, *, without: str = "", only: str = "") -> Metrics:
        """Metrics with these weights, over all conversations, all but one, or only one."""
        return mean(
            answer
            for ranking in self.rankings
            if ranking.name != without and (not only or ranking.name == only)
            for answer in self._answers(ranking, weights)
        )

    def _answers(self, ranking: Ranking, weights: Weights) -> list[Answer]:
        key = (ranking.name, weights)
        if key not in self._known:
            self._known[key] = ranking.answers(weights)
        return self._known[key]


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser(__doc__, data="folder of conversation files (*.json)").parse_args(arguments)
    trial = gather(read_folder(options.data))
    rows = {name: trial.score(weights) for name, weights in variants()}
    fits = leave_one_out(trial)
    if fits:
        rows["fitted on the other conversations"] = held_out(trial, fits)
    shown = {name: {part: getattr(w, part) for part in PARTS} for name, w in fits.items()}
    questions = sum(len(r.asked) for r in trial.rankings)
    results = {"rows": rows, "fits": shown, "questions": questions}
    publish("ranking", options, results, tables(rows, fits, questions))


def gather(conversations: Sequence[Conversation]) -> Trial:
    """Stores every conversation, and understands every question."""
    with TemporaryDirectory() as folder, open_tacit(config(Path(folder))) as tacit:
        return Trial([_gather(tacit, place, one) for place, one in enumerate(conversations)])


def _gather(tacit: Tacit, place: int, conversation: Conversation) -> Ranking:
    caller = Caller(TenantId("acme"), AssistantId("benchmark"), frozenset())
    access = Access(caller, PersonId(f"person-of-conversation-{place}"), PurposeId("assistance"))
    tacit.consents.grant(caller, access.person, access.purpose, None)
    turns: dict[RecordId, str] = {}
    for start in range(0, len(conversation.turns), _BATCH):
        batch = conversation.turns[start : start + _BATCH]
        drafts = [
            Draft(
                RawText(turn.text),
                speaker=RawText(turn.speaker) if turn.speaker else None,
                session=turn.session,
                event_time=turn.time,
            )
            for turn in batch
        ]
        stored = tacit.remember(access, drafts)
        turns |= {one.memory.id: turn.id for one, turn in zip(stored, batch, strict=True)}
    asked = [
        Asked(
            tacit.recall.wanted(access, RawText(q.text), conversation.end), q.category, q.evidence
        )
        for q in conversation.questions
    ]
    corpus = whole(tacit, access)
    progress(f"{conversation.name}: {len(corpus)} memories, {len(asked)} questions")
    return Ranking(conversation.name, corpus, [turns[h.id] for h in corpus.heads], asked)


def config(folder: Path) -> Config:
    """Whoever is measured is ranked whole."""
    return Config(data=folder, search_in_memory=1_000_000)


def whole(tacit: Tacit, access: Access) -> Corpus:
    """All memories of a person, as a recall ranks them."""
    recall = tacit.recall
    ref = recall.keyring.ref(access.caller.tenant, access.person)
    purposes = recall.registry.of(access.caller.tenant)
    with recall.store.read() as uow:
        admission = admit(uow, ref, purposes, access, recall.clock())
        keys = recall.keyring.keys(admission.person)
        narrow = Narrow()
        filter_ = narrow.to_filter(keys, admission)
        return recall.candidates.whole(uow, keys, admission.person, narrow, filter_).corpus


def switched_off() -> Iterator[tuple[str, Weights]]:
    """As it is, without each part, and without what was said around a memory."""
    yield "all parts", WEIGHTS
    for part in PARTS:
        yield f"without {part}", times(WEIGHTS, part, 0.0)
    yield "each memory by itself", replace(WEIGHTS, neighbour=0.0, answer=0.0, session=0.0)


def variants() -> Iterator[tuple[str, Weights]]:
    """Parts switched off, halved and doubled; `dense` keeps the scale."""
    yield from switched_off()
    for part in PARTS[1:]:
        yield f"{part} x 0.5", times(WEIGHTS, part, 0.5)
        yield f"{part} x 2", times(WEIGHTS, part, 2.0)


def times(weights: Weights, part: str, factor: float) -> Weights:
    """The weights with one part at `factor` times its shipped weight."""
    return replace(weights, **{part: factor * getattr(WEIGHTS, part)})


def leave_one_out(trial: Trial) -> dict[str, Weights]:
    """For each conversation the weights that fit all others; empty with fewer than three."""
    names = sorted({r.name for r in trial.rankings})
    if len(names) < 3:
        return {}
    return {name: fit(trial, without=name) for name in names}


def fit(trial: Trial, without: str) -> Weights:
    """Weights by coordinate search: with less of `dense`, the others count more together."""
    weights = WEIGHTS
    best = _aim(trial.score(weights, without=without))
    for _ in range(_ROUNDS):
        before = best
        for part in PARTS:
            for factor in FACTORS:
                tried = times(weights, part, factor)
                reached = _aim(trial.score(tried, without=without))
                if reached > best:
                    best, weights = reached, tried
        if best == before:
            break
    return weights


def held_out(trial: Trial, fits: Mapping[str, Weights]) -> Metrics:
    """Each conversation under the weights it had no part in; questions weigh alike."""
    counts = {r.name: len(r.asked) for r in trial.rankings}
    scores = {name: trial.score(weights, only=name) for name, weights in fits.items()}
    total = sum(counts.values())
    return {
        metric: sum(scores[name][metric] * counts[name] for name in fits) / total
        for metric in NAMES
    }


def _aim(metrics: Metrics) -> float:
    return sum(metrics[name] for name in _AIM)


def tables(rows: Mapping[str, Metrics], fits: Mapping[str, Weights], questions: int) -> list[Table]:
    """The variants, then the fitted weights."""
    shown: list[list[Figure]] = [
        [name, *(metrics[metric] for metric in NAMES)] for name, metrics in rows.items()
    ]
    made = [table(f"Ranking, {questions} questions", ["", *SHORT_NAMES], shown)]
    if fits:
        fitted: list[list[Figure]] = [
            [name, *(getattr(weights, part) for part in PARTS)] for name, weights in fits.items()
        ]
        made.append(table("Weights fitted without", ["conversation", *PARTS], fitted))
    return made


if __name__ == "__main__":
    main()
