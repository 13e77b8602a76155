"""The person's page against who sends them a link, sits at their computer, or stores for them."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from memory.bootstrap import Tacit
from memory.config import Config
from memory.core.tenants import PerTenant
from memory.core.values import PersonId, TenantId
from memory.v1.subject_rights_service_pb2 import IssueSignInLinkRequest
from server.limits import Limit, Meter
from server.logs import Log
from server.web.app import make_app
from server.web.links import LINK_SECONDS, Guest, Links
from server.web.sessions import IDLE_SECONDS, LONGEST_SECONDS, Sessions
from server.workers import Workers
from tests.e2e.wire.browser import TOKEN, Browser, Page

PAGES = ("/memories", "/memories/erase", "/inferences", "/consents", "/reads", "/data", "/forget")
SCRIPT = '<script>alert(1)</script><img src=x onerror="alert(2)">{{7*7}}'


class Markup(HTMLParser):
    """What a browser would run, fetch or obey of a page, if it is not the page's own."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        places = [given[name] for name in ("href", "src", "action") if name in given]
        if (
            tag in {"img", "iframe", "object", "style"}
            or (tag == "script" and not given.get("src"))
            or any(name.startswith("on") or name == "style" for name in given)
            or any(not (place or "").startswith(("/", "#")) for place in places)
        ):
            self.runs.append(f"{tag} {given}")


@pytest.fixture(scope="module")
def person(page: Page) -> str:
    """Someone who told two things, one with a name; the tests change nothing of theirs."""
    return page.someone(f"My sister Ada {SCRIPT} lives in York", "I like tea with milk")


@pytest.fixture
def browser(page: Page, start: Callable[[], Browser], person: str) -> Browser:
    """Signed in as the person."""
    browser = start()
    browser.sign_in(page.link(person))
    assert browser.said(), browser.shown.text
    return browser


def test_signing_in_gives_a_new_cookie_whatever_was_planted(
    page: Page, start: Callable[[], Browser], person: str
) -> None:
    victim = start()
    victim.open("/sign-in")
    planted = victim.http.cookies["tacit"]
    victim.sign_in(page.link(person))
    assert victim.said()
    assert victim.http.cookies["tacit"] != planted
    attacker = httpx.get(f"{page.url}/memories", cookies={"tacit": planted})
    assert attacker.headers["location"] == "/sign-in"


def test_a_form_of_another_site_changes_nothing(
    page: Page, start: Callable[[], Browser], browser: Browser, person: str
) -> None:
    other = start()
    other.open("/sign-in")
    foreign = TOKEN.search(other.shown.text)
    own = TOKEN.search(browser.open("/data"))
    assert foreign
    assert own
    before = page.texts(person)
    for token, site in (("", "same-origin"), (foreign[1], "same-origin"), (own[1], "cross-site")):
        for path in ("/forget", "/data/pause", "/consents", "/memories/erase", "/sign-out"):
            fields = {"sure": "yes", "purpose": "assistance", "decision": "no", "erase": "yes"}
            refused = browser.http.post(
                path, data={"form_token": token} | fields, headers={"sec-fetch-site": site}
            )
            assert refused.status_code == 403
    assert page.texts(person) == before
    assert browser.open("/memories")


def test_what_is_stored_is_shown_as_text_and_never_runs(browser: Browser) -> None:
    shown = browser.open("/memories?names=1")
    assert any(SCRIPT in said for said in browser.said())
    pages = [shown, *(browser.open(path) for path in PAGES)]
    browser.open("/memories")
    pages += [browser.open(f"/memories/{id_}") for id_ in browser.memories()]
    browser.open("/memories")
    pages.append(browser.send("/memories", q=SCRIPT, assistant="", since="", until=""))
    pages.append(browser.open("/reads?assistant=x"))
    for text in pages:
        seen = Markup()
        seen.feed(text)
        assert seen.runs == [], text
        assert "49" not in "".join(re.findall(r"York.*", text))


def test_no_page_can_be_framed_and_nothing_inline_runs(browser: Browser) -> None:
    for path in (*PAGES, "/documents", "/none", "/static/page.css"):
        headers = browser.http.get(path).headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_a_redirect_stays_on_the_page(browser: Browser) -> None:
    token = TOKEN.search(browser.open("/data"))
    assert token
    for back in (
        "//evil.example",
        "https://evil.example",
        "/\\evil",
        "\\\\evil",
        "/data?x",
        "/%2f/",
    ):
        sent = browser.http.post(
            "/language",
            data={"form_token": token[1], "language": "de", "back": back},
            follow_redirects=False,
        )
        assert (sent.status_code, sent.headers["location"]) == (303, "/")


def test_no_cache_keeps_what_is_private(browser: Browser) -> None:
    answers = [browser.http.get(path) for path in PAGES]
    browser.open("/memories")
    answers.append(browser.http.get(f"/memories/{browser.memories()[0]}"))
    browser.open("/data")
    browser.send("/data/archive", names="yes")
    answers.append(browser.shown)
    browser.open("/consents")
    receipt = re.search(r"/consents/[0-9a-f]{32}/receipt", browser.shown.text)
    assert receipt
    answers.append(browser.http.get(receipt[0]))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


def test_a_link_works_once_and_looking_at_it_uses_nothing_up(
    page: Page, start: Callable[[], Browser], person: str
) -> None:
    address = page.link(person)
    for _ in range(3):  # as programs that preview messages do: they send nothing behind the '#'
        assert httpx.get(address).status_code == 200
    first, second = start(), start()
    first.sign_in(address)
    assert first.said()
    second.sign_in(address)
    assert second.shown.status_code == 401
    assert second.open("/memories") == second.open("/sign-in")


@pytest.fixture
def clocked(tacit_config: Config, tacit: Tacit) -> Iterator[tuple[TestClient, Links, list[float]]]:
    """The page on a clock of the test's own."""
    now = [0.0]
    links = Links(lambda: now[0])
    workers = Workers(1, 8)
    meter = Meter(PerTenant(Limit()), time.monotonic)
    app = make_app(tacit_config, tacit, workers, meter, Log(), links, https=True)
    with TestClient(app, base_url="https://testserver") as client:
        yield client, links, now


def test_a_link_expires(clocked: tuple[TestClient, Links, list[float]]) -> None:
    client, links, now = clocked
    guest = Guest(TenantId("acme"), PersonId("jane"))
    for waited, location in ((LINK_SECONDS - 1, "/memories"), (LINK_SECONDS, None)):
        code = links.make(guest)
        token = TOKEN.search(client.get("/sign-in").text)
        assert token
        now[0] += waited
        sent = client.post(
            "/sign-in", data={"form_token": token[1], "code": code}, follow_redirects=False
        )
        assert sent.headers.get("location") == location
        client.cookies.clear()


def test_over_https_the_cookie_is_this_hosts_alone(
    clocked: tuple[TestClient, Links, list[float]],
) -> None:
    answer = clocked[0].get("/sign-in")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-tacit=")
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert attributes == {"httponly", "secure", "samesite=lax", "path=/"}
    assert answer.headers["strict-transport-security"]


def test_a_session_ends_when_nobody_sits_there_and_after_an_hour_in_any_case() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    guest = Guest(TenantId("acme"), PersonId("jane"))
    idle = sessions.begin(guest)
    now[0] += IDLE_SECONDS
    assert sessions.find(idle) is None
    busy = sessions.begin(guest)
    for _ in range(LONGEST_SECONDS // 600 - 1):
        now[0] += 600
        assert sessions.find(busy) is not None
    now[0] += 600
    assert sessions.find(busy) is None


def test_a_signed_out_session_is_over_everywhere(page: Page, browser: Browser) -> None:
    cookie = browser.http.cookies["tacit"]
    browser.send("/sign-out")
    assert "clear-site-data" in browser.shown.history[0].headers
    thief = httpx.get(f"{page.url}/memories", cookies={"tacit": cookie})
    assert thief.headers["location"] == "/sign-in"


def test_nothing_secret_or_said_reaches_the_log(page: Page, browser: Browser, person: str) -> None:
    code = page.link(person).partition("#")[2]
    browser.open("/memories")
    browser.send("/memories", q="tea that I like")
    browser.send("/memories", q="x", assistant="No Such Assistant!")
    assert browser.shown.status_code == 400
    log = page.running.log.getvalue()
    for secret in (
        code,
        code.replace("-", ""),
        browser.http.cookies["tacit"],
        person,
        "tea",
        "Such",
    ):
        assert secret not in log
    assert "tacit.page" in log


def test_what_is_too_large_is_refused_before_it_is_read(page: Page, browser: Browser) -> None:
    browser.open("/documents")
    browser.send("/documents", files={"document": ("x.json", b"x" * 1_100_000)})
    assert browser.shown.status_code == 413
    sent = httpx.post(f"{page.url}/documents", content=iter([b"x" * 10]), timeout=10)
    assert sent.status_code == 411


def test_another_persons_memory_reads_as_none(
    page: Page, start: Callable[[], Browser], browser: Browser
) -> None:
    browser.open("/memories")
    theirs = browser.memories()[0]
    john = start()
    john.sign_in(page.link(page.someone()))
    for other in (theirs, uuid.uuid4().hex, "nonsense"):
        john.open(f"/memories/{other}")
        assert john.shown.status_code == 404
        john.send(f"/memories/{other}/delete")
        assert john.shown.status_code == 404
    assert theirs in browser.memories()


def test_a_server_without_a_page_makes_no_links(server: Any) -> None:
    with pytest.raises(Exception, match="serves no page"):
        server.client().rights.IssueSignInLink(IssueSignInLinkRequest(name="people/jane"))
