"""RateMemory, GetPersonalization, ResetPersonalization: what a person's ratings change.

    rate    consent gate ▶ the memory that is rated ▶ its standing, out of the recall token ▶ all
            ratings, opened, one more, sealed ▶ ONE SQL transaction

Rules:
- A rating teaches only under a consent for `TUNING` beside the one for the call's own purpose,
  checked in the transaction that keeps it; without that consent, weights of the person's own are
  not used either (`app.recall`).
- That a memory is wrong needs no such consent: it is about what is right (GDPR Art. 5(1)(d)), and
  nothing is learnt from it then.
- What was learnt is the person's to see without that consent, and anyone's who serves them only
  with it. Taking it back needs none.
- A person's ratings touch no one else's weights: they lie under that person's key, by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memory.app.gate import admit, not_allowed, purpose_of, require_erasable
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger, refusals_logged
from memory.app.recall_tokens import open_token
from memory.app.rectify import visible
from memory.app.sealing import open_feedback, seal_feedback
from memory.core.consent import TUNING
from memory.core.feedback import Feedback, Gains, Rated, Rating
from memory.core.keys import PersonKeys
from memory.core.purposes import Registry
from memory.core.values import Access, Caller, PersonId, RecordId
from memory.errors import ErasureInProgressError, InvalidArgumentError
from memory.ports import (
    AccessAction,
    Clock,
    MemoryFilter,
    PersonState,
    RandomBytes,
    Store,
    UnitOfWork,
)


@dataclass(frozen=True, slots=True)
class Personalization:
    """A person's ratings, and which memories that the caller may see are doubted."""

    feedback: Feedback
    doubted: Sequence[RecordId]


@dataclass(frozen=True, slots=True)
class Personalize:
    """The use cases."""

    store: Store
    keyring: Keyring
    registry: Registry
    clock: Clock
    random: RandomBytes
    ledger: Ledger

    @refusals_logged(AccessAction.RATE)
    def rate(self, access: Access, record: RecordId, rating: Rating, token: str = "") -> bool:
        """Keeps a rating, in place of an earlier one of the same memory; whether it teaches.

        `token` is that of the recall which found the memory; only `WRONG` goes without one.

        Raises:
            NotFoundError: no such memory, or none that the caller may see.
            InvalidArgumentError: no token where one is needed, or not of this memory's recall.
            UnknownPurposeError, ConsentError, RestrictedError, ErasureInProgressError,
                StorageUnavailableError, StorageFullError: nothing was kept.
        """
        purposes = self.registry.of(access.caller.tenant)
        purpose_of(purposes, access)
        ref = self.keyring.ref(access.caller.tenant, access.person)
        with self.store.write() as uow:
            admission = admit(uow, ref, purposes, access, self.clock(), lock=True)
            keys = self.keyring.keys(admission.person)
            teaches = TUNING in admission.visible
            if not teaches and rating is not Rating.WRONG:
                raise not_allowed(access, TUNING, "ratings tune what is recalled for them")
            row = visible(uow, admission, record)
            steps = self._steps(keys, record, rating, token) if teaches else ()
            news = Rated(record, row.version, rating, admission.at, steps)
            kept = open_feedback(keys, uow.feedback(keys.subject)).rated(news)
            uow.put_feedback(keys.subject, seal_feedback(keys, kept, self.random))
            by = access.caller.assistant
            self.ledger.write(uow, keys, by, AccessAction.RATE, 1, access.purpose)
            uow.commit()
        return bool(steps)

    def _steps(self, keys: PersonKeys, record: RecordId, rating: Rating, token: str) -> Gains:
        if not token and rating is Rating.WRONG:
            return ()
        standing = open_token(keys, token, self.clock()).get(record)
        if standing is None:
            raise InvalidArgumentError("recall_token", "that recall did not show this memory")
        return standing.steps(rating)

    @refusals_logged(AccessAction.READ)
    def show(self, access: Access) -> Personalization:
        """What the person's ratings have come to.

        Raises:
            UnknownPurposeError, ConsentError, RestrictedError, ErasureInProgressError: nothing may
                be read.
            StorageUnavailableError, StorageFullError: it could not be written down.
        """
        purposes = self.registry.of(access.caller.tenant)
        purpose_of(purposes, access)
        ref = self.keyring.ref(access.caller.tenant, access.person)
        with self.store.read() as uow:
            admission = admit(uow, ref, purposes, access, self.clock())
            if TUNING not in admission.visible and access.caller.person is None:
                raise not_allowed(access, TUNING, "ratings tune what is recalled for them")
            keys = self.keyring.keys(admission.person)
            feedback = open_feedback(keys, uow.feedback(keys.subject))
            seen = MemoryFilter(purposes=admission.visible, alive_at=admission.at)
            rated = [one.record for one in feedback.ratings]
            doubted = feedback.doubted(uow.heads(keys.subject, seen, rated))
            by, count = access.caller.assistant, len(doubted)
            noted = self.ledger.record(keys, by, AccessAction.READ, count, access.purpose)
        noted.wait()
        return Personalization(feedback, sorted(doubted, key=lambda record: record.value))

    def reset(self, caller: Caller, person: PersonId) -> int:
        """Takes every rating back, as if none had been given; returns how many there were.

        Raises:
            ErasureInProgressError, LegalHoldError: nothing was taken back.
            StorageUnavailableError, StorageFullError: nothing was taken back; call again.
        """
        with self.store.write() as uow:
            row = uow.person(self.keyring.ref(caller.tenant, person), lock=True)
            if row is None:
                return 0
            if row.state is PersonState.ERASING:
                raise ErasureInProgressError("this person is being forgotten, with their ratings")
            require_erasable(row, self.clock())
            keys = self.keyring.keys(row)
            count = len(open_feedback(keys, uow.feedback(row.subject)).ratings)
            if count:
                uow.put_feedback(row.subject, None)
                self.ledger.write(uow, keys, caller.assistant, AccessAction.RATE, count)
                uow.commit()
        return count


def unlearn(uow: UnitOfWork, keys: PersonKeys, random: RandomBytes) -> int:
    """Erases what ratings taught, and those that only taught; returns how many ratings taught.

    What says that a memory is wrong stays. The person must be locked.
    """
    feedback = open_feedback(keys, uow.feedback(keys.subject))
    taught = sum(bool(one.steps) for one in feedback.ratings)
    if taught:
        uow.put_feedback(keys.subject, seal_feedback(keys, feedback.unlearnt(), random))
    return taught


def take_ratings(
    uow: UnitOfWork,
    keys: PersonKeys,
    rated: Sequence[Rated],
    random: RandomBytes,
    *,
    teaches: bool,
) -> None:
    """Takes in ratings given elsewhere, of memories that are here; those that are newer stay.

    Args:
        teaches: else only what says that a memory is wrong. The person must be locked.
    """
    named = [one.record for one in rated]
    there = {head.id for head in uow.heads(keys.subject, MemoryFilter(), named)}
    news = Feedback(tuple(rated)).of(there)
    held = open_feedback(keys, uow.feedback(keys.subject))
    kept = held.rated(*(news if teaches else news.unlearnt()).ratings)
    if kept != held:
        uow.put_feedback(keys.subject, seal_feedback(keys, kept, random))
