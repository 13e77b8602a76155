"""A JSON value and where it stands, so that a mistake can name its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from memory.errors import ConfigurationError
from server.moving.entries import Found

YEARS: Final = range(1900, 2101)
"""In which something was said or holds; any other is a mistake of the file's."""

_MILLISECONDS_FROM: Final = 100_000_000_000
"""As seconds, this is the year 5138."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a JSON document. Keys that are absent read like null."""

    value: Any = field(repr=False)
    place: str

    @property
    def is_object(self) -> bool:
        return isinstance(self.value, dict)

    def has(self, *keys: str) -> bool:
        """Whether it is an object with something under each key."""
        return self.is_object and all(self.value.get(key) is not None for key in keys)

    def of(self, key: str) -> Node:
        """What stands under a key of this object."""
        self._require(self.is_object, "must be an object")
        return Node(self.value.get(key), f"{self.place}.{key}")

    def object(self, key: str) -> Node:
        """The object under a key; an empty one where there is none."""
        node = self.of(key)
        if node.value is None:
            return Node({}, node.place)
        node._require(node.is_object, "must be an object")
        return node

    def list(self, key: str) -> Iterator[Node]:
        """The elements of the list under a key."""
        node = self.of(key)
        if node.value is not None:
            node._require(isinstance(node.value, list), "must be a list")
            yield from node.elements()

    def count(self, key: str) -> int:
        """How many elements the list under a key has."""
        return sum(1 for _ in self.list(key))

    def elements(self) -> Iterator[Node]:
        """The elements of this list."""
        for index, value in enumerate(self.value):
            yield Node(value, f"{self.place}[{index}]")

    def text(self, key: str) -> str:
        """The text or whole number under a key; empty where there is none."""
        node = self.of(key)
        value = node.value
        if value is None:
            return ""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        node._require(isinstance(value, str), "must be a text")
        return str(value)

    def time(self, found: Found, *keys: str) -> datetime | None:
        """The first instant under the keys: ISO 8601, or seconds or milliseconds since 1970."""
        for key in keys:
            value = self.of(key).value
            if value is None or value == "":
                continue
            if when := _instant(value):
                return when
            found.pass_over(f"{key} that is no time")
        return None

    def _require(self, holds: bool, problem: str) -> None:
        if not holds:
            raise ConfigurationError(f"{self.place} {problem}")


def _instant(value: object) -> datetime | None:
    try:
        if isinstance(value, str):
            when = datetime.fromisoformat(value)
            when = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
            when = datetime.fromtimestamp(seconds, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return when if when.year in YEARS else None
