"""Numbers that offices gave someone: medical records, passports, accounts, policies, tax ids.

Rules:
- Most have no shape of their own, so a cue names them ("passport no. is X1234567") or a prefix
  does ("MRN-10042"). At least three digits make a number.
- National identifiers with a checksum are Presidio's work (`countries`).
"""

from __future__ import annotations

import re
from typing import Final

from presidio_analyzer import Pattern

from memory.adapters.detection.recognizer_base import Patterns

_MIN_DIGITS: Final = 3
_LINK: Final = (
    r"(?:['’]?s)?(?: (?:is|was|are|reads|ending in)| ?[:=#]| no\.?:?| nr\.?:?| #)?[ \t:=#\"'(]{0,3}"
)
_VALUE: Final = r"(?!(?:is|was|are) )[a-z0-9](?:[ \-/.]?[a-z0-9]){3,23}"

_MEDICAL: Final = (
    r"mrn|medical records?(?: (?:number|no\.?|id|#))?|patient (?:id|number|no\.?)"
    r"|chart (?:number|no\.?|id)|health record (?:number|no\.?)|hospital (?:number|no\.?)"
)
_OWNERS: Final = (
    "employee|staff|badge|member|membership|customer|client|policy|insurance|claim|case|invoice|"
    "student|tax|taxpayer|national|identity|licen[cs]e|driver['’]?s?|driving|passport|visa|voter|"
    "account|acct|bank|routing|sort|swift|bic|pension|social insurance|enrolment|enrollment|"
    "library|loyalty|frequent flyer|vehicle|registration|residence permit|green card|booking|"
    "subscriber|subscription|permit|reference"
)
_NUMBER_WORDS: Final = (
    r"(?:licen[cs]e |card |plate |account |policy |id ?|identification |identity )?"
)
_STANDALONE: Final = (
    "ein|itin|tin|vat|nhs|nino|nin|aadhaar|cpf|curp|dni|nie|nif|bsn|pesel|swift|bic|vin|imei|"
    "iccid|licen[cs]e plate|number plate|passport|driver['’]?s licen[cs]e|driving licen[cs]e|"
    "account|acct|policy|routing|sort code"
)
_NO_ID: Final = frozenset({"ISO", "RFC", "CVE", "UTF", "IEEE", "DIN", "PEP", "ANSI", "SHA", "MD"})


class _NumberAfterCue(Patterns):
    """Finds are dropped when they hold fewer than three digits."""

    def invalidate_result(self, pattern_text: str) -> bool:
        return sum(c.isdigit() for c in pattern_text) < _MIN_DIGITS


class MedicalRecordRecognizer(_NumberAfterCue):
    """Medical record and patient numbers."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="MEDICAL_RECORD_NUMBER",
            name="TacitMedicalRecordRecognizer",
            global_regex_flags=re.IGNORECASE,
            patterns=[
                Pattern("prefix", r"(?<!\w)mrn[ \-#:]{0,3}[0-9][0-9\-]{3,14}(?!\w)", 0.95),
                Pattern(
                    "cue", rf"(?<!\w)(?:{_MEDICAL}){_LINK}\K[a-z]{{0,4}}-?[0-9][\w\-]{{3,14}}", 0.9
                ),
            ],
        )


class IdNumberRecognizer(_NumberAfterCue):
    """Identifiers of any office, by cue or by prefix ("POL-7743231")."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="ID_NUMBER",
            name="TacitIdNumberRecognizer",
            global_regex_flags=re.IGNORECASE,
            patterns=[
                Pattern("prefix", r"(?<![\w\-])(?-i:[A-Z]{2,5})[\-#][0-9]{5,12}(?![\w\-])", 0.6),
                Pattern("ein", r"(?<![\w\-])[0-9]{2}-[0-9]{7}(?![\w\-])", 0.65),
                Pattern(
                    "cue and number",
                    rf"(?<!\w)(?:{_OWNERS}) {_NUMBER_WORDS}(?:number|no\.?|num|id|code|#){_LINK}"
                    rf"\K{_VALUE}(?![\w])",
                    0.75,
                ),
                Pattern(
                    "cue alone",
                    rf"(?<!\w)(?:{_STANDALONE})(?: ?[:=#] ?| is | no\.? | number )"
                    rf"\K{_VALUE}(?![\w])",
                    0.7,
                ),
                Pattern(
                    "swift",
                    r"(?<!\w)(?:swift|bic)\W{1,3}\K(?-i:[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\b",
                    0.8,
                ),
                Pattern("pan", r"(?<!\w)(?-i:[A-Z]{3}[ABCFGHLJPT][A-Z][0-9]{4}[A-Z])(?!\w)", 0.6),
            ],
        )

    def invalidate_result(self, pattern_text: str) -> bool:
        if re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", pattern_text):
            return False
        if pattern_text.split("-", maxsplit=1)[0].upper() in _NO_ID:
            return True
        return super().invalidate_result(pattern_text)
