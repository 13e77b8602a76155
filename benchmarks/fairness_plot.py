"""A bar chart as SVG, by hand: no plotting library for one plot."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from benchmarks.svg_parts import sheet

WIDTH, LABELS, ROW = 760, 230, 20


def svg(recall: Mapping[str, float]) -> str:
    """One bar per group, worst first, on a scale from 0.5 to 1."""
    bars = sorted(recall.items(), key=lambda item: item[1])
    height = ROW * (len(bars) + 2)
    scale = (WIDTH - LABELS - 60) / 0.5
    lines = sheet(WIDTH, height)
    for tick in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        x = LABELS + (tick - 0.5) * scale
        lines.append(f'<line x1="{x:.1f}" y1="8" x2="{x:.1f}" y2="{height - ROW}" stroke="#ddd"/>')
        lines.append(f'<text x="{x:.1f}" y="{height - 6}" text-anchor="middle">{tick:.1f}</text>')
    for row, (name, value) in enumerate(bars):
        y = 8 + ROW * row
        width = max(0.0, value - 0.5) * scale
        label = escape(name)
        lines += [
            f'<text x="{LABELS - 6}" y="{y + 13}" text-anchor="end">{label}</text>',
            f'<rect x="{LABELS}" y="{y + 2}" width="{width:.1f}" height="{ROW - 5}" '
            'fill="#3a6ea5"/>',
            f'<text x="{LABELS + width + 5:.1f}" y="{y + 13}">{value:.3f}</text>',
        ]
    return "\n".join([*lines, "</svg>\n"])
