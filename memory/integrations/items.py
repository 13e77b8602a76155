"""A JSON value as memories, and back, equal.

    pack(value)       a value ▶ its strings in `text`, the rest in `labels` ▶ one memory, or several
    unpack(memories)  the values again, each with the memories it lies in

Rules:
- Every string that may hold something personal is `text`, one behind the other like the points of a
  list, so that it is anonymized, sealed and found like anything said. What holds no words stays
  with the structure: numbers, keys, blank strings, and the ids and types that the framework makes.
- The structure is JSON in which a string `=...` is kept as it is, and any other stands for the next
  of the text's: how many new points are in it, behind a `~` if it holds pictures of control
  characters. Labels come back as they were given, pseudonyms or not.
- With `named`, each scalar of the text stands behind the words of its path ("food: figs"), so that
  a value is found by what its keys mean.
- Revealed, a value is what it was, to the character, but for what the policy redacts. With
  pseudonyms, a string that ran into the next one within one name cannot be told from it: then the
  value is `Unreadable` and never a guess; its words are told, and it can be erased like any other.
- What is over the limits of one memory (10,000 characters; 2,816 of structure) is several, which
  carry their number; a value that lacks one of them is not there.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, zip_longest
from typing import Any, Final

from memory.client import Memory
from memory.client.values import NewMemory

MOST_MEMORIES: Final = 64
"""Of one value, and of one call: stays below gRPC's 4 MiB whatever the characters."""

TEXT_CHARS: Final = 9_999
"""One less than a memory holds: a blank piece needs a mark."""

_ID: Final = "item.id"
_PART: Final = "item.part"
_BLANK: Final = "item.blank"
_JSON: Final = "item.json."
_JSON_LABELS: Final = 11
"""Of a memory's 16; the others are named above, and two the caller's."""

_LABEL_CHARS: Final = 256
_JSON_CHARS: Final = _JSON_LABELS * _LABEL_CHARS

_POINT: Final = "\n• "
"""Between strings: what finds names does not read over it."""

_MARK: Final = "…"
_LOOK_BACK: Final = 1_000

# What no memory's text may hold is shown by its picture (U+2400 to U+2421), or by its number.
_REFUSED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_PICTURES: Final = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
_CODES: Final = {picture: code for code, picture in _PICTURES.items()}
_ITSELF: Final = "\u2426"
_TO_ESCAPE: Final = re.compile(f"[\u2400-\u2426]|{_REFUSED.pattern}")
_ESCAPED: Final = re.compile(f"{_ITSELF}(d[89a-f][0-9a-f]{{2}}|.)|[\u2400-\u2421]", re.DOTALL)
_NO_WORD: Final = re.compile(r"[^\w.-]+")

_MACHINE_MADE: Final = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)
_MACHINES_KEYS: Final = frozenset(
    "type block_type role id index call_id tool_call_id status object phase "
    "finish_reason stop_reason model model_name model_provider service_tier system_fingerprint "
    "server_label output_version".split()
)
"""Below these keys, frameworks put ids and words of their own."""

_ANYTHINGS_KEYS: Final = frozenset(
    "args arguments input output tool_kwargs additional_kwargs artifact".split()
)
"""Below these, tools and callers put whatever they like."""


class Unreadable(ValueError):
    """What stands for a name or a secret hides where a string of this value ends.

    Names are read with `reveal`; a secret that the policy redacts was not kept.
    """

    def __init__(self) -> None:
        super().__init__(
            "what stands for a name or a secret hides where a string of this value ends;"
            " reveal=True reads names"
        )


@dataclass(frozen=True)
class Item:
    """A value as it was packed: the memories that it lies in, in order."""

    memories: tuple[Memory, ...]
    named: bool

    @cached_property
    def value(self) -> Any:
        """The value.

        Raises:
            Unreadable: pseudonyms hide where a string ends.
        """
        return _value(_structure(self.memories), self.words, named=self.named)

    @property
    def words(self) -> str:
        """Its strings, one behind the other: what can be read of it in any case."""
        return "".join(
            part.text[len(_MARK) if _BLANK in part.labels else 0 :] for part in self.memories
        )

    @property
    def first(self) -> Memory:
        """Where its labels, kind, session and times stand."""
        return self.memories[0]


def pack(
    value: Any, about: NewMemory, labels: Mapping[str, str] | None = None, *, named: bool = False
) -> list[NewMemory]:
    """A JSON value as memories to store together, with what `about` says (its `text` is set here).

    Raises:
        TypeError: JSON has no such value.
        ValueError: it takes more than `MOST_MEMORIES`.
    """
    strings: list[str] = []
    structure = json.dumps(_take_apart(value, strings, (), named=named), separators=(",", ":"))
    texts = list(pieces(_POINT.join(strings))) or [""]
    parts = list(zip_longest(texts, _cut(structure, _JSON_CHARS), fillvalue=""))
    if len(parts) > MOST_MEMORIES:
        raise ValueError("too much for a memory: keep files elsewhere and store where they are")
    item = uuid.uuid4().hex
    memories: list[NewMemory] = []
    for number, (text, piece) in enumerate(parts, 1):
        own = {_ID: item, _PART: f"{number}/{len(parts)}", **(labels or {})}
        own |= {f"{_JSON}{n}": each for n, each in enumerate(_cut(piece, _LABEL_CHARS))}
        if not text.strip():
            own[_BLANK] = "1"
            text = _MARK + text
        memories.append({**about, "text": text, "labels": own})
    return memories


def unpack(memories: Iterable[Memory], *, label: str = _ID, named: bool = False) -> Iterator[Item]:
    """The whole values among `memories` that carry `label`, in the order of their first parts."""
    parts: dict[str, dict[int, Memory]] = {}
    for memory in memories:
        if _ID in memory.labels and label in memory.labels:
            parts.setdefault(memory.labels[_ID], {})[_number(memory)] = memory
    for found in parts.values():
        whole = tuple(found[number] for number in sorted(found))
        if len(whole) == _count(whole[0]):
            yield Item(whole, named)


def alone(memory: Memory) -> bool:
    """Whether the memory is all of its value."""
    return _count(memory) == 1


def pieces(text: str) -> Iterator[str]:
    """A text in pieces that fit a memory, cut between words where there are any."""
    while len(text) > TEXT_CHARS:
        near = text[:TEXT_CHARS]
        at = max(near.rfind("\n", -_LOOK_BACK), near.rfind(" ", -_LOOK_BACK)) + 1 or TEXT_CHARS
        yield text[:at]
        text = text[at:]
    if text:
        yield text


def _number(memory: Memory) -> int:
    return int(memory.labels[_PART].partition("/")[0])


def _count(memory: Memory) -> int:
    return int(memory.labels[_PART].partition("/")[2])


def _cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def _take_apart(
    value: Any, strings: list[str], path: tuple[str, ...], *, named: bool, free: bool = False
) -> Any:
    """The structure of a value; its strings go to `strings`. `free`: every string is one."""
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("JSON has no keys but strings")
        return {
            key: _take_apart(
                each, strings, (*path, key), named=named, free=free or key in _ANYTHINGS_KEYS
            )
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_take_apart(each, strings, path, named=named, free=free) for each in value]
    if not (value is None or isinstance(value, str | int | float)):
        raise TypeError(f"JSON has no {type(value).__name__}")
    name = f"{_NO_WORD.sub(' ', ' '.join(path))}: " if named else ""
    if not isinstance(value, str):
        if named and value is not None:
            strings.append(f"{name}{json.dumps(value)}")
        return value
    if _stays(value, path, free=free or named):
        return f"={value}"
    escapes = "~" if _REFUSED.search(value) else ""
    text = _TO_ESCAPE.sub(_escape, value) if escapes else value
    strings.append(name + text)
    return f"{escapes}{text.count(_POINT) or ''}"


def _stays(text: str, path: tuple[str, ...], *, free: bool) -> bool:
    """Whether a string holds no words of anybody."""
    if not text.strip():
        return len(text) <= _LABEL_CHARS
    made = not free and bool(path) and path[-1] in _MACHINES_KEYS
    return made and _MACHINE_MADE.fullmatch(text) is not None


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code in _PICTURES:
        return chr(_PICTURES[code])
    return _ITSELF + (f"{code:04x}" if _REFUSED.match(found[0]) else found[0])


def _unescape(text: str) -> str:
    def was(found: re.Match[str]) -> str:
        if not found[1]:
            return chr(_CODES.get(ord(found[0]), ord(found[0])))
        return found[1] if len(found[1]) == 1 else chr(int(found[1], 16))

    return _ESCAPED.sub(was, text)


def _structure(parts: Iterable[Memory]) -> Any:
    return json.loads(
        "".join(
            part.labels.get(f"{_JSON}{number}", "")
            for part in parts
            for number in range(_JSON_LABELS)
        )
    )


def _value(structure: Any, text: str, *, named: bool) -> Any:
    if not named and isinstance(only := _only(structure), str):
        return _put_together(structure, lambda _: text if "~" not in only else _unescape(text))
    strings = iter(text.split(_POINT))

    def string(hint: str) -> str:
        taken = list(islice(strings, 1 + int(hint.strip("~") or 0)))
        if len(taken) <= int(hint.strip("~") or 0):
            raise Unreadable
        line = _POINT.join(taken)
        if named:
            _, colon, line = line.partition(": ")
            if not colon:
                raise Unreadable
        return _unescape(line) if "~" in hint else line

    value = _put_together(structure, string, skip=strings if named else None)
    if text and next(strings, None) is not None:
        raise Unreadable
    return value


def _only(structure: Any) -> str | None:
    """What stands for the one string of the text; None where it has more, or none."""
    hints: list[str] = []

    def note(hint: str) -> str:
        hints.append(hint)
        return hint

    _put_together(structure, note)
    return hints[0] if len(hints) == 1 else None


def _put_together(
    structure: Any, string: Callable[[str], str], *, skip: Iterator[str] | None = None
) -> Any:
    """The value of a structure, with what `string` makes of what stands for a string.

    `skip` gives the strings of a named text; those of other scalars are passed over.
    """
    if isinstance(structure, dict):
        return {key: _put_together(each, string, skip=skip) for key, each in structure.items()}
    if isinstance(structure, list):
        return [_put_together(each, string, skip=skip) for each in structure]
    if isinstance(structure, str):
        return structure[1:] if structure.startswith("=") else string(structure)
    if structure is not None and skip is not None and next(skip, None) is None:
        raise Unreadable
    return structure
