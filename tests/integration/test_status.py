"""What an operator may know: counts, and since when what is owed has waited."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.consent import REVEAL
from memory.core.purposes import Purposes, Registry
from memory.core.requests import OpenRequests
from tests.integration.conftest import (
    ASSISTANCE,
    CARE,
    caller,
    grant,
    store,
    wait_indexed,
    wait_until,
)


def test_the_index_lags_since_the_oldest_was_stored_or_owed_again(folder: Path) -> None:
    now = [datetime(2026, 3, 1, tzinfo=UTC)]
    with open_tacit(Config(data=folder), clock=lambda: now[0]) as tacit:
        grant(tacit)
        store(tacit, "an old memory")
        wait_indexed(tacit)
        assert tacit.status().oldest_unindexed is None
        tacit.indexer.stop()
        store(tacit, "a memory")
        stored = now[0]
        now[0] += timedelta(days=1)
        (subject,) = tacit.indexer.keyring.held()
        # A day has passed by the clock, and a moment by the indexer: it owed nothing a moment ago.
        assert now[0] - timedelta(minutes=3) < (tacit.status().oldest_unindexed or stored) < now[0]
        tacit.indexer._level -= 2 * 86_400
        assert tacit.status().oldest_unindexed == stored
        assert tacit.status().unindexed == 1
        tacit.indexer.rebuild(subject)
        assert tacit.status().unindexed == 3
        tacit.indexer._stop.clear()
        tacit.indexer.work_off()
        assert tacit.status().oldest_unindexed is None


def test_how_the_ledger_stands_and_how_many_keys_are_old(folder: Path) -> None:
    with open_tacit(Config(data=folder)) as tacit:
        grant(tacit)
        store(tacit, "a memory")
        wait_until(lambda: not tacit.status().ledger.waiting)
        counts = tacit.status()
        assert counts.ledger.size == 2
        assert counts.ledger.signed_at is not None
        assert counts.keys_left == 0
        with tacit.status.store.write() as uow:
            note = uow.ledger_note()
            assert note is not None
            uow.put_ledger_note(note.replace("tacit.local\n2\n", "tacit.local\n3\n"))
            uow.commit()
        assert tacit.status().ledger.signed_at is None
        with tacit.status.store.write() as uow:
            uow.put_ledger_note(note)
            uow.commit()
        tacit.rotate(caller(), "r1")
        wait_until(lambda: tacit.status().rotation is None)
        assert (tacit.status().key_epoch, tacit.status().keys_left) == (2, 0)


def test_a_tenants_consents_count_while_the_registry_has_their_purpose_and_notice(
    folder: Path,
) -> None:
    with open_tacit(Config(data=folder)) as tacit:
        assert tacit.tenants(None, 9) == ([], None)
        for purpose in (ASSISTANCE, CARE, REVEAL):
            grant(tacit, purpose=purpose)
        ((acme,), more) = tacit.tenants(None, 9)
        assert more is None
        assert (acme.people, acme.memories, acme.requests) == (1, 0, OpenRequests())
        assert list(acme.consents) == list(tacit.registry.default.by_id)
        assert [p for p, count in acme.consents.items() if count] == [ASSISTANCE, CARE, REVEAL]
        known = tacit.registry.default.by_id
        newer = replace(known[CARE], notice_version="another")
        registry = Registry(Purposes({ASSISTANCE: known[ASSISTANCE], CARE: newer}))
        ((acme,), _) = replace(tacit.tenants, registry=registry)(None, 9)
        assert acme.consents == {ASSISTANCE: 1, CARE: 0}
