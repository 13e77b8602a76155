"""The person's page with plain forms, as a browser without JavaScript sends them: all of it."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from memory.core.archive import Reader, lines_of
from memory.core.signing import Verifier
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.memory_service_pb2 import ListMemoriesRequest, StoreMemoryRequest
from server.web.memories import PAGE_SIZE
from tests.e2e.wire.browser import Browser, Page
from tests.e2e.wire.requests import reason

TOLD = (
    "My sister Ada lives in York",
    "I am allergic to peanuts",
    "I prefer tea to coffee",
)
RECEIPT = re.compile(r"/consents/[0-9a-f]{32}/receipt")
GOOD = re.compile(r"Good: a genuine document of the kind “([a-z ]+)”")


@pytest.fixture
def person(page: Page) -> str:
    return page.someone(*TOLD)


@pytest.fixture
def browser(page: Page, start: Callable[..., Browser], person: str) -> Browser:
    browser = start()
    browser.sign_in(page.link(person))
    return browser


def _why(call: Callable[[Any], Any], request: Any) -> str:
    try:
        call(request)
    except grpc.RpcError as error:
        return reason(error)
    return ""


def test_everything_kept_is_found_whatever_was_consented_to(
    page: Page, browser: Browser, person: str
) -> None:
    browser.open("/consents")
    browser.send("/consents", purpose="assistance", decision="no", assistant="helper")
    listing = ListMemoriesRequest(
        parent=f"people/{person}", access=AccessContext(purpose="purposes/assistance")
    )
    assert _why(page.running.client().memory.ListMemories, listing) == "CONSENT_MISSING"
    browser.open("/memories")
    told = browser.said()
    assert {"I am allergic to peanuts", "I prefer tea to coffee"} <= set(told)
    assert not any("Ada" in said for said in told)
    browser.open("/memories?names=1&purpose=assistance&assistant=helper&kind=message")
    assert browser.said() == list(reversed(TOLD))
    browser.open("/memories?assistant=other")
    assert browser.said() == []
    browser.open("/memories?until=2020-01-01")
    assert browser.said() == []
    browser.open("/memories")
    browser.send("/memories", q="What must I not eat?")
    assert "peanuts" in browser.said()[0]


def test_a_memory_is_corrected_and_deleted(page: Page, browser: Browser, person: str) -> None:
    browser.open("/memories?kind=message")
    id_ = browser.memories()[0]
    opened = browser.open(f"/memories/{id_}")
    assert "I prefer tea to coffee</textarea>" in opened
    assert "Help me in conversations" in opened
    corrected = browser.send(f"/memories/{id_}", text="I prefer cocoa", version="1")
    assert "Corrected." in corrected
    assert "I prefer cocoa" in page.texts(person)
    stale = browser.send(f"/memories/{id_}", text="I prefer beer", version="1")
    assert browser.shown.status_code == 409
    assert "changed meanwhile" in stale
    browser.open("/memories")
    browser.send(f"/memories/{id_}/delete")
    assert "I prefer cocoa" not in page.texts(person)


def test_a_choice_is_shown_before_it_goes(page: Page, browser: Browser, person: str) -> None:
    shown = browser.open("/memories/erase?kind=message")
    assert len(browser.said()) == len(TOLD)
    assert "Delete all of these" in shown
    browser.send("/memories/erase", kind="message", purpose="", assistant="", since="", until="")
    assert not set(TOLD) & set(page.texts(person))
    browser.open("/memories/erase?kind=summary")
    browser.send("/memories/erase", kind="", purpose="", assistant="", since="", until="")
    assert browser.shown.status_code == 400


def test_a_switch_holds_for_the_next_call_and_has_a_receipt(
    page: Page, browser: Browser, person: str
) -> None:
    store = StoreMemoryRequest(
        parent=f"people/{person}",
        access=AccessContext(purpose="purposes/care"),
        memory=Memory(text="My knee hurts"),
    )
    helper = page.running.client().memory.StoreMemory
    assert _why(helper, store) == "CONSENT_MISSING"
    browser.open("/consents")
    browser.send("/consents", purpose="care", decision="yes", assistant="")
    assert _why(helper, store) == ""
    receipts = RECEIPT.findall(browser.open("/consents"))
    assert len(receipts) == 2
    jws = [browser.http.get(path).content for path in receipts]
    browser.open("/documents")
    checked = browser.send("/documents", files={"document": ("r.jws", jws[0])})
    assert GOOD.findall(checked) == ["consent receipt"]
    checked = browser.send("/documents", files={"document": ("r.jws", jws[0][:-4] + b"AAAA")})
    assert GOOD.findall(checked) == []
    browser.open("/consents")
    browser.send("/consents", purpose="care", decision="no", erase="yes")
    assert _why(helper, store) == "CONSENT_MISSING"
    browser.open("/memories?purpose=care")
    assert browser.said() == []
    browser.open("/consents")
    browser.send("/consents", purpose="care", decision="objected")
    assert "You objected" in browser.shown.text


def test_what_is_concluded_can_be_called_wrong(browser: Browser) -> None:
    shown = browser.open("/inferences")
    assert any("tea" in said for said in browser.said()), shown
    evidence = re.findall(r'name="memory" value="([0-9a-f]{32})"', shown)
    browser.send("/inferences/wrong", memory=evidence)
    assert "Noted as wrong" in browser.shown.text
    assert browser.said() == []
    browser.send("/inferences/reset")
    assert browser.said()


def test_a_mood_is_told_with_the_words_it_was_read_from(
    page: Page, browser: Browser, person: str
) -> None:
    browser.open("/consents")
    browser.send("/consents", purpose="affect", decision="yes", assistant="")
    page.store(person, "I hate that it crashed again, I am so angry")
    shown = browser.open("/inferences")
    assert "rather bad" in shown
    assert "from the words: hate, angry" in shown
    assert "rather bad" in browser.open(f"/memories/{browser.memories()[-1]}")


def test_older_memories_are_on_the_next_page(page: Page, start: Callable[..., Browser]) -> None:
    told = [f"On day {number} I planted a tree" for number in range(PAGE_SIZE + 1)]
    browser = start()
    browser.sign_in(page.link(page.someone(*told)))
    assert browser.said() == told[:0:-1]
    older = re.search(r'href="(/memories\?before=\d+)"', browser.shown.text)
    assert older
    browser.open(older[1])
    assert browser.said() == told[:1]
    browser.open("/memories?until=2000-01-01")
    assert browser.said() == []
    assert "Older ones" not in browser.shown.text
    for unseen in ("/memories?purpose=none-such", "/memories?before=x"):
        browser.open(unseen)
        assert browser.said() == []


def test_every_access_is_told_and_drawn(browser: Browser) -> None:
    browser.open("/memories?names=1")
    shown = browser.open("/reads")
    assert "This page, for you:" in shown
    assert "saw the real names in " in shown
    assert re.search(r"helper</strong></a>\s+stored \d", shown)
    assert '<rect class="read"' in shown
    only = browser.open("/reads?assistant=helper")
    assert "This page, for you:" not in only
    assert browser.open("/reads?before=nonsense")
    assert browser.shown.status_code == 400


def test_pausing_stops_assistants_and_not_the_person(
    page: Page, browser: Browser, person: str
) -> None:
    browser.open("/data")
    browser.send("/data/pause")
    with pytest.raises(grpc.RpcError) as refused:
        page.texts(person)
    assert reason(refused.value) == "PROCESSING_RESTRICTED"
    browser.open("/memories")
    assert browser.said()
    assert "Pause, done" in re.sub(r"\s+", " ", browser.open("/data"))
    browser.send("/data/resume")
    assert page.texts(person)


def test_forgetting_says_what_happens_and_hands_over_the_certificate(
    page: Page, browser: Browser, start: Callable[..., Browser], person: str
) -> None:
    browser.open("/data")
    browser.send("/data/archive", names="yes")
    reader = Reader()
    for line in lines_of(iter(io.BytesIO(browser.shown.content).readlines())):
        reader.read(line)
    reader.verify(Verifier.parse(str(page.running.tacit.signer.verifier)))
    assert all(said in browser.shown.text for said in TOLD)
    assert "Your key is destroyed at once" in browser.open("/forget")
    browser.send("/forget")
    assert browser.shown.status_code == 400
    assert page.texts(person)
    browser.open("/forget")
    shown = browser.send("/forget", sure="yes")
    for _ in range(600):
        if "Download the certificate" in shown:
            break
        assert "hx-trigger" in shown
        time.sleep(0.05)
        shown = browser.open("/forget/progress")
    assert "You are forgotten" in shown
    certificate = browser.http.get("/forget/certificate").content
    with pytest.raises(grpc.RpcError):
        page.texts(person)
    browser.open("/memories")
    assert browser.said() == []
    stranger = start()
    stranger.open("/documents")
    checked = stranger.send("/documents", files={"document": ("c.json", certificate)})
    assert GOOD.findall(checked) == ["erasure certificate"]


def test_someone_unknown_finds_nothing_and_learns_nothing(
    page: Page, start: Callable[..., Browser]
) -> None:
    stranger = start("de-AT,de;q=0.9,en;q=0.5")
    stranger.sign_in(page.link("nobody-we-know"))
    for path in ("/memories", "/memories/erase?kind=fact", "/inferences", "/consents", "/reads"):
        shown = stranger.open(path)
        assert stranger.shown.status_code == 200
        assert 'lang="de"' in shown
        assert stranger.said() == []
    stranger.send("/language", language="en", back="/data")
    assert stranger.shown.url.path == "/data"
    assert '<html lang="en">' in stranger.shown.text
