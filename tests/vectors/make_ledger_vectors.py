"""Writes `ledger-v1.json`: run it only for a new version of the format."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from memory.core.keys import PersonKeys
from memory.core.ledger import Checkpoint, Event
from memory.core.ledger_proof import Consistency, Inclusion
from memory.core.merkle import Node, consistency_path, fold, inclusion_path, root, subtree
from memory.core.signing import Signer
from memory.core.values import Secret, SubjectId, TenantId

FILE = Path(__file__).with_name("ledger-v1.json")
THEN = datetime(2026, 3, 1, 12, 30, 15, 123_457, tzinfo=UTC)
ACTIONS = ("consent", "store", "read", "reveal", "update", "export", "erase")


def vectors() -> dict[str, object]:
    """All of them, from fixed keys."""
    person_root = bytes(range(32))
    keys = PersonKeys(TenantId("acme"), SubjectId(bytes(16)), 1, Secret(person_root))
    signer = Signer("memory.example.org", Secret(bytes(range(32, 64))))
    leaves = [
        Event(
            id=bytes([number] * 16),
            at=THEN + timedelta(seconds=number),
            tenant="acme",
            assistant="helper",
            purpose="" if action in ("export", "erase") else "support",
            action=action,
            count=number,
            denied=action == "reveal",
        ).leaf(keys.ledger)
        for number, action in enumerate(ACTIONS)
    ]

    def hashes(node: Node) -> bytes:
        start = node.offset << node.level
        return fold([leaf.hash for leaf in leaves[start : start + (1 << node.level)]])

    def checkpoint(size: int) -> str:
        return Checkpoint("memory.example.org", size, root(hashes, size), THEN).sign(signer)

    def proof(path: list[tuple[int, int]]) -> tuple[bytes, ...]:
        return tuple(subtree(hashes, *part) for part in path)

    size = len(leaves)
    inclusions = [
        Inclusion(leaf, at, proof(inclusion_path(at, size)), checkpoint(size))
        for at, leaf in enumerate(leaves)
    ]
    consistencies = [
        Consistency(checkpoint(first), checkpoint(size), proof(consistency_path(first, size)))
        for first in range(1, size + 1)
    ]
    return {
        "verifier_key": str(signer.verifier),
        "person_root": person_root.hex(),
        "ledger_key": keys.ledger.reveal().hex(),
        "leaves": [{"input": leaf.input.hex(), "hash": leaf.hash.hex()} for leaf in leaves],
        "checkpoints": [checkpoint(n) for n in range(size + 1)],
        "inclusion": [each.to_json().decode() for each in inclusions],
        "consistency": [each.to_json().decode() for each in consistencies],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n", "utf-8")
