# SPDX-License-Identifier: MIT
"""Plots as inline SVG: bars of one measure, and lines over a few steps. Colours are classes of the page."""

import html

_WIDTH = 640
_LABEL, _VALUE = 130, 110  # room left and right of the bars
_ROW = 22


def ceiling(value):
    """The end of an axis: the next of 1, 2, 5 and 10 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 1.0
    while power * 10 <= value:
        power *= 10
    while power > value:
        power /= 10
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))


def _text(x, y, words, anchor="start", css=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{css}">{html.escape(words)}</text>'


def _svg(height, title, parts):
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{html.escape(title, True)}">'
        f"<title>{html.escape(title)}</title>{''.join(parts)}</svg>"
    )


def bars(title, rows):
    """A bar for each (label, value, words, class)."""
    most = max((value for _, value, _, _ in rows if value), default=1)
    room = _WIDTH - _LABEL - _VALUE
    parts = []
    for number, (label, value, words, css) in enumerate(rows):
        y = number * _ROW
        width = max(room * (value or 0) / most, 1)
        parts.append(_text(_LABEL - 8, y + 15, label, "end"))
        parts.append(f'<rect x="{_LABEL}" y="{y + 4}" width="{width:.1f}" height="{_ROW - 8}" rx="2" class="{css}"/>')
        parts.append(_text(_LABEL + width + 6, y + 15, words))
    return _svg(len(rows) * _ROW, title, parts)


def _apart(places, least):
    """The heights at which labels stand: near what they name, and no two upon each other."""
    placed, last = {}, float("-inf")
    for name, y in sorted(places.items(), key=lambda place: place[1]):
        last = placed[name] = max(y, last + least)
    return placed


def _tick(value):
    """In digits, never as a power of ten."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _grid(top, base, left, right, most, unit):
    for part in range(5):
        y = base - (base - top) * part / 4
        yield f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
        yield _text(left - 6, y + 4, _tick(most * part / 4), "end", "axis")
    yield _text(left, 14, unit, "start", "axis")


def lines(title, unit, steps, series):
    """A line for each (label, values, class) over the steps, whose names stand below. None is a gap."""
    left, right, top, base = 70, _WIDTH - 130, 26, 230
    most = ceiling(max((v for _, values, _ in series for v in values if v is not None), default=1))
    across = [left + 20 + (right - left - 40) * i / max(len(steps) - 1, 1) for i in range(len(steps))]
    parts = list(_grid(top, base, left, right, most, unit))
    parts += [_text(x, base + 18, step, "middle", "axis") for x, step in zip(across, steps)]
    ends = {}
    for label, values, css in series:
        points = [(x, base - (base - top) * v / most) for x, v in zip(across, values) if v is not None]
        if not points:
            continue
        parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" class="line {css}"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="{css}"/>' for x, y in points]
        ends[label, css] = points[-1][1]
    for (label, css), y in _apart(ends, 15).items():
        parts.append(f'<circle cx="{right + 10}" cy="{y:.1f}" r="4" class="{css}"/>')
        parts.append(_text(right + 20, y + 4, label))
    return _svg(base + 28, title, parts)
