"""`kill -9` before memories end: the next start erases what ended meanwhile."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from tests.e2e.actor import Actor
from tests.e2e.conftest import Launch

PERSON = "amara"
SHORT = 12.0
"""Seconds that a memory is kept: long enough to store several and be killed in between."""


@pytest.mark.timeout(300)
def test_what_ended_while_the_server_was_dead_is_erased_at_the_next_start(
    tmp_path: Path, launch: Launch
) -> None:
    server = launch(tmp_path / "data")
    with Actor(server) as actor:
        actor.grant(PERSON)
        actor.store(PERSON, ["this one stays"])
        ends = datetime.now(UTC) + timedelta(seconds=SHORT)
        for number in range(5):
            actor.store_until(PERSON, f"note {number}", ends)
        assert {m.text for m in actor.recall(PERSON, "note")} >= {"note 0", "this one stays"}
        listed = [m for m in actor.list(PERSON) if m.HasField("expire_time")]
        assert [m.expire_time.ToDatetime(UTC) for m in listed] == [ends] * 5
    server.kill()
    time.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds()))
    server.start()
    with Actor(server) as actor:
        assert [m.text for m in actor.recall(PERSON, "note")] == ["this one stays"]
        assert [m.text for m in actor.list(PERSON)] == ["this one stays"]
        until = time.monotonic() + 60
        while actor.status().memory_count != 1:
            assert time.monotonic() < until, "it was not erased"
            time.sleep(0.1)
        assert actor.status().expired_count == 0


def test_an_end_in_the_past_is_refused(tmp_path: Path, launch: Launch) -> None:
    with Actor(launch(tmp_path / "data")) as actor:
        actor.grant(PERSON)
        with pytest.raises(grpc.RpcError) as error:
            actor.store_until(PERSON, "x", datetime.now(UTC) - timedelta(seconds=1))
        assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert actor.status().memory_count == 0
