"""A tenant's quota of memories for each person: held exactly, and only for what is new."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.values import PersonId, RecordId
from memory.errors import QuotaError
from tests.integration.conftest import access, archive, caller, draft, exported, grant, store

QUOTA = 6


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tacit]:
    folder = tmp_path_factory.mktemp("quota")
    limits = folder / "limits.toml"
    limits.write_text(f"[tenants.acme]\nmemories_per_person = {QUOTA}\n")
    with open_tacit(Config(data=folder / "data", limits=limits)) as opened:
        yield opened


def _fill(tacit: Tacit, person: str, count: int) -> list[str]:
    grant(tacit, person)
    return store(tacit, *(f"note {n}" for n in range(count)), person=person)


def _kept(tacit: Tacit, person: str) -> int:
    return sum(line["type"] == "memory" for line in exported(tacit, person))


def test_what_would_be_over_is_refused_whole_and_what_goes_makes_room(small: Tacit) -> None:
    first, *_ = _fill(small, "ana", QUOTA - 1)
    with pytest.raises(QuotaError) as refused:
        store(small, "one more", "and one too many", person="ana")
    assert refused.value.metadata == {"quota": "memories_per_person", "limit": str(QUOTA)}
    assert _kept(small, "ana") == QUOTA - 1
    store(small, "the last", person="ana")
    store(small, "The last!", person="ana")  # told again, it takes no room
    small.erase_memories.one(caller(), PersonId("ana"), RecordId.parse(first))
    store(small, "in its place", person="ana")
    for _ in range(2):  # the second time without a count
        with pytest.raises(QuotaError):
            store(small, "once more", person="ana")
    assert _kept(small, "ana") == QUOTA


def test_callers_at_once_do_not_share_the_last_place(small: Tacit) -> None:
    _fill(small, "bea", 1)

    def try_to(number: int) -> int:
        try:
            return len(store(small, f"from caller {number}", person="bea"))
        except QuotaError:
            return 0

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_to, range(16))) == QUOTA - 1
    assert _kept(small, "bea") == QUOTA


def test_an_import_stops_where_there_is_no_room(small: Tacit, tmp_path: Path) -> None:
    with open_tacit(Config(data=tmp_path / "from")) as other:
        _fill(other, "cleo", QUOTA + 1)
        told = archive(other, "cleo")
    grant(small, "cleo")
    incoming = small.take_in.begin(caller(), PersonId("cleo"))
    incoming.take(told)
    with pytest.raises(QuotaError):
        incoming.finish()
    incoming.close()
    assert _kept(small, "cleo") == 0


def test_another_tenant_has_no_quota(small: Tacit) -> None:
    other = caller("other")
    small.consents.grant(other, PersonId("ana"), access().purpose, other.assistant)
    drafts = [draft(f"note {n}") for n in range(QUOTA + 1)]
    assert len(small.remember(access("ana", by=other), drafts)) == QUOTA + 1
