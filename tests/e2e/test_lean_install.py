"""`tacit-memory` without an extra: the client works, and `tacit` says what is missing."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from benchmarks.client_import import install, isolated, link
from memory.v1 import memory_service_pb2, memory_service_pb2_grpc
from server.demo.process import ServerProcess
from tests.e2e.conftest import Run
from tests.e2e.typed import blocks

MISSING = re.compile(r"error: there is no \w+ here; run: pip install 'tacit-memory\[server\]'")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lean") / "site"
    assert install(folder) == [
        "tacit-memory", "googleapis-common-protos", "grpcio", "protobuf", "typing-extensions",
    ]  # fmt: skip
    return folder


def test_the_program_of_the_readme_needs_no_more_than_the_client(
    installed: Path, run: Run, server: ServerProcess, tmp_path: Path
) -> None:
    (code,) = [code for language, code in blocks("README.md") if language == "python"]
    (tmp_path / "token").write_text(run("token").stdout)
    result = _alone(installed, code.replace("127.0.0.1:50051", server.address), tmp_path)
    assert result.returncode == 0, result.stderr
    assert "allergic to peanuts" in result.stdout


@pytest.mark.parametrize("arguments", [[], ["--help"], ["serve"]])
def test_the_command_says_in_one_line_what_to_install(
    installed: Path, arguments: list[str], tmp_path: Path
) -> None:
    program = f"sys.argv[1:] = {arguments!r}\nfrom server.cli import main\nmain()"
    result = _alone(installed, program, tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert MISSING.fullmatch(line)


def test_a_server_without_the_extra_says_so_where_others_brought_the_command_line(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "site"
    install(folder)
    link(["typer", "click", "rich", "pygments", "markdown-it-py", "mdurl", "shellingham"], folder)
    program = "sys.argv[1:] = ['serve', '--data', 'data']\nfrom server.cli import main\nmain()"
    result = _alone(folder, program, tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert MISSING.fullmatch(line)


def test_the_stubs_get_the_versions_that_they_demand(installed: Path) -> None:
    (metadata,) = installed.glob("tacit_memory-*.dist-info/METADATA")
    declared = r"^Requires-Dist: (grpcio|protobuf)>=([\d.]+)$"
    lowest = dict(re.findall(declared, metadata.read_text(encoding="utf-8"), re.MULTILINE))
    assert lowest["grpcio"] == memory_service_pb2_grpc.GRPC_GENERATED_VERSION
    source = Path(memory_service_pb2.__file__).read_text(encoding="utf-8")
    assert f"# Protobuf Python Version: {lowest['protobuf']}\n" in source


def _alone(installed: Path, program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        isolated(installed, program),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
