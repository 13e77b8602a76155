"""What a person is told about the processing beside the data itself (GDPR Art. 15(1)).

Rules:
- Plain language, no promises: what the program does, as it is configured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from memory.core.protection import Mode
from memory.core.purposes import Purposes

Notes = Sequence[Mapping[str, str]]
"""The fields of each note, in the order they are written."""

_LOGIC: Final = (
    "No decision about you is made here by automated means alone. Four automatic steps touch what "
    "you said. Detection: rules and a small language model look for names, contact details and "
    "identifiers, and replace them by pseudonyms before anything else reads the text; it can miss "
    "some and hide too much. Embedding: a language model ({encoder}) turns the text without those "
    "names into a list of numbers that stands for its meaning. Reading: rules look for what you "
    "say of yourself, such as where you live or what you like, so that what you said later counts "
    "more than what it contradicts; they miss much and can misread. Ranking: when an assistant "
    "asks, your memories are ordered by likeness of meaning, shared words, who spoke, time, and "
    "whether they still hold; those on top are shown to it. A score says how well a memory fits a "
    "question, and nothing about you. What was rated wrong is put behind. If you consented to it, "
    "ratings of what was shown change how much words, speakers, names, dates and conversations "
    "count for you, at most to half or to twice of what they count for everyone."
)
_SOURCES: Final = (
    "Every memory came through the assistant that its line names, from what was said to it or "
    "derived from that, at the time in stored_at. Nothing was taken from anywhere else."
)
_SAFEGUARDS: Final = {
    Mode.VEILED: "Everything is stored encrypted under a key of your own. The search index holds "
    "numbers veiled under that key, and no text.",
    Mode.SEALED: "Everything is stored encrypted under a key of your own. No search index holds "
    "anything of yours.",
}
_MOOD: Final = (
    "If you consented to it, how a text of yours sounds (good or bad, frustrated or not) is "
    "inferred by rules and a list of words; each inference names the words it was made of. It is a "
    "guess."
)
_RIGHTS: Final = (
    "You may correct, erase, restrict, take away and object to all of this at any time, withdraw "
    "any consent as easily as you gave it, and complain to a data protection authority."
)


def notes(purposes: Purposes, encoder: str, mode: Mode) -> Notes:
    """The notes of a deployment with this configuration."""
    return [
        {"topic": "automated_logic", "text": _LOGIC.format(encoder=encoder)},
        {"topic": "sources", "text": _SOURCES},
        {"topic": "safeguards", "text": _SAFEGUARDS[mode]},
        {"topic": "rights", "text": _RIGHTS},
        *(
            [{"topic": "inferred_mood", "text": _MOOD}]
            if any(p.affect for p in purposes.by_id.values())
            else []
        ),
        *(
            {
                "topic": "purpose",
                "purpose": p.id.value,
                "title": p.words.title,
                "text": p.words.description,
                "dpv": p.dpv,
                "legal_basis": p.legal_basis.value,
                "retention": "until erased" if p.retention is None else f"P{p.retention.days}D",
            }
            for p in purposes.by_id.values()
        ),
    ]
