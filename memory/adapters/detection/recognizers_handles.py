"""Usernames and handles: "@jane_doe", "my discord is jane#1234".

Rules:
- An at sign before a word is a handle unless an e-mail address or a time ("@ 5pm") is meant.
- Behind a cue, an ordinary word is none: a name made for a machine is needed, or a separator.
"""

from __future__ import annotations

import re
from typing import Final

from presidio_analyzer import Pattern

from memory.adapters.detection.recognizer_base import Patterns

_NETWORK: Final = (
    "instagram|insta|ig|twitter|snap|snapchat|discord|telegram|github|gitlab|tiktok|steam|reddit|"
    "twitch|xbox|psn|gamertag|skype|linkedin|facebook|mastodon|bluesky|youtube|venmo|cash ?app"
)
_WHAT: Final = (
    r"(?:user ?name|user ?id|handle|login(?: name)?|screen ?name|nick(?:name)?|account|name|id|tag)"
)


class UsernameRecognizer(Patterns):
    """USERNAME: handles, and what follows a word for one."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="USERNAME",
            name="TacitUsernameRecognizer",
            global_regex_flags=re.IGNORECASE,
            patterns=[
                Pattern("handle", r"(?<![\w@./])@(?=\w{0,30}[a-z])[\w](?:[\w.\-]{0,30}\w)?", 0.7),
                Pattern("reddit", r"(?<![\w/])/?u/[\w\-]{3,20}(?![\w/])", 0.8),
                Pattern("discriminator", r"(?<![\w#])[a-z][\w.]{1,31}#[0-9]{4}(?!\w)", 0.7),
                Pattern(
                    "named",
                    r"(?<!\w)(?:(?:user ?name|user ?id|screen ?name|gamertag)"
                    r"(?: is | was | ?[:=] ?)|(?:handle|login|user) ?[:=] ?)[\"'`]?"
                    r"\K[a-z0-9][\w.\-]{2,31}(?<=[\w])(?![\w@])",
                    0.6,
                ),
                Pattern(
                    "on a network",
                    rf"(?<!\w)(?:{_NETWORK})(?: {_WHAT})?(?: is | ?[:=] ?)[\"'`]?"
                    r"\K(?=[\w.\-]{0,30}[0-9_.])[a-z0-9][\w.\-]{2,31}(?<=[\w])(?![\w@])",
                    0.7,
                ),
                Pattern(
                    "profile address",
                    r"(?<!\w)(?:https?://)?(?:www\.)?(?:linkedin\.com/in|facebook\.com|instagram\.com"
                    r"|twitter\.com|x\.com|github\.com|t\.me|tiktok\.com|youtube\.com)/@?[\w.\-]{2,64}",
                    0.9,
                ),
            ],
        )

    def invalidate_result(self, pattern_text: str) -> bool:
        return pattern_text.lower() in _ORDINARY


_ORDINARY: Final = frozenset(
    {"not", "the", "wrong", "taken", "already", "required", "invalid", "different", "what", "same"}
    | {
        "too",
        "and",
        "or",
        "for",
        "that",
        "very",
        "my",
        "your",
        "now",
        "there",
        "here",
        "this",
        "it",
    }
)
