"""`tacit ledger` and `tacit verify`, as a person uses them; and a server over a changed ledger."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from server.demo.process import ServerProcess
from tests.e2e.actor import Actor
from tests.e2e.conftest import Launch, Run, only_line, run_tacit

pytestmark = pytest.mark.usefixtures("server")


def test_a_person_keeps_proof_of_what_happened(run: Run, tmp_path: Path) -> None:
    assert run("consent", "grant", "assistance", "-p", "ada").returncode == 0
    assert run("store", "I keep bees.", "-p", "ada").returncode == 0
    before, proof, grown = (str(tmp_path / name) for name in ("before", "proof", "grown"))
    log = [
        json.loads(line)
        for line in run("ledger", "log", "-p", "ada", "--json").stdout.split("\n")[:-1]
    ]
    assert [event["action"] for event in log] == ["ACTION_STORE", "ACTION_CONSENT"]
    assert "store" in run("ledger", "log", "-p", "ada").stdout
    event = log[0]["name"].rpartition("/")[2]
    key = run("ledger", "key").stdout.strip()
    assert run("ledger", "proof", event, proof, "-p", "ada").returncode == 0
    assert run("ledger", "checkpoint", before).returncode == 0
    assert run("recall", "bees", "-p", "ada").returncode == 0
    assert run("ledger", "consistency", before, grown).returncode == 0
    said = run("verify", proof, "--key", key)
    assert "did: store" in said.stdout
    for file in (before, grown):
        assert run("verify", file, "--key", key).returncode == 0
    damaged = Path(proof).read_bytes().replace(b'"index":', b'"index": ')
    Path(proof).write_bytes(damaged)
    assert run("verify", proof, "--key", key).returncode == 1
    assert run("ledger", "proof", "0" * 32, proof, "-p", "ada").returncode != 0


@pytest.mark.timeout(600)  # it starts eight processes
def test_a_changed_or_older_database_refuses_to_serve(tmp_path: Path, launch: Launch) -> None:
    data = tmp_path / "data"
    server = launch(data)
    with Actor(server) as actor:
        actor.grant("ada")
        actor.store("ada", ["I keep bees."])
    assert server.stop() == 0
    shutil.copytree(data, tmp_path / "backup")
    good = run_tacit("ledger", "verify", "--data", str(data))
    assert "events compared: 2" in good.stdout

    _count(server)
    for file in data.glob("tacit.db*"):
        file.unlink()
    shutil.copy(tmp_path / "backup" / "tacit.db", data)
    refused = only_line(run_tacit("serve", "--data", str(data), "--listen", "127.0.0.1:0"))
    assert "older than" in refused
    assert "move that file away" in refused
    (data / "ledger-checkpoint").rename(tmp_path / "newer")
    server.start()
    assert server.stop() == 0

    with sqlite3.connect(data / "tacit.db") as connection:
        connection.execute("UPDATE access_events SET memories = 7 WHERE action = 'store'")
    connection.close()
    found = only_line(run_tacit("ledger", "verify", "--data", str(data)))
    assert "an event in the database" in found
    with sqlite3.connect(data / "tacit.db") as connection:
        connection.execute("UPDATE ledger_tiles SET hashes = zeroblob(length(hashes))")
    connection.close()
    refused = only_line(run_tacit("serve", "--data", str(data), "--listen", "127.0.0.1:0"))
    assert "changed behind" in refused


def _count(server: ServerProcess) -> None:
    """One more event, on a server that ends well."""
    server.start()
    with Actor(server) as actor:
        actor.recall("ada", "bees")
    assert server.stop() == 0
