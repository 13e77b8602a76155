"""Planted personal data of every type goes through Store, and lies nowhere but under the key."""

from __future__ import annotations

from pathlib import Path

from memory.adapters.residue_scan import Place, scan
from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.residue import Needles, StoreName
from memory.core.values import PersonId
from tests.integration.conftest import access, archive, draft, exported, grant, wait_indexed
from tests.integration.planted import conversation

AT_ONCE = 10


def test_planted_personal_data_is_found_only_under_the_key(folder: Path, stress: bool) -> None:
    conversations = [conversation(number) for number in range(2_000 if stress else 20)]
    person = PersonId("alice")
    with open_tacit(Config(data=folder)) as tacit:
        grant(tacit)
        for start in range(0, len(conversations), AT_ONCE):
            some = conversations[start : start + AT_ONCE]
            tacit.remember(access(), [draft(turn) for one in some for turn in one.turns])
        wait_indexed(tacit)
        hidden = exported(tacit, person.value, revealed=False)
        revealed = archive(tacit, person.value).decode()

    secrets = [secret for one in conversations for secret in one.secrets]
    stored = "\n".join(line["text"] for line in hidden if line["type"] == "memory")
    assert [secret for secret in secrets if secret in stored] == []
    assert [secret for secret in secrets if secret not in revealed] == []
    assert _found(folder, secrets) == 0


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    secret = "marisol.okonkwo@example.org"
    (tmp_path / "file").write_bytes(b"xyz" + secret.upper().encode("utf-16-le") + b"\0")
    assert _found(tmp_path, [secret, "somebody.else@example.org"]) == 1


def _found(folder: Path, secrets: list[str]) -> int:
    needles = Needles()
    needles.add_texts(secrets)
    return scan([Place(StoreName.OTHER, folder)], needles).residues
