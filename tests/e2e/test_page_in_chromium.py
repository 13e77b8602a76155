"""The person's page in a real Chromium against a real `tacit serve`: a visit from link to goodbye.

Needs Debian's chromium (`apt-get install chromium`); without it, it says so and is skipped. With
TACIT_STRESS=1 each page is judged in light and dark, and the way without JavaScript is gone, too.
PAGE_PICTURES=docs/images takes README's pictures anew.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from memory.client import Client
from memory.core.archive import Reader, lines_of
from server.demo.process import ServerProcess
from tests.e2e.conftest import run_tacit

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
STANDARD = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
PICTURES = os.environ.get("PAGE_PICTURES", "")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 860, "height": 1000}
LOOKS = (("light", DESK), ("dark", PHONE))
TOLD = (
    ("assistance", "My sister Ada visits me in York every spring"),
    ("assistance", "I am allergic to peanuts"),
    ("assistance", "I prefer tea to coffee"),
    ("care", "My knee hurts when I climb stairs"),
)

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("paged") / "data"
    process = ServerProcess(folder, ("--web", "127.0.0.1:0"))
    process.start()
    yield process
    assert process.stop() == 0
    assert '"fault"' not in process.log.read_text()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def link(server: ServerProcess) -> str:
    """To the page of someone new, who told a few things."""
    id_ = f"amara-{uuid.uuid4().hex[:8]}"
    environment = {"TACIT_ADDRESS": server.address, "TACIT_DATA": str(server.data)}
    token = run_tacit("token", env=environment).stdout.strip()
    with Client(server.address, token=token, purpose="assistance") as client:
        for purpose in ("assistance", "care"):
            person = client.person(id_, purpose=purpose)
            person.grant(purpose)
            person.store_many([{"text": text} for why, text in TOLD if why == purpose])
    return run_tacit("link", id_, env=environment).stdout.strip()


class Visit:
    """One person in one browser; notes what the browser complains of, and whom it asks."""

    def __init__(self, chromium: Browser, *, thorough: bool = False, **settings: Any) -> None:
        self.looks = LOOKS
        self.thorough = thorough
        self.context: BrowserContext = chromium.new_context(locale="en-GB", **settings)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("console", lambda said: self._note(said.type, said.text))
        self.page.on("pageerror", lambda error: self._note("error", str(error)))
        self.page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def judge(self) -> None:
        """axe finds nothing wrong: in light on a desk or in dark on a phone, `thorough` in both."""
        self.page.wait_for_load_state()  # a click does not wait for the style sheet
        before = list(self.complaints)
        self.looks = self.looks[::-1]
        for scheme, size in self.looks if self.thorough else self.looks[:1]:
            self._look(size, scheme)
            found = Axe().run(self.page, options=STANDARD).response["violations"]
            told = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
            assert told == [], json.dumps(told, indent=1)
            wide = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{self.page.url} is {wide} pixels wider than the window"
        self._look(DESK, "light")
        self.complaints = before  # axe itself sets styles, which the policy forbids

    def picture(self, name: str, size: Any = DESK, scheme: Any = "light") -> None:
        """What a window of this size shows of the page's top, for README."""
        if PICTURES:
            self._look(size, scheme)
            self.page.screenshot(path=Path(PICTURES) / f"{name}.png")
            self._look(DESK, "light")

    def _look(self, size: Any, scheme: Any) -> None:
        self.page.emulate_media(color_scheme=scheme)
        self.page.set_viewport_size(size)


def test_a_visit_from_link_to_goodbye(
    chromium: Browser, link: str, tmp_path: Path, stress: bool
) -> None:
    visit = Visit(chromium, thorough=stress, viewport=DESK)
    page = visit.page

    page.goto(link)
    expect(page.get_by_label("Code from your link")).not_to_have_value("")
    assert "#" not in page.evaluate("location.href")
    visit.judge()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What is remembered about you")
    expect(page.locator(".said")).to_have_count(4)
    visit.judge()
    visit.picture("page-memories")

    page.get_by_label("Search in your memories").fill("What must I not eat?")
    page.keyboard.press("Enter")
    expect(page.locator(".said").first).to_contain_text("peanuts")
    assert page.evaluate("history.length") <= 3, "a search stands in no address"

    page.get_by_role("link", name="Look, correct or delete").first.click()
    visit.judge()
    page.get_by_label("In your own words").fill("I am allergic to walnuts")
    page.get_by_role("button", name="Save the correction").click()
    expect(page.get_by_role("status")).to_contain_text("Corrected")

    page.get_by_role("link", name="Consents").click()
    switch = page.get_by_role("switch", name="Support my care all assistants")
    expect(switch).to_have_attribute("aria-checked", "true")
    visit.picture("page-consents")
    visit.judge()
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.press("Enter")
    expect(switch).to_have_attribute("aria-checked", "true")

    for name in ("Conclusions", "Who read what", "Check a document"):
        page.get_by_role("link", name=name).click()
        visit.judge()
    page.goto(f"{page.url.rpartition('/')[0]}/memories/erase?purpose=care")
    visit.judge()
    page.get_by_role("link", name="Your data").click()
    visit.judge()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download my data").click()
    archive = downloading.value.path().read_bytes()
    reader = Reader()
    for line in lines_of(iter(archive.splitlines(keepends=True))):
        reader.read(line)
    assert reader.counts["memories"] == 4
    assert "I am allergic to walnuts" in archive.decode()

    page.get_by_role("link", name="Forget me").click()
    visit.judge()
    visit.picture("page-forget", size=PHONE, scheme="dark")
    page.get_by_label("I understand").check()
    page.get_by_role("button", name="Forget me now").click()
    certify = page.get_by_role("link", name="Download the certificate")
    expect(certify).to_be_visible(timeout=60_000)
    visit.judge()
    with page.expect_download() as downloading:
        certify.click()
    certificate = tmp_path / "certificate.json"
    downloading.value.save_as(certificate)

    page.get_by_role("link", name="Check a document").first.click()
    page.get_by_label("The file").set_input_files(certificate)
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("status")).to_contain_text("erasure certificate")
    visit.judge()

    assert visit.complaints == []
    page.goto(f"{page.url.rpartition('/')[0]}/memories")
    page.get_by_text("Narrow it down").click()
    page.get_by_label("Assistant").fill("No Such Name!")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert")).to_contain_text("the assistant")
    page.goto(f"{page.url.rpartition('/')[0]}/memories")
    visit.context.clear_cookies()
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert visit.hosts == {link.split("/")[2]}
    visit.context.close()


def test_without_javascript_the_code_is_pasted_and_forgetting_comes_to_its_end(
    chromium: Browser, link: str, stress: bool
) -> None:
    if not stress:
        pytest.skip("tests/e2e/wire/test_page.py goes the same way with forms alone")
    visit = Visit(chromium, java_script_enabled=False, viewport=PHONE)
    page = visit.page
    page.goto(link)
    page.get_by_label("Code from your link").fill(link.partition("#")[2])
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".said")).to_have_count(4)
    page.get_by_label("Search in your memories").fill("tea")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".said").first).to_contain_text("tea")
    page.get_by_role("link", name="Your data").click()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download my data").click()
    assert downloading.value.path().stat().st_size > 0
    page.get_by_role("link", name="Forget me").click()
    page.get_by_label("I understand").check()
    page.get_by_role("button", name="Forget me now").click()
    certify = page.get_by_role("link", name="Download the certificate")
    expect(certify).to_be_visible(timeout=60_000)  # by reloading itself
    visit.context.close()
