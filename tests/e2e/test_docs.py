"""What the docs tell a newcomer to type works, and what they list is all there is."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

from memory.adapters.veil_basis import load_basis
from memory.bootstrap import SHIPPED_ENCODER
from memory.config import SETTINGS
from memory.core.policy import load_policies
from memory.core.protection import Mode, Protection, load_protections
from memory.core.values import TenantId
from server.demo.process import ServerProcess
from tests.e2e.conftest import Run

ROOT = Path(__file__).parents[2]


def test_the_python_program_of_the_readme_stores_and_recalls(
    run: Run, server: ServerProcess, tmp_path: Path
) -> None:
    (code,) = _python("README.md")
    assert len(code.strip().splitlines()) <= 10
    assert "allergic to peanuts" in _as_typed(code, run("token").stdout, server, tmp_path)


def test_the_blocks_of_the_client_page_are_one_program(
    run: Run, server: ServerProcess, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
    (scopes,) = re.findall(r'tacit token --scope "(.*)" > token', page)
    code = "\n".join(_python("docs/client.md"))
    shown = _as_typed(code, run("token", "--scope", scopes).stdout, server, tmp_path)
    for line in ("keeps bees", "live in Leeds", "purposes/handover', 'refused'", "ask her about"):
        assert line in shown
    assert "play the cello" in shown
    assert (tmp_path / "amara.json").read_bytes().startswith(b"{")


def _python(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def _as_typed(code: str, token: str, server: ServerProcess, folder: Path) -> str:
    """What the program prints; all that differs from the page is the port."""
    (folder / "token").write_text(token)
    script = code.replace("127.0.0.1:50051", server.address)
    assert script != code
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


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
