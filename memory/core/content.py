"""What lies inside a memory's three sealed fields.

    body       JSON: text and speaker with pseudonyms, session, time, labels, sources, until when
               it holds and what it supersedes if stated; affect if inferred
    features   what ranking needs and nothing else: 1 byte version, 2 bytes dimensions (big
               endian), the exact vector as little-endian float16, then JSON
    originals  JSON: where which original words stood, to reveal them by right

Ranking opens only `features` of the candidates; `body` is opened for what is returned, and
`originals` for a reveal or an export.

Rules:
- What was sealed here and opened again is well formed. Anything else, whoever sealed it, is a
  `SealError` that says so and quotes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import numpy as np

from memory.core.affect import Affect, Cue
from memory.core.facts import Claim
from memory.core.pseudonyms import Mention
from memory.core.relative_dates import Days
from memory.core.values import MemoryContent, PseudonymizedText, RawText, RecordId, Vector
from memory.errors import SealError

_AFFECT_VERSION: Final = 1
_FEATURES_VERSION: Final = 1
_FEATURES_HEADER: Final = 3


@dataclass(frozen=True, slots=True)
class Features:
    """One memory as ranking sees it.

    `vector` is an exact unit vector of shape (d,), `terms` those of the text without names;
    `speaker` and the `entities` that the text mentions are pseudonyms, `speaker` may be empty.
    `asks` when the text ends with a question, which what follows answers. `claims` are what it
    says of someone (`core.facts`); `until` is when it stops to hold and `supersedes` what it
    replaces, as far as whoever stored it said so. `since` is when it was told first, where `time`
    is when it was told again. `days` are the times that it tells of, other than its own
    (`core.dates`); `saying` is the same for texts that say the same (`core.saying`), empty for what
    was stored before that was kept; `importance` is 0..1, 0 where none was given.
    """

    vector: Vector
    terms: tuple[str, ...]
    speaker: str
    entities: frozenset[str]
    time: datetime
    asks: bool = False
    claims: tuple[Claim, ...] = ()
    until: datetime | None = None
    supersedes: tuple[RecordId, ...] = ()
    since: datetime | None = None
    days: tuple[Days, ...] = ()
    saying: str = ""
    importance: float = 0.0


@dataclass(frozen=True, slots=True)
class Originals:
    """The words behind the pseudonyms of `text` and of `speaker`."""

    text: tuple[Mention, ...] = ()
    speaker: tuple[Mention, ...] = ()


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@contextmanager
def well_formed() -> Iterator[None]:
    """What is read inside is what this program seals, or `SealError`."""
    try:
        yield
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError):
        raise SealError("a sealed field holds something else than this program seals") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _time(value: object) -> datetime:
    time = datetime.fromisoformat(_text(value))
    if time.tzinfo is None:
        raise ValueError
    return time


def encode_body(content: MemoryContent) -> bytes:
    """The bytes to seal as `body`."""
    body: dict[str, object] = {
        "text": content.text.value,
        "speaker": content.speaker.value if content.speaker else None,
        "session": content.session,
        "time": content.event_time.isoformat() if content.event_time else None,
        "labels": content.labels,
    }
    if content.affect is not None:
        body["affect"] = {
            "version": _AFFECT_VERSION,
            "valence": content.affect.valence,
            "frustration": content.affect.frustration,
            "cues": [[cue.rule, cue.words, cue.points] for cue in content.affect.cues],
        }
    if content.sources:
        body["sources"] = [str(source) for source in content.sources]
    if content.until is not None:
        body["until"] = content.until.isoformat()
    if content.supersedes:
        body["supersedes"] = [str(record) for record in content.supersedes]
    if content.importance is not None:
        body["importance"] = content.importance
    return _dump(body)


def decode_body(data: bytes) -> MemoryContent:
    """The opposite of `encode_body`."""
    with well_formed():
        body = json.loads(data)
        speaker, time = body["speaker"], body["time"]
        return MemoryContent(
            text=PseudonymizedText(_text(body["text"])),
            speaker=None if speaker is None else PseudonymizedText(_text(speaker)),
            session=_text(body["session"]),
            event_time=None if time is None else _time(time),
            labels={key: _text(value) for key, value in dict(body["labels"]).items()},
            affect=_affect(body["affect"]) if "affect" in body else None,
            sources=_records(body.get("sources", ())),
            until=_time(body["until"]) if "until" in body else None,
            supersedes=_records(body.get("supersedes", ())),
            importance=_share(body["importance"]) if "importance" in body else None,
        )


def _affect(value: dict[str, object]) -> Affect:
    if value["version"] != _AFFECT_VERSION:
        raise ValueError
    cues: list[list[object]] = value["cues"]  # type: ignore[assignment]
    return Affect(
        valence=float(str(value["valence"])),
        frustration=float(str(value["frustration"])),
        cues=tuple(Cue(_text(rule), _text(words), float(str(p))) for rule, words, p in cues),
    )


def encode_features(features: Features) -> bytes:
    """The bytes to seal as `features`; the vector is rounded to float16."""
    header = bytes([_FEATURES_VERSION]) + len(features.vector).to_bytes(2, "big")
    rest: dict[str, object] = {
        "terms": " ".join(features.terms),
        "speaker": features.speaker,
        "entities": sorted(features.entities),
        "time": features.time.isoformat(),
    }
    if features.asks:
        rest["asks"] = True
    if features.claims:
        rest["claims"] = [[c.subject, c.slot, " ".join(c.value), c.holds] for c in features.claims]
    if features.until is not None:
        rest["until"] = features.until.isoformat()
    if features.supersedes:
        rest["supersedes"] = [str(record) for record in features.supersedes]
    if features.since is not None:
        rest["since"] = features.since.isoformat()
    if features.days:
        rest["days"] = [[days.first.isoformat(), days.last.isoformat()] for days in features.days]
    if features.saying:
        rest["saying"] = features.saying
    if features.importance:
        rest["importance"] = features.importance
    return header + features.vector.astype("<f2").tobytes() + _dump(rest)


def decode_features(data: bytes) -> Features:
    """The opposite of `encode_features`; the vector comes back as float32."""
    with well_formed():
        if data[0] != _FEATURES_VERSION:
            raise ValueError
        end = _FEATURES_HEADER + 2 * int.from_bytes(data[1:_FEATURES_HEADER], "big")
        rest = json.loads(data[end:])
        return Features(
            vector=np.frombuffer(data[_FEATURES_HEADER:end], dtype="<f2").astype(np.float32),
            terms=tuple(_text(rest["terms"]).split()),
            speaker=_text(rest["speaker"]),
            entities=frozenset(map(_text, rest["entities"])),
            time=_time(rest["time"]),
            asks=rest.get("asks") is True,
            claims=tuple(_claim(claim) for claim in rest.get("claims", ())),
            until=_time(rest["until"]) if "until" in rest else None,
            supersedes=_records(rest.get("supersedes", ())),
            since=_time(rest["since"]) if "since" in rest else None,
            days=tuple(_days(days) for days in rest.get("days", ())),
            saying=_text(rest.get("saying", "")),
            importance=_share(rest.get("importance", 0.0)),
        )


def _days(value: list[object]) -> Days:
    first, last = (date.fromisoformat(_text(day)) for day in value)
    if last < first:
        raise ValueError
    return Days(first, last)


def _share(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError
    return float(value)


def _claim(value: list[object]) -> Claim:
    subject, slot, words, holds = value
    return Claim(_text(subject), _text(slot), tuple(_text(words).split()), holds is True)


def _records(values: Sequence[object]) -> tuple[RecordId, ...]:
    return tuple(RecordId(bytes.fromhex(_text(value))) for value in values)


def encode_originals(originals: Originals) -> bytes:
    """The bytes to seal as `originals`."""
    return _dump({"text": _rows(originals.text), "speaker": _rows(originals.speaker)})


def decode_originals(data: bytes) -> Originals:
    """The opposite of `encode_originals`."""
    with well_formed():
        rows = json.loads(data)
        return Originals(text=_mentions(rows["text"]), speaker=_mentions(rows["speaker"]))


def _rows(mentions: Sequence[Mention]) -> list[list[object]]:
    return [[m.start, m.end, m.pseudonym, m.original.value] for m in mentions]


def _mentions(rows: list[list[object]]) -> tuple[Mention, ...]:
    return tuple(
        Mention(int(str(start)), int(str(end)), _text(name), RawText(_text(original)))
        for start, end, name, original in rows
    )
