"""Sign-in with an OpenID provider (OpenID Connect Core 1.0, authorization code flow, PKCE).

    issuer = "https://login.example.org"
    client_id = "tacit"
    client_secret_file = "/run/secrets/openid"  # left out: a public client, by PKCE alone
    tenant = "default"                          # whose people sign in there
    claim = "sub"                               # what of the ID token is the person's id
    scope = "openid"
    name = "Example"                            # what the button says

Rules:
- Who comes back is who left: an answer opens a session only in the browser that asked, once, within
  `WAIT_SECONDS` (login CSRF); the ID token carries the nonce of that question.
- An ID token is believed when a key of the issuer signed it by an asymmetric algorithm, for this
  client, and it has not expired. An e-mail address counts only where the issuer has verified it.
- A provider is asked over HTTPS, plain HTTP only on this machine, and for `ASK_SECONDS` at most.
  Nothing that it answers, its errors included, is shown or logged.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import jwt
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]
from httpx2 import HTTPError, InvalidURL

from memory.core.values import PersonId, Secret, TenantId
from memory.errors import ConfigurationError, InvalidArgumentError, UnauthenticatedError
from memory.loopback import is_loopback
from server.web.links import Guest
from server.web.one_time import OneTime, hashed

WAIT_SECONDS: Final = 600
"""How long somebody may take at the provider."""

ASK_SECONDS: Final = 10.0
MAX_WAITING: Final = 10_000
"""At the provider at once; beyond, the oldest must begin again."""

KEPT_SECONDS: Final = 3600
"""How long the provider's description of itself is good."""

ALGORITHMS: Final = (
    *("ES256", "ES384", "ES512", "EdDSA"),
    *("PS256", "PS384", "PS512", "RS256", "RS384", "RS512"),
)
_REQUIRED: Final = {"issuer", "client_id", "tenant"}
_OPTIONAL: Final = {
    "client_secret_file": "",
    "claim": "sub",
    "scope": "openid",
    "name": "",
}
_LEEWAY_SECONDS: Final = 60
_FAILURES: Final = (
    *(AuthlibBaseError, HTTPError, InvalidURL, jwt.PyJWTError, InvalidArgumentError),
    *(AttributeError, LookupError, TypeError, ValueError),
)
"""What asking raises, and reading an answer that is not what the standard says."""


@dataclass(frozen=True, slots=True)
class Provider:
    """An issuer, what Tacit is to it, and how it names people."""

    issuer: str
    client_id: str
    client_secret: Secret | None
    tenant: TenantId
    claim: str
    scope: str
    name: str


class _Waiting(NamedTuple):
    """A browser that was sent to the provider."""

    cookie: bytes
    nonce: str
    verifier: str


def load_provider(table: Mapping[str, object], origin: str) -> Provider:
    """The provider of a TOML table; `origin` names the file in errors.

    Raises:
        ConfigurationError: names the key.
    """
    if unknown := set(table) - _REQUIRED - set(_OPTIONAL):
        raise ConfigurationError(f"{origin}: unknown setting {min(unknown)!r}")
    texts = dict(_OPTIONAL)
    for key in sorted(_REQUIRED | set(table)):
        value = table.get(key)
        if not isinstance(value, str) or not value.strip():
            raise ConfigurationError(f"{origin}: {key}: must be a text")
        texts[key] = value
    if not _safe(texts["issuer"]):
        raise ConfigurationError(f"{origin}: issuer: must be a URL that begins with https://")
    if "openid" not in texts["scope"].split():
        raise ConfigurationError(f"{origin}: scope: must contain openid")
    file = texts["client_secret_file"]
    try:
        secret = Secret(Path(file).read_bytes().strip()) if file else None
        tenant = TenantId(texts["tenant"])
    except OSError as error:
        raise ConfigurationError(f"{origin}: client_secret_file: {error.strerror}") from None
    except InvalidArgumentError as error:
        raise ConfigurationError(f"{origin}: {error.message}") from None
    return Provider(
        issuer=texts["issuer"],
        client_id=texts["client_id"],
        client_secret=secret,
        tenant=tenant,
        claim=texts["claim"],
        scope=texts["scope"],
        name=texts["name"] or str(urlsplit(texts["issuer"]).hostname),
    )


class OpenId:
    """People at the provider, and those who come back. For the page's event loop alone."""

    def __init__(
        self, provider: Provider, back: Callable[[], str], monotonic: Callable[[], float]
    ) -> None:
        """`back` says where the provider sends people back to, as it is registered there."""
        self.name = provider.name
        self._provider = provider
        self._back = back
        self._monotonic = monotonic
        self._waiting = OneTime[_Waiting](WAIT_SECONDS, MAX_WAITING, monotonic)
        self._described: tuple[Mapping[str, Any], float] | None = None

    async def begin(self, cookie: str) -> str:
        """Where to send the browser that has this cookie.

        Raises:
            UnauthenticatedError: the provider does not answer, or not as one.
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        async with self._asking() as client:
            described = await self._description(client)
            address, _ = client.create_authorization_url(
                described["authorization_endpoint"],
                state=state,
                code_verifier=verifier,
                nonce=nonce,
            )
        self._waiting.put(state, _Waiting(hashed(cookie), nonce, verifier))
        return str(address)

    async def finish(self, cookie: str, answer: Mapping[str, str]) -> Guest:
        """Whom the provider signed in; `answer` is the query with which it sent them back.

        Raises:
            UnauthenticatedError: they said no, took too long, left from another browser, or what
                the provider says is not to be believed.
        """
        waiting = self._waiting.take(answer.get("state", ""))
        if waiting is None or not hmac.compare_digest(waiting.cookie, hashed(cookie)):
            raise _refused()
        if not answer.get("code"):
            raise _refused()
        if answer.get("iss", self._provider.issuer) != self._provider.issuer:  # RFC 9207
            raise _refused()
        async with self._asking() as client:
            described = await self._description(client)
            supported = described.get("token_endpoint_auth_methods_supported")
            if self._provider.client_secret and supported == ["client_secret_post"]:
                client.token_endpoint_auth_method = "client_secret_post"  # noqa: S105 (a method)
            token = await client.fetch_token(
                described["token_endpoint"],
                grant_type="authorization_code",
                code=answer["code"],
                code_verifier=waiting.verifier,
            )
            keys = await _json(client, described["jwks_uri"])
            return self._guest(str(token["id_token"]), keys, waiting.nonce)

    def _guest(self, token: str, keys: Mapping[str, Any], nonce: str) -> Guest:
        """Whom an ID token names. Raises `jwt.PyJWTError`, `KeyError`, `UnauthenticatedError`."""
        client = self._provider.client_id
        known = jwt.PyJWKSet.from_dict(dict(keys)).keys
        kid = jwt.get_unverified_header(token).get("kid")
        key = next((one for one in known if kid is None or one.key_id == kid), None)
        if key is None:
            raise _refused()
        claims = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=client,
            issuer=self._provider.issuer,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
        claimed, alone = claims[self._provider.claim], claims["aud"] in (client, [client])
        if (
            not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode())
            or claims.get("azp", client if alone else None) != client
            or (self._provider.claim == "email" and claims.get("email_verified") is not True)
            or not isinstance(claimed, str)
        ):
            raise _refused()
        return Guest(self._provider.tenant, PersonId(claimed))

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[Any]:
        """A client of the provider; whatever fails with it becomes one refusal."""
        secret = self._provider.client_secret
        client = AsyncOAuth2Client(
            client_id=self._provider.client_id,
            client_secret=secret.reveal().decode() if secret else None,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope=self._provider.scope,
            redirect_uri=self._back(),
            code_challenge_method="S256",
            timeout=ASK_SECONDS,
        )
        try:
            async with client:
                yield client
        except _FAILURES:
            raise _refused() from None

    async def _description(self, client: Any) -> Mapping[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0)."""
        now = self._monotonic()
        if self._described is None or now >= self._described[1]:
            issuer = self._provider.issuer
            said = await _json(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            places = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if said["issuer"] != issuer or not all(_safe(str(said[place])) for place in places):
                raise _refused()
            self._described = said, now + KEPT_SECONDS
        return self._described[0]


async def _json(client: Any, url: str) -> Mapping[str, Any]:
    answer = await client.request("GET", url, withhold_token=True)
    answer.raise_for_status()
    said: Mapping[str, Any] = answer.json()
    return said


def _safe(url: str) -> bool:
    """A URL over HTTPS, or of this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port  # reading a port that is none raises, too
    except ValueError:
        return False
    return bool(host) if parts.scheme == "https" else parts.scheme == "http" and is_loopback(host)


def _refused() -> UnauthenticatedError:
    return UnauthenticatedError("the sign-in did not come through; begin again")
