"""How much of the evidence a recall brings back, beside plain Chroma.

    python -m benchmarks.retrieval --data FOLDER --json FILE

Stores every conversation in FOLDER through gRPC in a server of its own, with detection,
pseudonyms, sealing and veiling as shipped, asks every question over gRPC, and scores what comes
back against the gold evidence. In the same run the same questions go to plain Chroma over the raw
text (`documents=`, the same encoder in fp32), to exact dense search and to BM25. `tacit_open` is
Tacit with anonymization switched off, by a policy that keeps every type of find as it stands.
`tacit_index` asks the veiled index, as for people with more memories than a conversation has
(`search_in_memory = 0`), where `tacit` searches exactly: what veiling costs is the difference.

The last table has each part of the ranking switched off, in this process (`benchmarks.ranking`).

Questions are asked when the last turn was said (`reference_time`): "last week" in one is counted
from there. All are asked for the first 50; recall@k, nDCG@10 and MRR as in `benchmarks/quality.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.table import Table

from benchmarks.baselines import BM25, Chroma, Dense, plain_chroma
from benchmarks.conversations import Conversation, Turn, read_folder
from benchmarks.fp32 import fp32_encoder
from benchmarks.frame import Figure, parser, progress, publish, table
from benchmarks.quality import DEPTH, NAMES, SHORT_NAMES, Answer, Metrics, mean, summary
from benchmarks.ranking import gather, switched_off
from benchmarks.server import Client, tacit_server, timestamp
from memory.adapters.detection.catalogue import Catalogue
from memory.adapters.detection.shipped import shipped_model
from memory.v1.core_pb2 import Memory

CATEGORY_TITLES: Final = {
    "1": "multi-hop",
    "2": "temporal",
    "3": "open-domain",
    "4": "single-hop",
    "none": "no category",
}

Ask = Callable[[str], list[str]]
"""From a question to the ids of at most `DEPTH` turns, best first."""


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser(__doc__, data="folder of conversation files (*.json)").parse_args(arguments)
    conversations = read_folder(options.data)
    answers: dict[str, list[Answer]] = {}
    answers["tacit"], seconds = ask_tacit(conversations)
    with TemporaryDirectory() as folder:
        policy = keep_everything(Path(folder) / "policy.toml")
        answers["tacit_open"], _ = ask_tacit(conversations, "--detection", str(policy))
    answers["tacit_index"], _ = ask_tacit(conversations, "--search-in-memory", "0")
    answers |= ask_baselines(conversations)
    trial = gather(conversations)
    ablation = {name: trial.score(weights) for name, weights in switched_off()}
    publish(
        "retrieval",
        options,
        results(conversations, answers, seconds) | {"switched_off": ablation},
        [*tables(answers), _ablation(ablation)],
    )


def results(
    conversations: Sequence[Conversation],
    answers: Mapping[str, Sequence[Answer]],
    seconds: Mapping[str, float],
) -> dict[str, object]:
    """What goes into the JSON file."""
    return {
        **{system: summary(given) for system, given in answers.items()},
        "memories": sum(len(c.turns) for c in conversations),
        "questions": sum(len(c.questions) for c in conversations),
        "seconds": dict(seconds),
    }


def keep_everything(file: Path) -> Path:
    """A policy that hides nothing."""
    catalogue = Catalogue(shipped_model())
    recognizers = (
        *catalogue.whole_text,
        *catalogue.any_piece,
        *catalogue.pieces_with_digits,
    )
    types = sorted({t for r in recognizers for t in r.supported_entities} | {"PERSON"})
    file.write_text("[actions]\n" + "".join(f'{name} = "keep"\n' for name in types))
    return file


def ask_tacit(
    conversations: Sequence[Conversation], *settings: str
) -> tuple[list[Answer], dict[str, float]]:
    """Every question over gRPC, and how long storing, indexing and asking took in all."""
    answers: list[Answer] = []
    seconds = {"store": 0.0, "index": 0.0, "recall": 0.0}
    with tacit_server(None, *settings) as server:
        client = server.client()
        for place, conversation in enumerate(conversations):
            person = f"person-of-conversation-{place}"
            start = time.monotonic()
            ids = store(client, person, conversation)
            stored = time.monotonic()
            client.wait_until_indexed()
            indexed = time.monotonic()
            answers += ask(conversation, tacit(client, person, ids, conversation.end))
            seconds["store"] += stored - start
            seconds["index"] += indexed - stored
            seconds["recall"] += time.monotonic() - indexed
            progress(f"tacit: {conversation.name}, {len(conversation.turns)} memories")
        client.close()
    return answers, seconds


def tacit(client: Client, person: str, ids: Mapping[str, str], asked: datetime | None) -> Ask:
    """Recall over gRPC, told in the data set's ids; `asked` is when."""
    return lambda question: [ids[name] for name in client.recall(person, question, DEPTH, asked)]


def store(client: Client, person: str, conversation: Conversation) -> dict[str, str]:
    """The data set's id of each memory, by the name it was stored under."""
    client.grant(person)
    names = client.store(person, [as_memory(turn) for turn in conversation.turns])
    return dict(zip(names, (turn.id for turn in conversation.turns), strict=True))


def as_memory(turn: Turn) -> Memory:
    """The turn as the wire takes it."""
    return Memory(
        text=turn.text,
        speaker=turn.speaker,
        session=turn.session,
        event_time=timestamp(turn.time),
    )


def ask_baselines(conversations: Sequence[Conversation]) -> dict[str, list[Answer]]:
    """Every question to every baseline, over the raw text, in this process."""
    answers: dict[str, list[Answer]] = {}
    with plain_chroma() as client:
        for place, conversation in enumerate(conversations):
            turns = conversation.turns
            ids = [turn.id for turn in turns]
            chroma = Chroma(client, f"conversation-{place}", turns)
            systems = {
                "chroma": chroma.ask,
                "dense": Dense(ids, chroma.vectors(ids), fp32_encoder().encode).ask,
                "bm25": BM25(ids, [turn.text for turn in turns]).ask,
                "bm25_speaker": BM25(ids, [f"{t.speaker}: {t.text}" for t in turns]).ask,
            }
            for name, system in systems.items():
                answers.setdefault(name, []).extend(ask(conversation, system))
            progress(f"baselines: {conversation.name}")
    return answers


def ask(conversation: Conversation, system: Ask) -> list[Answer]:
    """One answer a question."""
    return [
        Answer(conversation.name, q.category, system(q.text), q.evidence)
        for q in conversation.questions
    ]


def tables(answers: Mapping[str, Sequence[Answer]]) -> list[Table]:
    """Overall, then each category for Tacit and Chroma."""
    overall = [_row([system], given) for system, given in answers.items()]
    rows = [
        _row(
            [CATEGORY_TITLES.get(category, category), system],
            [a for a in answers[system] if a.category == category],
        )
        for category in sorted({a.category for a in answers["tacit"]})
        for system in ("tacit", "chroma")
    ]
    return [
        table("Evidence found", ["", "questions", *SHORT_NAMES], overall),
        table("By category", ["", "system", "questions", *SHORT_NAMES], rows),
    ]


def _ablation(rows: Mapping[str, Metrics]) -> Table:
    shown: list[list[Figure]] = [
        [name, *(found[metric] for metric in NAMES)] for name, found in rows.items()
    ]
    return table("Parts switched off", ["", *SHORT_NAMES], shown)


def _row(first: list[Figure], answers: Sequence[Answer]) -> list[Figure]:
    found = mean(answers)
    return [*first, len(answers), *(found[name] for name in NAMES)]


if __name__ == "__main__":
    main()
