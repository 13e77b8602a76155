"""What stands in an archive beside the texts, and which calls are requests."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from memory.app.register import FIRST as _FIRST
from memory.app.take_in import Taken
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.receipt import RECEIPT_TYPE
from memory.core.values import PurposeId
from memory.ports import AccessFilter
from tests.integration.conftest import CARE, access, archive, caller, draft, exported, grant
from tests.integration.test_archive import ALICE, take_in, taken_over


def test_it_has_ends_moods_receipts_and_the_log_as_the_ledger_has_it(
    tacit: Tacit, tmp_path: Path
) -> None:
    grant(tacit)
    grant(tacit, purpose=PurposeId("affect"))
    ends = datetime.now(UTC) + timedelta(days=3)
    (done,) = tacit.remember(access(), [draft("I am so annoyed!!", expire_time=ends)])
    calm = draft("I am happy now, thanks", expire_time=ends)
    tacit.rectify.update(access(), done.memory.id, lambda _: calm)
    log, _ = tacit.access_log(caller(), ALICE, AccessFilter(), 100)
    lines = [json.loads(line) for line in archive(tacit).splitlines()]
    (memory,) = (line for line in lines if line["type"] == "memory")
    (version,) = (line for line in lines if line["type"] == "version")
    assert memory["expires_at"] == ends.isoformat()
    assert memory["affect"]["valence"] > 0 > version["affect"]["valence"]
    events = [line for line in lines if line["type"] == "access_event"]
    assert (events[0]["action"], events[0]["memories"]) == ("export", 1)
    assert [e["id"] for e in events[1:]] == [str(logged.event.id) for logged in log]
    assert [e["leaf_hash"] for e in events[1:]] == [logged.leaf.hash.hex() for logged in log]
    consents = [line for line in lines if line["type"] == "consent"]
    for line in consents:
        tacit.signer.verifier.jws(line["receipt"], RECEIPT_TYPE)
    assert [line["decision"] for line in consents] == ["given", "given"]
    data = archive(tacit)
    for agrees in (False, True):
        with open_tacit(Config(data=tmp_path / f"{agrees}")) as other:
            grant(other)
            if agrees:
                grant(other, purpose=PurposeId("affect"))
            assert take_in(other, data) == Taken(memories=1)
            there = taken_over(exported(other))
            if agrees:
                assert there == taken_over(lines)
            assert [line["affect"] is not None for line in there] == [agrees, agrees]
            assert there[0]["expires_at"] == memory["expires_at"]


def test_restricting_and_objecting_are_requests(tacit: Tacit) -> None:
    grant(tacit)
    for _ in range(2):
        tacit.restrict(caller(), ALICE)
    tacit.consents.refuse(caller(), ALICE, CARE, None, objection=True)
    own, _ = tacit.register.of(caller(), ALICE, _FIRST, 10)
    assert [(r.right, r.outcome) for r in own] == [
        ("restriction", "fulfilled"),
        ("objection", "fulfilled"),
    ]
