"""The plot of what grows with an amount: both axes logarithmic, as SVG text."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import ceil, floor, log10
from typing import Final

WIDTH, HEIGHT, LEFT, BOTTOM, RIGHT, TOP = 760, 360, 60, 50, 210, 20
COLOURS: Final = ("#3a6ea5", "#c0504d", "#7f9f3f", "#7d5fa0")


def svg(curves: Mapping[str, Mapping[int, float]]) -> str:
    """Milliseconds (95th percentile) over an amount, one line a curve."""
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - BOTTOM - TOP
    amounts = [amount for curve in curves.values() for amount in curve]
    times = [ms for curve in curves.values() for ms in curve.values()]
    left, right = floor(log10(min(amounts))), max(ceil(log10(max(amounts))), 1)
    low, top = floor(log10(min(times))), ceil(log10(max(times)))

    def x(amount: float) -> float:
        return LEFT + wide * (log10(amount) - left) / max(right - left, 1)

    def y(ms: float) -> float:
        return TOP + high * (top - log10(ms)) / max(top - low, 1)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for power in range(left, right + 1):
        at = x(10**power)
        lines.append(
            f'<line x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{TOP + high}" stroke="#ddd"/>'
            f'<text x="{at:.1f}" y="{TOP + high + 18}" text-anchor="middle">{10**power:,}</text>'
        )
    for power in range(low, top + 1):
        at = y(10**power)
        lines.append(
            f'<line x1="{LEFT}" y1="{at:.1f}" x2="{LEFT + wide}" y2="{at:.1f}" stroke="#ddd"/>'
            f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{10**power:,} ms</text>'
        )
    lines.append(
        f'<text x="{LEFT + wide / 2:.1f}" y="{HEIGHT - 12}" text-anchor="middle">'
        "memories of one person, or people</text>"
    )
    for number, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = [(x(amount), y(ms)) for amount, ms in sorted(curve.items())]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        row = TOP + 14 + 20 * number
        lines += [
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
            *(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in points),
            f'<rect x="{WIDTH - RIGHT + 16}" y="{row - 9}" width="12" height="10" fill="{colour}"/>'
            f'<text x="{WIDTH - RIGHT + 34}" y="{row}">{escape(name)}, p95</text>',
        ]
    return "\n".join([*lines, "</svg>\n"])
