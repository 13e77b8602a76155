"""What is put aside comes back in its order, and lies on disk encrypted."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag

from memory.adapters.spool import SealedSpool


def test_pieces_come_back_as_often_as_asked() -> None:
    spool = SealedSpool()
    pieces = [b"my sister Priya", b"", bytes(100_000), b"lives in Leeds"]
    for piece in pieces:
        spool.append(piece)
    assert list(spool.pieces()) == pieces
    assert list(spool.pieces()) == pieces
    spool.close()


def test_nothing_of_it_is_readable_on_disk_and_no_change_passes() -> None:
    spool, other = SealedSpool(), SealedSpool()
    for each in (spool, other):
        each.append(b"my sister Priya lives in Leeds")
    spool._file.seek(0)
    raw = spool._file.read()
    assert b"Priya" not in raw
    other._file.seek(0)
    assert other._file.read() != raw
    spool._file.seek(10)
    spool._file.write(bytes([raw[10] ^ 1]))
    with pytest.raises(InvalidTag):
        list(spool.pieces())
    for each in (spool, other):
        each.close()
        assert each._file.closed
