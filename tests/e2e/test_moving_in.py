"""Moving in from other products: everything arrives, once, and nothing of it in the clear."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from memory.adapters.residue_scan import Place, scan
from memory.core.residue import Needles, StoreName
from server.demo.process import ServerProcess
from tests.e2e.actor import Actor
from tests.e2e.conftest import Run, only_line
from tests.e2e.exports import EXPORTS

ROOT = Path(__file__).parents[2]
SIZE, SIZE_IN_STRESS = 60, 5_000


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("source", EXPORTS)
def test_an_export_arrives_once_through_kill_9_and_nothing_of_it_in_the_clear(
    source: str, server: ServerProcess, run: Run, tmp_path: Path, stress: bool
) -> None:
    size = SIZE_IN_STRESS if stress else SIZE
    export = EXPORTS[source](tmp_path, size)
    person = f"mover from {source}"
    assert run("consent", "grant", "assistance", "-p", person).returncode == 0
    before = _until_killed(server, export.path, source, person, size // 6)

    began, own = time.monotonic(), time.process_time()
    report = _moved(run, export.path, source, person)
    took, spent = time.monotonic() - began, time.process_time() - own
    again = _moved(run, export.path, source, person)
    with Actor(server) as actor:
        stored = actor.list(person)
    secrets = [secret for secret in export.secrets if secret]
    needles = Needles()
    needles.add_texts(secrets)
    found = scan([Place(StoreName.OTHER, server.data.parent)], needles).residues
    print(
        f"{source}: {report['entries']} entries, {before} before kill -9, {report['new']} after it "
        f"in {took:.1f} s ({spent:.1f} s of the client's processor), {report['there']} there, "
        f"{sum(again['personal_data'].values())} + {sum(report['personal_data'].values())} hidden, "
        f"{len(secrets)} planted, {found} found"
    )

    assert report["memories"] == export.shown == size
    assert Counter(report["left_out"]) == export.left
    assert report["entries"] == size + export.left.total()
    assert 0 < before <= report["there"] < size
    assert report["new"] + report["there"] == size
    assert (again["new"], again["there"]) == (0, size)
    assert sum(report["personal_data"].values()) >= report["new"]
    assert len(stored) == size
    texts = "\n".join(
        f"{memory.text}\n{memory.speaker}\n{memory.session}\n{dict(memory.labels)}"
        for memory in stored
    )
    assert [secret for secret in secrets if secret in texts] == []
    assert found == 0


HEARS_INTERRUPTS = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from server.cli import main; main()"
)
"""`tacit`, also where the tests run as a shell's background job, which ignores interrupts."""


def _moved(run: Run, path: Path, source: str, person: str) -> dict[str, Any]:
    result = run("import", str(path), "--from", source, "-p", person, "--json")
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


def _until_killed(server: ServerProcess, path: Path, source: str, person: str, enough: int) -> int:
    """Kills client and server in the middle; how many memories had been acknowledged by then."""
    mover, stored = _under_way(server, path, source, person, enough)
    mover.kill()
    mover.communicate()
    server.kill()
    server.start()
    return stored


def _under_way(
    server: ServerProcess, path: Path, source: str, person: str, enough: int
) -> tuple[subprocess.Popen[str], int]:
    """A client in a process of its own, and how many memories it had stored at least."""
    command = ["import", str(path), "--from", source, "-p", person, "--batch", "4"]
    settings = {"TACIT_ADDRESS": server.address, "TACIT_DATA": str(server.data)}
    mover = subprocess.Popen(
        [sys.executable, "-c", HEARS_INTERRUPTS, *command],
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    stored = 0
    with Actor(server) as actor:
        while stored < enough:
            assert mover.poll() is None, "it was through before it could be stopped"
            time.sleep(0.02)
            stored = len(actor.list(person))
    return mover, stored


def test_a_person_who_interrupts_is_told_that_it_goes_on(
    server: ServerProcess, run: Run, tmp_path: Path
) -> None:
    export = EXPORTS["mem0"](tmp_path, 200)
    assert run("consent", "grant", "assistance", "-p", "impatient").returncode == 0
    mover, stored = _under_way(server, export.path, "mem0", "impatient", 8)
    mover.send_signal(signal.SIGINT)
    _, told = mover.communicate(timeout=60)
    assert mover.returncode == 130
    assert "stopped; the same command goes on from here" in told
    assert "of 200 acknowledged" in told
    assert "Traceback" not in told
    report = _moved(run, export.path, "mem0", "impatient")
    assert report["there"] >= stored
    assert report["new"] + report["there"] == 200


def test_a_dry_run_needs_no_server_and_no_credential(run: Run, tmp_path: Path) -> None:
    export = EXPORTS["chatgpt"](tmp_path, 10)
    nowhere = {"TACIT_ADDRESS": "127.0.0.1:1", "TACIT_DATA": str(tmp_path / "nothing")}
    arguments = ("import", str(export.path), "--from", "chatgpt", "--dry-run")
    result = run(*arguments, "--json", env=nowhere)
    assert json.loads(result.stdout) == {
        "from": "chatgpt", "entries": 21, "memories": 10, "split": 0,
        "left_out": dict(export.left),
        "not_taken_beside": {"file user.json": 1, "file *.html": 1},
    }  # fmt: skip
    told = run(*arguments, env=nowhere).stderr
    assert "21 entries read, which come to 10 memories" in told
    assert "10 of the assistant, 1 other branch" in told
    both = run(*arguments, "--json", "--with-assistant", env=nowhere)
    assert json.loads(both.stdout)["memories"] == 20


def test_what_tacit_itself_wrote_as_pam_moves_in(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    for purpose, person in (
        ("assistance", "old me"),
        ("reveal", "old me"),
        ("assistance", "new me"),
    ):
        assert run("consent", "grant", purpose, "-p", person).returncode == 0
    for text, speaker in (("Marisol Okonkwo keeps bees.", "user"), ("Noted.", "assistant")):
        assert run("store", text, "-p", "old me", "--speaker", speaker).returncode == 0
    exported = ("export", str(path), "-p", "old me", "--format", "pam", "--reveal")
    assert run(*exported).returncode == 0
    assert "Marisol Okonkwo" in path.read_text()
    report = _moved(run, path, "pam", "new me")
    assert (report["new"], report["left_out"]) == (1, {"of the assistant": 1})
    (memory,) = [
        json.loads(line) for line in run("list", "-p", "new me", "--json").stdout.splitlines()
    ]
    told = (memory["text"], memory["kind"], memory["speaker"])
    assert told == ("person_1 keeps bees.", "KIND_MESSAGE", "user")


def test_the_commands_of_the_page_work_as_typed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "moving-in.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    tacit (.*)$", page, re.MULTILINE)
    assert set(EXPORTS) == set(re.findall(r"--from (\w+)", "\n".join(commands)))
    for make in EXPORTS.values():
        make(tmp_path, 8)
    monkeypatch.chdir(tmp_path)
    for command in commands:
        result = run(*shlex.split(command, comments=True))
        assert result.returncode == 0, (command, result.stderr)
    listed = run("list", "--person", "amara", "--json").stdout.splitlines()
    assert {json.loads(line)["labels"]["source"] for line in listed} == set(EXPORTS)


def test_what_was_erased_since_is_not_moved_in_again(
    run: Run, server: ServerProcess, tmp_path: Path
) -> None:
    export = EXPORTS["mem0"](tmp_path, 12)
    assert run("consent", "grant", "assistance", "-p", "eraser").returncode == 0
    assert _moved(run, export.path, "mem0", "eraser")["new"] == 12
    with Actor(server) as actor:
        for memory in actor.list("eraser")[3:5]:
            actor.delete(memory.name)
        report = _moved(run, export.path, "mem0", "eraser")
        assert (report["new"], report["there"], report["erased"]) == (0, 10, 2)
        assert len(actor.list("eraser")) == 10


def test_without_consent_nothing_moves_in(run: Run, tmp_path: Path) -> None:
    export = EXPORTS["pam"](tmp_path, 3)
    result = run("import", str(export.path), "--from", "pam", "-p", "nobody asked them")
    assert result.returncode != 0
    assert "0 of 3 acknowledged" in result.stderr
    assert "CONSENT_MISSING" in result.stderr


def test_a_mistake_in_the_file_stores_nothing(run: Run, tmp_path: Path) -> None:
    assert run("consent", "grant", "assistance", "-p", "unlucky").returncode == 0
    path = tmp_path / "broken.json"
    path.write_text('[{"memory": "I like figs."}, {"memory": "I like plums."}, {"memory": 5.5}]')
    arguments = ("import", str(path), "--from", "mem0", "-p", "unlucky")
    assert "broken.json[2].memory must be a text" in only_line(run(*arguments))
    path.write_text('[{"memory": "I like figs."}, {"memory": ')
    assert "broken.json[1] is not JSON, at character 40" in only_line(run(*arguments))
    people = [{"memory": "I like figs.", "user_id": user} for user in ("amara", "ben")]
    path.write_text(json.dumps(people))
    assert "about 2 people" in only_line(run(*arguments))
    assert run("list", "-p", "unlucky", "--json").stdout == ""
    assert "1 new" in run(*arguments, "--of", "ben").stderr


def test_the_options_go_with_from(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "archive.jsonl"
    path.write_text("")
    assert "go with --from" in only_line(run("import", str(path), "--dry-run"))


def test_what_comes_too_fast_is_waited_out_and_a_full_quota_is_told(
    run: Run, tmp_path: Path
) -> None:
    limits = tmp_path / "limits.toml"
    limits.write_text(
        "[tenants.slow]\ncalls_per_second = 20\n[tenants.small]\nmemories_per_person = 9\n"
    )
    export = EXPORTS["pam"](tmp_path, 24)
    limited = ServerProcess(tmp_path / "limited", ("--limits", str(limits)))
    limited.start()
    try:
        where = {"TACIT_ADDRESS": limited.address, "TACIT_DATA": str(limited.data)}
        arguments = ("import", str(export.path), "--from", "pam", "-p", "me-too", "--batch", "4")
        for tenant in ("slow", "small"):
            granted = ("consent", "grant", "assistance", "-p", "me-too", "--tenant", tenant)
            assert run(*granted, env=where).returncode == 0
        slow = run(*arguments, "--tenant", "slow", env=where)
        assert slow.returncode == 0, slow.stderr
        assert "24 of 24 acknowledged: 24 new" in slow.stderr
        small = run(*arguments, "--tenant", "small", env=where)
        assert small.returncode == 1
        assert "8 of 24 acknowledged: 8 new" in small.stderr
        assert "QUOTA_EXCEEDED" in small.stderr
    finally:
        limited.kill()
