"""Clean texts with one identifier each, made by a seed: mail, phone, SSN, card, IP, IBAN.

Rules:
- Every value is valid: telephone numbers by their country's plan, cards by Luhn, IBAN by mod 97 in
  their country's form, social security numbers within the ranges that are given out.
- Telephone and IBAN are those of the countries detection is configured for by default; where such
  a country has no IBAN, none is made.
- Written as people write them: grouped and not, national and international.
- Half of the sentences name what follows, half do not. They were written for this benchmark, and
  no recognizer was tuned on them.
- Values are drawn at random and belong to nobody known.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable, Iterator
from typing import Final

import phonenumbers

from benchmarks.span_files import Labelled
from memory.adapters.detection.countries import DEFAULT_COUNTRIES
from memory.core.values import Span

PER_TYPE: Final = 300

_SENTENCES: Final = {
    "EMAIL_ADDRESS": (
        "You can write to me at {}, I read everything in the evening.",
        "Her e-mail address is {} but she rarely answers.",
        "please put {} on the list as well",
        "The receipt went to {}.",
        "{} bounced again, is there another one?",
        "I signed up with {} and forgot the password",
    ),
    "PHONE_NUMBER": (
        "My phone number is {}, any time after six.",
        "Call me on {} when you get there.",
        "text {} if the gate is locked",
        "The plumber can be had under {}, he said.",
        "We tried {} twice and nobody picked up.",
        "New since last week: {}. The old one is dead.",
    ),
    "US_SSN": (
        "My social security number is {}.",
        "SSN {} goes on the first page of the form",
        "the clerk wanted the last four of my SSN, which is {}",
        "They asked for {} and I did not like it.",
        "It says {} on the blue paper from the government.",
        "on the tax form I wrote {} by mistake",
    ),
    "CREDIT_CARD": (
        "Please charge my card {} for both tickets.",
        "The credit card ending there is {}, valid for another year.",
        "card number {}, I will give you the code by phone",
        "It was paid with {} last Tuesday.",
        "Is {} still the one on file?",
        "they stored {} without asking",
    ),
    "IP_ADDRESS": (
        "My IP address is {} today.",
        "The router answers at {} only from inside.",
        "ping {} and tell me what comes back",
        "Someone logged in from {} at night.",
        "I see {} in the log again and again.",
        "block {}, please",
    ),
    "IBAN_CODE": (
        "My IBAN is {}.",
        "Please transfer the deposit to {} by Friday.",
        "the bank account of the club: {}",
        "Send it to {}, I will tell you when it is there.",
        "Is {} the right one?",
        "she gave me {} and nothing else",
    ),
}

_WORDS: Final = (
    "juniper", "walnut", "marble", "tulip", "harbour", "falcon", "copper", "meadow", "lantern",
    "saffron", "pebble", "orchard", "violet", "thunder", "willow", "cobalt", "raven", "maple",
)  # fmt: skip
_MAIL_ENDS: Final = (
    "com", "org", "net", "co.uk", "com.au", "co.in", "com.sg", "es", "it", "pl", "fi", "edu", "io",
)  # fmt: skip
_CARDS: Final = (
    ("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15), ("6011", 16),
    ("3530", 16), ("36", 14),
)  # fmt: skip
"""How a scheme's numbers begin, and how long they are."""

_IBAN_FORMS: Final = {
    "GB": "aaaa" + "n" * 14,
    "ES": "n" * 20,
    "IT": "a" + "n" * 10 + "c" * 12,
    "PL": "n" * 24,
    "FI": "n" * 14,
}
"""What follows the check number (ISO 13616): n digit, a capital, c either."""


def texts(seed: int) -> list[Labelled]:
    """`PER_TYPE` texts of each type; a row labels its own type."""
    chance = random.Random(seed)
    return [
        _text(chance.choice(_SENTENCES[kind]), kind, make(chance))
        for kind, make in _MAKERS.items()
        for _ in range(PER_TYPE)
    ]


def _text(sentence: str, kind: str, value: str) -> Labelled:
    start = sentence.index("{}")
    span = Span(start, start + len(value), kind)
    return Labelled(sentence.format(value), (span,), frozenset({kind}))


def _mail(chance: random.Random) -> str:
    one, two, host = (chance.choice(_WORDS) for _ in range(3))
    number = chance.randrange(100)
    local = chance.choice((
        one, f"{one}.{two}", f"{one}_{two}", f"{one}{number}", f"{one[0]}{two}", f"{one}-{two}",
        f"{one}+{two}", f"{one}.{two}{number}", one.title() + two.title(),
    ))  # fmt: skip
    within = chance.choice(("", "", "mail.", "cs."))
    return f"{local}@{within}{host}{chance.choice(_WORDS)}.{chance.choice(_MAIL_ENDS)}"


def _phone(chance: random.Random) -> str:
    region = chance.choice(DEFAULT_COUNTRIES)
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    example = phonenumbers.example_number_for_type(region, chance.choice(kinds))
    if example is None or example.national_number is None or example.country_code is None:
        raise ValueError(f"no example of a telephone number of {region}")
    form = chance.choice((
        phonenumbers.PhoneNumberFormat.INTERNATIONAL,
        phonenumbers.PhoneNumberFormat.NATIONAL,
        phonenumbers.PhoneNumberFormat.NATIONAL,
        phonenumbers.PhoneNumberFormat.E164,
    ))  # fmt: skip
    for number in _alike(chance, str(example.national_number)):
        made = phonenumbers.PhoneNumber(
            country_code=example.country_code,
            national_number=int(number),
            italian_leading_zero=example.italian_leading_zero,
        )
        if phonenumbers.is_valid_number(made):
            return phonenumbers.format_number(made, form)
    raise AssertionError  # pragma: no cover


def _alike(chance: random.Random, number: str) -> Iterator[str]:
    """Numbers with other last six digits, without end."""
    while True:
        yield number[:-6] + f"{chance.randrange(10**6):06}"


def _ssn(chance: random.Random) -> str:
    area = chance.choice([n for n in range(1, 900) if n != 666])
    gap = chance.choice(("-", "-", " "))
    return f"{area:03}{gap}{chance.randrange(1, 100):02}{gap}{chance.randrange(1, 10**4):04}"


def _card(chance: random.Random) -> str:
    start, length = chance.choice(_CARDS)
    digits = start + "".join(chance.choices("0123456789", k=length - len(start) - 1))
    doubled = [int(d) * (2 - at % 2) for at, d in enumerate(reversed(digits))]
    digits += str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)
    groups = (4, 6, length - 10) if length < 16 else (4, 4, 4, 4)
    return _grouped(digits, groups, chance.choice(("", " ", "-")))


def _ip(chance: random.Random) -> str:
    if chance.random() < 0.6:
        return str(ipaddress.IPv4Address(chance.randrange(1 << 24, 224 << 24)))
    prefix = 0x2001_0DB8 << 96
    address = ipaddress.IPv6Address(prefix | chance.getrandbits(chance.choice((16, 64, 96))))
    return str(address) if chance.random() < 0.7 else address.exploded


def _iban(chance: random.Random) -> str:
    country = chance.choice([code for code in DEFAULT_COUNTRIES if code in _IBAN_FORMS])
    digits, capitals = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    drawn_from = {"n": digits, "a": capitals, "c": digits + capitals}
    account = "".join(chance.choice(drawn_from[place]) for place in _IBAN_FORMS[country])
    check = 98 - int("".join(str(int(c, 36)) for c in f"{account}{country}00")) % 97
    iban = f"{country}{check:02}{account}"
    return _grouped(iban, (4,) * -(-len(iban) // 4), chance.choice(("", " ")))


def _grouped(text: str, sizes: tuple[int, ...], gap: str) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return gap.join(parts)


_MAKERS: Final[dict[str, Callable[[random.Random], str]]] = {
    "EMAIL_ADDRESS": _mail,
    "PHONE_NUMBER": _phone,
    "US_SSN": _ssn,
    "CREDIT_CARD": _card,
    "IP_ADDRESS": _ip,
    "IBAN_CODE": _iban,
}
