"""Sentences about things, in which nobody is named: whoever finds a person there invents one.

Rules:
- The words are rarer than "bread" and commoner than "ocarina". Some are names somewhere.
- The sentences say little of what they hold, as those that assistants are told. They were written
  for this benchmark, and the name model was trained on none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks.span_files import NAME_TYPES, Labelled

_WORDS: Final = """
cumin coriander turmeric paprika thyme oregano nutmeg cardamom tarragon fennel quinoa couscous tofu
hummus kimchi ramen risotto gnocchi polenta granola yogurt kefir kombucha espresso latte whisky
bourbon tequila merlot velvet denim linen cashmere suede chiffon guitar ukulele cello banjo oboe
drums canoe kayak bicycle scooter tractor lawnmower laptop tablet router modem drone camera tripod
hamster parrot gecko tortoise kitten puppy goldfish cactus orchid tulip lavender dahlia peony
begonia eczema asthma migraine insomnia anemia vertigo ibuprofen aspirin insulin melatonin yoga
pilates karate judo badminton cricket hockey rugby chess poker bingo sudoku knitting pottery origami
calculus algebra physics chemistry latin karma gravity entropy inflation bitcoin mortgage
""".split()
_SENTENCES: Final = (
    "We cooked dinner with {}.",
    "I had lunch with {} again",
    "we can't begin without {}",
    "Honestly, {} was the only thing that helped",
    "what would {} cost",
    "is {} good for kids",
    "I'd rather have {}",
    "do you like {}",
    "Yesterday we bought {} and went home",
    "I miss {}",
    "she brought {} to the party",
    "My uncle loves {}",
    "i ran out of {}",
    "tell me about {}",
    "I am tired of {}",
    "what is {}",
    "{} makes me sleepy",
    "My doctor recommended {}",
    "thanks for the {}",
    "{} again, after all these years",
)


def texts() -> list[Labelled]:
    """Every word in every sentence."""
    return [Labelled(text, (), NAME_TYPES) for text in _written()]


def _written() -> Iterator[str]:
    for sentence in _SENTENCES:
        for word in _WORDS:
            opens = sentence.startswith("{}")
            yield sentence.format(word.capitalize() if opens else word)
