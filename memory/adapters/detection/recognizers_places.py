"""Street addresses, in one line or several.

Rules:
- A house number and a street word make an address, in either order, as countries have it; what
  follows (flat, town, region, postal code) belongs to it when its shape says so.
- "2 hours down the road" is none: ordinary words between number and street word rule it out.
- Every repetition is bounded; nothing here looks further than some 200 characters.
"""

from __future__ import annotations

import re
from typing import Final

from presidio_analyzer import Pattern

from memory.adapters.detection.recognizer_base import Patterns

_STREET: Final = (
    "street|str|st|avenue|ave|av|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|circle|cir|way|"
    "place|pl|terrace|ter|trail|trl|parkway|pkwy|highway|hwy|square|sq|close|crescent|cres|grove|"
    "gardens|gdns|mews|row|walk|alley|loop|plaza|hill|heights|path|pike|turnpike|rise|view|quay|"
    "crossing|ridge|bend|point|run|park|green|vale|wharf"
)
_STATE: Final = (
    "A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|"
    "T[NX]|UT|V[TA]|W[AVIY]|NSW|VIC|QLD|ON|QC|BC|AB"
)
_SEPARATOR: Final = r"(?:,[ \t]{0,2}\n?[ \t]{0,4}|[ \t]{0,2}\n[ \t]{0,4}|[ \t]{1,2})"
_BREAK: Final = r"(?:,[ \t]{0,2}\n?[ \t]{0,4}|[ \t]{0,2}\n[ \t]{0,4})"
_ZIP: Final = (
    r"(?:[0-9]{5}(?:-[0-9]{4})?|[a-z]{1,2}[0-9][a-z0-9]? ?[0-9][a-z]{2}"
    r"|[a-z][0-9][a-z] ?[0-9][a-z][0-9]|[0-9]{4})"
)
_UNIT: Final = (
    rf"(?:{_SEPARATOR}(?:apt|apartment|unit|suite|ste|flat|floor|fl|room|rm|#)\.?[ #]{{0,2}}"
    r"[0-9a-z\-]{1,6})?"
)
_TOWN: Final = r"(?-i:\p{Lu}[\p{L}'’.\-]{1,24}(?: \p{Lu}[\p{L}'’.\-]{1,24}){0,3})"
_ANY_TOWN: Final = r"(?:[\p{L}'’.\-]{2,24} ?){1,4}"
_REGION: Final = rf"(?:{_STATE}|(?-i:\p{{Lu}}[\p{{L}} ]{{2,24}}))"
_TAIL: Final = (
    rf"(?:{_BREAK}{_ANY_TOWN}{_SEPARATOR}{_REGION}{_SEPARATOR}{_ZIP}(?!\w)"
    rf"|{_BREAK}{_ANY_TOWN}{_SEPARATOR}{_ZIP}(?!\w)"
    rf"|{_BREAK}{_TOWN}{_BREAK}(?:{_STATE})(?!\w)"
    rf"|{_BREAK}{_TOWN}(?:{_BREAK}{_TOWN})?)?"
)
_FLAT: Final = r"(?:(?:flat|apt|apartment|unit|suite|house|no\.?) ?[0-9a-z\-]{1,5},? )?"
_WORDS: Final = r"(?:[\p{L}0-9][\p{L}\p{M}0-9.'’\-]{0,24} ){1,4}?"

_FRENCH: Final = r"rue|avenue|boulevard|chemin|all[ée]e|impasse|quai|cours|route"
_ROMANCE: Final = (
    r"(?-i:Via)|viale|piazza|corso|calle|avenida|paseo|plaza|rua|travessa|estrada|carrer"
)
_COMPOUND: Final = (
    r"stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|straat|laan|gracht|plein|gatan|v[äe]gen|katu"
)

_ORDINARY: Final = re.compile(
    r"(?i)\b(?:hours?|hrs?|minutes?|mins?|seconds?|days?|weeks?|months?|years?|miles?|km|blocks?|"
    r"people|times?|the|a|an|of|on|in|down|up|to|my|our|your|and|or|for|from|with|at|by|is|are|was|"
    r"when|you|that|if|it|we|he|she|they|this|be|have|has|had|do|does|did|not|no|so|but|"
    r"more|most|other|another|next|last|am|pm|bucks|dollars|percent|guys|kids|friends|things|"
    r"ways?)\b"
)


_COMPASS: Final = r"(?: (?:n|s|e|w|ne|nw|se|sw|north|south|east|west)(?!\w))?"
_NUMBER_FIRST: Final = (
    rf"(?<![\w.,$£€#\-/]){_FLAT}[0-9]{{1,6}}(?:[\-/][0-9]{{1,4}})?[a-z]?,? {_WORDS}"
    rf"(?:{_STREET})(?!\w)\.?{_COMPASS}{_UNIT}{_TAIL}"
)
_FRENCH_FORM: Final = (
    rf"(?<![\w.,$£€])[0-9]{{1,4}}(?: ?(?:bis|ter))?,? (?:{_FRENCH}) "
    rf"(?:[\p{{L}}'’\-]{{1,24}} ){{0,3}}[\p{{L}}'’\-]{{2,24}}(?:,? [0-9]{{5}} {_TOWN})?"
)
_ROMANCE_FORM: Final = (
    rf"(?<!\w)(?:{_ROMANCE})\.? (?:[\p{{L}}'’\-]{{1,24}} ){{0,4}}[\p{{L}}'’\-]{{2,24}},? "
    rf"(?:n\.?º? ?)?[0-9]{{1,4}}(?!\w)(?:,? [0-9]{{5}} {_TOWN})?"
)
_COMPOUND_FORM: Final = (
    rf"(?<![\w\-])(?:[\p{{L}}\-]{{3,24}}|[\p{{L}}]{{3,24}} )(?:{_COMPOUND}) ?"
    r"[0-9]{1,4} ?[a-z]?(?!\w)"
    rf"(?:,? {{0,2}}\n?(?:[A-Z]-)?[0-9]{{4,5}}(?: ?[A-Z]{{2}})? {_TOWN})?"
)
_STATE_AND_ZIP: Final = rf"(?<!\w)(?-i:{_STATE}) [0-9]{{5}}(?:-[0-9]{{4}})?(?!\w)"


class StreetAddressRecognizer(Patterns):
    """STREET_ADDRESS of English, French, Romance, German, Dutch and Nordic form; PO boxes."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="STREET_ADDRESS",
            name="TacitStreetAddressRecognizer",
            global_regex_flags=re.IGNORECASE,
            patterns=[
                Pattern("number first", _NUMBER_FIRST, 0.85),
                Pattern("french", _FRENCH_FORM, 0.8),
                Pattern("romance", _ROMANCE_FORM, 0.8),
                Pattern("compound", _COMPOUND_FORM, 0.8),
                Pattern("box", r"(?<!\w)p\.? ?o\.? ?box [0-9]{1,6}(?!\w)", 0.9),
                Pattern("state and zip", _STATE_AND_ZIP, 0.7),
            ],
        )

    def invalidate_result(self, pattern_text: str) -> bool:
        head = re.split(rf"(?i)\b(?:{_STREET})\b", pattern_text, maxsplit=1)
        return len(head) > 1 and bool(_ORDINARY.search(head[0]))
