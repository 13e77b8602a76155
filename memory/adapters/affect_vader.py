"""Mood by VADER's word list and our rules for frustration: no model, no download, no network.

Rules:
- English only: of any other text nothing is said.
- A score comes with the words that it was made of.
- Words of asking and answering ("please", "help", "no") say nothing of mood, whatever is listed.
- Who sounds frustrated is not in a good mood: their valence is at most half their frustration below
  zero, unless the rest of the text is very good.

Source: Hutto & Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social
Media Text", ICWSM 2014.
"""

from __future__ import annotations

from typing import Final

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from memory.core.affect import Affect, Cue
from memory.core.english import is_english
from memory.core.frustration import frustration
from memory.core.values import PseudonymizedText

MAX_LEXICON_CUES: Final = 16
"""The strongest are shown; bounds what a long text adds to its seal."""

_MATTER_OF_FACT: Final = frozenset(
    "please help helps helping want wants yes no ok okay sure fine free save saved share number "
    "hand alert well pay paid cancel stop clear ready active join support supporting".split()
)
_SOUNDS_FRUSTRATED: Final = 0.3
_VERY_GOOD: Final = 0.5

_EDGES: Final = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


class VaderAffect:
    """May be used by many threads."""

    def __init__(self) -> None:
        self._vader = SentimentIntensityAnalyzer()
        for word in _MATTER_OF_FACT & self._vader.lexicon.keys():
            del self._vader.lexicon[word]

    def estimate(self, text: PseudonymizedText) -> Affect | None:
        """The mood of a text; None unless it is English."""
        if not is_english(text.value):
            return None
        valence = round(float(self._vader.polarity_scores(text.value)["compound"]), 4)
        score, cues = frustration(text.value, valence)
        if score >= _SOUNDS_FRUSTRATED and valence < _VERY_GOOD:
            valence = min(valence, round(-score / 2, 4))
        return Affect(valence, score, (*self._words(text.value), *cues))

    def _words(self, text: str) -> list[Cue]:
        """The words that the list knows, the strongest first, with the list's own weights."""
        lexicon: dict[str, float] = self._vader.lexicon
        words = dict.fromkeys(
            word for token in text.lower().split() for word in (token, token.strip(_EDGES))
        )
        known = sorted((w for w in words if w in lexicon), key=lambda w: -abs(lexicon[w]))
        return [Cue("lexicon", word, lexicon[word]) for word in known[:MAX_LEXICON_CUES]]
