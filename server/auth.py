"""Who calls: a bearer token (JWT, RFC 7519; EdDSA, RFC 8037), verified, becomes a `Caller`.

    header   alg "EdDSA", kid
    claims   iss, aud, exp, tenant, client_id, scope; iat, nbf if present; sub for a person

Rules:
- The algorithm is EdDSA over Ed25519, whatever the token says; `kid` picks the key.
- Every claim above is required but `iat`, `nbf` and `sub`. With `sub`, the token is that
  person's; `client_id` then names the page or app they use.
- What went wrong is told in words without a word of the token.
- A verified token is remembered, by its hash, until it expires: signatures cost more than calls.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from memory.core.values import AssistantId, Caller, PersonId, TenantId
from memory.errors import InvalidArgumentError, UnauthenticatedError

ALGORITHM: Final = "EdDSA"
LEEWAY_SECONDS: Final = 30
"""How far two machines' clocks may be apart."""

MAX_TOKEN_CHARS: Final = 4096
"""Longer ones are not hashed, let alone verified."""

MAX_REMEMBERED: Final = 4096
"""Tokens; about 1 KB each."""

_REQUIRED: Final = ("iss", "aud", "exp", "tenant", "client_id", "scope")
_BEARER: Final = "bearer "


@dataclass(frozen=True, slots=True)
class _Verified:
    caller: Caller
    expires: float


class TokenVerifier:
    """Verifies tokens of one issuer, made for this server. Not for use from several threads."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey], issuer: str, audience: str) -> None:
        self._keys = dict(keys)
        self._issuer = issuer
        self._audience = audience
        self._remembered: OrderedDict[bytes, _Verified] = OrderedDict()

    def caller(self, authorization: str | None) -> Caller:
        """Who the value of an `authorization` header stands for.

        Raises:
            UnauthenticatedError: no bearer token, or one that does not hold.
        """
        if authorization is None or authorization[: len(_BEARER)].lower() != _BEARER:
            raise UnauthenticatedError("send a token: 'authorization: Bearer …'")
        token = authorization[len(_BEARER) :].strip()
        if len(token) > MAX_TOKEN_CHARS:
            raise UnauthenticatedError(f"the token has more than {MAX_TOKEN_CHARS} characters")
        digest = hashlib.sha256(token.encode()).digest()
        known = self._remembered.get(digest)
        if known is not None and time.time() < known.expires:
            self._remembered.move_to_end(digest)
            return known.caller
        claims = self._verify(token)
        caller = _caller(claims)
        self._remembered[digest] = _Verified(caller, float(claims["exp"]))
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return caller

    def _verify(self, token: str) -> dict[str, Any]:
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = self._keys.get(kid) if isinstance(kid, str) else None
            if key is None:
                raise UnauthenticatedError("the token is signed with a key unknown here (kid)")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": list(_REQUIRED)},
            )
        except jwt.PyJWTError as error:
            raise UnauthenticatedError(_diagnosis(error)) from None
        return claims


def _diagnosis(error: jwt.PyJWTError) -> str:
    """What to do about it; PyJWT's own words may quote a claim."""
    match error:
        case jwt.ExpiredSignatureError():
            return "the token has expired; get a new one"
        case jwt.ImmatureSignatureError():
            return "the token is not valid yet; compare the clocks of issuer and server"
        case jwt.InvalidAudienceError() | jwt.InvalidIssuerError():
            return "the token was made by another issuer or for another server"
        case jwt.MissingRequiredClaimError() if error.claim in _REQUIRED:
            return f"the token lacks the claim {error.claim}"
        case jwt.InvalidAlgorithmError():
            return f"the token must be signed with {ALGORITHM}"
        case _:
            return "the token is malformed or its signature is wrong"


def _caller(claims: Mapping[str, Any]) -> Caller:
    for claim in ("tenant", "client_id", "scope"):
        if not isinstance(claims[claim], str):
            raise UnauthenticatedError(f"the token's claim {claim} must be a text")
    sub = claims.get("sub")
    try:
        return Caller(
            tenant=TenantId(claims["tenant"]),
            assistant=AssistantId(claims["client_id"]),
            scopes=frozenset(claims["scope"].split()),
            person=None if sub is None else PersonId(sub),
        )
    except InvalidArgumentError as error:
        raise UnauthenticatedError(
            f"a claim of the token (tenant, client_id or sub) {error.problem}"
        ) from None
