"""What has expired is shown to nobody, and is erased also when nobody was there to do it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.draft import Draft
from memory.core.values import PersonId, RawText, RecordId
from memory.errors import InvalidArgumentError, NotFoundError, RequestIdReusedError
from memory.ports import ErasureCall, ErasureState
from tests.contract.conftest import MovableClock
from tests.integration.conftest import access, caller, draft, grant, recall, store, wait_until

DAY = timedelta(days=1)
REGISTRY = """
[assistance]
title = "Help me"
description = "The assistant remembers what you told it."
dpv = "https://w3id.org/dpv#ServiceProvision"
"""


@pytest.fixture(params=[2_000, 0], ids=["in memory", "by index"])
def config(folder: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Config:
    _write(tmp_path, "30d")
    return Config(data=folder, search_in_memory=request.param, purposes=tmp_path / "purposes.toml")


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def tacit(config: Config, clock: MovableClock) -> Iterator[Tacit]:
    with open_tacit(config, clock=clock) as opened:
        yield opened


def _write(folder: Path, retention: str) -> None:
    line = f'retention = "{retention}"\n' if retention else ""
    (folder / "purposes.toml").write_text(REGISTRY + line)


def _keep(tacit: Tacit, text: str, **fields: object) -> RecordId:
    return tacit.remember(access(), [draft(text, **fields)])[0].memory.id


def test_an_expired_memory_is_neither_recalled_nor_listed_nor_read(
    tacit: Tacit, clock: MovableClock
) -> None:
    grant(tacit)
    store(tacit, "I keep bees")
    soon = _keep(tacit, "I keep hens", expire_time=clock() + DAY, request_id="r")
    assert tacit.rectify.get(access(), soon).expires_at == clock.now + DAY
    assert set(recall(tacit, "animals")) == {"I keep bees", "I keep hens"}
    clock.advance(DAY)
    assert recall(tacit, "animals") == ["I keep bees"]
    page, _ = tacit.rectify.page(access(), _all(), -1, 10)
    assert [m.content.text.value for m in page] == ["I keep bees"]
    with pytest.raises(NotFoundError):
        tacit.rectify.get(access(), soon)
    with pytest.raises(NotFoundError):
        tacit.rectify.update(access(), soon, lambda d: d)
    with pytest.raises(RequestIdReusedError):
        _keep(tacit, "I keep hens", request_id="r")
    clock.advance(29 * DAY)
    assert recall(tacit, "animals") == []


def _all():  # type: ignore[no-untyped-def]
    from memory.app.narrow import Narrow

    return Narrow()


def test_it_may_end_earlier_than_its_purpose_says_and_never_later(
    tacit: Tacit, clock: MovableClock
) -> None:
    grant(tacit)
    with pytest.raises(InvalidArgumentError) as error:
        _keep(tacit, "x", expire_time=clock() + 31 * DAY)
    assert error.value.field == "memory.expire_time"
    assert tacit.status().memories == 0
    assert tacit.rectify.get(access(), _keep(tacit, "y")).expires_at == clock() + 30 * DAY


def test_a_correction_keeps_the_end_and_may_move_it_within_the_purpose(
    tacit: Tacit, clock: MovableClock
) -> None:
    grant(tacit)
    record = _keep(tacit, "hens", expire_time=clock() + DAY)
    stored_at = clock.now
    clock.advance(timedelta(hours=1))

    def ending(days: int | None):  # type: ignore[no-untyped-def]
        end = None if days is None else stored_at + days * DAY
        return lambda d: _with(d, end)

    changed = tacit.rectify.update(access(), record, lambda d: _with(d, d.expire_time, "bees"))
    assert changed.expires_at == stored_at + DAY
    assert tacit.rectify.update(access(), record, ending(9)).expires_at == stored_at + 9 * DAY
    assert tacit.rectify.update(access(), record, ending(None)).expires_at == stored_at + 30 * DAY
    with pytest.raises(InvalidArgumentError):
        tacit.rectify.update(access(), record, ending(31))


def _with(given: Draft, end: object, text: str = "") -> Draft:
    from dataclasses import replace

    return replace(given, expire_time=end, text=RawText(text or given.text.value))  # type: ignore[arg-type]


def test_what_is_due_is_erased_with_its_vector(tacit: Tacit, clock: MovableClock) -> None:
    grant(tacit)
    for number in range(5):
        _keep(tacit, f"note {number}", expire_time=clock() + DAY)
    kept = _keep(tacit, "kept")
    clock.advance(DAY)
    assert tacit.status().expired == 5
    assert tacit.status().oldest_expired == clock.now
    tacit.expire.work_off()
    assert (tacit.status().expired, tacit.status().memories) == (0, 1)
    wait_until(lambda: sum(tacit.indexer.index.collections().values()) == 1)
    assert tacit.rectify.get(access(), kept).content.text.value == "kept"
    (erasure,) = tacit.forget.page(caller(), None, 10)[0]
    assert (erasure.call, erasure.memories) == (ErasureCall.RETENTION, 5)
    assert erasure.scope.narrowed_by == ("expiry",)
    clock.advance(DAY)
    done = tacit.eraser.wait(erasure, 30)
    assert done.state is ErasureState.DONE
    assert tacit.rectify.get(access(), kept).content.text.value == "kept"


def test_who_is_under_a_legal_hold_is_left_out_and_sees_it_in_no_answer(
    tacit: Tacit, clock: MovableClock
) -> None:
    grant(tacit)
    _keep(tacit, "hens", expire_time=clock() + DAY)
    tacit.restrict.hold(caller(), PersonId("alice"), clock() + 9 * DAY, "case-1")
    clock.advance(2 * DAY)
    tacit.expire.work_off()
    assert tacit.status().expired == 1
    assert recall(tacit, "hens") == []
    clock.advance(7 * DAY)
    tacit.expire.work_off()
    assert tacit.status().expired == 0


def test_a_start_catches_up_and_puts_a_shortened_retention_on_what_is_stored(
    config: Config, clock: MovableClock, tmp_path: Path
) -> None:
    with open_tacit(config, clock=clock) as tacit:
        grant(tacit)
        _keep(tacit, "hens")
        _keep(tacit, "bees", expire_time=clock() + DAY)
    clock.advance(8 * DAY)
    _write(tmp_path, "20d")
    with open_tacit(config, clock=clock) as tacit:
        wait_until(lambda: tacit.status().memories == 1)
        assert recall(tacit, "hens") == ["hens"]
        page, _ = tacit.rectify.page(access(), _all(), -1, 10)
        assert page[0].expires_at == clock.now + 12 * DAY
    _write(tmp_path, "")
    with open_tacit(config, clock=clock) as tacit:
        page, _ = tacit.rectify.page(access(), _all(), -1, 10)
        assert page[0].expires_at == clock.now + 12 * DAY
    _write(tmp_path, "7d")
    with open_tacit(config, clock=clock) as tacit:
        assert recall(tacit, "hens") == []
        wait_until(lambda: tacit.status().memories == 0)
