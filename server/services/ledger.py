"""LedgerService: the newest checkpoint, and proofs that anyone can check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from memory.app.proofs import Proofs
from memory.core.signing import Verifier
from memory.v1 import ledger_service_pb2 as pb
from server.call import Answer, Call
from server.messages import to_timestamp


@dataclass(frozen=True, slots=True)
class Ledger:
    """Translates between `memory.v1.LedgerService` and the use cases."""

    proofs: Proofs

    def answers(self) -> Mapping[str, Answer]:
        """Every rpc of the service."""
        return {
            "GetCheckpoint": self._checkpoint,
            "GetInclusionProof": self._inclusion,
            "GetConsistencyProof": self._consistency,
        }

    def _checkpoint(self, _call: Call, _request: pb.GetCheckpointRequest) -> pb.Checkpoint:
        signed = self.proofs.checkpoint()
        checkpoint = signed.checkpoint
        return pb.Checkpoint(
            tree_size=checkpoint.size,
            root_hash=checkpoint.root,
            create_time=to_timestamp(checkpoint.at),
            signed_note=signed.note,
            verifier_key=str(Verifier(checkpoint.origin, self.proofs.verifier.public)),
        )

    def _inclusion(self, _call: Call, request: pb.GetInclusionProofRequest) -> pb.InclusionProof:
        proof = self.proofs.inclusion(request.leaf_hash, request.tree_size)
        return pb.InclusionProof(leaf_index=proof.index, tree_size=proof.size, hashes=proof.hashes)

    def _consistency(
        self, _call: Call, request: pb.GetConsistencyProofRequest
    ) -> pb.ConsistencyProof:
        proof = self.proofs.consistency(request.first_tree_size, request.second_tree_size)
        return pb.ConsistencyProof(
            first_tree_size=proof.first, second_tree_size=proof.second, hashes=proof.hashes
        )
