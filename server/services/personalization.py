"""MemoryService: RateMemory, GetPersonalization, ResetPersonalization."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from memory.app.personalize import Personalize
from memory.core.feedback import TUNED, Rating
from memory.core.ranking import WEIGHTS
from memory.errors import InvalidArgumentError
from memory.v1 import memory_service_pb2 as pb
from server.call import Answer, Call
from server.messages import fields_named, to_access
from server.names import memory_from, memory_name, person_from

_RATINGS: Final[Mapping[pb.RateMemoryRequest.Rating.ValueType, Rating]] = {
    pb.RateMemoryRequest.RATING_USEFUL: Rating.USEFUL,
    pb.RateMemoryRequest.RATING_NOT_USEFUL: Rating.NOT_USEFUL,
    pb.RateMemoryRequest.RATING_WRONG: Rating.WRONG,
}
_PURPOSE: Final = {"purpose": "access.purpose"}


@dataclass(frozen=True, slots=True)
class Personalizations:
    """Translates between the rpcs and the use cases."""

    personalize: Personalize

    def answers(self) -> Mapping[str, Answer]:
        """The three rpcs."""
        return {
            "RateMemory": self._rate,
            "GetPersonalization": self._get,
            "ResetPersonalization": self._reset,
        }

    def _rate(self, call: Call, request: pb.RateMemoryRequest) -> pb.RateMemoryResponse:
        person, record = memory_from(call.caller, request.name, "name")
        access = to_access(call.caller, person, request.access)
        if request.rating not in _RATINGS:
            raise InvalidArgumentError("rating", "must be one of RateMemoryRequest.Rating")
        rating = _RATINGS[request.rating]
        with fields_named(_PURPOSE):
            learned = self.personalize.rate(access, record, rating, request.recall_token)
        return pb.RateMemoryResponse(learned=learned)

    def _get(
        self, call: Call, request: pb.GetPersonalizationRequest
    ) -> pb.GetPersonalizationResponse:
        person = person_from(call.caller, request.parent, "parent")
        access = to_access(call.caller, person, request.access)
        with fields_named(_PURPOSE):
            shown = self.personalize.show(access)
        feedback = shown.feedback
        counts = Counter(one.rating for one in feedback.ratings)
        return pb.GetPersonalizationResponse(
            weights=[
                pb.TunedWeight(
                    part=part,
                    default_weight=getattr(WEIGHTS, part),
                    weight=getattr(feedback.weights, part),
                )
                for part in TUNED
            ],
            useful_count=counts[Rating.USEFUL],
            not_useful_count=counts[Rating.NOT_USEFUL],
            wrong_count=counts[Rating.WRONG],
            learned_count=sum(bool(one.steps) for one in feedback.ratings),
            doubted=[memory_name(person, record) for record in shown.doubted],
        )

    def _reset(
        self, call: Call, request: pb.ResetPersonalizationRequest
    ) -> pb.ResetPersonalizationResponse:
        person = person_from(call.caller, request.parent, "parent")
        return pb.ResetPersonalizationResponse(
            rating_count=self.personalize.reset(call.caller, person)
        )
