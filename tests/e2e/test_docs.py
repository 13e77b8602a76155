"""What the docs tell a newcomer to type works, and what they list is all there is."""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from memory.adapters.veil_basis import load_basis
from memory.bootstrap import SHIPPED_ENCODER
from memory.config import SETTINGS
from memory.core.policy import load_policies
from memory.core.protection import Mode, Protection, load_protections
from memory.core.values import TenantId
from server.demo.process import ServerProcess
from tests.e2e.conftest import Run
from tests.e2e.typed import ROOT, Terminal, blocks


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.close()


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("README.md", ["recall", "context", "profile", "buf curl", "Client("]),
        ("docs/quickstart.md", ["recall", "context", "Client("]),
    ],
)
def test_every_block_of_the_page_works_as_typed(
    page: str, shown: list[str], terminal: Terminal
) -> None:
    typed = blocks(page)
    assert typed
    told = []
    for language, code in typed:
        result = terminal.type(code) if language == "sh" else terminal.python(code)
        assert result.returncode == 0, f"{code}\n{result.stdout}\n{result.stderr}"
        if "peanuts" in result.stdout:
            told.append(code)
    for part in shown:
        assert [code for code in told if part in code], part


def test_the_python_program_of_the_readme_has_ten_lines() -> None:
    (code,) = [code for language, code in blocks("README.md") if language == "python"]
    assert len(code.strip().splitlines()) <= 10


def _shown_by_one_program(page: str, run: Run, server: ServerProcess, folder: Path) -> str:
    """What the page's blocks print, run as one program with the token that the page makes."""
    (scopes,) = re.findall(r'tacit token --scope "(.*)" > token', (ROOT / page).read_text("utf-8"))
    code = "\n".join(code for language, code in blocks(page) if language == "python")
    (folder / "token").write_text(run("token", "--scope", scopes).stdout)
    result = Terminal(folder, server).python(code)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_blocks_of_the_client_page_are_one_program(
    run: Run, server: ServerProcess, tmp_path: Path
) -> None:
    shown = _shown_by_one_program("docs/client.md", run, server, tmp_path)
    for line in ("keeps bees", "live in Leeds", "purposes/handover', 'refused'", "ask her about"):
        assert line in shown
    assert "play the cello" in shown
    assert (tmp_path / "amara.json").read_bytes().startswith(b"{")


def test_the_blocks_of_the_frameworks_page_are_one_program(
    run: Run, server: ServerProcess, tmp_path: Path
) -> None:
    shown = _shown_by_one_program("docs/frameworks.md", run, server, tmp_path)
    for line in ("{'food': 'figs', 'since': 2019}", "My sister Priya keeps bees.", "in Leeds."):
        assert line in shown


def test_the_operations_page_lists_every_setting() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = "\n".join(line for line in page.splitlines() if line.startswith("| `"))
    assert [name for name in SETTINGS if f"`{name}`" not in table] == []


def test_the_detection_file_of_the_operations_page_is_a_good_one() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    example = page[page.index('    profile = "direct"') : page.index("What is redacted")]
    policies = load_policies(tomllib.loads(textwrap.dedent(example)), "example")
    assert [str(tenant) for tenant in policies.by_tenant] == ["clinic"]


def test_the_protection_file_of_the_operations_page_is_a_good_one() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    example = page[page.index('    protection = "veiled"') : page.index("The three numbers")]
    protections = load_protections(tomllib.loads(textwrap.dedent(example)), "example")
    assert protections.of(TenantId("clinic")).mode is Mode.SEALED
    basis = load_basis(SHIPPED_ENCODER, 384)
    assert protections.default.veil(basis).version == Protection().veil(basis).version


def test_links_between_the_pages_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
