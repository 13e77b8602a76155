"""Export: everything Tacit holds of a person, as they said it (GDPR Art. 15 and 20).

The archive's format is core.archive's; what stands in it, app.archive_sections'.

Rules:
- A right, not a use: it needs no consent, and covers every purpose and assistant. While processing
  is restricted, it is the person's own token's alone (Art. 18(2)).
- What has expired and is not erased yet is held, so it is in it; so is inferred mood, whatever
  consent says by now.
- Each call, also one that goes on, is in the ledger before anything leaves.
- Read page by page, so that its memory does not grow with the person's.
- It can be continued behind any piece, on any server: what came before is not read again, and
  the pieces together are one archive. What was stored after it began is not in it; what was
  corrected or erased meanwhile is in it as it is when its turn comes.
- It stands in the register of requests from the first line, and is fulfilled with the last.
- An unknown person gets an archive of empty sections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from memory.app.archive_sections import CONTENTS, PAGE, Fields, Person
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger
from memory.app.register import Register
from memory.app.trial import trial_fields
from memory.core.archive import SECTIONS, Mark, Writer
from memory.core.consent import Consent
from memory.core.keys import PersonKeys
from memory.core.notes import Notes
from memory.core.requests import Outcome, Right
from memory.core.signing import Signer
from memory.core.values import Caller, PersonId, PersonRef, RecordId, SubjectId
from memory.errors import ErasureInProgressError, PageTokenError, RestrictedError
from memory.ports import AccessAction, Clock, MemoryFilter, PersonRow, PersonState, Store

PIECE_BYTES: Final = 64 * 1024
"""A piece is handed over once its lines have this many bytes."""

_NAMES: Final = tuple(SECTIONS)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an export goes on. Whoever continues it is checked like any other caller."""

    request: RecordId
    subject: SubjectId | None
    until_seq: int
    until: datetime
    mark: Mark


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines, and where to go on behind them; None behind the last."""

    data: bytes
    place: Place | None


@dataclass(frozen=True, slots=True)
class Export:
    """The use case behind ExportData."""

    store: Store
    keyring: Keyring
    register: Register
    notes: Callable[[Caller], Notes]
    receipt: Callable[[PersonKeys, Consent, datetime], str]
    signer: Signer
    clock: Clock
    ledger: Ledger

    def __call__(
        self, caller: Caller, person: PersonId, *, revealed: bool, place: Place | None = None
    ) -> Iterator[Piece]:
        """The archive, piece by piece.

        Args:
            revealed: in the person's own words; else with pseudonyms, and without the vault.
            place: where an earlier call was cut off.

        Raises:
            ErasureInProgressError: the person is being forgotten.
            RestrictedError: an assistant asks, and what is kept of the person is not used now.
            PageTokenError: the person was forgotten since; begin anew.
        """
        ref = self.keyring.ref(caller.tenant, person)
        begun = place is None
        row = self._recorded(caller, person, ref)
        if place is None:
            place = self._begin(caller, row)
        writer = Writer(place.mark)
        data = bytearray()
        if begun:
            data += writer.header(
                id=str(place.request),
                time=place.until,
                tenant=caller.tenant.value,
                person=person.value,
                revealed=revealed,
                signer=str(self.signer.verifier),
                trial=None if row is None else trial_fields(row),
            )
        while writer.mark.section < len(_NAMES):
            name = _NAMES[writer.mark.section]
            empty = True
            for after, fields in self._page(caller, ref, place, writer.mark, name, revealed):
                empty = False
                data += writer.content(SECTIONS[name], fields, after)
                if len(data) >= PIECE_BYTES:
                    yield Piece(bytes(data), self._at(place, writer))
                    data.clear()
            if empty:
                data += writer.close_section(name)
        now = self.clock()
        data += writer.end(str(place.request), now, self.signer)
        self.register.close(caller, place.request, Outcome.FULFILLED)
        yield Piece(bytes(data), None)

    def _recorded(self, caller: Caller, person: PersonId, ref: PersonRef) -> PersonRow | None:
        """The person, if there is one; that their archive is read is written down."""
        with self.store.read() as uow:
            row = uow.person(ref)
            if row is None:
                return None
            memories = uow.count_memories(row.subject, MemoryFilter())
        try:
            _require_exportable(caller, row)
        except RestrictedError:
            self.ledger.refused(caller, person, AccessAction.EXPORT, None)
            raise
        keys = self.keyring.keys(row)
        self.ledger.record(keys, caller.assistant, AccessAction.EXPORT, memories).wait()
        return row

    def _begin(self, caller: Caller, row: PersonRow | None) -> Place:
        subject = None if row is None else row.subject
        until = self.clock()
        request = self.register.open(caller, subject, Right.PORTABILITY)
        return Place(request, subject, row.numbered if row else 0, until, Writer().mark)

    def _page(
        self,
        caller: Caller,
        ref: PersonRef,
        place: Place,
        mark: Mark,
        name: str,
        revealed: bool,
    ) -> Iterator[tuple[bytes, Fields]]:
        if name == "notes":
            done = int.from_bytes(mark.after, "big")
            for number, note in enumerate(self.notes(caller)[done:], done + 1):
                yield number.to_bytes(2, "big"), note
            return
        if place.subject is None:
            return
        with self.store.read() as uow:
            row = uow.person(ref)
            if row is None or row.subject != place.subject:
                raise PageTokenError("resume_token", "this person was forgotten since; begin anew")
            _require_exportable(caller, row)
            keys = self.keyring.keys(row)  # it may have been rotated
            person = Person(keys, revealed, place.until_seq, place.until, self.receipt)
            lines = list(islice(CONTENTS[name](uow, person, mark.after), PAGE))
        yield from lines

    def _at(self, place: Place, writer: Writer) -> Place:
        return Place(place.request, place.subject, place.until_seq, place.until, writer.mark)


def _require_exportable(caller: Caller, person: PersonRow) -> None:
    if person.state is PersonState.ERASING:
        raise ErasureInProgressError("this person is being forgotten")
    if person.restricted_at is not None and caller.person is None:
        raise RestrictedError(
            "processing of this person's data is restricted; only their own token exports it"
        )
