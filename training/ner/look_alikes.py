"""What looks like a person's name and is none: shops, restaurants, pets, storms, cars, planets.

Half of what a model of names gets wrong is named after people or could be. These fill the slots of
the templates in which the words around them say what they are.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from training.ner.names import read_list

if TYPE_CHECKING:
    from training.ner.generate import Writer

_SERVICES = (
    "Auto", "Auto Body", "Tires", "Towing", "Cycles", "Roofing", "Heating & Air", "Electric",
    "Landscaping", "Movers", "Cleaners", "Tailoring", "Florist", "Dance Studio",
    "Yoga", "Fitness", "Orthodontics", "Veterinary Clinic", "Pet Grooming", "Optical", "Nails",
    "Hair Studio", "Barbers", "Day Care", "Locksmiths", "Pools", "Pest Control", "Law Firm",
    "Accounting", "Travel", "Computers", "Phone Repair", "Music School", "Driving School",
)  # fmt: skip
_VENUES = (
    "Grill", "Cafe", "Diner", "Hotel", "Inn", "Pizza", "Pizzeria", "Bar", "Pub", "Bistro",
    "Kitchen", "Steakhouse", "Bakery", "Brewery", "BBQ", "Tavern", "Noodle House", "Sushi", "Park",
    "Museum", "Bridge", "Airport", "Station", "Memorial", "Library", "Stadium", "Theater", "Beach",
    "Lake", "Mall", "Plaza", "Market", "Gardens", "Zoo", "Resort", "Lodge", "Campground", "Hall",
)  # fmt: skip
_KNOWN_VENUES = read_list("venues")
_THINGS = read_list("things")
_NATIONALITIES = read_list("nationalities")
_GOODS: dict[str, list[str]] = defaultdict(list)
for _entry in read_list("goods"):
    _kind, _, _name = _entry.partition(":")
    _GOODS[_kind].append(_name.replace("-", " "))

NOT_NAMES = frozenset({"pet", "storm", "nat", "thing", "file", "street", "month", "day", *_GOODS})
"""Slots whose filling has no label."""

_MONTHS = "January February March April May June July August September October".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_STREETS = ("Street", "Avenue", "Road", "Lane", "Drive", "Boulevard")


def firm(writer: Writer) -> str:
    """A business that does things for people: often named after one, never a place to go."""
    rng = writer.rng
    chance = rng.random()
    if chance < 0.3:
        return f"{writer.given()}'s {rng.choice(_SERVICES)}"
    if chance < 0.55:
        return f"{writer.family()} {rng.choice(_SERVICES)}"
    if chance < 0.65:
        return f"{writer.family()} & {writer.family()}"
    if chance < 0.8:
        return f"{rng.choice(writer.bank.places)} {rng.choice(_SERVICES)}"
    return writer.organization()


def venue(writer: Writer) -> str:
    """A place to eat, stay or visit."""
    rng = writer.rng
    chance = rng.random()
    if chance < 0.3:
        return rng.choice(_KNOWN_VENUES).replace("-", " ")
    if chance < 0.4:
        return f"{writer.given()}'s"
    if chance < 0.55:
        return f"{writer.given()}'s {rng.choice(_VENUES)}"
    if chance < 0.75:
        return f"{writer.family()} {rng.choice(_VENUES)}"
    return f"{rng.choice(writer.bank.places)} {rng.choice(_VENUES)}"


def not_a_name(writer: Writer, kind: str) -> str:
    """Fill one of ``NOT_NAMES``."""
    rng = writer.rng
    if kind in ("pet", "storm"):
        return writer.given()
    if kind == "nat":
        return rng.choice(_NATIONALITIES)
    if kind == "thing":
        return rng.choice(_THINGS)
    if kind == "month":
        return rng.choice(_MONTHS)
    if kind == "day":
        return rng.choice(_DAYS)
    if kind == "street":
        return f"{writer.family()} {rng.choice(_STREETS)}"
    if kind == "file":
        parts = (writer.given(), "resume", "Final", "photo", "letter", "contract", "v2", "scan")
        return "_".join(rng.sample(parts, 2))
    return rng.choice(_GOODS[kind])
