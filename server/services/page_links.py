"""SubjectRightsService.IssueSignInLink: how a person comes to their page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from memory.ports import Clock
from memory.v1 import subject_rights_service_pb2 as pb
from server.call import Answer, Call
from server.errors import NotBuiltError
from server.messages import to_timestamp
from server.names import person_from
from server.web.links import LINK_SECONDS, Guest, Links


@dataclass(frozen=True, slots=True)
class PageLinks:
    """Translates between the rpc and the links."""

    links: Links
    clock: Clock

    def answers(self) -> Mapping[str, Answer]:
        """The one rpc."""
        return {"IssueSignInLink": self._issue}

    def _issue(self, call: Call, request: pb.IssueSignInLinkRequest) -> pb.IssueSignInLinkResponse:
        person = person_from(call.caller, request.name, "name")
        if not self.links.page:
            raise NotBuiltError("this server serves no page; set `web` to where it is to listen")
        secret = self.links.make(Guest(call.caller.tenant, person))
        return pb.IssueSignInLinkResponse(
            uri=f"{self.links.page}/sign-in#{secret}",
            expire_time=to_timestamp(self.clock() + timedelta(seconds=LINK_SECONDS)),
        )
