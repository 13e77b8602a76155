"""Every rpc, called as every kind of caller: what passes is what `docs/authorization.md` says.

The page's table is the expectation; the server's own policy is never asked.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor

from memory.v1 import memory_service_pb2 as pb
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.subject_rights_service_pb2 import LiftRestrictionRequest
from server.policy import SCOPES
from tests.e2e.wire.requests import Names, all_rpcs, call, reason

PAGE: Final = Path(__file__).parents[3] / "docs" / "authorization.md"
ROW: Final = re.compile(r"\| `(\w+/\w+)` \| (.+?) \| (yes|no) \| (yes|own|no) \| (yes|no) \|")
REFUSALS: Final = {"TOKEN_INVALID", "CALLER_NOT_ALLOWED", "SCOPE_MISSING", "PERSON_MISMATCH"}
UNBUILT: Final = "NOT_IMPLEMENTED"
"""Told before anyone asks whose person it is about."""

WHY: Final = AccessContext(purpose="purposes/assistance")


@dataclass(frozen=True)
class Row:
    """Who may make one call, as the page says."""

    scopes: frozenset[str]
    assistant: str
    person: str
    operator: str

    def refusal(self, kind: str, scopes: frozenset[str], *, own: bool) -> str:
        """Why this caller is refused; "" for one who passes."""
        if kind == "nobody":
            return "TOKEN_INVALID"
        cell = getattr(self, kind)
        if cell == "no":
            return "CALLER_NOT_ALLOWED"
        if not self.scopes <= scopes:
            return "SCOPE_MISSING"
        return "PERSON_MISMATCH" if cell == "own" and not own else ""


@pytest.fixture(scope="module")
def table() -> dict[str, Row]:
    rows = {}
    for name, scopes, *cells in ROW.findall(PAGE.read_text("utf-8")):
        rows[f"memory.v1.{name}"] = Row(frozenset(re.findall(r"`([a-z.]+)`", scopes)), *cells)
    return rows


@pytest.fixture(scope="module")
def rpcs(server: Any) -> list[MethodDescriptor]:
    return all_rpcs(server)


def _callers() -> list[tuple[str, str, tuple[str, ...], dict[str, str]]]:
    """What it is called, its kind, its scopes, and whose token it has."""
    everything = tuple(s for s in SCOPES if s != "operator")
    callers: list[tuple[str, str, tuple[str, ...], dict[str, str]]] = [
        ("no token", "nobody", (), {}),
        ("another tenant's assistant", "assistant", everything, {"tenant": "rival"}),
        ("assistant", "assistant", everything, {}),
        ("person", "person", everything, {"person": "me"}),
        ("another person", "person", everything, {"person": "john"}),
        ("operator", "operator", ("operator",), {}),
        ("operator with every scope", "operator", SCOPES, {}),
        ("person with the operator's scope", "person", ("operator",), {"person": "me"}),
    ]
    for scope in everything:
        callers.append((f"assistant, {scope} alone", "assistant", (scope,), {}))
        callers.append((f"person, {scope} alone", "person", (scope,), {"person": "me"}))
        both = ("operator", scope)
        callers.append((f"operator and {scope}", "operator", both, {}))
    return callers


CALLERS: Final = _callers()


def test_the_page_rules_every_rpc_and_nothing_else(
    table: dict[str, Row], rpcs: list[MethodDescriptor]
) -> None:
    assert set(table) == {f"{m.containing_service.full_name}/{m.name}" for m in rpcs}


@pytest.mark.parametrize(
    ("kind", "scopes", "whose"), [c[1:] for c in CALLERS], ids=[c[0] for c in CALLERS]
)
def test_what_passes_is_what_the_page_says(
    server: Any,
    table: dict[str, Row],
    rpcs: list[MethodDescriptor],
    kind: str,
    scopes: tuple[str, ...],
    whose: dict[str, str],
) -> None:
    id_ = f"jane-{uuid.uuid4().hex[:8]}"
    if whose.get("person") == "me":
        whose = {"person": id_}
    client = server.client(scopes=scopes or ("none",), **whose)
    channel = server.channel if kind == "nobody" else client.channel
    outcome, expected = {}, {}
    for method in rpcs:
        name = f"{method.containing_service.full_name}/{method.name}"
        own = whose.get("person", id_) == id_
        expected[name] = table[name].refusal(kind, frozenset(scopes), own=own)
        outcome[name] = _refusal(channel, method, _names(server, id_))
        if outcome[name] == UNBUILT and expected[name] in ("", "PERSON_MISMATCH"):
            expected[name] = UNBUILT
    assert outcome == expected


def _names(server: Any, id_: str) -> Names:
    """One memory and one consent of this person, new if an earlier call took or restricted them."""
    helper = server.client()
    own = server.client(person=id_)
    own.rights.LiftRestriction(LiftRestrictionRequest(name=f"people/{id_}"))
    consent = helper.grant(id_).name
    request = pb.StoreMemoryRequest(parent=f"people/{id_}", access=WHY, memory=Memory(text="Hi"))
    return Names(id_, helper.memory.StoreMemory(request).memory.name, consent)


def _refusal(channel: grpc.Channel, method: MethodDescriptor, names: Names) -> str:
    try:
        call(channel, method, names.fill(method).SerializeToString())
    except grpc.RpcError as error:
        return why if (why := reason(error)) in {*REFUSALS, UNBUILT} else ""
    return ""
