"""The log tells what is safe to tell, and nothing can make it tell more."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from server.logs import CallEnded, Fault, Log, place_of, silence_libraries

CALL = CallEnded("m/M", "OK", "", 1.5, "id-1", "acme", "helper")


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield root
    root.handlers = handlers
    root.setLevel(level)


def test_a_line_is_one_json_object_of_fixed_fields() -> None:
    stream = io.StringIO()
    Log(stream).write(CALL)
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line).keys() == {
        "time", "event", "method", "status", "reason", "ms", "request_id", "tenant", "assistant",
    }  # fmt: skip
    assert json.loads(line)["event"] == "call"


def test_a_faults_place_is_told_and_its_message_is_not() -> None:
    try:
        raise ValueError("Jane Doe lives in Springfield")
    except ValueError as error:
        place = place_of(error)
    assert place.startswith("unit/server/test_logs.py:")
    assert "Jane" not in place
    stream = io.StringIO()
    Log(stream).write(Fault("m/M", "id-1", "ValueError", place))
    assert json.loads(stream.getvalue())["error"] == "ValueError"


def test_what_libraries_say_is_not_repeated(root: logging.Logger) -> None:
    stream = io.StringIO()
    silence_libraries(Log(stream))
    library = logging.getLogger("some.library")
    library.info("Jane said hello")
    library.warning("Jane said %s", "goodbye")
    try:
        raise KeyError("Jane")
    except KeyError:
        library.exception("Jane failed")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["logger"], line["level"], line["error"]) for line in lines] == [
        ("some.library", "WARNING", ""),
        ("some.library", "ERROR", "KeyError"),
    ]
    assert "Jane" not in stream.getvalue()


def test_a_log_that_cannot_be_written_fails_no_call() -> None:
    stream = io.StringIO()
    stream.close()
    Log(stream).write(CALL)
