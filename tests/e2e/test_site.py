"""The documentation as a site: it builds, leads everywhere it says, and fetches nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmarks.__main__ import SUITE
from server.router import rpcs
from tests.e2e.typed import ROOT

pytestmark = pytest.mark.timeout(300)

FETCHED = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}


class Reader(HTMLParser):
    """What a page fetches by itself, and what can be linked to on it."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.fetched.append(found.get(FETCHED.get(tag, ""), "") or "")
        self.anchors.add(found.get("id") or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 50
    for page in pages:
        away = [each for each in Reader(page).fetched if re.match(r"(\w+:)?//", each)]
        assert away == [], page.relative_to(site)
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", sheet.read_text("utf-8")), (
            sheet
        )


def test_the_sections_that_files_beside_docs_link_to_are_there(site: Path) -> None:
    links = [
        (page.name, target, anchor)
        for page in ROOT.glob("*.md")
        for target, anchor in re.findall(
            r"\]\(docs/([^)#]+)\.md#([^)]+)\)", page.read_text(encoding="utf-8")
        )
    ]
    assert links
    for page, target, anchor in links:
        assert anchor in Reader(site / f"{target}.html").anchors, f"{page}: {target}#{anchor}"


@pytest.mark.parametrize("page", ["developers.md", "officers.md", "operators.md"])
def test_the_calls_that_a_guide_names_exist(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    named = re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", text)
    known = {part for rpc in rpcs() for part in re.split(r"[./]", rpc)}
    assert named
    assert [name for name in named if name not in known] == []


def test_the_page_of_benchmarks_has_each_of_them() -> None:
    page = (ROOT / "docs" / "measuring.md").read_text(encoding="utf-8")
    rows = "\n".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(\w+)`", rows)) == SUITE.keys() | {"soak"}
