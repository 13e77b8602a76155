"""Sign-in at an OpenID provider: a real flow, and providers and visitors that are not honest."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import flask
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.serving import make_server

from memory.bootstrap import Tacit
from memory.config import Config
from memory.core.values import PersonId
from memory.errors import ConfigurationError, UnauthenticatedError
from server.web.links import Guest
from server.web.openid import WAIT_SECONDS, OpenId, load_provider
from server.web.sign_in import BACK
from tests.contract.key_servers import free_port
from tests.e2e.wire.browser import Browser, Page

CLIENT = "tacit"
Claims = dict[str, Any]
Change = Callable[[Claims], object]


@dataclass
class Forger:
    """A provider that signs ID tokens as it is told to."""

    key: Any = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    nonce: str = ""
    sent: dict[str, str] = field(default_factory=dict)
    change: Change = lambda _: None
    signing: Any = None
    algorithm: str = "RS256"
    issuer: str = ""
    answer: Any = None

    def token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "jane", "nonce": self.nonce}
        claims |= {"iat": now, "exp": now + 60}
        self.change(claims)
        signing = None if self.algorithm == "none" else self.signing or self.key
        return jwt.encode(claims, signing, self.algorithm, {"kid": "one"})

    def app(self) -> flask.Flask:
        app = flask.Flask("forger")

        @app.get("/.well-known/openid-configuration")
        def described() -> Any:
            at = self.issuer
            return {
                "issuer": at,
                "authorization_endpoint": f"{at}/authorize",
                "token_endpoint": f"{at}/token",
                "jwks_uri": f"{at}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }

        @app.get("/keys")
        def keys() -> Any:
            public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
            return {"keys": [{**public, "kid": "one", "use": "sig"}]}

        @app.post("/token")
        def token() -> Any:
            self.sent = dict(flask.request.form)
            if self.answer is not None:
                return self.answer
            return {"access_token": "a", "token_type": "Bearer", "id_token": self.token()}

        return app


@contextmanager
def _provider(*options: str) -> Iterator[str]:
    """A real provider, in a process of its own; its issuer."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    with subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL) as process:
        try:
            issuer = f"http://localhost:{port}"
            while True:
                with suppress(httpx.TransportError):
                    httpx.get(f"{issuer}/.well-known/openid-configuration")
                    break
                assert process.poll() is None
                time.sleep(0.05)
            yield issuer
        finally:
            process.terminate()


@pytest.fixture
def forger() -> Iterator[Forger]:
    forger = Forger()
    server = make_server("127.0.0.1", 0, forger.app(), threaded=True)
    forger.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield forger
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


Open = Callable[..., tuple[Page, Browser]]


@pytest.fixture
def open_page(tacit_config: Config, tacit: Tacit, serving: Any, tmp_path: Path) -> Iterator[Open]:
    """A page whose people sign in at `issuer`, and a browser before it."""
    with ExitStack() as stack:

        def opened(issuer: str, **settings: str) -> tuple[Page, Browser]:
            file = tmp_path / "openid.toml"
            told = {"issuer": issuer, "client_id": CLIENT, "tenant": "acme"} | settings
            file.write_text("\n".join(f'{key} = "{value}"' for key, value in told.items()))
            config = replace(tacit_config, web="127.0.0.1:0", openid=file)
            page = Page(stack.enter_context(serving(config, tacit)))
            browser = Browser(page.url)
            stack.enter_context(browser.http)
            return page, browser

        yield opened


def _leave(browser: Browser) -> dict[str, str]:
    """To the provider; what it is asked."""
    browser.open("/sign-in")
    sent = browser.http.get("/sign-in/openid", follow_redirects=False)
    assert sent.status_code == 303
    query = parse_qs(urlsplit(sent.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


def _back(browser: Browser, **answer: str) -> str:
    browser.shown = browser.http.get(BACK, params=answer)
    return browser.shown.text


def test_people_sign_in_where_they_have_an_account(open_page: Open, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not told to anybody\n")
    with _provider("--require-nonce") as issuer:
        page, browser = open_page(issuer, client_secret_file=str(secret), name="Example")
        person = page.someone("I am allergic to peanuts")
        assert "Sign in with Example" in browser.open("/sign-in")
        asked = browser.http.get("/sign-in/openid", follow_redirects=False).headers["location"]
        assert {"code_challenge", "nonce", "state"} <= parse_qs(urlsplit(asked).query).keys()
        sent = httpx.post(asked, data={"sub": person})
        browser.shown = browser.http.get(sent.headers["location"])
        assert "I am allergic to peanuts" in browser.said()
        again = browser.http.get(sent.headers["location"])
        assert again.status_code == 401
        refused = httpx.post(
            browser.http.get("/sign-in/openid", follow_redirects=False).headers["location"],
            data={"action": "deny"},
        )
        assert "error=access_denied" in refused.headers["location"]
        assert "did not come through" in browser.open(refused.headers["location"])


def test_an_address_names_a_person_once_it_is_verified(open_page: Open, forger: Forger) -> None:
    _, browser = open_page(forger.issuer, claim="email", scope="openid email")
    for verified, status in ((True, 200), (False, 401), ("true", 401), (None, 401)):
        browser.http.cookies.clear()
        asked = _leave(browser)
        forger.nonce = asked["nonce"]
        forger.change = lambda c: c.update(email="ann@example.org", email_verified=verified)  # noqa: B023
        _back(browser, code="c", state=asked["state"])
        assert browser.shown.status_code == status


GOOD: dict[str, Change] = {
    "as it should be": lambda _: None,
    "others may read it, we asked": lambda c: c.update(aud=[CLIENT, "other"], azp=CLIENT),
}
BAD: dict[str, Change] = {
    "for another": lambda c: c.update(aud="other"),
    "for others, too": lambda c: c.update(aud=[CLIENT, "other"]),
    "asked for by another": lambda c: c.update(aud=[CLIENT, "other"], azp="other"),
    "of another issuer": lambda c: c.update(iss="https://elsewhere.example"),
    "expired": lambda c: c.update(exp=int(time.time()) - 120),
    "without an end": lambda c: c.pop("exp"),
    "of another question": lambda c: c.update(nonce="another"),
    "of no question": lambda c: c.pop("nonce"),
    "of nobody": lambda c: c.pop("sub"),
    "of a list": lambda c: c.update(sub=["jane"]),
    "of what is no id": lambda c: c.update(sub="jane/../john"),
}


@pytest.mark.parametrize("which", [*GOOD, *BAD])
def test_an_id_token_is_believed_for_us_now_and_for_what_was_asked(
    open_page: Open, forger: Forger, which: str
) -> None:
    _, browser = open_page(forger.issuer)
    asked, believed = _leave(browser), which in GOOD
    forger.nonce, forger.change = asked["nonce"], (GOOD | BAD)[which]
    _back(browser, code="c", state=asked["state"])
    assert browser.shown.status_code == (200 if believed else 401)
    assert (browser.shown.url.path == "/memories") is believed


@pytest.mark.parametrize("how", ["other key", "none", "public key as secret", "no key"])
def test_an_id_token_that_the_issuer_did_not_sign_is_not_believed(
    open_page: Open, forger: Forger, how: str
) -> None:
    _, browser = open_page(forger.issuer)
    asked = _leave(browser)
    forger.nonce = asked["nonce"]
    match how:
        case "other key":
            forger.signing = rsa.generate_private_key(65537, 2048)
        case "none":
            forger.algorithm = "none"
        case "public key as secret":
            forger.signing, forger.algorithm = "k" * 64, "HS256"
        case _:
            forger.answer = {"access_token": "a", "token_type": "Bearer"}
    assert "did not come through" in _back(browser, code="c", state=asked["state"])
    assert browser.shown.status_code == 401


def test_an_answer_is_for_the_browser_that_asked_and_for_once(
    open_page: Open, forger: Forger
) -> None:
    page, browser = open_page(forger.issuer)
    asked = _leave(browser)
    forger.nonce = asked["nonce"]
    other = Browser(page.url)
    with other.http:
        other.open("/sign-in")
        _back(other, code="c", state=asked["state"])
        assert other.shown.status_code == 401
    _back(browser, code="c", state=asked["state"])
    assert browser.shown.status_code == 401, "one try each"
    asked = _leave(browser)
    forger.nonce = asked["nonce"]
    _back(browser, code="c", state=asked["state"], iss="https://elsewhere.example")
    assert browser.shown.status_code == 401, "another issuer mixed in (RFC 9207)"


def test_signing_in_there_makes_a_new_cookie_and_sends_the_verifier(
    open_page: Open, forger: Forger, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush")
    _, browser = open_page(forger.issuer, client_secret_file=str(secret))
    asked = _leave(browser)
    before = browser.http.cookies["tacit"]
    forger.nonce = asked["nonce"]
    _back(browser, code="c", state=asked["state"])
    assert browser.http.cookies["tacit"] != before
    assert asked["code_challenge_method"] == "S256"
    assert len(forger.sent["code_verifier"]) >= 43
    assert (forger.sent["client_secret"], forger.sent["code"]) == ("hush", "c")


def test_a_provider_that_does_not_answer_leaves_the_link(open_page: Open, forger: Forger) -> None:
    issuer = forger.issuer
    page, browser = open_page(issuer)
    forger.issuer = "http://127.0.0.1:1"  # says that it is another
    assert "does not answer" in browser.open("/sign-in/openid")
    assert browser.shown.status_code == 503
    browser.sign_in(page.link(page.someone("I like tea")))
    assert "I like tea" in browser.said()


def test_an_address_that_cannot_be_asked_is_a_refusal_like_any_other() -> None:
    table = {"issuer": "https://login.example.org/\x7f", "client_id": CLIENT, "tenant": "acme"}
    openid = OpenId(load_provider(table, "it"), lambda: "http://127.0.0.1", time.monotonic)
    with pytest.raises(UnauthenticatedError):
        asyncio.run(openid.begin("cookie"))


def test_whoever_takes_too_long_begins_again(forger: Forger) -> None:
    now = [0.0]
    table = {"issuer": forger.issuer, "client_id": CLIENT, "tenant": "acme"}
    openid = OpenId(load_provider(table, "it"), lambda: "http://127.0.0.1", lambda: now[0])

    async def after(seconds: float) -> Guest:
        asked = parse_qs(urlsplit(await openid.begin("cookie")).query)
        forger.nonce = asked["nonce"][0]
        now[0] += seconds
        return await openid.finish("cookie", {"code": "c", "state": asked["state"][0]})

    assert asyncio.run(after(WAIT_SECONDS - 1)).person == PersonId("jane")
    with pytest.raises(UnauthenticatedError):
        asyncio.run(after(WAIT_SECONDS))


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("issuer", "http://login.example.org", "issuer"),
        ("issuer", "", "issuer"),
        ("issuer", "https://[::1", "issuer"),
        ("issuer", "https://login.example.org:port", "issuer"),
        ("client_id", 3, "client_id"),
        ("tenant", "No Slug", "must be 1 to 63"),
        ("scope", "email", "openid"),
        ("client_secret_file", "/no/such/file", "client_secret_file"),
        ("colour", "red", "colour"),
    ],
)
def test_a_wrong_setting_is_named(key: str, value: object, named: str) -> None:
    table = {"issuer": "https://login.example.org", "client_id": CLIENT, "tenant": "acme"}
    with pytest.raises(ConfigurationError, match=named) as refusal:
        load_provider(table | {key: value}, "openid.toml")
    assert refusal.value.message.startswith("openid.toml: ")
    with pytest.raises(ConfigurationError, match="openid goes with web"):
        Config(openid=Path("openid.toml"))
