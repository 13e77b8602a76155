"""The plot of the known-pair attack, as SVG text without a plotting library."""

from __future__ import annotations

from collections.abc import Mapping
from math import log10
from typing import Final

from benchmarks.svg_parts import curve, sheet

WIDTH, HEIGHT, LEFT, BOTTOM, RIGHT = 760, 360, 60, 50, 190
_TICKS: Final = (1, 10, 25, 50, 100, 200, 400, 800)


def svg(curves: Mapping[str, Mapping[int, float]]) -> str:
    """Share named (0 to 1) over known pairs, logarithmic; 0 pairs stand at 1."""
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - BOTTOM - 20

    def x(count: int) -> float:
        return LEFT + wide * log10(max(1, count)) / log10(_TICKS[-1])

    def y(share: float) -> float:
        return 20 + high * (1 - share)

    lines = sheet(WIDTH, HEIGHT)
    for tick in _TICKS:
        label = "none" if tick == 1 else str(tick)
        lines.append(
            f'<line x1="{x(tick):.1f}" y1="20" x2="{x(tick):.1f}" y2="{y(0):.1f}" stroke="#ddd"/>'
            f'<text x="{x(tick):.1f}" y="{y(0) + 18:.1f}" text-anchor="middle">{label}</text>'
        )
    lines += [
        f'<line x1="{LEFT}" y1="{y(share):.1f}" x2="{LEFT + wide}" y2="{y(share):.1f}" '
        f'stroke="#bbb"/><text x="{LEFT - 8}" y="{y(share) + 4:.1f}" text-anchor="end">'
        f"{share:.0%}</text>"
        for share in (0.0, 0.5, 1.0)
    ]
    lines.append(
        f'<text x="{LEFT + wide / 2:.1f}" y="{HEIGHT - 12}" text-anchor="middle">'
        "known (text, stored vector) pairs of one person</text>"
    )
    for number, (name, shares) in enumerate(curves.items()):
        points = [(x(count), y(share)) for count, share in sorted(shares.items())]
        lines += curve(number, name, points, WIDTH - RIGHT + 16)
    return "\n".join([*lines, "</svg>\n"])
