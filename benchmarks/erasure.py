"""What is left in files after an erasure: Tacit beside plain Chroma, the same texts, one run.

    python -m benchmarks.erasure --json FILE

Five cases, each on two deployments: SQLite with Chroma in process, and PostgreSQL with a Chroma
server, whose files Tacit is told of (`chroma_files`). A person with 200 or 2,000 memories is
forgotten, or half of the memories are deleted one by one; last, a person is forgotten while others
store and recall. When the server has rolled the key epoch (`erasure_seconds`), every byte that any
of the servers wrote is searched for what was erased: sentences and names, exact and veiled vectors,
wrapped keys. A wrapped key whose epoch is destroyed opens nothing; those are counted apart
(`dead_keys`), and so are sealed records of deleted memories (`sealed_records`), whose key is
destroyed with it.

Plain Chroma holds the same texts as documents, with the vectors that Tacit's model makes of them.
It is searched after `delete`, after `delete_collection`, and after `chroma vacuum` on top of each.

    results.tacit.residues        sentences, names, vectors and keys found, all cases together
    results.chroma.residues       the same after the kindest of Chroma's ways, vacuum included
    results.others_unchanged      whether everyone else's recalls are the same to the last bit
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.table import Table

from benchmarks.conversations import read_folder
from benchmarks.erasure_chroma import erase_from_chroma
from benchmarks.erasure_tacit import ERASURE_SECONDS, Cleared, deployment_of, erase_from_tacit
from benchmarks.erasure_texts import Said, made, of_conversations
from benchmarks.frame import Figure, parser, publish, table
from memory.core.residue import Kind


@dataclass(frozen=True, slots=True)
class Case:
    """An erasure: of all, or of every second memory one by one; alone or among others."""

    name: str
    memories: int
    one_by_one: bool = False
    busy: bool = False


CASES: Final = (
    Case("forget, 200 memories", 200),
    Case("forget, 2,000 memories", 2000),
    Case("delete half of 200", 200, one_by_one=True),
    Case("delete half of 2,000", 2000, one_by_one=True),
    Case("forget 200 while others are active", 200, busy=True),
)
DEPLOYMENTS: Final = ("sqlite", "servers")
KINDS: Final = (Kind.TEXT, Kind.NAME, Kind.VECTOR, Kind.VEILED_VECTOR, Kind.WRAPPED_KEY)


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument(
        "--data", type=Path, help="folder of conversations; else made texts"
    )
    options_parser.add_argument(
        "--scale", type=float, default=1.0, help="of the numbers of memories; default %(default)s"
    )
    options = options_parser.parse_args(arguments)
    texts = (
        made(options.seed) if options.data is None else of_conversations(read_folder(options.data))
    )
    tacit: dict[str, dict[str, Cleared]] = {name: {} for name in DEPLOYMENTS}
    chroma: dict[str, dict[str, dict[Kind, int]]] = {}
    for case in CASES:
        said = take(texts, max(4, int(case.memories * options.scale)))
        chroma[case.name] = erase_from_chroma(said, one_by_one=case.one_by_one)
        for name in DEPLOYMENTS:
            with deployment_of(name) as deployment:
                cleared = erase_from_tacit(
                    deployment, said, one_by_one=case.one_by_one, busy=case.busy
                )
            tacit[name][case.name] = cleared
            sys.stderr.write(f"{case.name}, {name}: {cleared.residues} found\n")
    publish("erasure", options, figures(tacit, chroma), tables(tacit, chroma))


def take(texts: Iterator[Said], count: int) -> list[Said]:
    """The next ones; none is used twice."""
    return [next(texts) for _ in range(count)]


def figures(
    tacit: dict[str, dict[str, Cleared]], chroma: dict[str, dict[str, dict[Kind, int]]]
) -> dict[str, object]:
    cleared = [each for cases in tacit.values() for each in cases.values()]
    return {
        "tacit": {
            "residues": sum(each.residues for each in cleared),
            "dead_keys": sum(each.dead_keys for each in cleared),
            "sealed_records": sum(each.found.get(Kind.SEALED_RECORD, 0) for each in cleared),
            "erasure_seconds": ERASURE_SECONDS,
            "cases": {n: {c: e.figures() for c, e in cases.items()} for n, cases in tacit.items()},
        },
        "chroma": {
            "residues": sum(min(map(total, ways.values())) for ways in chroma.values()),
            "cases": {
                case: {way: {k.value: n for k, n in found.items()} for way, found in ways.items()}
                for case, ways in chroma.items()
            },
        },
        "others_unchanged": all(each.others_unchanged for each in cleared),
    }


def total(found: dict[Kind, int]) -> int:
    return sum(found.values())


def tables(
    tacit: dict[str, dict[str, Cleared]], chroma: dict[str, dict[str, dict[Kind, int]]]
) -> list[Table]:
    """What was found of what, by case."""
    columns = ["", "looked for", *(kind.value.replace("_", " ") for kind in KINDS)]
    ours: list[list[Figure]] = [
        [
            f"{case}, {name}",
            each.looked_for,
            *(each.living.get(kind, 0) for kind in KINDS),
            each.dead_keys,
            each.found.get(Kind.SEALED_RECORD, 0),
            each.seconds,
        ]
        for name, cases in tacit.items()
        for case, each in cases.items()
    ]
    theirs: list[list[Figure]] = [
        [f"{case}, {way}", *(found.get(kind, 0) for kind in KINDS[:3])]
        for case, ways in chroma.items()
        for way, found in ways.items()
    ]
    return [
        table("Found of Tacit", [*columns, "dead keys", "sealed records", "clean after s"], ours),
        table("Found of plain Chroma", ["", "text", "name", "vector"], theirs),
    ]


if __name__ == "__main__":
    main()
