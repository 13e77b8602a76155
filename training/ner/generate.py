r"""Generated conversations, forms and tweets: templates filled with names from everywhere.

A template is a line of ``templates/*.txt``; ``{slot}`` is filled, ``\n`` is a line break. One
template in ten, like one name in ten, is kept for dev.
"""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from training.ner.data import Example, Row
from training.ner.labels import ANYTHING, LOCATION, ORGANIZATION, OUTSIDE, PERSON
from training.ner.look_alikes import NOT_NAMES, firm, not_a_name, venue
from training.ner.names import Names, load_names, pick_group, read_list
from training.ner.style import Part, hostile, restyle, to_example

TEMPLATES = Path(__file__).parent / "templates"
MAYBE_PERSON = PERSON | OUTSIDE
"""A title, or a bare user name: masking it is no error, leaving it is none either."""

_SLOT = re.compile(r"\{([a-z_]+)\}")
_TITLES = ("Mr", "Mr.", "Mrs", "Mrs.", "Ms", "Ms.", "Miss", "Dr", "Dr.", "Prof.", "Professor",
           "Sir", "Madam", "Officer", "Detective", "Judge", "Sgt.", "Captain", "Pastor", "Father",
           "Sister", "Señor", "Señora", "Herr", "Frau", "Monsieur", "Madame", "Dott.")  # fmt: skip
_BRANDS = read_list("brands")
_ORG_TAILS = (
    "Inc", "Inc.", "Ltd", "LLC", "GmbH", "Corp", "& Sons", "Group", "Bank", "Hospital", "Clinic",
    "Dental", "Law", "Partners", "Consulting", "Logistics", "Foods", "Motors", "Auto Repair",
    "Pharmacy", "Bakery", "School", "High School", "Elementary", "College", "Academy", "Church",
    "Insurance", "Capital", "Energy", "Media", "Records", "Studios", "Labs", "Software", "Systems",
    "Plumbing", "Realty", "Foundation", "Airlines",
)  # fmt: skip
_STREETS = ("Street", "St", "St.", "Avenue", "Ave", "Ave.", "Road", "Rd", "Rd.", "Lane", "Ln",
            "Drive", "Dr", "Court", "Ct", "Boulevard", "Blvd", "Way", "Place", "Close", "Terrace",
            "Square", "Parkway")  # fmt: skip
_STREET_NAMES = ("Main", "Oak", "Maple", "Church", "High", "Park", "Mill", "Station", "Elm", "Hill",
                 "Cedar", "Lake", "Victoria", "King", "Queen", "Washington", "Green", "North",
                 "West", "Bridge", "Spring", "River", "School", "Market", "2nd", "5th")  # fmt: skip
_MONTHS = ("January February March April May June July August September October November "
           "December Jan Feb Mar Apr Jun Jul Aug Sep Oct Nov Dec").split()  # fmt: skip
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday tomorrow yesterday today".split()


@dataclass(frozen=True)
class Bank:
    """Places and organisations seen in the training files, and countries."""

    places: tuple[str, ...]
    organizations: tuple[str, ...]


def harvest(rows: dict[str, list[Row]]) -> Bank:
    """Collect places and organisations from the spans of the training rows."""
    places: set[str] = set()
    organizations: set[str] = set()
    for source in ("chat_synth", "wikigold", "broad_twitter"):
        for row in rows.get(source, []):
            for start, end, kind in row.spans:
                text = row.text[start:end].strip()
                if len(text) < 3 or "\n" in text or not text[0].isupper():
                    continue
                if kind == "LOCATION" and not any(c.isdigit() for c in text):
                    places.add(text)
                elif kind == "ORGANIZATION":
                    organizations.add(text)
    return Bank(tuple(sorted(places)), tuple(sorted(organizations)))


@cache
def templates(kind: str, dev: bool) -> tuple[str, ...]:
    """Return the templates of one file, one side of the split."""
    lines = (TEMPLATES / f"{kind}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(
        line.replace("\\n", "\n").replace("\\t", "\t")
        for line in lines
        if (hashlib.sha256(line.encode()).digest()[0] < 26) == dev
    )


class Writer:
    """Fills templates; all randomness is ``rng``'s."""

    def __init__(self, bank: Bank, rng: random.Random, dev: bool = False) -> None:
        self.bank = bank
        self.rng = rng
        self.dev = dev
        self.names: Names = load_names(dev)
        self.group: str | None = None
        """Set to draw every name from one origin group."""
        self.hostility = 0.0

    # -- names ---------------------------------------------------------------------------------

    def given(self) -> str:
        """Draw a given name: of any origin, sometimes a nickname, a word or a place."""
        chance = self.rng.random()
        if self.group is None and chance < 0.08:
            return self.rng.choice(self.names.given["word"])
        if self.group is None and chance < 0.16:
            return self.rng.choice(self.names.given["nickname"])
        if self.group is None and chance < 0.19:
            return self.rng.choice(self.bank.places).split()[0]
        if self.group is None and chance < 0.24:
            return self.rng.choice(self.names.given["place"])
        name = self._cased(self.rng.choice(self.names.given[self._origin()]))
        if chance > 0.97:
            name += self.rng.choice(" -") + self._cased(
                self.rng.choice(self.names.given[self._origin()])
            )
        return name

    def family(self) -> str:
        """Draw a surname."""
        if self.group is None and self.rng.random() < 0.06:
            return self.rng.choice(self.names.family["word"])
        return self._cased(self.rng.choice(self.names.family[self._origin()]))

    def full(self) -> str:
        """Draw a full name; both parts of one origin most of the time."""
        chance = self.rng.random()
        if self.group is None and chance < 0.05:
            given, family = self.rng.choice(self.names.native)
            together = any("\u3000" < c < "\ud7ff" for c in given)
            return f"{family}{given}" if together else f"{given} {family}"
        before = self.group
        if before is None and chance < 0.85:
            self.group = pick_group(self.rng)
        given, family = self.given(), self.family()
        origin, self.group = self.group, before
        if origin in ("chinese", "korean", "hungarian_greek") and self.rng.random() < 0.4:
            return f"{family} {given}"
        kind = self.rng.random()
        if kind < 0.08:
            return f"{given} {self._initial()}. {family}"
        if kind < 0.12:
            return f"{given} {self.given()} {family}"
        if kind < 0.15:
            return f"{given} {family}-{self.family()}"
        if kind < 0.18 or (kind < 0.4 and origin in ("hispanic", "portuguese")):
            return f"{given} {family} {self.family()}"
        if kind > 0.97:
            return f"{given[0]}. {family}"
        return f"{given} {family}"

    def _origin(self) -> str:
        return self.group or pick_group(self.rng)

    @staticmethod
    def _cased(name: str) -> str:
        return name.title() if name.isupper() else name

    def _initial(self) -> str:
        return self.rng.choice("ABCDEFGHIJKLMNOPRSTVW")

    # -- slots ---------------------------------------------------------------------------------

    def slot(self, kind: str) -> list[Part]:
        """Fill one slot."""
        rng = self.rng
        if kind == "name":
            kind = rng.choice(("first", "full", "full", "formal", "last"))
        if kind in ("first", "full", "last", "nick"):
            return [Part(self._written(self._person(kind)), PERSON)]
        if kind == "formal":
            person = self.family() if rng.random() < 0.7 else self.full()
            title = Part(rng.choice(_TITLES) + " ", MAYBE_PERSON)
            return [title, Part(self._written(person), PERSON)]
        if kind in ("initials", "initial"):
            first, second = self._initial(), self._initial()
            both = (f"{first}.{second}.", f"{first}{second}", f"{first}. {second}.")
            return [Part(f"{first}." if kind == "initial" else rng.choice(both), MAYBE_PERSON)]
        if kind == "spelled":
            gap = rng.choice(("-", " ", ".", ", "))
            return [Part(gap.join(self.family().upper()), PERSON)]
        if kind in ("handle", "user", "user_p", "user_x", "camel"):
            return self._handle(kind)
        if kind in ("place", "country"):
            return [Part(self.place(), LOCATION)]
        if kind == "org":
            return [Part(self.organization(), ORGANIZATION)]
        if kind == "firm":
            return [Part(firm(self), ORGANIZATION)]
        if kind == "venue":
            return [Part(venue(self), LOCATION)]
        if kind == "address":
            return [Part(self.address(), LOCATION)]
        if kind == "email":
            return [Part(self._user() + rng.choice(_MAIL), ANYTHING)]
        return [Part(self._other(kind), OUTSIDE)]

    def _person(self, kind: str) -> str:
        if kind == "first":
            return self.given()
        if kind == "full":
            return self.full()
        return self.family() if kind == "last" else self.rng.choice(self.names.given["nickname"])

    def _written(self, name: str) -> str:
        return hostile(name, self.rng) if self.rng.random() < self.hostility else name

    def _user(self) -> str:
        rng = self.rng
        first, last = self.given(), self.family()
        number = rng.randint(1, 2010)
        text = rng.choice((
            f"{first}{last}", f"{first}.{last}", f"{first}_{last}", f"{first[0]}{last}", first,
            f"{last}{first[0]}", f"{first}{number}", f"{first}{last}{number % 100}",
            f"x{first}x", f"its{first}", f"the_real_{last}", f"{first}_x", f"{last}{number % 100}",
            f"_{first}_", f"mr{last}", f"official{first}{last}",
        ))  # fmt: skip
        text = text.replace(" ", "").replace("'", "")
        return text.lower() if rng.random() < 0.6 else text

    def _handle(self, kind: str) -> list[Part]:
        if kind == "handle":
            return [Part("@" + self._user(), PERSON)]
        if kind == "user_p":
            return [Part(self._user(), PERSON)]
        if kind == "user_x":
            return [Part("".join(self.rng.choices("abcXYZ0189", k=8)), OUTSIDE)]
        if kind == "camel":
            return [Part(self.given() + self.family().replace(" ", ""), PERSON)]
        return [Part(self._user(), MAYBE_PERSON)]

    def place(self) -> str:
        """Draw a place: seen in training files, sometimes one that is a given name, too."""
        if self.rng.random() < 0.08:
            return self.rng.choice(self.names.given["place"])
        return self.rng.choice(self.bank.places)

    def organization(self) -> str:
        """Draw an organisation: seen in training files, a known brand, or made up."""
        rng = self.rng
        chance = rng.random()
        if chance < 0.06:
            return "".join(rng.choices("ABCDEFGHIKLMNOPRSTUVW", k=rng.randint(2, 5)))
        if chance < 0.35:
            return rng.choice(self.bank.organizations)
        if chance < 0.6:
            return rng.choice(_BRANDS).replace("-", " ")
        if chance < 0.9:
            head = rng.choice((self.family(), rng.choice(self.bank.places), self.family()))
            return f"{head} {rng.choice(_ORG_TAILS)}"
        place = rng.choice(self.bank.places)
        return rng.choice(("University of ", "Bank of ", "City of ", "St. ")) + place

    def address(self) -> str:
        """Draw a postal address."""
        rng = self.rng
        name = rng.choice((rng.choice(_STREET_NAMES), self.family(), rng.choice(self.bank.places)))
        street = f"{rng.randint(1, 9999)} {name} {rng.choice(_STREETS)}"
        if rng.random() < 0.2:
            tail = rng.choice(("straße", "gatan", " utca", " sokak", "laan"))
            street = f"{name}{tail} {rng.randint(1, 200)}"
        if rng.random() < 0.2:
            street += rng.choice((" Apt ", ", Suite ", " #")) + str(rng.randint(1, 900))
        if rng.random() < 0.3:
            return street
        gap = rng.choice((", ", ", ", "\n", " "))
        city = rng.choice(self.bank.places)
        code = rng.choice(("", " ", f", {rng.choice(_STATES)} "))
        code += str(rng.randint(10000, 99999)) if code else ""
        return f"{street}{gap}{city}{code}"

    def _other(self, kind: str) -> str:
        rng = self.rng
        if kind == "date":
            day, month, year = rng.randint(1, 28), rng.choice(_MONTHS), rng.randint(1940, 2026)
            return rng.choice((
                f"{month} {day}", f"{day} {month} {year}", f"{month} {day}, {year}",
                f"{year}-{rng.randint(1, 12):02}-{day:02}", f"{day}/{rng.randint(1, 12)}/{year}",
                rng.choice(_DAYS), f"{month} {year}",
            ))  # fmt: skip
        if kind == "phone":
            digits = [rng.randint(10**n, 10 ** (n + 1) - 1) for n in range(4)]
            return rng.choice(("+{}{} {} {}", "({}{}) {}-{}", "{}{}-{}-{}")).format(*digits)
        if kind == "title":
            return rng.choice(("CEO", "Director", "Head of Sales", "Engineer", "Chairman"))
        if kind in NOT_NAMES:
            return not_a_name(self, kind)
        return str(rng.choice((rng.randint(1, 12), rng.randint(10, 99), rng.randint(100, 99999))))

    # -- texts ---------------------------------------------------------------------------------

    def fill(self, template: str) -> list[Part]:
        """Fill a template."""
        parts: list[Part] = []
        at = 0
        for match in _SLOT.finditer(template):
            parts.append(Part(template[at : match.start()], OUTSIDE))
            parts += self.slot(match.group(1))
            at = match.end()
        parts.append(Part(template[at:], OUTSIDE))
        return [part for part in parts if part.text]

    def text(self) -> Example:
        """Write one text: a form, a tweet, or one to many sentences of chat."""
        rng = self.rng
        self.hostility = 0.7 if rng.random() < 0.14 else 0.015
        kind = rng.choices(("forms", "tweets", "web", "chat", "none"), (22, 8, 31, 31, 8))[0]
        many = kind in ("chat", "web", "none")
        count = rng.choice((1, 1, 1, 2, 2, 3, 5, 9)) if many else rng.choice((1, 1, 1, 1, 2))
        parts: list[Part] = []
        for index in range(count):
            source = rng.choice((kind, kind, kind, "none")) if many else kind
            if index:
                gap = "\n" if kind == "forms" else rng.choice((" ", ". ", "\n", " "))
                parts.append(Part(gap, OUTSIDE))
            parts += self.fill(rng.choice(templates(source, self.dev)))
        strength = 0.35 if kind == "forms" else 0.9
        return to_example(f"generated_{kind}", restyle(parts, rng, strength))


_MAIL = ("@gmail.com", "@yahoo.com", "@outlook.com", "@example.org", "@mail.ru", "@web.de")
_STATES = "AL AK AZ CA CO CT FL GA IL IN KS MA MD MI MN NC NJ NY OH OR PA TX UT VA WA WI".split()
