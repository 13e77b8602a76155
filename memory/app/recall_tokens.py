"""Recall tokens: how the hits of one recall stood, sealed, so that they can be rated later.

    token   URL-safe base64, no padding, of a sealed record (`core.record_format`)
    sealed  version (1) ‖ when (8, microseconds) ‖ for each hit: record (16) ‖ share (2) ‖ gains (2
            each, signed); numbers are big endian

Rules:
- Nothing is kept for a rating that may never come, and neither the query nor its vector is needed
  for one: only how the points of each hit stood out.
- Sealed under the person's own key: it says nothing to who holds it, it is no other person's, and
  it is nothing any more once that person is forgotten or has a new key.
- It authorizes nothing: the rating is checked like any other call.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from memory.core.feedback import TUNED, Standing
from memory.core.keys import PersonKeys
from memory.core.micros import from_micros, to_micros
from memory.core.record_format import SALT_BYTES, Place, seal, unseal
from memory.core.values import RecordId, SealedRecord
from memory.errors import InvalidArgumentError, SealError
from memory.ports import RandomBytes

LIFETIME: Final = timedelta(days=7)

MAX_CHARS: Final = 64 * 1024
"""Of the largest context there is; longer tokens were not made here."""

_VERSION: Final = 1
_HEAD: Final = struct.Struct(">Bq")
_HIT: Final = struct.Struct(f">16sH{len(TUNED)}h")


def seal_token(
    keys: PersonKeys,
    shown: Sequence[tuple[RecordId, Standing]],
    at: datetime,
    random: RandomBytes,
) -> str:
    """For what was shown together."""
    content = _HEAD.pack(_VERSION, to_micros(at)) + b"".join(
        _HIT.pack(record.value, standing.share, *standing.gains) for record, standing in shown
    )
    sealed = seal(keys, keys.record, _place(keys), content, random(SALT_BYTES))
    return base64.urlsafe_b64encode(sealed.value).rstrip(b"=").decode()


def open_token(keys: PersonKeys, token: str, now: datetime) -> Mapping[RecordId, Standing]:
    """What was shown, and how it stood; raises `InvalidArgumentError`."""
    try:
        if len(token) > MAX_CHARS:
            raise ValueError
        padded = token + "=" * (-len(token) % 4)
        sealed = SealedRecord(base64.b64decode(padded, altchars=b"-_", validate=True))
        content = unseal(keys, keys.record, _place(keys), sealed)
        version, micros = _HEAD.unpack_from(content)
        if version != _VERSION or now - from_micros(micros) > LIFETIME:
            raise ValueError
        hits = list(_HIT.iter_unpack(content[_HEAD.size :]))
    except (binascii.Error, ValueError, SealError, struct.error):
        raise InvalidArgumentError(
            "recall_token", "not that of a recall of this person in the last seven days"
        ) from None
    return {RecordId(record): Standing(share, tuple(gains)) for record, share, *gains in hits}


def _place(keys: PersonKeys) -> Place:
    return Place(keys.subject.value, "recall")
