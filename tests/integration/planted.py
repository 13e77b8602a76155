"""Made-up conversations with planted personal data of every type that has a form, or a cue.

Rules:
- Every value is unique to its conversation, valid by its own checksum, and long enough that a
  byte search for it cannot hit by chance.
- Seeded: the same number gives the same conversation.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_FIRST: Final = (
    "Marisol Tobias Ingrid Kwame Priyanka Yusuf Henrietta Anselm Beatriz Oluwaseun".split()
)
_LAST: Final = (
    "Okonkwo Lindqvist Vasquez Tanaka Abernathy Chaudhary Moreau Petrov Haddad Nguyen".split()
)
_STREETS: Final = "Kestrel Juniper Sycamore Bramble Heather Willow Chestnut Linden Poplar".split()


@dataclass(frozen=True, slots=True)
class Planted:
    """Turns of a conversation, and what of them must not be found anywhere."""

    turns: tuple[str, ...]
    secrets: tuple[str, ...]


def conversation(number: int) -> Planted:
    """Conversation `number`: one turn for each type."""
    chance = random.Random(number)
    turns, secrets = [], []
    for template, make in _TYPES:
        value = make(chance)
        turns.append(template.format(value))
        secrets.append(value)
    chance.shuffle(turns)
    return Planted(tuple(turns), tuple(secrets))


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choice(string.digits) for _ in range(count))


def _word(chance: random.Random, count: int = 8) -> str:
    return "".join(chance.choice(string.ascii_lowercase) for _ in range(count))


def _name(chance: random.Random) -> str:
    return f"{chance.choice(_FIRST)} {chance.choice(_LAST)}-{chance.choice(_LAST)}"


def _email(chance: random.Random) -> str:
    return f"{_word(chance)}.{_word(chance)}@{_word(chance)}.example.org"


def _phone(chance: random.Random) -> str:
    return f"+1 212 {chance.randint(200, 999)} {_digits(chance, 4)}"


def _card(chance: random.Random) -> str:
    body = "4" + _digits(chance, 14)
    total = sum(
        digit if i % 2 else sum(divmod(2 * digit, 10)) for i, digit in enumerate(map(int, body))
    )
    return body + str(-total % 10)


def _iban(chance: random.Random) -> str:
    body = "50010517" + _digits(chance, 10)
    return f"DE{98 - int(body + '131400') % 97:02d}{body}"


def _ssn(chance: random.Random) -> str:
    return f"{chance.randint(100, 665)}-{chance.randint(10, 99)}-{chance.randint(1000, 9999)}"


def _ip(chance: random.Random) -> str:
    return ".".join(str(chance.randint(11, 223)) for _ in range(4))


def _mac(chance: random.Random) -> str:
    return ":".join(f"{chance.randrange(256):02x}" for _ in range(6))


def _address(chance: random.Random) -> str:
    return f"{chance.randint(100, 9999)} {chance.choice(_STREETS)} Street"


def _api_key(chance: random.Random) -> str:
    return "sk-" + "".join(chance.choice(string.ascii_letters + string.digits) for _ in range(40))


def _record(chance: random.Random) -> str:
    # Eight digits are met by chance among the hex digits of 26,000 record ids.
    return _digits(chance, 10)


def _birth(chance: random.Random) -> str:
    return f"{chance.randint(10, 28)}/{chance.randint(10, 12)}/{chance.randint(1940, 2004)}"


def _handle(chance: random.Random) -> str:
    return f"@{_word(chance, 10)}{_digits(chance, 3)}"


_TYPES: Final[tuple[tuple[str, Callable[[random.Random], str]], ...]] = (
    ("my sister {} visited us last weekend", _name),
    ("you can write to {} about it", _email),
    ("call me on {} when you are there", _phone),
    ("please charge my credit card {}", _card),
    ("the rent goes to IBAN {} every month", _iban),
    ("my social security number is {}", _ssn),
    ("the server at IP address {} is down again", _ip),
    ("the MAC address of the printer is {}", _mac),
    ("we moved to {} in spring", _address),
    ("the api key is {} do not share it", _api_key),
    ("my medical record number is MRN {}", _record),
    ("my date of birth is {}", _birth),
    ("follow me, my username is {}", _handle),
)
