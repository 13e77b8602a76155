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


def test_the_python_client_of_the_readme_stores_and_recalls(
    run: Run, server: ServerProcess, tmp_path: Path
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert len(code.strip().splitlines()) <= 11
    assert run("consent", "grant", "assistance", "--person", "amara").returncode == 0
    (tmp_path / "token").write_text(run("token").stdout)
    script = code.replace("127.0.0.1:50051", server.address)
    assert script != code
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert "allergic to peanuts" in result.stdout


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
