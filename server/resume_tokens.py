"""Where an export goes on, as the cursor of a sealed token.

    request (16) ‖ subject (16, zeros for nobody) ‖ until_seq (8) ‖ until (8, microseconds) ‖
    section (1) ‖ lines (8) ‖ hash (32) ‖ lines of the section (8) ‖ its hash (32) ‖ after

Numbers are big endian. The token itself is a page token's (server/page_tokens.py).
"""

from __future__ import annotations

import struct
from typing import Final

from memory.app.export import Place
from memory.core.archive import Chain, Mark
from memory.core.micros import from_micros, to_micros
from memory.core.values import RecordId, SubjectId

_FORM: Final = struct.Struct(">16s16sqqBQ32sQ32s")
_NOBODY: Final = bytes(16)


def encode_place(place: Place) -> bytes:
    """The cursor."""
    mark = place.mark
    fixed = _FORM.pack(
        place.request.value,
        place.subject.value if place.subject else _NOBODY,
        place.until_seq,
        to_micros(place.until),
        mark.section,
        mark.whole.lines,
        mark.whole.head,
        mark.part.lines,
        mark.part.head,
    )
    return fixed + mark.after


def decode_place(cursor: bytes) -> Place:
    """The opposite, of a cursor that was sealed here."""
    request, subject, until_seq, until, section, lines, head, part_lines, part_head = (
        _FORM.unpack_from(cursor)
    )
    return Place(
        RecordId(request),
        None if subject == _NOBODY else SubjectId(subject),
        until_seq,
        from_micros(until),
        Mark(section, cursor[_FORM.size :], Chain(lines, head), Chain(part_lines, part_head)),
    )
