"""Export: everything Tacit holds of a person, as they said it (GDPR Art. 15 and 20).

JSON Lines, UTF-8, one object a line, the first a header and the last a count:

    {"type": "header", "format": "tacit-export", "version": 1, "time": …}
    {"type": "trial", …}   see `app.trial`
    {"type": "consent", …}   {"type": "pseudonym", …}   {"type": "memory", …}
    {"type": "end", "memories": n}

Rules:
- A right, not a use: it needs no consent, and covers every purpose and assistant.
- What has expired and is not erased yet is held, so it is in it; so is inferred mood, whatever
  consent says by now.
- Read page by page, so that its memory does not grow with the person's.
- An unknown person gets a header and an end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from memory.app.keyring import Keyring
from memory.app.ledger import Ledger
from memory.app.prepare import vault_place
from memory.app.sealing import open_memory, open_words
from memory.app.trial import trial_fields
from memory.core.affect import Affect
from memory.core.consent import Consent
from memory.core.keys import PersonKeys
from memory.core.record_format import unseal
from memory.core.values import Caller, PersonId
from memory.errors import ErasureInProgressError
from memory.ports import (
    AccessAction,
    Clock,
    MemoryFilter,
    MemoryRow,
    PersonState,
    Store,
    UnitOfWork,
)

FORMAT_VERSION: Final = 1
_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Export:
    """The use case behind ExportData."""

    store: Store
    keyring: Keyring
    clock: Clock
    ledger: Ledger

    def __call__(self, caller: Caller, person: PersonId, *, revealed: bool) -> Iterator[bytes]:
        """The archive, line by line, each with its line feed.

        Args:
            revealed: in the person's own words; else with pseudonyms, and without the vault.

        Raises:
            ErasureInProgressError: the person is being forgotten.
        """
        ref = self.keyring.ref(caller.tenant, person)
        yield _line("header", format="tacit-export", version=FORMAT_VERSION, time=self.clock())
        with self.store.read() as uow:
            row = uow.person(ref)
            if row is not None and row.state is PersonState.ERASING:
                raise ErasureInProgressError("this person is being forgotten")
            keys = None if row is None else self.keyring.keys(row)
            if keys is not None:
                memories = uow.count_memories(keys.subject, MemoryFilter())
                by, action = caller.assistant, AccessAction.EXPORT
                self.ledger.record(keys, by, action, memories).wait()
                assert row is not None
                yield _line("trial", **trial_fields(row))
                yield from (_consent_line(c, self.clock()) for c in uow.consents(keys.subject))
                if revealed:
                    yield from _vault_lines(uow, keys)
        count = 0
        after = -1
        while keys is not None:
            with self.store.read() as uow:
                row = uow.person_by_subject(keys.subject)
                if row is None or row.state is PersonState.ERASING:
                    raise ErasureInProgressError("this person is being forgotten")
                keys = self.keyring.keys(row)  # it may have been rotated
                rows = uow.page_memories(keys.subject, MemoryFilter(), after, _PAGE)
            if not rows:
                break
            yield from (_memory_line(keys, r, revealed=revealed) for r in rows)
            count += len(rows)
            after = rows[-1].seq
        yield _line("end", memories=count)


def _line(type_: str, **fields: object) -> bytes:
    values = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in fields.items()}
    return json.dumps({"type": type_, **values}, ensure_ascii=False).encode() + b"\n"


def _consent_line(consent: Consent, now: datetime) -> bytes:
    return _line(
        "consent",
        id=str(consent.id),
        purpose=consent.purpose.value,
        assistant=consent.assistant.value if consent.assistant else None,
        state=consent.state(now).value,
        given_at=consent.given_at,
        expires_at=consent.expires_at,
        withdrawn_at=consent.withdrawn_at,
    )


def _vault_lines(uow: UnitOfWork, keys: PersonKeys) -> Iterator[bytes]:
    for entity, sealed in uow.vault(keys.subject):
        value = unseal(keys, keys.vault, vault_place(entity), sealed).decode()
        yield _line(
            "pseudonym", pseudonym=entity.pseudonym, entity_type=entity.entity_type, value=value
        )


def _inferred(affect: Affect) -> dict[str, object]:
    return {
        "valence": affect.valence,
        "frustration": affect.frustration,
        "cues": [{"rule": c.rule, "words": c.words, "points": c.points} for c in affect.cues],
    }


def _memory_line(keys: PersonKeys, row: MemoryRow, *, revealed: bool) -> bytes:
    memory = open_memory(keys, row, affect=True)
    text = memory.content.text.value
    speaker = memory.content.speaker.value if memory.content.speaker else None
    if revealed:
        words = open_words(keys, row, memory.content)
        text, speaker = words.text.value, words.speaker.value if words.speaker else None
    return _line(
        "memory",
        id=str(memory.id),
        text=text,
        speaker=speaker,
        kind=memory.kind.value,
        session=memory.content.session,
        event_time=memory.content.event_time,
        labels=memory.content.labels,
        sources=[str(source) for source in memory.content.sources],
        purpose=memory.purpose.value,
        assistant=memory.assistant.value,
        stored_at=memory.stored_at,
        updated_at=memory.updated_at,
        version=memory.version,
        expires_at=memory.expires_at,
        affect=None if memory.content.affect is None else _inferred(memory.content.affect),
    )
