"""The plot of what grows with an amount: both axes logarithmic, as SVG text."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor, log10

from benchmarks.svg_parts import curve, sheet

WIDTH, HEIGHT, LEFT, BOTTOM, RIGHT, TOP = 760, 360, 60, 50, 210, 20


def svg(curves: Mapping[str, Mapping[int, float]]) -> str:
    """Milliseconds (95th percentile) over an amount, one line a curve."""
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - BOTTOM - TOP
    amounts = [amount for each in curves.values() for amount in each]
    times = [ms for each in curves.values() for ms in each.values()]
    left, right = floor(log10(min(amounts))), max(ceil(log10(max(amounts))), 1)
    low, top = floor(log10(min(times))), ceil(log10(max(times)))

    def x(amount: float) -> float:
        return LEFT + wide * (log10(amount) - left) / max(right - left, 1)

    def y(ms: float) -> float:
        return TOP + high * (top - log10(ms)) / max(top - low, 1)

    lines = sheet(WIDTH, HEIGHT)
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
    for number, (name, timed) in enumerate(curves.items()):
        points = [(x(amount), y(ms)) for amount, ms in sorted(timed.items())]
        lines += curve(number, f"{name}, p95", points, WIDTH - RIGHT + 16)
    return "\n".join([*lines, "</svg>\n"])
