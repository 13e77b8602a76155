"""Page tokens: continue one caller's one listing, and do nothing else."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.values import AssistantId, Caller, PersonId, Secret, TenantId
from memory.errors import InvalidArgumentError, PageTokenError
from memory.v1.core_pb2 import AccessContext
from memory.v1.memory_service_pb2 import ListMemoriesRequest
from server.page_tokens import (
    DEFAULT_PAGE_SIZE,
    LIFETIME_SECONDS,
    MAX_PAGE_SIZE,
    PageTokens,
    page_size,
)

RPC = "memory.v1.MemoryService/ListMemories"
CALLER = Caller(TenantId("acme"), AssistantId("helper"), frozenset({"memory.read"}))
REQUEST = ListMemoriesRequest(
    parent="people/jane", access=AccessContext(purpose="purposes/assistance"), page_size=10
)
TOKENS = PageTokens(Secret(bytes(32)))


@given(st.binary(max_size=64))
def test_a_token_opens_to_its_cursor_for_whom_it_was_made(cursor: bytes) -> None:
    token = TOKENS.seal(RPC, CALLER, REQUEST, cursor)
    assert TOKENS.open(RPC, CALLER, REQUEST, token) == cursor


def test_the_page_size_may_change_between_pages() -> None:
    token = TOKENS.seal(RPC, CALLER, REQUEST, b"c")
    later = ListMemoriesRequest()
    later.CopyFrom(REQUEST)
    later.page_size, later.page_token = 99, token
    assert TOKENS.open(RPC, CALLER, later, token) == b"c"


def test_scopes_are_checked_by_the_call_and_not_by_the_token() -> None:
    token = TOKENS.seal(RPC, CALLER, REQUEST, b"c")
    assert TOKENS.open(RPC, replace(CALLER, scopes=frozenset()), REQUEST, token) == b"c"


@pytest.mark.parametrize(
    "caller",
    [
        replace(CALLER, tenant=TenantId("other")),
        replace(CALLER, assistant=AssistantId("other")),
        replace(CALLER, person=PersonId("jane")),
    ],
)
def test_a_token_is_worth_nothing_to_another_caller(caller: Caller) -> None:
    token = TOKENS.seal(RPC, CALLER, REQUEST, b"c")
    with pytest.raises(PageTokenError):
        TOKENS.open(RPC, caller, REQUEST, token)


def test_a_token_is_bound_to_its_rpc_and_request() -> None:
    token = TOKENS.seal(RPC, CALLER, REQUEST, b"c")
    with pytest.raises(PageTokenError):
        TOKENS.open("memory.v1.ConsentService/ListConsents", CALLER, REQUEST, token)
    for change in (
        {"parent": "people/john"},
        {"access": AccessContext(purpose="purposes/other")},
        {"filter": {"sessions": ["s"]}},
        {"reveal": True},
    ):
        other = ListMemoriesRequest()
        other.CopyFrom(REQUEST)
        other.MergeFrom(ListMemoriesRequest(**change))  # type: ignore[arg-type]
        with pytest.raises(PageTokenError):
            TOKENS.open(RPC, CALLER, other, token)


def test_every_changed_byte_and_every_cut_is_refused() -> None:
    token = TOKENS.seal(RPC, CALLER, REQUEST, b"cursor")
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for place in range(len(raw)):
        bad = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        for forged in (bad, raw[:place]):
            with pytest.raises(PageTokenError):
                TOKENS.open(RPC, CALLER, REQUEST, base64.urlsafe_b64encode(forged).decode())


@given(st.text(max_size=600))
def test_any_text_that_was_not_made_here_is_refused(text: str) -> None:
    with pytest.raises(PageTokenError):
        TOKENS.open(RPC, CALLER, REQUEST, text)


def test_another_key_opens_nothing() -> None:
    token = TOKENS.seal(RPC, CALLER, REQUEST, b"c")
    with pytest.raises(PageTokenError):
        PageTokens(Secret(b"\x01" * 32)).open(RPC, CALLER, REQUEST, token)


def test_a_token_lives_a_day() -> None:
    now = [1_000_000.0]
    tokens = PageTokens(Secret(bytes(32)), now=lambda: now[0])
    token = tokens.seal(RPC, CALLER, REQUEST, b"c")
    now[0] += LIFETIME_SECONDS - 1
    assert tokens.open(RPC, CALLER, REQUEST, token) == b"c"
    now[0] += 2
    with pytest.raises(PageTokenError):
        tokens.open(RPC, CALLER, REQUEST, token)


def test_a_token_shows_nothing_of_what_it_holds() -> None:
    first, second = (TOKENS.seal(RPC, CALLER, REQUEST, b"cursor") for _ in range(2))
    assert first != second
    assert b"cursor" not in base64.urlsafe_b64decode(first + "==")


def test_absurd_page_sizes() -> None:
    assert page_size(0) == DEFAULT_PAGE_SIZE
    assert page_size(7) == 7
    assert page_size(2**31 - 1) == MAX_PAGE_SIZE
    with pytest.raises(InvalidArgumentError, match="page_size"):
        page_size(-1)
