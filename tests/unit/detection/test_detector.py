"""What the detector promises whatever it finds: offsets, names given, long text, silence."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import pairwise

import pytest

from memory.adapters.detection.analyzer import PIECE, pieces

Find = Callable[..., list[tuple[str, str]]]


def test_given_names_count_in_any_case_and_in_part(find: Find) -> None:
    assert find("ana lima's dog likes Ana, not lima beans or Anabel", "Ana Lima") == [
        ("PERSON", "ana lima"),
        ("PERSON", "Ana"),
        ("PERSON", "lima"),
    ]


def test_what_is_found_once_is_found_everywhere(find: Find) -> None:
    assert find("Wendell? My boss Wendell. Wendells") == [
        ("PERSON", "Wendell"),
        ("PERSON", "Wendell"),
    ]


def test_offsets_are_code_points(find: Find) -> None:
    text = "👩‍👩‍👧 e\u0301 𝒳 my sister Zoë: zoë@example.com 🎉"
    assert find(text) == [("PERSON", "Zoë"), ("EMAIL_ADDRESS", "zoë@example.com")]


@pytest.mark.parametrize("filler", ["word ", "x", "\n", "1 ", "é"])
def test_nothing_is_lost_where_long_text_is_cut(find: Find, filler: str) -> None:
    mail = " ana@example.com "
    for before in (PIECE - 230, PIECE - 110, PIECE - 10, PIECE + 5, 3 * PIECE - 7):
        text = (filler * before)[:before] + mail + (filler * before)[:before]
        assert ("EMAIL_ADDRESS", mail.strip()) in find(text)


def test_pieces_cover_the_text_in_order() -> None:
    text = "".join(f"w{i} " for i in range(2000))
    cut = list(pieces(text))
    assert all(text[start : start + len(piece)] == piece for start, piece in cut)
    assert all(b < a + len(piece) for (a, piece), (b, _) in pairwise(cut))
    assert cut[-1][0] + len(cut[-1][1]) == len(text)


def test_an_empty_text_has_nothing(find: Find) -> None:
    assert find("") == []


def test_detection_logs_nothing(find: Find, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        find("my sister Ana, DE89 3704 0044 0532 0130 01, ana@example.com")
    assert caplog.records == []
