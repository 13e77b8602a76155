"""No text of 10,000 characters takes long, however hostile: a corpus against every recognizer.

Rules:
- Time is the thread's own processor time: what other work costs this machine says nothing here.
- Each atom is repeated to fill the text, with a tail that makes patterns backtrack; then atoms
  are mixed at random, with a fixed seed.
"""

from __future__ import annotations

import random
import time

import pytest

from memory.adapters.detection.analyzer import PresidioDetector
from memory.core.values import RawText

SIZE = 10_000
LIMIT_SECONDS = 0.3
LINEAR = 2.6
"""How much longer twice the text may take."""
SLOWEST = 4
"""How much slower than the limit a machine may be."""

ATOMS = [
    "1", "a", "A", "é", "漢", " ", "\n", "\t", "_", "-", "--", ".", "..", "@", "@@", "::", ":", "/",
    "a.", "a@", "a@b.", "a.b-c_d+e", "1-", "1 ", "1.", "1,", "1/", "1\t", "a ", "A ", "ab ", "a0:",
    "0:", "::1 ", "%aa", "(", "((", "[at]", "a [at] b [dot] ", "'", "a'", "'s", "a's ", "12/12/",
    "1.1.1.", "1/1/1/", "9 9 9 ", "999-99-", "999-99-9999 ", "12345 ", "+1 (212) 555-0123 ", "+",
    "00", "4111 ", "4111-", "DE89 ", "DE 89 ", "DE8937040044", "GB16ABCD", "2001:db8::1 ",
    "http://", "https://a:b@", "www.a", "x.y:", "0x", "bc1q", "1BvB", "AKIA", "sk-", "ghp_",
    "SG.a.", "eyJa.", "-----BEGIN A-----", "password ", "password is ", "token ", "key: ",
    "is is ", "my pin is ", "at dot ", "jane at ", "jane dot doe at ", "one ", "one two-",
    "double ", "twenty ", "one, ", "12 oak street ", "12 oak st, ", "1 st, a ", "1 a b c d ",
    "rue ", "1 rue a ", "calle a b ", "Via A B ", "Hauptstraße 12 ", "p o box ", "IL 62701 ",
    "flat 1 ", "born on ", "dob: ", "may ", "may 1 ", "1 may ", "the 1st of ", "mrn", "mrn-",
    "MRN-1026861 ", "account number ", "account is ", "policy no. ", "POL-7743231 ", "A1B2",
    "ab12 ", "a1 ", "1A", "@a", "@a.", "u/a", "a#1", "discord is ", "my sister ",
    "my sister Anna ", "I am A", "Aa ", "Aa Bb ", "Mr. A", "American ", "north korean ", "\u0301",
    "👩‍👩‍👧", "\x00", "\u200b", "\u202e", "ﬁ", "İ", "ก", "र", "가",
]  # fmt: skip


def seconds(detector: PresidioDetector, text: str) -> float:
    started = time.thread_time()
    detector.detect(RawText(text), [RawText("Ana Lima")])
    return time.thread_time() - started


def harmless(detector: PresidioDetector, text: str) -> bool:
    """Within the limit; on a slower machine, at least without growing faster than the text.

    The best of three: a slow pattern is slow each time, a busy machine is not. A quadratic one
    takes four times as long for twice the text. The limit itself is for the speed benchmark.
    """
    if seconds(detector, text) <= LIMIT_SECONDS:
        return True
    whole, half = (
        min(seconds(detector, part) for _ in range(3)) for part in (text, text[: len(text) // 2])
    )
    return whole <= LIMIT_SECONDS or whole <= min(LINEAR * half, SLOWEST * LIMIT_SECONDS)


@pytest.mark.parametrize("atom", ATOMS)
def test_a_repeated_atom_is_no_attack(detector: PresidioDetector, atom: str) -> None:
    hostile = f"{(atom * SIZE)[: SIZE - 2]}!@"
    assert harmless(detector, hostile)


@pytest.mark.parametrize("seed", range(6))
def test_mixed_atoms_are_no_attack(detector: PresidioDetector, seed: int) -> None:
    chance = random.Random(seed)
    text = "".join(chance.choice(ATOMS) for _ in range(SIZE))[:SIZE]
    assert harmless(detector, text)
