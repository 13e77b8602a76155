"""The command line against a real server: what works."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from server.demo.process import ServerProcess
from tests.e2e.conftest import Run, run_tacit

pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
def person(run: Run, request: pytest.FixtureRequest) -> str:
    """Someone who consented, new for each test."""
    name = f"person of {request.node.name}"
    assert run("consent", "grant", "assistance", "-p", name).returncode == 0
    return name


def test_what_is_stored_is_recalled_and_listed(run: Run, person: str) -> None:
    for text in ("I am allergic to peanuts.", "The cello stands in the attic."):
        assert run("store", text, "-p", person, "--session", "s1").returncode == 0
    found = run("recall", "which food is dangerous?", "-p", person, "--limit", "1")
    assert found.returncode == 0
    assert "peanuts" in found.stdout
    built = run("context", "which food is dangerous?", "-p", person, "--tokens", "24")
    assert built.stdout.splitlines()[1] == "[1] I am allergic to peanuts."
    listed = run("list", "-p", person, "--json")
    assert [json.loads(line)["text"] for line in listed.stdout.splitlines()] == [
        "I am allergic to peanuts.",
        "The cello stands in the attic.",
    ]
    nothing = run("recall", "food", "-p", person, "--session", "s2")
    assert nothing.stdout == "nothing fits\n"


def test_words_like_yesterday_count_from_the_reference_time(run: Run, person: str) -> None:
    for day in ("2024-05-01", "2024-07-01"):
        said = f"I saw the lake, {day[5:7]}."
        stored = run("store", said, "-p", person, "--time", day, "--importance", "0.5")
        assert stored.returncode == 0
        asked = ("where did I go yesterday?", "-p", person, "--reference-time", f"{day[:-1]}2")
        assert said in run("recall", *asked, "--limit", "1").stdout
        assert said in run("context", *asked, "--tokens", "30").stdout


def test_a_text_can_come_from_a_pipe(run: Run, person: str) -> None:
    assert run("store", "-", "-p", person, stdin="I water the ferns on Mondays.").returncode == 0
    assert "ferns" in run("list", "-p", person).stdout


def test_facts_are_stored_told_as_past_and_put_together(run: Run, person: str) -> None:
    assert run("consent", "grant", "profile", "--person", person).returncode == 0
    for day, text in ((1, "I live in Leeds."), (3, "We moved to Bristol, by the docks.")):
        when = f"2024-05-0{day}T12:00Z"
        stored = run("store", text, "--time", when, "--facts", "--person", person)
        assert stored.stdout.count(f"people/{person}/memories/") == 2
    assert "until 2024-05-03" in run("recall", "where does she live?", "--person", person).stdout
    told = run("profile", "--person", person).stdout
    assert "Bristol" in told
    assert "Leeds" not in told
    assert json.loads(run("profile", "--person", person, "--json").stdout)["slot"] == "home"


def test_a_colleague_is_briefed_once_that_is_allowed(run: Run, person: str) -> None:
    for text in ("I live in Leeds.", "When does my warranty end?"):
        assert run("store", text, "--session", "desk", "--person", person).returncode == 0
    assert "purposes/handover" in run("handover", "--person", person).stderr
    assert run("consent", "grant", "handover", "--person", person).returncode == 0
    told = run("handover", "--person", person).stdout
    assert "asked: When does my warranty end?" in told
    assert told.index("What holds") < told.index("I live in Leeds.")
    brief = json.loads(run("handover", "--person", person, "--json").stdout)
    assert [one["mark"] for one in brief["citations"]] == ["[1]", "[2]"]
    assert "Leeds" in run("handover", "--person", person, "--session", "other").stdout
    nobody = run("handover", "--person", person, "--tokens", "2").stdout
    assert "nothing to hand over" in nobody


def test_what_is_told_again_says_so(run: Run, person: str) -> None:
    assert "there already" not in run("store", "I keep bees.", "-p", person).stdout
    assert "there already; told 2 times" in run("store", "i keep bees", "-p", person).stdout


def test_what_is_recalled_is_rated_and_the_ratings_are_shown_and_taken_back(
    run: Run, person: str
) -> None:
    for text in ("I am allergic to peanuts.", "The cello stands in the attic."):
        assert run("store", text, "-p", person).returncode == 0
    refused = run("rate", "peanuts", "useful", "-p", person)
    assert refused.returncode == 1
    assert "purposes/tuning" in refused.stderr
    wrong = run("rate", "peanuts", "wrong", "-p", person)
    assert "I am allergic to peanuts." in wrong.stdout
    assert "nothing is learnt" in wrong.stderr
    assert "cello" in run("recall", "peanuts", "-p", person).stdout.splitlines()[1]
    assert run("consent", "grant", "tuning", "-p", person).returncode == 0
    assert run("rate", "peanuts", "not-useful", "-p", person).returncode == 0
    shown = run("personalization", "-p", person)
    assert "0 useful, 1 not useful, 1 wrong; learnt from 1" in shown.stdout
    assert f"doubted: people/{person}/memories/" in shown.stdout
    assert json.loads(run("personalization", "-p", person, "--json").stdout)["learned_count"] == 1
    assert "2 ratings taken back" in run("personalization", "-p", person, "--reset").stderr
    assert "peanuts" in run("recall", "peanuts", "-p", person).stdout.splitlines()[1]
    assert run("rate", "peanuts", "useful", "--hit", "9", "-p", person).returncode == 2


def test_consent_is_given_listed_and_taken_back(run: Run, person: str) -> None:
    listed = run("consent", "list", "-p", person, "--json")
    (consent,) = map(json.loads, listed.stdout.splitlines())
    assert (consent["purpose"], consent["state"]) == ("purposes/assistance", "STATE_GIVEN")
    assert run("store", "I like rain.", "-p", person).returncode == 0
    assert run("consent", "withdraw", "assistance", "-p", person).returncode == 0
    refused = run("recall", "rain", "-p", person)
    assert refused.returncode == 1
    assert "CONSENT_MISSING" in refused.stderr
    again = run("consent", "withdraw", "assistance", "-p", person)
    assert "no consent to withdraw" in again.stderr


def test_purposes_are_told_in_plain_words(run: Run) -> None:
    assert "Help me in conversations" in run("consent", "purposes").stdout


def test_a_conversation_is_ingested_once_however_often_it_is_sent(
    run: Run, person: str, tmp_path: Path
) -> None:
    file = tmp_path / "talk.json"
    turns = [
        {"id": f"m{n}", "session": 1, "speaker": "Ana", "time": "1:56 pm on 8 May, 2023", "text": t}
        for n, t in enumerate(["I moved house.", "The new street is quiet.", "Cats live there."])
    ]
    file.write_text(json.dumps({"conversation": "talk", "speakers": ["Ana"], "memories": turns}))
    first = run("ingest", str(file), "-p", person, "--batch", "2")
    assert first.returncode == 0
    assert "3 of 3 acknowledged: 3 new" in first.stderr
    second = run("ingest", str(file), "-p", person)
    assert "3 of 3 acknowledged: 0 new, 3 were there" in second.stderr
    listed = [json.loads(line) for line in run("list", "-p", person, "--json").stdout.splitlines()]
    assert [memory["labels"]["id"] for memory in listed] == ["m0", "m1", "m2"]
    assert listed[0]["event_time"] == "2023-05-08T13:56:00Z"
    assert "Ana" not in listed[0]["speaker"]


def test_an_export_holds_everything_and_is_readable_by_its_owner_alone(
    run: Run, person: str, tmp_path: Path
) -> None:
    run("store", "I keep bees.", "-p", person)
    file = tmp_path / "archive.jsonl"
    assert run("export", str(file), "-p", person).returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600
    types = [json.loads(line)["type"] for line in file.read_text().splitlines()]
    assert types[0] == "header"
    assert {"consent", "memory"} <= set(types)
    assert "is there already" in run("export", str(file), "-p", person).stderr
    assert run("export", str(file), "-p", person, "--force").returncode == 0
    now = [
        json.loads(line)["type"] for line in run("export", "-", "-p", person).stdout.splitlines()
    ]
    assert now.count("request") == 2  # the two exports before, which are events too
    assert now.count("access_event") == types.count("access_event") + 2
    told = {"request", "access_event"}
    assert [t for t in now if t not in told] == [t for t in types if t not in told]


def test_forgetting_asks_first_and_leaves_nothing(run: Run, person: str) -> None:
    run("store", "I keep bees.", "-p", person)
    asked = run("forget", "-p", person, stdin="n\n")
    assert asked.returncode == 1
    assert "nothing was changed" in asked.stderr
    assert "bees" in run("list", "-p", person).stdout
    done = run("forget", "-p", person, "--yes")
    assert done.returncode == 0
    assert "done; 1 memories" in done.stderr
    assert "CONSENT_MISSING" in run("list", "-p", person).stderr
    assert "done; 0 memories" in run("forget", "-p", person, "--yes").stderr


def test_an_erasure_is_certified_listed_and_verified(run: Run, person: str, tmp_path: Path) -> None:
    run("store", "I keep bees.", "-p", person)
    file, export = tmp_path / "certificate.json", tmp_path / "mine.jsonl"
    run("export", str(export), "-p", person)
    done = run("forget", "-p", person, "--yes", "--at-once", "--certificate", str(file))
    assert "done; 1 memories" in done.stderr
    (erasure,) = re.findall(r"erasures/[0-9a-f]+", done.stderr)
    key = json.loads(run("status", "--json").stdout)["verifier_key"]
    verified = run("verify", str(file), "--key", key)
    assert "good: an erasure certificate signed by tacit.local" in verified.stdout
    assert f"erasure: {erasure}" in verified.stdout
    assert "destroyed" in verified.stdout
    assert "bees" not in file.read_text()
    tried = run("verify", str(file), "--key", key, "--trial", str(export))
    assert "opens under none of those" in tried.stdout
    run("consent", "grant", "assistance", "-p", "someone")
    other = tmp_path / "theirs.jsonl"
    run("export", str(other), "-p", "someone")
    opened = run("verify", str(file), "--key", key, "--trial", str(other))
    assert opened.returncode == 1
    assert "still opens under epoch" in opened.stderr
    assert erasure in run("erasures").stdout
    again = tmp_path / "again.json"
    assert run("certificate", erasure, str(again)).returncode == 0
    assert run("verify", str(again), "--key", key).returncode == 0


def test_some_memories_are_erased_by_what_they_are(run: Run, person: str) -> None:
    run("store", "I keep bees.", "-p", person, "--session", "one")
    run("store", "I keep hens.", "-p", person)
    assert "name what to erase" in run("erase", "-p", person, "--yes").stderr
    done = run("erase", "-p", person, "--session", "one", "--yes")
    assert "1 memories" in done.stderr
    shown = run("list", "-p", person).stdout
    assert "hens" in shown
    assert "bees" not in shown


def test_status_shows_figures(run: Run, person: str) -> None:
    run("store", "I keep bees.", "-p", person)
    shown = run("status")
    assert shown.returncode == 0
    assert "serving" in shown.stdout
    for row in (
        "key epoch",
        "in use since",
        "keys under older epochs",
        "the oldest of these since",
    ):
        assert row in shown.stdout
    assert "bees" not in shown.stdout
    assert int(json.loads(run("status", "--json").stdout)["memory_count"]) >= 1


def test_a_token_of_ones_own_opens_ones_own_memories(run: Run, person: str) -> None:
    run("store", "I keep bees.", "-p", person)
    minted = run("token", "--person", person, "--scope", "memory.read data.export", "--ttl", "5m")
    mine = {"TACIT_TOKEN": minted.stdout.strip()}
    assert "bees" in run("list", env=mine).stdout
    assert "SCOPE_MISSING" in run("forget", "--yes", env=mine).stderr
    assert "PERSON_MISMATCH" in run("list", "-p", "someone else", env=mine).stderr


def test_two_tenants_do_not_meet(run: Run, person: str) -> None:
    run("store", "I keep bees.", "-p", person)
    assert "CONSENT_MISSING" in run("list", "-p", person, "--tenant", "other").stderr


def test_help_and_version_need_no_server() -> None:
    assert "ingest" in run_tacit("--help").stdout
    assert run_tacit("--version").stdout.startswith("tacit ")


def test_help_does_not_wait_for_what_only_commands_need() -> None:
    code = (
        "import sys; from server.cli.app import run; run(['--help']); "
        "print({'grpc', 'numpy', 'chromadb', 'onnxruntime', 'spacy'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.splitlines()[-1] == "set()"


def test_the_signing_key_and_the_data_are_readable_by_their_owner_alone(
    server: ServerProcess,
) -> None:
    for secret in ("jwt-signing.pem", "tacit.key"):
        assert (server.data / secret).stat().st_mode & 0o077 == 0


def test_keys_are_rotated_and_shown(run: Run) -> None:
    assert run("consent", "grant", "assistance", "--person", "kim").returncode == 0
    run("store", "I like tea", "--person", "kim")
    rotated = run("keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    assert "keys moved and verified" in rotated.stderr
    shown = run("keys", "status").stdout
    assert re.search(r"\d \(current\) +\d{4}-\d\d-\d\d \d\d:\d\d +[1-9]\d*", shown)
    assert json.loads(run("keys", "status", "--json").stdout.splitlines()[0])["key_count"] == "0"
    assert "sealed anew" in run("keys", "rotate", "--person", "kim").stderr
    assert "nobody" in run("keys", "rotate", "--person", "nobody").stderr
    assert "I like tea" in run("recall", "tea", "--person", "kim").stdout
    assert "goes on" in run("keys", "rotate", "--no-wait").stderr


def test_an_archive_is_written_verified_and_taken_in(run: Run, person: str, tmp_path: Path) -> None:
    assert run("store", "My sister Priya lives in Leeds.", "-p", person).returncode == 0
    file = tmp_path / "archive.jsonl"
    assert run("export", str(file), "-p", person, "--reveal").returncode == 0
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    signer = json.loads(file.read_text().splitlines()[0])["signer"]
    verified = run("verify", str(file), "--key", signer)
    assert verified.returncode == 0
    assert "good: an archive signed by tacit.local" in verified.stdout
    assert "Priya" not in verified.stdout
    again = run("import", str(file), "-p", person)
    assert again.stderr == "0 memories taken in, 1 were there already\n"
    (listed,) = run("list", "-p", person, "--json").stdout.splitlines()
    name = json.loads(listed)["name"]
    moved = f"another {person}"
    assert run("consent", "grant", "assistance", "-p", moved).returncode == 0
    assert run("import", str(file), "-p", moved).stderr == "1 memories taken in\n"
    (there,) = run("list", "-p", moved, "--json").stdout.splitlines()
    assert json.loads(there)["name"].split("/")[-1] == name.split("/")[-1]
    file.write_bytes(file.read_bytes().replace(b"Leeds", b"Lyons"))
    assert run("verify", str(file), "--key", signer).returncode == 1
    refused = run("import", str(file), "-p", moved)
    assert refused.returncode == 1
    assert "ARCHIVE_INVALID" in refused.stderr


def test_portable_ai_memory_is_one_json_object(run: Run, person: str, tmp_path: Path) -> None:
    for text in ("I like tea.", "I like trains."):
        assert run("store", text, "-p", person, "--session", "s1").returncode == 0
    file = tmp_path / "memory-store.json"
    assert run("export", str(file), "-p", person, "--format", "pam").returncode == 0
    store = json.loads(file.read_text())
    assert (store["schema"], store["schema_version"]) == ("portable-ai-memory", "1.0")
    assert [memory["content"] for memory in store["memories"]] == ["I like tea.", "I like trains."]
    assert {memory["provenance"]["conversation_ref"] for memory in store["memories"]} == {"s1"}
    assert {memory["custom_type"] for memory in store["memories"]} == {"message"}


def test_requests_are_listed_and_reports_printed(run: Run, person: str, tmp_path: Path) -> None:
    assert run("export", str(tmp_path / "a.jsonl"), "-p", person).returncode == 0
    listed = run("requests", "list", "--all", "--json")
    requests = [json.loads(line) for line in listed.stdout.splitlines()]
    assert any(r["right"] == "RIGHT_PORTABILITY" for r in requests)
    assert person not in listed.stdout
    assert "portability" in run("requests", "list", "--all").stdout
    closed = run("requests", "close", "no-id", "--outcome", "refused")
    assert closed.returncode == 1
    unknown = run("requests", "extend", "0" * 32, "--reason", "number")
    assert "RESOURCE_NOT_FOUND" in unknown.stderr
    ropa = run("report", "ropa")
    assert ropa.stdout.startswith("# Record of processing activities (GDPR Art. 30)")
    assert json.loads(run("report", "dpia", "--json").stdout)["sections"]


def test_scan_looks_for_an_export_in_the_data_folder_and_elsewhere(
    run: Run, person: str, tmp_path: Path
) -> None:
    assert run("store", "My sister Kwabenaa tunes the harp.", "-p", person).returncode == 0
    archive = tmp_path / "export.jsonl"
    assert run("export", str(archive), "-p", person, "--reveal").returncode == 0
    clean = run("scan", str(archive))
    assert (clean.returncode, clean.stderr) == (0, "")
    assert clean.stdout.rstrip().endswith("0 found")
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "notes").write_text("Kwabenaa TUNES the harp.", encoding="utf-16-be")
    found = run("scan", str(archive), str(tmp_path / "backup"))
    assert found.returncode == 1
    assert "notes, byte" in found.stderr
    assert "harp" not in found.stdout + found.stderr
    assert run("scan", str(tmp_path / "backup" / "notes")).returncode == 2


def test_a_backup_is_taken_while_serving_and_restored_elsewhere(
    run: Run, person: str, tmp_path: Path, server: ServerProcess
) -> None:
    assert run("store", "I keep bees on the roof.", "-p", person).returncode == 0
    folder, new = tmp_path / "backup", tmp_path / "new"
    made = run("backup", str(folder))
    assert made.returncode == 0, made.stderr
    assert run("backup", str(folder)).returncode == 2
    assert run("backup", str(folder), "--refresh").returncode == 0
    assert run("backup", str(folder), "--refresh", "--with-key").returncode == 2
    key = {"TACIT_KEK": f"file:{server.data / 'tacit.key'}"}
    restored = run("restore", str(folder), "--data", str(new), env=key)
    assert restored.returncode == 0, restored.stderr
    again = run("restore", str(folder), "--data", str(new), env=key)
    assert "there is data already" in again.stderr
