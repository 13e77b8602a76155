"""The page's words in the languages there are, and how days are written in them.

    server/web/locales/en.toml    key = "text with {names}"

Rules:
- Every language has every key: a test compares them.
- A text is no HTML: templates escape it like any other.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Final

LANGUAGES: Final = {"en": "English", "de": "Deutsch"}
"""By tag, each in its own words; the first is for whoever asks for none of them."""

_MAX_PREFERENCES: Final = 10


@dataclass(frozen=True, slots=True)
class Words:
    """One language."""

    tag: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **names: object) -> str:
        """The text of a key, with what it names filled in."""
        return self.texts[key].format(**names)

    def count(self, key: str, number: int) -> str:
        """The text of a key for one, or for any other number."""
        return self(f"{key}.{'one' if number == 1 else 'many'}", count=number)

    def maybe(self, key: str) -> str:
        """The text of a key that some things have none of; then the empty text."""
        return self.texts.get(key, "")

    def day(self, at: datetime) -> str:
        """A day, as it is written in this language."""
        return self._written("format.day", at)

    def instant(self, at: datetime) -> str:
        """A day and a time, to the minute, in UTC."""
        return self._written("format.instant", at)

    def _written(self, key: str, at: datetime) -> str:
        month = self.texts["format.months"].split()[at.month - 1]
        return self(key, day=at.day, month=month, year=at.year, time=f"{at:%H:%M}")


def load_words() -> dict[str, Words]:
    """Every language, by tag."""
    folder = files("server.web") / "locales"
    return {
        tag: Words(tag, tomllib.loads((folder / f"{tag}.toml").read_text("utf-8")))
        for tag in LANGUAGES
    }


def preferred(accept_language: str) -> str:
    """The language that a browser's Accept-Language (RFC 9110, 12.5.4) likes best."""
    wanted = [_preference(part) for part in accept_language.split(",")[:_MAX_PREFERENCES]]
    known = _known(tag for weight, tag in sorted(wanted, key=lambda one: -one[0]) if weight > 0)
    return next(known, next(iter(LANGUAGES)))


def _known(tags: Iterable[str]) -> Iterator[str]:
    return (tag for tag in tags if tag in LANGUAGES)


def _preference(part: str) -> tuple[float, str]:
    tag, _, weight = part.partition(";q=")
    try:
        return float(weight or 1), tag.strip().lower().partition("-")[0]
    except ValueError:
        return 0.0, ""
