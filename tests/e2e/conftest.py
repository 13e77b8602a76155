"""Real processes only: `tacit serve` and `tacit …`, spoken to over gRPC."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.cli import app
from server.demo.process import ServerProcess
from tests.e2e.actor import Actor

Result = subprocess.CompletedProcess[str]
Run = Callable[..., Result]
Launch = Callable[[Path], ServerProcess]


@pytest.fixture
def launch() -> Iterator[Launch]:
    """`launch(folder)`: a server that serves; whatever the test does, it does not outlive it."""
    servers: list[ServerProcess] = []

    def start(folder: Path) -> ServerProcess:
        servers.append(ServerProcess(folder))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the module's server."""
    return tmp_path_factory.mktemp("served") / "data"


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(folder)
    process.start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def run(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """`run("store", "…")`: the command, as typed on the server's machine, in this process."""

    def run_it(*arguments: str, env: dict[str, str] | None = None, stdin: str = "") -> Result:
        with monkeypatch.context() as patch:
            settings = {"TACIT_ADDRESS": server.address, "TACIT_DATA": str(server.data)}
            for name, value in (settings | (env or {})).items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            capsys.readouterr()
            code = app.run(arguments)
            return Result(arguments, code, *capsys.readouterr())

    return run_it


@pytest.fixture
def actor(server: ServerProcess) -> Iterator[Actor]:
    """An assistant that may do everything an assistant may."""
    with Actor(server) as actor:
        yield actor


def run_tacit(*arguments: str, env: dict[str, str] | None = None, stdin: str = "") -> Result:
    """One command in a process of its own; whatever happens, no traceback."""
    result = subprocess.run(
        [sys.executable, "-m", "server.cli", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "COLUMNS": "200", **(env or {})},
    )
    assert "Traceback" not in result.stderr, result.stderr
    return result


def only_line(result: Result) -> str:
    """What went wrong, which is one line on stderr and nothing on stdout."""
    assert result.returncode != 0
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line
