"""The residue search finds what it looks for, wherever and however it lies."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.demo.residue import byte_needles, search, text_needles

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=40)
PAD = st.binary(max_size=9)


@given(text=TEXTS, before=PAD, after=PAD)
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16-le", "utf-16-be", "hex", "base64", "urlsafe"]
)
def test_a_text_is_found_in_every_encoding_and_at_every_offset(
    tmp_path_factory: pytest.TempPathFactory, encoding: str, text: str, before: bytes, after: bytes
) -> None:
    whole = before + text.encode() + after
    match encoding:
        case "hex":
            content = whole.hex().encode()
        case "base64":
            content = base64.b64encode(whole)
        case "urlsafe":
            content = base64.urlsafe_b64encode(whole)
        case _:
            content = before + text.encode(encoding) + after
    folder = tmp_path_factory.mktemp("residue")
    (folder / "deep").mkdir()
    (folder / "deep" / "file").write_bytes(content)
    assert search(folder, text_needles([text])).finds


def test_case_does_not_hide_a_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"...oKaFoR...")
    (find,) = search(tmp_path, text_needles(["Okafor"])).finds
    assert (find.needle.encoding, find.offset) == ("utf-8", 3)


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 64)
    found = search(tmp_path, [*text_needles(["Okafor"]), *byte_needles("v", b"\x01\x03" * 20)])
    assert (found.files, found.size, list(found.finds)) == (1, 256 * 64, [])
