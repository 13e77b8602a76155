"""What goes into the sealed fields comes out the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.affect import Affect, Cue
from memory.core.content import (
    Features,
    Originals,
    decode_body,
    decode_features,
    decode_originals,
    encode_body,
    encode_features,
    encode_originals,
)
from memory.core.facts import Claim
from memory.core.pseudonyms import Mention
from memory.core.relative_dates import Days
from memory.core.values import MemoryContent, PseudonymizedText, RawText, RecordId
from memory.errors import SealError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TIMES = st.none() | st.datetimes(timezones=st.just(UTC))


@given(text=TEXT, speaker=st.none() | TEXT, session=TEXT, time=TIMES)
def test_a_body_comes_back(
    text: str, speaker: str | None, session: str, time: datetime | None
) -> None:
    content = MemoryContent(
        PseudonymizedText(text),
        None if speaker is None else PseudonymizedText(speaker),
        session,
        time,
        {"k": text},
        sources=(RecordId(bytes(16)), RecordId(b"\xff" * 16)) if text else (),
        until=time,
        supersedes=(RecordId(b"\x01" * 16),) if text else (),
        importance=0.5 if text else None,
    )
    assert decode_body(encode_body(content)) == content


def test_inferred_mood_comes_back_and_a_body_without_any_has_no_field_for_it() -> None:
    plain = MemoryContent(PseudonymizedText("x"))
    moody = replace(plain, affect=Affect(-0.5, 0.25, (Cue("lexicon", "awful", -2.0),)))
    assert decode_body(encode_body(moody)) == moody
    assert b"affect" not in encode_body(plain)


@pytest.mark.parametrize(
    "affect",
    ["null", "1", '{"version":2}', '{"version":1,"valence":"x","frustration":0,"cues":[]}'],
)
def test_mood_of_another_form_is_refused(affect: str) -> None:
    body = encode_body(MemoryContent(PseudonymizedText("x"))).decode()[:-1]
    with pytest.raises(SealError):
        decode_body(f'{body},"affect":{affect}}}'.encode())


@given(
    entities=st.frozensets(TEXT),
    terms=st.lists(st.text("abcдñ", min_size=1)).map(tuple),
    time=st.datetimes(timezones=st.just(UTC)),
    asks=st.booleans(),
    until=TIMES,
    made=st.lists(st.builds(Claim, TEXT, TEXT, st.just(("a", "b")), st.booleans())).map(tuple),
)
def test_features_come_back_with_half_precision(
    entities: frozenset[str],
    terms: tuple[str, ...],
    time: datetime,
    asks: bool,
    until: datetime | None,
    made: tuple[Claim, ...],
) -> None:
    vector = np.linspace(-1, 1, 384, dtype=np.float32)
    stored = Features(vector, terms, "person_1", entities, time, asks)
    stored = replace(stored, claims=made, until=until, supersedes=(RecordId(bytes(16)),) * asks)
    days = (Days(time.date(), date.max),) * asks
    stored = replace(stored, days=days, saying="0f" * asks, importance=0.25 * asks)
    features = decode_features(encode_features(stored))
    np.testing.assert_allclose(features.vector, vector, atol=1e-3)
    assert replace(features, vector=vector) == stored


@given(original=TEXT)
def test_originals_come_back(original: str) -> None:
    mentions = (Mention(0, 8, "person_1", RawText(original)),)
    originals = Originals(text=mentions, speaker=mentions)
    assert decode_originals(encode_originals(originals)) == originals


@pytest.mark.parametrize(
    "field",
    [
        '"days":[["2024-05-02","2024-05-01"]]',
        '"days":[["2024-05-02"]]',
        '"saying":1',
        '"importance":1.5',
        '"importance":"high"',
    ],
)
def test_features_of_another_form_are_refused(field: str) -> None:
    time = datetime(2024, 5, 1, tzinfo=UTC)
    sealed = encode_features(Features(np.zeros(1, np.float32), (), "", frozenset(), time))
    assert decode_features(sealed).days == ()
    with pytest.raises(SealError):
        decode_features(sealed[:-1] + f",{field}}}".encode())


def test_features_of_another_version_are_refused() -> None:
    with pytest.raises(SealError):
        decode_features(b"\x02\x00\x00{}")
