"""Numbers that stand for someone or their money and machines: cards, IBAN, IP addresses.

Rules:
- A checksum that fits is proof (score 1); one that does not leaves a weak find, which only a
  context word ("card", "iban") can lift over the threshold: people mistype their own numbers.
- Presidio's IP and IBAN recognizers are not used: the first takes 2.6 s for 10,000 colons, the
  second logs the text it could not validate.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final

from presidio_analyzer import LocalRecognizer, Pattern, RecognizerResult

from memory.adapters.detection.recognizer_base import Patterns, bounded

_WEAK: Final = 0.1
_MAESTRO: Final = r"(?:50[0-9]{2}|5[6-8][0-9]{2}|6[0-9]{3}|0604)"
"""How a Maestro card begins; these may be of 12 digits."""

# ISO 13616: length of an IBAN by country.
# fmt: off
_IBAN_LENGTHS: Final = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BI": 27, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27,
    "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27,
    "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28,
    "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22,
    "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24,
    "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28,
    "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}
# fmt: on


def luhn(digits: str) -> bool:
    """Whether the check digit of a card number fits (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def iban_checks(iban: str) -> bool:
    """Whether an IBAN without separators, in capitals, has a right check number (mod 97)."""
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


class CreditCardRecognizer(Patterns):
    """Payment cards of 13 to 19 digits, in any grouping; of 12 where Maestro has them."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="CREDIT_CARD",
            name="TacitCreditCardRecognizer",
            global_regex_flags=0,
            context=[
                "card",
                "credit",
                "debit",
                "visa",
                "mastercard",
                "amex",
                "cc",
                "maestro",
                "pan",
            ],
            patterns=[
                Pattern("card", r"(?<![\w+])[2-6](?:[ \-.]{0,2}[0-9]){12,18}(?!\d)", 0.3),
                Pattern("maestro", rf"(?<![\w+]){_MAESTRO}[0-9]{{8}}(?!\d)", _WEAK),
                Pattern("other", r"(?<![\w+])[1789](?:[ \-.]{0,2}[0-9]){12,18}(?!\d)", _WEAK),
            ],
        )

    def validate_result(self, pattern_text: str) -> bool | None:
        digits = "".join(c for c in pattern_text if c.isdigit())
        return True if luhn(digits) and set(digits) != {"0"} else None


_IBAN_START: Final = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})[ \-]?[0-9]{2}")
# Of a wrong length, but in one piece, in capitals and mostly digits: mistyped, or made up.
_IBAN_LIKE: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z]{0,4}[0-9]{8,26}[A-Z0-9]{0,3}(?![A-Za-z0-9])")
_IBAN_REST: Final = {
    length: re.compile(rf"(?:[ \-]?[A-Za-z0-9]){{{length - 4}}}(?![A-Za-z0-9])")
    for length in set(_IBAN_LENGTHS.values())
}


class IbanRecognizer(LocalRecognizer):
    """International bank account numbers of their country's length, grouped or not, in any case."""

    def __init__(self) -> None:
        super().__init__(
            supported_entities=["IBAN_CODE"],
            name="TacitIbanRecognizer",
            context=["iban", "account", "bank", "transfer", "konto", "sepa"],
        )

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        found = []
        for start in _IBAN_START.finditer(text):
            length = _IBAN_LENGTHS.get(start[1].upper())
            rest = length and _IBAN_REST[length].match(text, start.end())
            if rest:
                surface = text[start.start() : rest.end()]
                proven = iban_checks("".join(c for c in surface.upper() if c.isalnum()))
                score = 1.0 if proven else _WEAK
                found.append(RecognizerResult("IBAN_CODE", start.start(), rest.end(), score))
            if length and (like := _IBAN_LIKE.match(text, start.start())):
                found.append(RecognizerResult("IBAN_CODE", like.start(), like.end(), 0.65))
        return bounded(found)


class EthereumRecognizer(Patterns):
    """Addresses of Ethereum and its kin; Presidio knows Bitcoin's."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="CRYPTO",
            name="TacitEthereumRecognizer",
            global_regex_flags=re.IGNORECASE,
            patterns=[Pattern("0x", r"(?<![\w])0x[0-9a-f]{40}(?![\w])", 0.95)],
        )


class SsnRecognizer(Patterns):
    """US social security numbers: grouped, or nine digits behind a cue. Invalid ones count too."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="US_SSN",
            name="TacitSsnRecognizer",
            global_regex_flags=re.IGNORECASE,
            context=["ssn", "social", "ss#", "security"],
            patterns=[
                Pattern(
                    "grouped", r"(?<![\w+\-])[0-9]{3}([ .\-])[0-9]{2}\1[0-9]{4}(?![\w\-])", 0.85
                ),
                Pattern("loose", r"(?<![\w+])[0-9]{3}[ .\-]?[0-9]{2}[ .\-]?[0-9]{4}(?!\w)", 0.1),
            ],
        )


class IpRecognizer(Patterns):
    """IPv4 and IPv6 addresses, with prefix length or zone."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="IP_ADDRESS",
            name="TacitIpRecognizer",
            global_regex_flags=re.IGNORECASE,
            patterns=[
                Pattern("v4", r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?!\w|\.\d)", 0.8),
                Pattern(
                    "v6",
                    r"(?<![\w:])(?=[0-9a-f]{0,4}:[0-9a-f:]{0,4})[0-9a-f:]{2,39}"
                    r"(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?![\w:])",
                    0.8,
                ),
            ],
        )

    def invalidate_result(self, pattern_text: str) -> bool:
        try:
            ipaddress.ip_address(pattern_text)
        except ValueError:
            return True
        return pattern_text == "::"
