"""OperatorService: how the server is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from memory.app.status import Status
from memory.v1 import operator_service_pb2 as pb
from server.call import Answer, Call
from server.messages import to_timestamp
from server.services.unbuilt import unbuilt


@dataclass(frozen=True, slots=True)
class Operations:
    """Translates between `memory.v1.OperatorService` and the use cases."""

    status: Status
    started_at: datetime

    def answers(self) -> Mapping[str, Answer]:
        """Every rpc of the service."""
        return {"RotateKeys": unbuilt, "GetStatus": self._status, "RebuildIndex": unbuilt}

    def _status(self, _call: Call, _request: pb.GetStatusRequest) -> pb.GetStatusResponse:
        counts = self.status()
        return pb.GetStatusResponse(
            version=version("tacit-memory"),
            start_time=to_timestamp(self.started_at),
            memory_count=counts.memories,
            person_count=counts.people,
            unindexed_count=counts.unindexed,
            pending_erasure_count=counts.pending_erasures,
            key_epoch=str(counts.key_epoch),
        )
