"""An archive is what was written, to the last byte: no change anywhere passes."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.archive import MAX_LINE_BYTES, SECTIONS, Mark, Reader, Writer, lines_of
from memory.core.signing import Signer
from memory.core.values import Secret
from memory.errors import ArchiveError, SignatureError

SIGNER = Signer("memory.example.org", Secret(bytes(range(32))))
NOW = datetime(2026, 3, 1, 12, 30, 15, 123_457, tzinfo=UTC)


def written(
    contents: dict[str, list[dict[str, object]]], cuts: frozenset[int] = frozenset()
) -> bytes:
    """An archive; at each of `cuts` (lines) another writer goes on from the mark alone."""
    writer = Writer()
    data = writer.header(id="a1", time=NOW, tenant="acme", person="amara", revealed=True)
    lines = 1
    for name, type_ in SECTIONS.items():
        for number, fields in enumerate(contents.get(name, []), 1):
            data += writer.content(type_, fields, number.to_bytes(2, "big"))
            lines += 1
            if lines in cuts:
                mark = writer.mark
                writer = Writer(Mark(mark.section, mark.after, mark.whole, mark.part))
        data += writer.close_section(name)
        lines += 1
    return data + writer.end("a1", NOW, SIGNER)


def verify(data: bytes, piece: int = 1 << 16) -> Reader:
    reader = Reader()
    for line in lines_of(data[at : at + piece] for at in range(0, len(data), piece)):
        reader.read(line)
    reader.verify(SIGNER.verifier)
    return reader


SAMPLE = {
    "notes": [{"topic": "rights", "text": "yes"}],
    "consents": [{"id": "c1", "given_at": NOW}],
    "pseudonyms": [{"pseudonym": "person_1", "value": "Zoë"}],
    "memories": [{"id": str(n), "text": f"memory {n} of Zoë, 日本"} for n in range(20)],
    "versions": [{"memory": "3", "version": 1, "text": "before"}],
}

_FIELDS = st.dictionaries(
    st.text(min_size=1, max_size=8).filter(lambda key: key != "type"),
    st.one_of(st.text(max_size=40), st.integers(), st.none(), st.lists(st.integers(), max_size=3)),
    max_size=5,
)


@given(
    st.dictionaries(st.sampled_from(list(SECTIONS)), st.lists(_FIELDS, max_size=6)),
    st.frozensets(st.integers(1, 40)),
    st.integers(1, 200),
)
def test_what_is_written_in_any_pieces_verifies_as_one(
    contents: dict[str, list[dict[str, object]]], cuts: frozenset[int], piece: int
) -> None:
    data = written(contents, cuts)
    assert data == written(contents)
    reader = verify(data, piece)
    assert reader.counts == {name: len(contents.get(name, [])) for name in SECTIONS}


def test_no_tampering_is_accepted(stress: bool) -> None:
    """Bytes changed, dropped, added and swapped; lines dropped, doubled and swapped."""
    data = written(SAMPLE)
    dice = random.Random(7)
    verify(data)
    accepted = sum(_passes(_tampered(data, dice)) for _ in range(10_000 if stress else 1_000))
    assert accepted == 0


def test_no_single_byte_can_be_another(stress: bool) -> None:
    data = written({"memories": [{"text": "hi"}]})
    for at in range(len(data)):
        for other in range(256) if stress else (data[at] ^ 1, data[at] ^ 32, 32, 10):
            if other != data[at]:
                assert not _passes(data[:at] + bytes([other]) + data[at + 1 :]), (at, other)


def _tampered(data: bytes, dice: random.Random) -> bytes:
    while True:
        made = _tamper(data, dice)
        if made != data:
            return made


def _tamper(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    lines = data.splitlines(keepends=True)
    here, there = dice.randrange(len(lines)), dice.randrange(len(lines))
    match dice.randrange(7):
        case 0:
            return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
        case 1:
            return data[:at] + data[at + 1 :]
        case 2:
            return data[:at] + bytes([dice.randrange(256)]) + data[at:]
        case 3:
            return data[:at]
        case 4:
            del lines[here]
        case 5:
            lines.insert(there, lines[here])
        case 6:
            lines[here], lines[there] = lines[there], lines[here]
    return b"".join(lines)


def _passes(data: bytes) -> bool:
    try:
        verify(data)
    except (ArchiveError, SignatureError):
        return False
    return True


def test_a_section_that_was_moved_to_another_archive_does_not_pass() -> None:
    one, other = written(SAMPLE), written(SAMPLE | {"notes": []})
    head = other[: other.index(b'{"type": "consent"')]
    assert not _passes(head + one[one.index(b'{"type": "consent"') :])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"hello\n", "JSON"),
        (b"[1]\n", "object"),
        (b'{"type": 3}\n', "type"),
        (b'{"type": "header"}\n', "header"),
        (b'{"type": "header", "format": "tacit-archive", "version": 1}\n', "version"),
        (b'{"type": "header", "format": "tacit-archive", "version": 2}\n', "id"),
        (b'{"type": "header", "type": "header"}\n', "once"),
        (b"\xff\n", "UTF-8"),
        (b'{"type": "header"}', "cut off"),
        (b" " * (MAX_LINE_BYTES + 1), "at most"),
        (b"[" * 100_000 + b"\n", "JSON"),
    ],
    ids=range(11),
)
def test_a_first_line_that_is_none_is_told_as_line_one(line: bytes, told: str) -> None:
    with pytest.raises(ArchiveError, match=told) as caught:
        verify(line)
    assert caught.value.metadata["line"] == "1"


def test_lines_are_held_one_at_a_time() -> None:
    """A line without end is given up at its bound, not held for ever."""
    endless = (b"x" * 65536 for _ in range(10_000))
    first = next(lines_of(endless))
    with pytest.raises(ArchiveError, match="at most"):
        Reader().read(first)
    assert next(endless, None) is not None


def test_the_order_of_the_sections_is_the_headers() -> None:
    names = [json.loads(x)["section"] for x in written({}).splitlines() if b'"section":' in x]
    assert names == list(SECTIONS)
    assert all(a != b for a, b in pairwise(names))
