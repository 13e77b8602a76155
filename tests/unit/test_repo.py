"""What holds for the repository as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
MAX_LINES = 400

_GENERATED = re.compile(r"_pb2(_grpc)?\.pyi?$")
_PINNED = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)(\[[a-z0-9,-]+\])?==\S+( ; .+)? \\$")


def _tracked(*patterns: str) -> list[Path]:
    """Files git knows or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):  # a source archive without git
        return [p for pattern in patterns for p in ROOT.rglob(pattern) if ".venv" not in p.parts]
    return [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_imports_only_point_down() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_and_hashes_everything_and_names_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in re.sub(r"^[a-z0-9._-]+==", "", text, flags=re.MULTILINE)
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert len(blocks) > 50
    for block in blocks:
        first, *hashes = block.splitlines()
        assert _PINNED.match(first), first
        assert hashes
        assert all(line.strip().startswith("--hash=sha256:") for line in hashes), first


def test_the_locks_hold_every_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = project["project"]["dependencies"]
    runtime = runtime + project["project"]["optional-dependencies"]["server"]
    development = runtime + project["dependency-groups"]["dev"]
    for lock, declared in zip(LOCKS, (runtime, development), strict=True):
        pinned = set(
            re.findall(r"^([a-z0-9._-]+)==", (ROOT / lock).read_text("utf-8"), re.MULTILINE)
        )
        wanted = {re.split(r"[\[=<>!~ ]", name, maxsplit=1)[0] for name in declared}
        assert wanted <= pinned, f"run `make lock`: {wanted - pinned}"


def test_no_file_names_a_registry() -> None:
    # Put together here, so that this file names none either.
    hosts = ["python" + "hosted", "pypi" + ".org", "npm" + "js", "extra-" + "index"]
    for path in _tracked("*.py", "*.toml", "*.md", "*.lock", "Makefile", ".ci/run"):
        text = path.read_text(encoding="utf-8")
        assert not [host for host in hosts if host in text], path


def test_no_module_outgrows_a_reader() -> None:
    sizes = {
        path.relative_to(ROOT).as_posix(): len(path.read_bytes().splitlines())
        for path in _tracked("*.py")
        if not _GENERATED.search(path.name)
    }
    assert len(sizes) > 10
    assert {name: n for name, n in sizes.items() if n > MAX_LINES} == {}


def test_the_proto_folder_is_not_importable() -> None:
    assert not list((ROOT / "proto").rglob("*.py"))


def test_the_wheel_holds_all_that_runs_and_nothing_else(tmp_path: Path) -> None:
    build = (
        "import sys, hatchling.build\n"
        "print(hatchling.build.build_wheel(sys.argv[1]))"
    )  # fmt: skip
    subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("tacit_memory-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"memory", "server"}
    assert {"memory/py.typed", "server/py.typed", "memory/purposes/general.toml"} <= names
    assert "memory/v1/memory_service_pb2.pyi" in names
    models = {p.relative_to(ROOT).as_posix() for p in _tracked("memory/models/**")}
    assert any(name.endswith(".onnx") for name in models)
    assert models <= names
    packaged = {p.relative_to(ROOT).as_posix() for p in _tracked("memory/**", "server/**")}
    assert packaged <= names
