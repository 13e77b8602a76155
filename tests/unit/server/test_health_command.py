"""`tacit health` is what a container asks itself: it must say no as surely as yes."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from server.cli import app

State = health_pb2.HealthCheckResponse


@pytest.fixture
def served() -> Iterator[tuple[health.HealthServicer, str]]:
    """The health service that the server uses, and where it listens."""
    server = grpc.server(ThreadPoolExecutor(1))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, f"127.0.0.1:{port}"
    server.stop(None)


@pytest.mark.parametrize(
    ("state", "code", "told"),
    [(State.SERVING, 0, "serving"), (State.NOT_SERVING, 1, "not_serving")],
)
def test_the_exit_code_is_the_health(
    served: tuple[health.HealthServicer, str],
    capsys: pytest.CaptureFixture[str],
    state: State.ServingStatus,
    code: int,
    told: str,
) -> None:
    servicer, address = served
    servicer.set("", state)
    assert app.run(["health", "--address", address]) == code
    assert capsys.readouterr().out.strip() == told


def test_where_nobody_serves_it_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["health", "--address", "127.0.0.1:1", "--timeout", "3"]) == 1
    assert "no Tacit server answers there" in capsys.readouterr().err


def test_it_loads_no_model_no_database_and_no_index() -> None:
    code = (
        "import sys; from server.cli import app; "
        "app.run(['health', '--address', '127.0.0.1:1', '--timeout', '0.1']); "
        "print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(done.stdout.splitlines()[-1]))
    assert "grpc" in loaded
    assert not loaded & {"chromadb", "numpy", "onnxruntime", "presidio_analyzer", "sqlalchemy"}
