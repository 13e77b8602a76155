"""The command line's session: a long command is not ended by a token that lives five minutes."""

from __future__ import annotations

from typing import Any, cast

import pytest

from server.cli.session import Session


def test_a_token_that_is_made_here_is_made_for_each_call() -> None:
    made = iter(["first", "second"])
    session = Session(cast("Any", None), lambda: next(made), 1.0)
    sent = [session.call(_sent, None) for _ in range(2)]
    assert sent == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("token", ["given", " given\n"])
def test_a_token_that_was_given_stays(token: str) -> None:
    session = Session(cast("Any", None), token, 1.0)
    assert [session.call(_sent, None) for _ in range(2)] == ["Bearer given"] * 2


def _sent(_: object, /, *, timeout: float, metadata: Any) -> str:
    assert timeout == 1.0
    return str(dict(metadata)["authorization"])
