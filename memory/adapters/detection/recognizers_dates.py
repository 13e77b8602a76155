"""Dates, and dates of birth, which say who someone is.

Rules:
- A date of birth is a date behind a cue ("born on", "DOB:"); profile `direct` hides it. Any other
  date is DATE_TIME, which only `strict` hides.
- Days relative to now ("tomorrow") tell nothing once the moment is past, and are left alone.
"""

from __future__ import annotations

import re
from typing import Final

from presidio_analyzer import Pattern

from memory.adapters.detection.recognizer_base import Patterns

_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY: Final = r"[0-3]?[0-9](?:st|nd|rd|th)?"
_YEAR: Final = r"(?:1[89]|20)[0-9]{2}"
_CLOCK: Final = (
    r"(?:[T ][0-2][0-9]:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?(?:Z|[+\-][0-9:]{4,5})?)?"
)

# Longest first: an alternation takes the first branch that fits.
_FULL: Final = (
    rf"{_YEAR}([\-/.])[01]?[0-9]\1[0-3]?[0-9]{_CLOCK}"
    rf"|[0-3]?[0-9]([\-/.])[0-3]?[0-9]\2(?:{_YEAR}|[0-9]{{2}})"
    rf"|{_MONTH} {_DAY},? {_YEAR}"
    rf"|(?:the )?{_DAY}(?: of)?[ \-]{_MONTH},?[ \-]{_YEAR}"
)
_PARTIAL: Final = (
    rf"{_MONTH} {_YEAR}|{_MONTH} {_DAY}(?![0-9])|(?:the )?{_DAY}(?: of)? {_MONTH}(?![a-z])"
)
_BIRTH: Final = (
    r"(?:dob|d\.o\.b\.?|(?:date|day|year) of birth|birth ?(?:day|date)|born|geboren|née? le|nacido)"
    r"(?: ?(?:is|was|on|in|at|the|am|el|le)\b){0,2}[ :=\"'()>]{0,3}"
)


class DateOfBirthRecognizer(Patterns):
    """DATE_OF_BIRTH: a date, or a bare year, behind a word of birth."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="DATE_OF_BIRTH",
            name="TacitDateOfBirthRecognizer",
            global_regex_flags=re.IGNORECASE,
            patterns=[
                Pattern(
                    "behind a cue",
                    rf"(?<!\w){_BIRTH}\K(?:{_FULL}|{_PARTIAL}|{_YEAR}|[0-9]{{6,8}})(?!\w)",
                    0.95,
                )
            ],
        )


class DateRecognizer(Patterns):
    """DATE_TIME: calendar dates, also without day or year."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="DATE_TIME",
            name="TacitDateRecognizer",
            global_regex_flags=re.IGNORECASE,
            patterns=[
                Pattern("full", rf"(?<![\w.\-/])(?:{_FULL})(?![\w])", 0.7),
                Pattern("partial", rf"(?<![\w.\-/])(?:{_PARTIAL})(?!\w)", 0.5),
            ],
        )
