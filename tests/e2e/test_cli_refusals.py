"""The command line when something is wrong: one line that says what, and what to do."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from memory.config import Config
from server.cli.session import mint_local
from server.demo.process import ServerProcess
from tests.e2e.conftest import Run, only_line, run_tacit

pytestmark = pytest.mark.usefixtures("server")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing"], "No such command"),
        (["recall"], "Missing argument"),
        (["recall", "x", "--limit", "0"], "limit"),
        (["recall", "x", "-p", "a", "--purpose", "spying"], "PURPOSE_UNKNOWN"),
        (["recall", "x", "-p", "a", "--purpose", "No Slug"], "INVALID_FIELD"),
        (["recall", "x", "-p", "a/b"], "INVALID_FIELD"),
        (["recall", "x"], "people/me needs a token that names a person"),
        (["recall", "x", "-p", "nobody"], "CONSENT_MISSING"),
        (["store", "", "-p", "a"], "must not be empty"),
        (["store", "a\x1bb", "-p", "a"], "control characters"),
        (["store", "x", "-p", "a", "--time", "tomorrow"], "is not like"),
        (["token", "--scope", "everything"], "no such scope"),
        (["token", "--ttl", "forever"], "--ttl must be like"),
        (["token", "--tenant", "No Slug"], "tenant"),
        (["ingest", "/no/such/file", "-p", "a"], "/no/such/file: No such file"),
        (["list", "-p", "a", "--token", "forged"], "TOKEN_INVALID"),
        (["list", "-p", "a", "--address", "127.0.0.1:1"], "no Tacit server answers there"),
        (["list", "-p", "a", "--address", "10.1.2.3:50051"], "another machine"),
        (["list", "-p", "a", "--address", "localhost.example:50051"], "another machine"),
        (["list", "-p", "a", "--tls-ca", "/no/such/ca"], "/no/such/ca: No such file"),
        (["export", "/no/such/folder/x", "-p", "a"], "No such file"),
        (["consent", "grant", "spying", "-p", "a"], "PURPOSE_UNKNOWN"),
        (["serve", "--listen", "nowhere"], "must be HOST:PORT"),
        (["serve", "--config", "/no/such/file"], "/no/such/file: No such file"),
        (["serve", "--tls-cert", "c"], "go together"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_told_in_one_line(run: Run, arguments: list[str], told: str) -> None:
    assert told in only_line(run(*arguments))


def test_without_a_token_the_way_to_one_is_told(tmp_path: Path) -> None:
    env = {"TACIT_DATA": str(tmp_path)}
    assert "set TACIT_TOKEN" in only_line(run_tacit("list", "-p", "a", env=env))
    assert list(tmp_path.iterdir()) == []


def test_an_expired_token_is_told_apart(run: Run, server: ServerProcess) -> None:
    # Two minutes ago: the server allows for clocks that are half a minute apart.
    expired = mint_local(
        Config(data=server.data),
        tenant="local",
        client="cli",
        scopes=("memory.read",),
        lifetime=timedelta(minutes=-2),
    )
    line = only_line(run("list", "-p", "a", env={"TACIT_TOKEN": expired}))
    assert "the token has expired; get a new one" in line


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("not json", "not a JSON file"),
        ("{}", 'needs "memories"'),
        ('{"memories": [1]}', "memories[0] must be an object"),
        ('{"memories": [{"id": "a"}]}', "memories[0].text must be a text"),
        ('{"memories": [{"text": "secret"}]}', "memories[0].id must be a text"),
        (
            '{"memories": [{"id": 1, "text": "secret"}, {"id": 1, "text": "secret"}]}',
            "memories[1].id stands there twice",
        ),
        ('{"memories": [{"id": 1, "text": "secret", "time": "late"}]}', "memories[0].time"),
        ('{"memories": [{"id": 1, "text": "secret"}], "speakers": [1]}', "speakers"),
    ],
)
def test_a_bad_conversation_file_is_told_by_place(
    run: Run, tmp_path: Path, content: str, told: str
) -> None:
    file = tmp_path / "bad.json"
    file.write_text(content)
    line = run("ingest", str(file), "-p", "a").stderr
    assert told in line
    assert "secret" not in line


def test_an_ingest_that_is_refused_says_how_far_it_came(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    file.write_text(json.dumps({"memories": [{"id": 1, "text": "I moved."}]}))
    result = run("ingest", str(file), "-p", "never asked")
    assert result.returncode == 1
    assert "0 of 1 acknowledged" in result.stderr
    assert "CONSENT_MISSING" in result.stderr


def test_a_typing_mistake_in_the_settings_stops_the_start(tmp_path: Path) -> None:
    config = tmp_path / "tacit.toml"
    config.write_text("keyfile = 'elsewhere'\n")
    result = run_tacit("serve", "--config", str(config), "--data", str(tmp_path / "data"))
    assert result.returncode == 2
    assert "unknown setting 'keyfile'" in only_line(result)
    assert not (tmp_path / "data").exists()


def test_a_port_in_use_is_told(server: ServerProcess, tmp_path: Path) -> None:
    result = run_tacit("serve", "--data", str(tmp_path / "data"), "--listen", server.address)
    assert "in use by another program" in result.stderr.splitlines()[-1]
    assert result.returncode == 2
