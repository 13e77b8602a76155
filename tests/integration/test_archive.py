"""An archive goes out, and comes back as what it was: exact, whole, resumable, and checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from memory.app.export import Export, Place
from memory.app.register import FIRST as _FIRST
from memory.app.take_in import Taken
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.archive import Reader, lines_of
from memory.core.values import MemoryKind, PersonId, RawText, RecordId
from memory.errors import (
    ArchiveError,
    ConsentError,
    ErasureInProgressError,
    PageTokenError,
    SignatureError,
    StorageUnavailableError,
)
from server.resume_tokens import decode_place, encode_place
from tests.integration.conftest import (
    CARE,
    access,
    archive,
    caller,
    draft,
    exported,
    grant,
    recall,
    store,
)

ALICE = PersonId("alice")
THEN = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def tacit(folder: Path) -> Iterator[Tacit]:
    with open_tacit(Config(data=folder)) as opened:
        yield opened


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Tacit]:
    with open_tacit(Config(data=tmp_path / "elsewhere")) as opened:
        yield opened


def lived(tacit: Tacit) -> list[RecordId]:
    """A person with some of everything: names, kinds, versions, two purposes."""
    grant(tacit)
    grant(tacit, purpose=CARE)
    said = [
        draft(
            "my sister Priya lives in Leeds, write to priya.k@mail.example",
            speaker=RawText("Tomasz Nowak"),
            session="monday",
            event_time=THEN,
            labels={"mood": "good", "place": "home"},
        ),
        draft("Bob Smith plays the cello", speaker=RawText("user")),
        draft("I prefer tea", kind=MemoryKind.PREFERENCE),
        draft("Bob called, and so did Priya's friend Ann Smith"),
    ]
    ids = [done.memory.id for done in tacit.remember(access(), said)]
    tacit.remember(access(purpose=CARE), [draft("Dr. Lindqvist said to rest")])
    for text in ("Bob Smith plays the viola", "Bob Jones plays the viola"):
        tacit.rectify.update(
            access(), ids[1], lambda now, text=text: replace(now, text=RawText(text))
        )  # type: ignore[misc]
    return ids


def take_in(tacit: Tacit, data: bytes, piece: int = 1000) -> Taken:
    incoming = tacit.take_in.begin(caller(), ALICE)
    try:
        for at in range(0, len(data), piece):
            incoming.take(data[at : at + piece])
        return incoming.finish()
    finally:
        incoming.close()


def taken_over(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the format says is the same in another instance."""
    return [line for line in lines if line["type"] in {"pseudonym", "memory", "version"}]


def test_a_round_trip_through_an_empty_instance_is_exact(tacit: Tacit, empty: Tacit) -> None:
    lived(tacit)
    was = exported(tacit)
    assert {line["type"] for line in was} >= {"consent", "pseudonym", "memory", "version"}
    grant(empty)
    grant(empty, purpose=CARE)
    assert take_in(empty, archive(tacit)) == Taken(memories=5)
    assert taken_over(exported(empty)) == taken_over(was)
    assert taken_over(exported(empty, revealed=False)) == taken_over(
        exported(tacit, revealed=False)
    )
    assert set(recall(empty, "which instrument?")) == set(recall(tacit, "which instrument?"))
    for each in (tacit, empty):
        store(each, "Smith rang, then Jones, then Nowak")
    assert taken_over(exported(empty))[-3]["text"] == taken_over(exported(tacit))[-3]["text"]


def test_into_itself_nothing_changes(tacit: Tacit) -> None:
    lived(tacit)
    was = exported(tacit)
    assert take_in(tacit, archive(tacit)) == Taken(duplicates=5)
    assert exported(tacit) == was


def test_what_was_erased_since_comes_back_where_someone_else_took_its_number(
    tacit: Tacit, empty: Tacit
) -> None:
    lived(tacit)
    grant(empty)
    grant(empty, purpose=CARE)
    store(empty, "Margaret came by with Priya")
    take_in(empty, archive(tacit))
    (memory,) = (m for m in exported(empty) if m["type"] == "memory" and "Leeds" in m["text"])
    assert "Priya" in memory["text"]
    vault = {m["pseudonym"]: m["value"] for m in exported(empty) if m["type"] == "pseudonym"}
    assert vault["person_1"] == "Margaret"
    assert list(vault.values()).count("Priya") == 1
    assert [vault[name] for _, _, name in memory["hidden"]] == ["Priya", "priya.k@mail.example"]
    assert vault[memory["speaker_hidden"]] == "Tomasz Nowak"


def test_names_that_an_archive_does_not_hide_are_found_again(tacit: Tacit, empty: Tacit) -> None:
    """An archive may be written by anyone: what it leaves in the open is detected."""
    lived(tacit)
    lines = [json.loads(line) for line in archive(tacit).splitlines()]
    for line in lines:
        if "hidden" in line:
            line["hidden"], line["speaker_hidden"] = [], None
    grant(empty)
    grant(empty, purpose=CARE)
    take_in(empty, forged(tacit, lines))
    under = json.dumps(exported(empty, revealed=False))
    assert "Priya" not in under
    assert "Nowak" not in under


def test_what_is_redacted_here_is_not_kept_whatever_the_archive_kept(
    tacit: Tacit, tmp_path: Path
) -> None:
    lived(tacit)
    policies = tmp_path / "policies.toml"
    policies.write_text('[actions]\nEMAIL_ADDRESS = "redact"\n')
    with open_tacit(Config(data=tmp_path / "stricter", detection=policies)) as stricter:
        grant(stricter)
        grant(stricter, purpose=CARE)
        take_in(stricter, archive(tacit))
        data = archive(stricter)
    assert b"Priya" in data
    assert b"mail.example" not in data
    assert b"write to [email address]" in data


def forged(tacit: Tacit, lines: list[dict[str, Any]]) -> bytes:
    """An archive with these lines and fitting hashes, as anyone could write it."""
    from memory.core.archive import Writer

    writer = Writer()
    data = b""
    for line in lines:
        type_, fields = line["type"], {k: v for k, v in line.items() if k != "type"}
        match type_:
            case "header":
                kept = {k: fields[k] for k in ("id", "time", "tenant", "person", "revealed")}
                data += writer.header(**kept)
            case "section":
                data += writer.close_section(fields["section"])
            case "end":
                data += writer.end(lines[0]["id"], THEN, tacit.signer)
            case _:
                data += writer.content(type_, fields, b"x")
    return data


def test_pieces_that_were_resumed_are_one_archive(
    tacit: Tacit, empty: Tacit, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = lived(tacit)
    monkeypatch.setattr("memory.app.export.PIECE_BYTES", 1)
    monkeypatch.setattr("memory.app.export.PAGE", 2)
    whole = list(tacit.export(caller(), ALICE, revealed=True))
    assert len(whole) > 20
    data, place = b"", None
    while True:
        piece = next(tacit.export(caller(), ALICE, revealed=True, place=place))
        data += piece.data
        if piece.place is None:
            break
        place = decode_place(encode_place(piece.place))
        store(tacit, "said while it was away")
        if b'{"type": "memory"' in piece.data and b"Leeds" in piece.data:
            for record in ids[:2]:
                tacit.rectify.update(access(), record, lambda _: draft("corrected meanwhile"))
    reader = Reader()
    for line in lines_of([data]):
        reader.read(line)
    reader.verify(tacit.signer.verifier)
    assert reader.counts["memories"] == 5
    assert reader.counts["versions"] == 4  # two from before, and the two corrections of meanwhile
    grant(empty)
    grant(empty, purpose=CARE)
    take_in(empty, data)
    there = taken_over(exported(empty))
    assert [line["version"] for line in there if line["type"] == "memory"] == [1, 4, 1, 1, 1]
    assert [line["version"] for line in there if line["type"] == "version"] == [1, 2, 3]


def test_a_resumed_export_of_someone_forgotten_is_refused(tacit: Tacit) -> None:
    lived(tacit)
    place = _cut(tacit.export)
    tacit.forget(caller(), ALICE)
    grant(tacit)
    with pytest.raises(PageTokenError, match="begin anew"):
        list(tacit.export(caller(), ALICE, revealed=True, place=place))


def test_an_export_waits_for_no_one_who_is_being_forgotten(tacit: Tacit) -> None:
    lived(tacit)
    place = _cut(tacit.export)
    tacit.forget.intake.accept(caller(), ALICE, RecordId(bytes(16)))
    for at in (None, place):
        with pytest.raises(ErasureInProgressError):
            list(tacit.export(caller(), ALICE, revealed=True, place=at))


def _cut(export: Export) -> Place:
    from memory.app import export as module

    size = module.PIECE_BYTES
    module.PIECE_BYTES = 1  # type: ignore[misc]
    try:
        place = next(export(caller(), ALICE, revealed=True)).place
    finally:
        module.PIECE_BYTES = size  # type: ignore[misc]
    assert place is not None
    return place


def test_nothing_is_stored_of_a_broken_archive(tacit: Tacit, empty: Tacit) -> None:
    lived(tacit)
    data = archive(tacit)
    grant(empty)
    grant(empty, purpose=CARE)
    lines = data.splitlines(keepends=True)
    broken = {
        "cut off": b"".join(lines[:-1]),
        "half a line": data[:-5],
        "a line more": data + b"{}\n",
        "a memory left out": b"".join(x for x in lines if b"viola" not in x),
        "a word changed": data.replace(b"tea", b"gin"),
        "no archive": b"hello\n",
        "nothing": b"",
    }
    for name, bad in broken.items():
        with pytest.raises(ArchiveError):
            take_in(empty, bad)
        assert taken_over(exported(empty)) == [], name


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"text": ""}, "text"),
        ({"text": 7}, "text"),
        ({"kind": "song"}, "kind"),
        ({"purpose": "spying"}, "registry"),
        ({"purpose": "Not A Purpose"}, "purpose"),
        ({"stored_at": "2999-01-01T00:00:00+00:00"}, "future"),
        ({"stored_at": "yesterday"}, "stored_at"),
        ({"updated_at": "2001-01-01T00:00:00+00:00"}, "before"),
        ({"version": 0}, "version"),
        ({"id": "first"}, "UUID"),
        ({"labels": []}, "labels"),
        ({"hidden": [[3, 99999, "person_1"]]}, "hidden"),
        ({"hidden": [[3, 7, "person_99"]]}, "does not explain"),
        ({"hidden": "none"}, "hidden"),
        ({"speaker_hidden": "person_99"}, "does not explain"),
        ({"extra": 1}, "exactly"),
        ({"affect": "good"}, "affect"),
        ({"expires_at": "soon"}, "expires_at"),
    ],
)
def test_a_line_that_does_not_fit_is_named(tacit: Tacit, change: dict[str, Any], told: str) -> None:
    lived(tacit)
    lines = [json.loads(line) for line in archive(tacit).splitlines()]
    at = next(i for i, line in enumerate(lines) if line["type"] == "memory")
    lines[at] |= change
    with pytest.raises(ArchiveError, match=told) as caught:
        take_in(tacit, forged(tacit, lines))
    assert caught.value.metadata["line"] == str(at + 1)
    assert "Priya" not in caught.value.message


def test_taking_in_needs_consent_that_holds_here(tacit: Tacit, empty: Tacit) -> None:
    lived(tacit)
    data = archive(tacit)
    with pytest.raises(ConsentError):
        take_in(empty, data)
    grant(empty)
    with pytest.raises(ConsentError, match="no consent"):
        take_in(empty, data)
    assert taken_over(exported(empty)) == []


def test_an_archive_under_pseudonyms_is_not_taken_in(tacit: Tacit) -> None:
    lived(tacit)
    with pytest.raises(ArchiveError, match="reveal"):
        take_in(tacit, archive(tacit, revealed=False))


def test_sent_again_after_a_crash_it_goes_on(
    tacit: Tacit, empty: Tacit, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived(tacit)
    data = archive(tacit)
    grant(empty)
    grant(empty, purpose=CARE)
    monkeypatch.setattr("memory.app.take_in.BATCH", 2)
    unit = type(empty.take_in.store.write().__enter__())
    honest = unit.add_memories
    calls: list[int] = []

    def fail_second(self: Any, rows: Any) -> None:
        calls.append(len(rows))
        if len(calls) == 2:
            raise StorageUnavailableError("the disk is away")
        honest(self, rows)

    monkeypatch.setattr(unit, "add_memories", fail_second)
    with pytest.raises(StorageUnavailableError):
        take_in(empty, data)
    assert take_in(empty, data) == Taken(memories=3, duplicates=2)
    assert taken_over(exported(empty)) == taken_over(exported(tacit))


def test_another_key_did_not_sign_it(tacit: Tacit, empty: Tacit) -> None:
    reader = Reader()
    for line in lines_of([archive(tacit)]):
        reader.read(line)
    reader.verify(tacit.signer.verifier)
    with pytest.raises(SignatureError):
        reader.verify(empty.signer.verifier)


def test_what_has_ended_is_passed_over(tacit: Tacit, empty: Tacit) -> None:
    lived(tacit)
    lines = [json.loads(line) for line in archive(tacit).splitlines()]
    for line in lines:
        if line["type"] == "memory" and line["text"] == "I prefer tea":
            line["expires_at"] = "2026-03-02T00:00:00+00:00"
    grant(empty)
    grant(empty, purpose=CARE)
    assert take_in(empty, forged(tacit, lines)) == Taken(memories=4, expired=1)
    assert b"I prefer tea" not in archive(empty)


def test_every_export_is_in_the_register_and_one_that_was_cut_off_stays_open(tacit: Tacit) -> None:
    lived(tacit)
    archive(tacit)
    place = _cut(tacit.export)
    requests, _ = tacit.register.due(caller(), _FIRST, 10, unfinished=True)
    assert [r.id for r in requests] == [place.request]
    assert requests[0].due_at - requests[0].received_at >= timedelta(days=28)
    for _ in tacit.export(caller(), ALICE, revealed=True, place=place):
        pass
    assert tacit.register.due(caller(), _FIRST, 10, unfinished=True) == ([], None)
    own, _ = tacit.register.of(caller(), ALICE, _FIRST, 10)
    assert [r.outcome for r in own] == ["fulfilled"] * 2
