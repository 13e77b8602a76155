"""Planted personal data of every type goes through Store, and lies nowhere but under the key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.values import PersonId
from server.demo.residue import Needle, text_needles
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
    assert _found(folder, text_needles(secrets)) == set()


def _found(folder: Path, needles: Sequence[Needle]) -> set[str]:
    """What of many needles lies in the folder: all are looked for at once, by first 8 bytes."""
    starts = {
        False: _first_bytes(needles, any_case=False),
        True: _first_bytes(needles, any_case=True),
    }
    found = set()
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for any_case, wanted in starts.items():
            searched = content.lower() if any_case else content
            for offset in range(8):
                usable = (len(searched) - offset) // 8 * 8
                if usable <= 0:
                    continue
                windows = np.frombuffer(searched, dtype="<u8", count=usable // 8, offset=offset)
                for start in np.intersect1d(windows, np.fromiter(wanted, dtype="<u8")):
                    found |= {n.what for n in wanted[int(start)] if n.data in searched}
    return found


def _first_bytes(needles: Sequence[Needle], any_case: bool) -> dict[int, list[Needle]]:
    by_start: dict[int, list[Needle]] = defaultdict(list)
    for needle in needles:
        if needle.any_case == any_case:
            assert len(needle.data) >= 8
            by_start[int.from_bytes(needle.data[:8], "little")].append(needle)
    return by_start


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    secret = "marisol.okonkwo@example.org"
    (tmp_path / "file").write_bytes(b"xyz" + secret.upper().encode("utf-16-le") + b"\0")
    assert _found(tmp_path, text_needles([secret, "somebody.else@example.org"])) == {secret}
