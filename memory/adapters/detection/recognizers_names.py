"""People's names by cue: "my sister Anna", "I am Bob Smith", "Dr. Lee".

Rules:
- A cue and then one to three capitalised words. What has no cue or no capital is not found here;
  that is the NER model's work (`ner_recognizer`). This recognizer runs beside it, because a cue
  says PERSON where the model may take a rare name for a company.
- Introductions ("I'm Wendell") also introduce what is no name ("I'm Irish"): only without model.
- After a cue that leaves no doubt ("my name is") lower case counts too.
"""

from __future__ import annotations

from typing import Final

from presidio_analyzer import Pattern

from memory.adapters.detection.recognizer_base import Patterns

_RELATION: Final = (
    "sister|brother|mother|mom|mum|father|dad|son|daughter|wife|husband|partner|girlfriend|"
    "boyfriend|fiance|fiancee|fiancé|fiancée|cousin|aunt|uncle|niece|nephew|grandmother|"
    "grandfather|grandma|grandpa|friend|buddy|roommate|flatmate|neighbor|neighbour|boss|manager|"
    "colleague|coworker|co-worker|teacher|doctor|therapist|landlord|ex"
)
_NAME: Final = r"\p{Lu}\p{Ll}[\p{L}\p{M}'’\-]{0,30}(?:[ ]\p{Lu}\p{Ll}[\p{L}\p{M}'’\-]{0,30}){0,2}"


_RELATIVE: Final = (
    rf"(?i:\b(?:my|our|his|her|their|your) (?:\p{{L}}+ )?(?:{_RELATION})),? \K{_NAME}"
)
_INTRODUCED: Final = rf"(?i:\b(?:i am|i'm|i’m|this is|call me|name is|meet)) \K{_NAME}"
_TITLED: Final = rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof)\b\.? {_NAME}"
_MY_NAME: Final = r"(?i:\bmy name(?: is|'s|’s)) \K[\p{L}][\p{L}\p{M}'’\-]{1,30}"


class CuedNameRecognizer(Patterns):
    """PERSON after words that announce one. `introductions` are the least sure of them."""

    def __init__(self, *, introductions: bool) -> None:
        super().__init__(
            supported_entity="PERSON",
            name="TacitCuedNameRecognizer",
            global_regex_flags=0,
            patterns=[
                Pattern("relation", _RELATIVE, 0.85),
                Pattern("title", _TITLED, 0.85),
                Pattern("my name", _MY_NAME, 0.8),
                *([Pattern("introduction", _INTRODUCED, 0.6)] if introductions else []),
            ],
        )
