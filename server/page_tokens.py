"""Page tokens: where a listing continues, sealed, and bound to who asked for what.

    token   URL-safe base64, no padding, of: version (1) ‖ nonce (12) ‖ AES-256-GCM of the cursor
    cursor  expiry (8 bytes, Unix seconds, big endian) ‖ the listing's own bytes
    AAD     SHA-256 over the length-prefixed version, rpc, caller and request

Rules:
- A token authorizes nothing: the call that brings it is checked like any other.
- The request is bound without its `page_size` and its token, so that only these may change.
- A token lives for `LIFETIME_SECONDS`; its form says nothing about what is listed, or how much.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import time
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import Message

from memory.core.keys import bind
from memory.core.values import Caller, Secret
from memory.errors import InvalidArgumentError, PageTokenError
from memory.v1.consent_service_pb2 import ListConsentsRequest, ListPurposesRequest
from memory.v1.memory_service_pb2 import ListMemoriesRequest
from memory.v1.operator_service_pb2 import ListDataSubjectRequestsRequest, ListTenantsRequest
from memory.v1.subject_rights_service_pb2 import (
    ListAccessEventsRequest,
    ListErasuresRequest,
    ListPersonRequestsRequest,
)
from server.call import Call

PagedRequest = (
    ListMemoriesRequest
    | ListConsentsRequest
    | ListPurposesRequest
    | ListAccessEventsRequest
    | ListErasuresRequest
    | ListPersonRequestsRequest
    | ListDataSubjectRequestsRequest
    | ListTenantsRequest
)

LIFETIME_SECONDS: Final = 24 * 3600
DEFAULT_PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 100
"""100 memories of 10,000 characters fit into the 4 MiB that gRPC clients accept by default."""

_FREE: Final = {"page_size", "page_token", "resume_token"}
"""Fields that may differ from call to call."""

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_MAX_TOKEN_CHARS: Final = 512
"""Longer tokens were not made here."""


def page_size(requested: int) -> int:
    """The size to use (AIP-158): the default for zero, at most the maximum."""
    if requested < 0:
        raise InvalidArgumentError("page_size", "must not be negative")
    return min(requested or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


class PageTokens:
    """Seals and opens cursors."""

    def __init__(self, key: Secret, now: Callable[[], float] = time.time) -> None:
        self._aead = AESGCM(key.reveal())
        self._now = now

    def position(self, call: Call, request: PagedRequest, first: int) -> int:
        """Where this request's page begins: where its token says, or at `first`.

        Raises:
            PageTokenError: the token is forged, expired, or another's.
        """
        cursor = self.cursor(call, request)
        return first if cursor is None else int.from_bytes(cursor, "big")

    def cursor(self, call: Call, request: PagedRequest) -> bytes | None:
        """The listing's own bytes in the token; None for a first page. Errors as above."""
        if not request.page_token:
            return None
        return self.open(call.method, call.caller, request, request.page_token)

    def next_token(self, call: Call, request: PagedRequest, position: int | None) -> str:
        """The token of the page that begins there; empty for None, which ends the listing."""
        return self.after(call, request, None if position is None else position.to_bytes(8, "big"))

    def after(self, call: Call, request: PagedRequest, cursor: bytes | None) -> str:
        """The token of the page behind `cursor`; empty for None, which ends the listing."""
        return "" if cursor is None else self.seal(call.method, call.caller, request, cursor)

    def seal(self, rpc: str, caller: Caller, request: Message, cursor: bytes) -> str:
        """The token with which `caller` continues `request` behind `cursor`."""
        nonce = os.urandom(_NONCE_BYTES)
        expiry = int(self._now()) + LIFETIME_SECONDS
        plain = expiry.to_bytes(8, "big") + cursor
        sealed = self._aead.encrypt(nonce, plain, _binding(rpc, caller, request))
        return base64.urlsafe_b64encode(_VERSION + nonce + sealed).rstrip(b"=").decode()

    def open(self, rpc: str, caller: Caller, request: Message, token: str) -> bytes:
        """The cursor.

        Raises:
            PageTokenError: forged, expired, or made for another caller, rpc or request.
        """
        plain = self._decrypt(token, _binding(rpc, caller, request))
        if plain is None or int.from_bytes(plain[:8], "big") < self._now():
            raise PageTokenError(
                "page_token", "not made for this caller and request; start from the first page"
            )
        return plain[8:]

    def _decrypt(self, token: str, binding: bytes) -> bytes | None:
        if len(token) > _MAX_TOKEN_CHARS:
            return None
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            if raw[:1] != _VERSION:
                return None
            nonce, sealed = raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :]
            return self._aead.decrypt(nonce, sealed, binding)
        except (binascii.Error, ValueError, InvalidTag):
            return None


def _binding(rpc: str, caller: Caller, request: Message) -> bytes:
    bare = type(request)()
    bare.CopyFrom(request)
    for field in _FREE & set(bare.DESCRIPTOR.fields_by_name):
        bare.ClearField(field)
    person = b"" if caller.person is None else b"\x01" + caller.person.value.encode()
    parts = (
        _VERSION,
        rpc.encode(),
        caller.tenant.value.encode(),
        caller.assistant.value.encode(),
        person,
        bare.SerializeToString(deterministic=True),
    )
    return hashlib.sha256(bind(*parts)).digest()
