"""Open threads of a conversation, found by rules: questions that nobody answered, and what
somebody said they would do, or was asked to, and nobody told as done. No language model.

    user        I'll send you the contract tomorrow.      to do, until
    user        The contract is sent.                     this
    user        When does the warranty end?               asked, until
    assistant   In May 2027.                              this

Rules:
- Reads pseudonymized text only, in English, of messages only. Old and open is open still.
- A question is answered by the next statement of somebody else in its session, or by a later one
  anywhere that has half of its words. One that asks back is no statement.
- A task is done by a later statement that says that something is done, and has half of the words of
  either; or by a mere "done" in its session, which is the last one's.
- What is said under an "if", and what is denied, is no task; what is to come is not done.
- In doubt it stays open: who takes over can see that it is not, and cannot see what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from memory.core.facts_words import WEAK
from memory.core.lexical import terms
from memory.core.values import RecordId

MAX_SENTENCES: Final = 24
"""Of one message; bounds hostile input. The last ones are read: they are what is open."""

MAX_SENTENCE_CHARS: Final = 600

_SENTENCE: Final = re.compile(r"[^.!?;\n]+[.!?;]*")
_VERB: Final = (
    r"(?:send|call|ring|phone|text|check|look|get back|come back|be in touch|e-?mail|mail|write|"
    r"bring|book|order|pay|fix|repair|ask|find out|follow up|arrange|schedule|refund|replace|"
    r"deliver|return|remind|submit|sign|fill|prepare|update|forward|confirm|cancel|buy|pick|"
    r"let you know|let me know|contact|transfer|escalate|take care|make sure|"
    r"finish|set|sort|organi[sz]e|renew|apply|register|upload|visit|collect|clean|help me)"
)
_TRIVIAL: Final = (
    r" (?!(?:say|admit|be|agree|confess|laugh|think)\b|tell you|(?:go|run|leave)\b(?! to))"
)
_TASK: Final = re.compile(
    rf"\b(?:i|we)(?:'ll| will|'m going to| am going to|'re going to| are going to| promise to)"
    rf" (?:(?:also|then|just|definitely|personally) )?(?:{_VERB}|tell|give|talk|speak)\b"
    r"|\blet me (?:check|find out|look|ask|get back|see (?:if|whether|what))\b"
    r"|\b(?:i|we|you) (?:still |also |really )?(?:need|have|(?:have )?ought) to{trivial}"
    r"|\b(?:i|we|you)(?:'ve| have) got to{trivial}|\b(?:i|we) (?:really )?must(?! have){trivial}"
    r"|(?:^|\b(?:please|you) )remind me\b"
    r"|(?:^|[,;] (?:and|but) )(?:don't|do not) forget (?:to|the)\b|^remember to\b|\bto-?do:"
    rf"|\bplease (?:(?:also|just) )?{_VERB}\b"
    rf"|\b(?:can|could|would|will) you (?:please |kindly )?{_VERB}\b".replace(
        "{trivial}", _TRIVIAL
    ),
    re.IGNORECASE,
)
_NO_TASK: Final = re.compile(
    r"\b(?<!check )(?<!ask )(?<!see )(?<!know )(?<!out )(?<!sure )if\b|\b(?:unless|maybe|perhaps|"
    r"might|wish|no need|(?:don't|do not|didn't|won't) (?:need|have) to)\b",
    re.IGNORECASE,
)
_DONE: Final = re.compile(
    r"\b(?:done|sent|called|checked|booked|ordered|paid|fixed|repaired|arranged|scheduled|refunded|"
    r"replaced|delivered|returned|submitted|signed|filled|prepared|updated|forwarded|confirmed|"
    r"cancell?ed|bought|picked up|arrived|received|sorted|solved|resolved|finished|completed|"
    r"renewed|registered|uploaded|collected|cleaned|visited|found out|took care|got it|all set|"
    r"works (?:now|again)|no longer need(?:ed)?|never ?mind)\b",
    re.IGNORECASE,
)
_NOT_YET: Final = re.compile(
    r"\b(?:not|never|nobody|no one|nothing|until|once|when|if|after|before|will|going to|to be|"
    r"needs?|wants?|should|must|cannot)\b|n't\b|'ll\b",
    re.IGNORECASE,
)


_POLITE: Final = frozenset(
    term
    for word in "ok okay alright please welcome morning afternoon evening night goodbye".split()
    for term in terms(word)
)


class Lack(StrEnum):
    """What an open thread waits for."""

    ANSWER = "asked"
    DEED = "to do"


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody said; `speaker` and `session` may be empty."""

    id: RecordId
    text: str
    speaker: str
    session: str
    time: datetime
    seq: int


@dataclass(slots=True)
class _Open:
    message: Message
    lack: Lack
    words: frozenset[str]


def threads(messages: Sequence[Message]) -> list[tuple[RecordId, Lack]]:
    """What is open after all of these, the latest first; of one message what it lacks first."""
    opened: list[_Open] = []
    for message in sorted(messages, key=lambda m: (m.time, m.seq)):
        sentences = list(_sentences(message.text))
        opened = _still_open(opened, message, sentences)
        made = [one for sentence in sentences for one in _made(message, sentence)]
        again = {(one.lack, one.words) for one in made}
        opened = [one for one in opened if (one.lack, one.words) not in again] + made
    found = {one.message.id: one.lack for one in reversed(opened)}
    return list(found.items())


def telling(text: str) -> frozenset[str]:
    """The terms that tell what a text is about."""
    return frozenset(terms(text)) - WEAK - _POLITE


def _sentences(text: str) -> Iterator[str]:
    found = _SENTENCE.findall(text.replace("’", "'"))
    return (sentence.strip()[:MAX_SENTENCE_CHARS] for sentence in found[-MAX_SENTENCES:])


def _made(message: Message, sentence: str) -> Iterator[_Open]:
    task = _TASK.search(sentence)
    words = telling(sentence[task.start() :] if task else sentence)
    if not words:
        return
    if task and not _NO_TASK.search(sentence):
        yield _Open(message, Lack.DEED, words)
    elif "?" in sentence:
        yield _Open(message, Lack.ANSWER, words)


def _still_open(opened: Sequence[_Open], message: Message, sentences: Sequence[str]) -> list[_Open]:
    stated = [sentence for sentence in sentences if "?" not in sentence]
    said = [words for sentence in stated if (words := telling(sentence))]
    done = [told for sentence in stated if (told := _done(sentence)) is not None]
    merely = any(not words for words in done)
    left: list[_Open] = []
    for one in reversed(opened):
        here = one.message.session == message.session
        if one.lack is Lack.ANSWER:
            other = not one.message.speaker or one.message.speaker != message.speaker
            answered = bool(stated) and here
            closed = other and (
                answered or any(2 * len(one.words & s) >= len(one.words) for s in said)
            )
        else:
            closed = any(2 * len(one.words & d) >= min(len(one.words), len(d)) for d in done if d)
            if not closed and merely and here:
                closed, merely = True, False
        if not closed:
            left.append(one)
    return left[::-1]


def _done(sentence: str) -> frozenset[str] | None:
    """What a sentence says is done: its words, none for a mere "done"; None if it says no such
    thing.
    """
    cue = _DONE.search(sentence)
    if cue is None or _NOT_YET.search(sentence, 0, cue.start()):
        return None
    return telling(sentence[: cue.start()] + " " + sentence[cue.end() :])
