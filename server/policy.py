"""Who may call what: one row for every rpc, or the server refuses to start.

Rules:
- The kind of caller follows from the credential: a token that names a person is the person's;
  one with scope `operator` is an operator's; any other is an assistant's.
- An operator's token opens no memories, and an assistant's no operations: duties are separate.
- A row says who may knock. Whether the person consented is decided behind it, in the domain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from memory.core.values import Caller
from memory.errors import ConfigurationError, ScopeError
from server.errors import CallerNotAllowedError


class Role(StrEnum):
    """The kinds of caller."""

    ASSISTANT = "assistant"
    PERSON = "person"
    OPERATOR = "operator"


WRITE: Final = "memory.write"
READ: Final = "memory.read"
REVEAL: Final = "memory.reveal"
CONSENT: Final = "consent.manage"
EXPORT: Final = "data.export"
ERASE: Final = "data.erase"
LINK: Final = "page.link"
OPERATE: Final = "operator"

SCOPES: Final = (WRITE, READ, REVEAL, CONSENT, EXPORT, ERASE, LINK, OPERATE)
"""All that a token can hold."""

OPEN_SERVICES: Final = frozenset(
    {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
)
"""Answer without a token: load balancers ask the one, the other tells what is public anyway."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A caller of one of `roles` whose token holds all of `scopes` may call."""

    roles: frozenset[Role]
    scopes: frozenset[str]


def _policy(roles: Iterable[Role], *scopes: str) -> Policy:
    return Policy(frozenset(roles), frozenset(scopes))


_ASSISTANT_OR_PERSON: Final = (Role.ASSISTANT, Role.PERSON)
_PERSON_OR_OPERATOR: Final = (Role.PERSON, Role.OPERATOR)
_ANYONE: Final = tuple(Role)

POLICIES: Final[Mapping[str, Policy]] = {
    "memory.v1.MemoryService/StoreMemory": _policy(_ASSISTANT_OR_PERSON, WRITE),
    "memory.v1.MemoryService/BatchStoreMemories": _policy(_ASSISTANT_OR_PERSON, WRITE),
    "memory.v1.MemoryService/RecallMemories": _policy(_ASSISTANT_OR_PERSON, READ),
    "memory.v1.MemoryService/BuildContext": _policy(_ASSISTANT_OR_PERSON, READ),
    "memory.v1.MemoryService/GetProfile": _policy(_ASSISTANT_OR_PERSON, READ),
    "memory.v1.MemoryService/BuildHandover": _policy(_ASSISTANT_OR_PERSON, READ),
    "memory.v1.MemoryService/RateMemory": _policy(_ASSISTANT_OR_PERSON, WRITE),
    "memory.v1.MemoryService/GetPersonalization": _policy(_ASSISTANT_OR_PERSON, READ),
    "memory.v1.MemoryService/ResetPersonalization": _policy(_ASSISTANT_OR_PERSON, WRITE),
    "memory.v1.MemoryService/GetMemory": _policy(_ASSISTANT_OR_PERSON, READ),
    "memory.v1.MemoryService/ListMemories": _policy(_ASSISTANT_OR_PERSON, READ),
    "memory.v1.MemoryService/UpdateMemory": _policy(_ASSISTANT_OR_PERSON, WRITE),
    "memory.v1.MemoryService/DeleteMemory": _policy(_ASSISTANT_OR_PERSON, WRITE),
    "memory.v1.ConsentService/ListPurposes": _policy(_ASSISTANT_OR_PERSON, CONSENT),
    "memory.v1.ConsentService/GrantConsent": _policy(_ASSISTANT_OR_PERSON, CONSENT),
    "memory.v1.ConsentService/RefuseConsent": _policy(_ASSISTANT_OR_PERSON, CONSENT),
    "memory.v1.ConsentService/WithdrawConsent": _policy(_ASSISTANT_OR_PERSON, CONSENT),
    "memory.v1.ConsentService/GetConsent": _policy(_ASSISTANT_OR_PERSON, CONSENT),
    "memory.v1.ConsentService/ListConsents": _policy(_ASSISTANT_OR_PERSON, CONSENT),
    "memory.v1.ConsentService/GetConsentReceipt": _policy(_ASSISTANT_OR_PERSON, CONSENT),
    "memory.v1.SubjectRightsService/ExportData": _policy(_ASSISTANT_OR_PERSON, EXPORT),
    "memory.v1.SubjectRightsService/ImportData": _policy(_ASSISTANT_OR_PERSON, EXPORT, WRITE),
    "memory.v1.SubjectRightsService/ForgetUser": _policy(_ANYONE, ERASE),
    "memory.v1.SubjectRightsService/EraseMemories": _policy(_ANYONE, ERASE),
    "memory.v1.SubjectRightsService/ListErasures": _policy((Role.ASSISTANT, Role.OPERATOR), ERASE),
    "memory.v1.SubjectRightsService/GetErasureCertificate": _policy(_ANYONE, ERASE),
    "memory.v1.SubjectRightsService/ListAccessEvents": _policy(_ASSISTANT_OR_PERSON, EXPORT),
    "memory.v1.SubjectRightsService/ListPersonRequests": _policy(_ASSISTANT_OR_PERSON, EXPORT),
    "memory.v1.SubjectRightsService/RestrictProcessing": _policy(_ASSISTANT_OR_PERSON, CONSENT),
    "memory.v1.SubjectRightsService/LiftRestriction": _policy(_PERSON_OR_OPERATOR, CONSENT),
    "memory.v1.SubjectRightsService/IssueSignInLink": _policy(_ASSISTANT_OR_PERSON, LINK),
    "memory.v1.LedgerService/GetCheckpoint": _policy(_ANYONE),
    "memory.v1.LedgerService/GetInclusionProof": _policy(_ANYONE),
    "memory.v1.LedgerService/GetConsistencyProof": _policy(_ANYONE),
    "memory.v1.OperatorService/RotateKeys": _policy((Role.OPERATOR,), OPERATE),
    "memory.v1.OperatorService/GetStatus": _policy((Role.OPERATOR,), OPERATE),
    "memory.v1.OperatorService/ListTenants": _policy((Role.OPERATOR,), OPERATE),
    "memory.v1.OperatorService/PlaceLegalHold": _policy((Role.OPERATOR,), OPERATE),
    "memory.v1.OperatorService/ReleaseLegalHold": _policy((Role.OPERATOR,), OPERATE),
    "memory.v1.OperatorService/InvalidateConsents": _policy((Role.OPERATOR,), OPERATE),
    "memory.v1.OperatorService/RebuildIndex": _policy((Role.OPERATOR,), OPERATE),
    "memory.v1.OperatorService/ListDataSubjectRequests": _policy((Role.OPERATOR,), OPERATE),
    "memory.v1.OperatorService/ExtendDataSubjectRequest": _policy((Role.OPERATOR,), OPERATE),
    "memory.v1.OperatorService/CloseDataSubjectRequest": _policy((Role.OPERATOR,), OPERATE),
    "memory.v1.OperatorService/GetReport": _policy((Role.OPERATOR,), OPERATE),
}


def role_of(caller: Caller) -> Role:
    """Which kind of caller the credential makes."""
    if caller.person is not None:
        return Role.PERSON
    return Role.OPERATOR if OPERATE in caller.scopes else Role.ASSISTANT


def authorize(policy: Policy, caller: Caller) -> None:
    """Lets the caller pass.

    Raises:
        CallerNotAllowedError: the call is for another kind of caller.
        ScopeError: the token lacks a scope.
    """
    if role_of(caller) not in policy.roles:
        allowed = ", ".join(sorted(policy.roles))
        raise CallerNotAllowedError(
            f"this call is for: {allowed}; the token is that of: {role_of(caller)}",
            callers=allowed,
        )
    for scope in sorted(policy.scopes):
        require_scope(caller, scope)


def require_scope(caller: Caller, scope: str) -> None:
    """The token holds the scope, or `ScopeError`."""
    if scope not in caller.scopes:
        raise ScopeError(f"the token lacks the scope {scope}; ask for one that has it", scope=scope)


def require_all(rpcs: Iterable[str], policies: Mapping[str, Policy] = POLICIES) -> None:
    """Every rpc has a row, and every row an rpc, or `ConfigurationError`."""
    names = frozenset(rpcs)
    unruled = sorted(names - policies.keys())
    if unruled:
        raise ConfigurationError(f"no policy says who may call {', '.join(unruled)}")
    stale = sorted(policies.keys() - names)
    if stale:
        raise ConfigurationError(f"a policy rules what is no rpc: {', '.join(stale)}")
