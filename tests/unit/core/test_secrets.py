"""A secret shows itself to nobody but who asks for it by name."""

from __future__ import annotations

import copy
import json
import logging
import marshal
import pickle
from dataclasses import asdict, astuple, replace
from typing import Any

import pytest

from memory.core.keys import DeploymentKeys, PersonKeys
from memory.core.values import PersonId, RawText, Secret, SubjectId, TenantId

HIDDEN = b"0123456789abcdef0123456789abcdef"
SECRET = Secret(HIDDEN)


def _shows(text: object) -> bool:
    return HIDDEN.decode() in str(text) or HIDDEN.hex() in str(text)


def test_a_secret_is_not_printed() -> None:
    ways = [repr(SECRET), str(SECRET), f"{SECRET}", f"{SECRET!r}", f"{SECRET!s}", f"{SECRET!a}"]
    ways += ["%s %r" % (SECRET, SECRET), "{} {!r}".format(SECRET, SECRET)]  # noqa: UP031, UP032
    ways += [str([SECRET]), str({"k": SECRET}), str((SECRET,))]
    assert not any(map(_shows, ways))
    with pytest.raises(TypeError):
        format(SECRET, "x")


def test_what_holds_a_secret_does_not_print_it() -> None:
    person = PersonKeys(TenantId("acme"), SubjectId(b"s" * 16), 1, SECRET, SECRET)
    _ = person.record, person.blind_index
    for holder in (person, DeploymentKeys(SECRET)):
        assert not _shows(repr(holder))
        assert not _shows(vars(holder))


def test_a_secret_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").debug("%s %r %s", SECRET, SECRET, {"k": SECRET})
    assert "Secret(…)" in caplog.text
    assert not _shows(caplog.text)


def test_an_error_about_a_secret_does_not_quote_it() -> None:
    with pytest.raises(KeyError) as caught:
        _ = {}[SECRET]
    assert not _shows(caught.value)
    assert not _shows(repr(ValueError(SECRET)))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("what", [SECRET, [SECRET], RawText("said"), PersonId("amara")])
def test_nothing_private_is_pickled(what: object, protocol: int) -> None:
    with pytest.raises(TypeError, match="must not be serialized"):
        pickle.dumps(what, protocol)


@pytest.mark.parametrize(
    "way",
    [copy.copy, copy.deepcopy, json.dumps, marshal.dumps, bytes, iter],
    ids=["copy", "deepcopy", "json", "marshal", "bytes", "iter"],
)
def test_a_secret_is_not_copied_or_taken_apart(way: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        way(SECRET)


def test_a_secret_has_no_fields_to_walk() -> None:
    person = PersonKeys(TenantId("acme"), SubjectId(b"s" * 16), 1, SECRET)
    for walk in (asdict, astuple):
        with pytest.raises(TypeError):
            walk(person)
    assert not hasattr(SECRET, "__dict__")
    assert replace(person, version=2).root == SECRET


def test_a_secret_stays_what_it_is() -> None:
    with pytest.raises(AttributeError):
        SECRET.other = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        SECRET._hidden = b""
    with pytest.raises(AttributeError):
        del SECRET._hidden
    source = bytearray(HIDDEN)
    kept = Secret(bytes(source))
    source[:] = bytes(32)
    assert kept.reveal() == HIDDEN


def test_secrets_are_compared_by_what_they_hide() -> None:
    assert Secret(HIDDEN) == SECRET
    assert Secret(HIDDEN[:-1] + b"!") != SECRET
    assert SECRET != HIDDEN
    assert len({Secret(HIDDEN), SECRET}) == 1
