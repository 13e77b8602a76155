"""What plots have in common, as pieces of SVG text: no plotting library for three plots."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

COLOURS: Final = ("#3a6ea5", "#c0504d", "#7f9f3f", "#7d5fa0", "#999999")

_FIRST_ROW: Final = 34


def sheet(width: int, height: int) -> list[str]:
    """The beginning: white paper of this size in pixels, which shrinks to where it is shown."""
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]


def curve(number: int, name: str, points: Sequence[tuple[float, float]], legend: int) -> list[str]:
    """The curve of this number through points (x, y), and its name in the legend at x."""
    colour = COLOURS[number % len(COLOURS)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    row = _FIRST_ROW + 20 * number
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points),
        f'<rect x="{legend}" y="{row - 9}" width="12" height="10" fill="{colour}"/>'
        f'<text x="{legend + 18}" y="{row}">{escape(name)}</text>',
    ]
