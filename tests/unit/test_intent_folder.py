"""An accepted erasure on disk is there in full, or not at all, and never dropped in silence."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from memory.adapters.intent_folder import IntentFolder
from memory.core.values import AssistantId, PersonRef, RecordId, TenantId
from memory.errors import ConfigurationError, StorageFullError
from memory.ports import Intent

INTENT = Intent(
    id=RecordId(b"e" * 16),
    tenant=TenantId("acme"),
    assistant=AssistantId("helper"),
    ref=PersonRef(b"r" * 32),
    at_once=True,
    by_person=False,
    at=datetime(2026, 11, 25, 12, 30, tzinfo=UTC),
)


def test_an_intent_is_there_for_whoever_opens_the_folder_next(tmp_path: Path) -> None:
    folder = tmp_path / "pending"
    assert IntentFolder(folder).all() == []
    IntentFolder(folder).put(INTENT)
    IntentFolder(folder).put(INTENT)
    assert IntentFolder(folder).all() == [INTENT]
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    IntentFolder(folder).remove(INTENT.id)
    IntentFolder(folder).remove(INTENT.id)
    assert IntentFolder(folder).all() == []


def test_a_half_written_one_was_never_accepted(tmp_path: Path) -> None:
    (tmp_path / f"{INTENT.id}.part").write_text("{")
    assert IntentFolder(tmp_path).all() == []
    IntentFolder(tmp_path).put(INTENT)
    assert IntentFolder(tmp_path).all() == [INTENT]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"tenant": 3}', "\xff"])
def test_one_that_cannot_be_read_stops_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / f"{INTENT.id}.json").write_text(text, encoding="latin-1")
    with pytest.raises(ConfigurationError, match="accepted erasure"):
        IntentFolder(tmp_path).all()


def test_a_disk_that_takes_nothing_accepts_nothing(tmp_path: Path) -> None:
    (tmp_path / "pending").write_text("a file in the way")
    with pytest.raises(StorageFullError):
        IntentFolder(tmp_path / "pending").put(INTENT)


def test_one_that_is_carried_out_while_they_are_read_is_passed_over(tmp_path: Path) -> None:
    IntentFolder(tmp_path).put(INTENT)
    listed = tmp_path / f"{'0' * 32}.json"  # and gone when it is opened
    listed.symlink_to(tmp_path / "gone")
    assert IntentFolder(tmp_path).all() == [INTENT]
