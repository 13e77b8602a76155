"""How to reach someone: e-mail, also spelled out, telephone, and web addresses that name them.

Rules:
- Presidio's e-mail and URL recognizers are not used: both are superlinear (5 s and 66 s for
  10,000 hostile characters) and ask the network for a list of domains.
- Telephone numbers are candidates by shape, then judged by `phonenumbers` for the configured
  regions. The number of judged candidates is bounded; past it, what has the shape counts.
- No pattern here has nested or adjacent unbounded repetition.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import phonenumbers
from presidio_analyzer import LocalRecognizer, Pattern, RecognizerResult

from memory.adapters.detection.recognizer_base import Patterns, bounded

DEFAULT_REGIONS: Final = ("US", "GB", "CA", "AU", "IN", "DE", "FR", "ES", "IT", "NL", "BR", "JP")

MAX_JUDGED: Final = 6
"""Candidates of one piece of text that are parsed; a parse costs some 30 µs a region."""

_FLAGS: Final = re.IGNORECASE
_TLD: Final = (
    "com|org|net|edu|gov|mil|int|io|co|ai|app|dev|me|info|biz|email|us|uk|de|fr|es|it|nl|be|ch|"
    "at|se|no|dk|fi|pl|pt|ie|ca|au|nz|in|jp|cn|kr|br|mx|ru|za|tv|eu"
)
_PROVIDER: Final = (
    "gmail|googlemail|yahoo|ymail|outlook|hotmail|live|msn|icloud|aol|gmx|proton|protonmail|"
    "fastmail|zoho|mail|web|example|comcast|verizon"
)
_AT: Final = r"(?: {0,2}[\[({<] ?(?:at|@) ?[\])}>] {0,2}| {1,2}at {1,2}| @ | @|@ )"
_BRACKET_AT: Final = r"(?: {0,2}[\[({<] ?(?:at|@) ?[\])}>] {0,2})"
_DOT: Final = r"(?: {0,2}[\[({<] ?(?:dot|\.) ?[\])}>] {0,2}| {1,2}dot {1,2}| \. ?|\. )"
_LOCAL: Final = (
    r"(?<![\w.@+\-])[\w.+\-]{1,64}"
    r"(?: {1,2}(?:dot|underscore|dash|hyphen|plus) {1,2}[\w.+\-]{1,64}){0,4}"
)


class EmailRecognizer(Patterns):
    """E-mail addresses as written, and as spelled out: "jane at example dot com"."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="EMAIL_ADDRESS",
            name="TacitEmailRecognizer",
            context=["mail", "email", "e-mail", "contact", "inbox"],
            global_regex_flags=_FLAGS,
            patterns=[
                Pattern(
                    "as written",
                    r"(?<![\w.+%\-])[\w.+%'\-]{1,128}@(?:[\w\-]{1,63}\.){1,5}[\w\-]{2,63}",
                    1.0,
                ),
                Pattern(
                    "spelled out",
                    rf"{_LOCAL}(?:{_AT}|@)[\w\-]{{1,63}}"
                    rf"(?:{_DOT}[\w\-]{{1,63}}){{0,3}}{_DOT}(?:{_TLD})(?!\w)",
                    0.9,
                ),
                Pattern(
                    "bracketed at",
                    rf"{_LOCAL}{_BRACKET_AT}(?:[\w\-]{{1,63}}\.){{1,4}}(?:{_TLD})(?!\w)",
                    0.9,
                ),
                Pattern(
                    "at a mail provider",
                    rf"{_LOCAL}{_AT}(?:{_PROVIDER})(?:{_DOT}|\.)(?:{_TLD})(?!\w)",
                    0.8,
                ),
                Pattern(
                    "without a dot, near a cue",
                    r"(?<![\w.@])[\w.+\-]{2,64}@[\w\-]{3,63}(?![\w.@])",
                    0.1,
                ),
            ],
        )


_PHONE_SHAPE: Final = re.compile(
    r"(?<![\w.,$€£])(?:\+|00)?[ ]?\(?\d(?:[ ().\-/\u2010-\u2013]{0,3}\d){6,15}"
    r"(?:,? {0,2}(?:x|ext\.?|extension) {0,2}\d{1,6})?(?![\w])",
    _FLAGS,
)
_NORTH_AMERICAN: Final = re.compile(
    r"(?:\+?1[ .\-]?)?(?:\([2-9]\d\d\) ?|\(?[2-9]\d\d\)?[ .\-\u2010-\u2013]{1,2})"
    r"\d{3}[ .\-\u2010-\u2013]\d{4}(?!\d)"
)
_YEAR: Final = r"(?:1[89]|20)\d\d"
_NO_NUMBER: Final = re.compile(
    rf"{_YEAR}([\-/. ] ?)\d\d?\1\d\d?(?:[ T]\d\d?)?|\d\d?([\-/. ] ?)\d\d?\2{_YEAR}|\d+\.\d+"
    rf"|\d{{1,3}}(?:\.\d{{1,3}}){{3}}|\d{{3}}([- .])\d\d\3\d{{4}}|{_YEAR} ?[\-\u2013] ?{_YEAR}"
    r"|.*/.*/.*|.*\d\.\d+ .*\d\.\d.*"
)
"""Dates, spans of years, decimals, IP addresses and social security numbers."""


class PhoneRecognizer(LocalRecognizer):
    """Telephone numbers of the given regions (ISO 3166 codes) and in international form."""

    def __init__(self, regions: Sequence[str] = DEFAULT_REGIONS) -> None:
        self._regions = tuple(regions)
        super().__init__(
            supported_entities=["PHONE_NUMBER"],
            name="TacitPhoneRecognizer",
            context=[
                *("phone", "telephone", "tel", "cell", "mobile", "fax", "landline", "hotline"),
                *("call", "text", "dial", "ring", "reach", "contact", "sms", "whatsapp", "signal"),
            ],
        )

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        found, judged = [], 0
        for match in _PHONE_SHAPE.finditer(text):
            number = match.group().strip()
            if _NO_NUMBER.fullmatch(number.strip("() ")):
                continue
            judged += 1
            score = 0.5 if judged > MAX_JUDGED else self._score(number)
            if score:
                start = match.start() + len(match.group()) - len(match.group().lstrip())
                found.append(RecognizerResult("PHONE_NUMBER", start, match.end(), score))
        return bounded(found)

    def _score(self, number: str) -> float:
        digits = sum(c.isdigit() for c in number)
        if number.startswith(("+", "00")):
            plain = "+" + number[2:] if number.startswith("00") else number
            return 0.9 if self._possible(plain, None) else 0.3
        if _NORTH_AMERICAN.match(number):
            return 0.7
        plain = "".join(c for c in number if c.isdigit())  # quicker to parse than as written
        if any(self._valid(plain, region) for region in self._regions):
            # A bare run of digits may be many things; grouped like a number it is likely one.
            return 0.6 if digits > 7 and not number.isdigit() else 0.45
        return 0.1 if 7 <= digits <= 12 else 0.0

    @staticmethod
    def _possible(number: str, region: str | None) -> bool:
        try:
            return phonenumbers.is_possible_number(phonenumbers.parse(number, region))
        except phonenumbers.NumberParseException:
            return False

    @staticmethod
    def _valid(number: str, region: str) -> bool:
        try:
            return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
        except phonenumbers.NumberParseException:
            return False


class UrlRecognizer(Patterns):
    """Web addresses. Those that carry a user's name or secret score higher."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="URL",
            name="TacitUrlRecognizer",
            global_regex_flags=_FLAGS,
            patterns=[
                Pattern(
                    "with scheme",
                    r"(?<![\w])[a-z][a-z0-9+]{1,11}://[^\s<>\"']{3,2000}[^\s<>\"'.,;:!?)\]]",
                    0.6,
                ),
                Pattern(
                    "without scheme",
                    rf"(?<![\w.@/])(?:www\.)(?:[\w\-]{{1,63}}\.){{1,4}}(?:{_TLD})(?:/[^\s<>\"']{{0,2000}})?",
                    0.5,
                ),
            ],
        )
