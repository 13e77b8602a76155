"""Who may call what: every rpc is decided about, and duties are separate."""

from __future__ import annotations

import pytest

from memory.core.values import AssistantId, Caller, PersonId, TenantId
from memory.errors import ConfigurationError, ScopeError
from server.errors import CallerNotAllowedError
from server.policy import (
    OPERATE,
    POLICIES,
    SCOPES,
    Role,
    authorize,
    require_all,
    require_scope,
    role_of,
)
from server.router import rpcs


def _caller(*scopes: str, person: str | None = None) -> Caller:
    return Caller(
        TenantId("acme"),
        AssistantId("helper"),
        frozenset(scopes),
        PersonId(person) if person else None,
    )


def test_every_rpc_has_a_policy() -> None:
    require_all(rpcs())


def test_an_rpc_nobody_decided_about_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="no policy says who may call x/Y"):
        require_all([*POLICIES, "x/Y"])


def test_a_policy_for_what_is_no_rpc_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="StoreMemory"):
        require_all([name for name in POLICIES if not name.endswith("/StoreMemory")])


def test_the_credential_says_who_calls() -> None:
    everything = set(SCOPES)
    assert role_of(_caller(*everything, person="jane")) is Role.PERSON
    assert role_of(_caller(*everything)) is Role.OPERATOR
    assert role_of(_caller(*everything - {OPERATE})) is Role.ASSISTANT


def test_an_operator_opens_no_memories_and_an_assistant_no_operations() -> None:
    operator, assistant = _caller(*SCOPES), _caller(*set(SCOPES) - {OPERATE})
    for name, policy in POLICIES.items():
        if name.startswith(("memory.v1.MemoryService/", "memory.v1.ConsentService/")):
            with pytest.raises(CallerNotAllowedError):
                authorize(policy, operator)
        if name.startswith("memory.v1.OperatorService/"):
            with pytest.raises(CallerNotAllowedError):
                authorize(policy, assistant)


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_each_scope_of_a_call_is_needed(name: str) -> None:
    policy = POLICIES[name]
    person = "jane" if Role.ASSISTANT not in policy.roles and Role.PERSON in policy.roles else None
    authorize(policy, _caller(*policy.scopes, person=person))
    for scope in policy.scopes - {OPERATE}:
        with pytest.raises(ScopeError) as caught:
            authorize(policy, _caller(*policy.scopes - {scope}, person=person))
        assert caught.value.metadata == {"scope": scope}


def test_a_scope_is_held_or_not() -> None:
    require_scope(_caller("memory.reveal"), "memory.reveal")
    with pytest.raises(ScopeError, match=r"memory\.reveal"):
        require_scope(_caller("memory.read"), "memory.reveal")
