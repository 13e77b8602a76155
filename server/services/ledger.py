"""LedgerService: part of the contract, not built yet."""

from __future__ import annotations

from collections.abc import Mapping

from server.call import Answer
from server.services.unbuilt import unbuilt


def answers() -> Mapping[str, Answer]:
    """Every rpc of the service."""
    return {
        "GetCheckpoint": unbuilt,
        "GetInclusionProof": unbuilt,
        "GetConsistencyProof": unbuilt,
    }
