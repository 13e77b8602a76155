"""Tokens: who holds one is who it says, and nothing else is."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from memory.errors import UnauthenticatedError
from server.auth import MAX_TOKEN_CHARS, TokenVerifier

KEY = Ed25519PrivateKey.generate()
NOW = int(time.time())
"""When the tests were collected; the suite may come to them many minutes later."""
CLAIMS: dict[str, Any] = {
    "iss": "tacit",
    "aud": "tacit",
    "iat": NOW,
    "exp": NOW + 7200,
    "tenant": "acme",
    "client_id": "helper",
    "scope": "memory.read memory.write",
}


def _verifier() -> TokenVerifier:
    return TokenVerifier({"k1": KEY.public_key()}, "tacit", "tacit")


def _token(
    key: Ed25519PrivateKey = KEY, kid: str | None = "k1", drop: str = "", **claims: Any
) -> str:
    body = {k: v for k, v in (CLAIMS | claims).items() if k != drop}
    return jwt.encode(body, key, algorithm="EdDSA", headers={"kid": kid} if kid else None)


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _refused(authorization: str | None) -> str:
    with pytest.raises(UnauthenticatedError) as caught:
        _verifier().caller(authorization)
    return caught.value.message


def test_an_assistants_token_says_tenant_assistant_and_scopes() -> None:
    caller = _verifier().caller(f"Bearer {_token()}")
    assert (caller.tenant.value, caller.assistant.value) == ("acme", "helper")
    assert caller.scopes == {"memory.read", "memory.write"}
    assert caller.person is None


def test_a_token_with_sub_is_that_persons() -> None:
    caller = _verifier().caller(f"bearer {_token(sub='jane@example.org')}")
    assert caller.person is not None
    assert caller.person.value == "jane@example.org"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic abc", _token()])
def test_without_a_bearer_token_nobody_is_anybody(header: str | None) -> None:
    assert "Bearer" in _refused(header)


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "....", "é.é.é", "e30.e30.", "{}.{}.{}"])
def test_what_is_no_token_is_refused(token: str) -> None:
    _refused(f"Bearer {token}")


def test_a_token_of_another_key_is_refused() -> None:
    assert "signature" in _refused(f"Bearer {_token(Ed25519PrivateKey.generate())}")


@pytest.mark.parametrize("kid", [None, "k2", ""])
def test_a_token_of_an_unknown_kid_is_refused(kid: str | None) -> None:
    assert "kid" in _refused(f"Bearer {_token(kid=kid)}")


def test_one_changed_byte_anywhere_is_refused() -> None:
    token = _token()
    for place in range(0, len(token), 7):
        other = "A" if token[place] != "A" else "B"
        _refused(f"Bearer {token[:place]}{other}{token[place + 1 :]}")


@pytest.mark.parametrize("alg", ["none", "None", "HS256", "RS256", "ES256"])
def test_the_token_does_not_choose_the_algorithm(alg: str) -> None:
    unsigned = f"{_part({'alg': alg, 'typ': 'JWT', 'kid': 'k1'})}.{_part(CLAIMS)}."
    _refused(f"Bearer {unsigned}")
    _refused(f"Bearer {unsigned}{_part('signature')}")


def test_the_public_key_is_no_shared_secret() -> None:
    public = KEY.public_key()
    for secret in (
        public.public_bytes_raw(),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ):
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'k1'})}.{_part(CLAIMS)}"
        mac = hmac.digest(secret, signed.encode(), "sha256")
        forged = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        assert "EdDSA" in _refused(f"Bearer {forged}")


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "tenant", "client_id", "scope"])
def test_every_claim_is_required(claim: str) -> None:
    assert claim in _refused(f"Bearer {_token(drop=claim)}")


def test_an_expired_token_is_refused() -> None:
    assert "expired" in _refused(f"Bearer {_token(exp=NOW - 60)}")


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_from_the_future_is_refused(claim: str) -> None:
    assert "not valid yet" in _refused(f"Bearer {_token(**{claim: NOW + 7200})}")


@pytest.mark.parametrize("claim", ["iss", "aud"])
def test_a_token_for_another_server_is_refused(claim: str) -> None:
    assert "another" in _refused(f"Bearer {_token(**{claim: 'elsewhere'})}")


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("tenant", "Not A Slug"),
        ("tenant", ""),
        ("tenant", 7),
        ("client_id", "a/b"),
        ("client_id", None),
        ("scope", ["memory.read"]),
        ("sub", ""),
        ("sub", "a/b"),
        ("sub", "x" * 257),
        ("sub", 7),
        ("exp", "soon"),
    ],
)
def test_a_malformed_claim_is_refused_and_not_quoted(claim: str, value: object) -> None:
    message = _refused(f"Bearer {_token(**{claim: value})}")
    assert str(value) not in message or value in ("", 7, None)


def test_a_huge_token_is_refused_unread() -> None:
    assert str(MAX_TOKEN_CHARS) in _refused("Bearer " + "x" * (MAX_TOKEN_CHARS + 1))


def test_a_remembered_token_still_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = _verifier()
    header = f"Bearer {_token(exp=int(time.time()) + 1, iat=NOW)}"
    assert verifier.caller(header) is verifier.caller(header)
    later = time.time() + 2
    monkeypatch.setattr(time, "time", lambda: later)
    again = verifier.caller(header)  # verified anew: within the clocks' leeway it still holds
    assert again is not None
    monkeypatch.undo()
    assert verifier.caller(header) is again


def test_only_so_many_tokens_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.auth.MAX_REMEMBERED", 2)
    verifier = _verifier()
    first = f"Bearer {_token(jti='0')}"
    caller = verifier.caller(first)
    for i in range(1, 4):
        verifier.caller(f"Bearer {_token(jti=str(i))}")
    assert verifier.caller(first) is not caller
