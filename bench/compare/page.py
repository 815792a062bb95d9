# SPDX-License-Identifier: MIT
"""The report as a page that stands alone: plots, then the table."""

import html

from compare import measures, plot, table

_STYLE = """
:root { color-scheme: light dark; --ink: #1d1d1f; --soft: #6b6b70; --paper: #fcfcfb; --rule: #dededa;
  --s0: #2a78d6; --s1: #d9622b; --s2: #1f9e77; --s3: #b8860b; --s4: #8a4fc0; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececea; --soft: #a3a3a8; --paper: #191919; --rule: #3a3a3a;
  --s0: #5b9ff0; --s1: #f08b58; --s2: #3fc49a; --s3: #d9ab36; --s4: #b184e0; } }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); }
h1, h2, h3 { line-height: 1.2; } h3 { font-size: 1rem; margin: 0 0 .4rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 2rem; }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; } svg text { fill: var(--ink); }
svg .axis { fill: var(--soft); } svg .grid { stroke: var(--rule); } svg .line { fill: none; stroke-width: 2; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; } td.best { font-weight: 600; }
td.bad, .bad { color: #c62828; } td.good { color: #2e7d32; } .soft { color: var(--soft); }
"""

_PLOTS = (
    ("held", "cpu_each", "What a connection costs, by how many others are held", lambda x: f"{x:,} held"),
    ("stream", "cpu_per_gib", "What a byte costs, by the length of its stream", lambda x: f"{x >> 20:,} MiB"),
)


def _colours(count):
    rule = "rect.s%d, circle.s%d { fill: var(--s%d); } polyline.s%d { stroke: var(--s%d); }"
    return "\n".join(rule % ((i,) * 5) for i in range(count))


def _value(load, key, name):
    return next((line["values"].get(name) for line in load["lines"] if line["measure"] == key), None)


def _line_plot(report, kind, key, title, step):
    loads = [load for load in report["loads"] if load["plot"] and load["plot"]["kind"] == kind]
    if not loads:
        return ""
    measure = measures.BY_KEY[key]
    series = [
        (pair["title"], [_value(load, key, pair["name"]) for load in loads], f"s{i}")
        for i, pair in enumerate(report["pairs"])
    ]
    steps = [step(load["plot"]["x"]) for load in loads]
    drawn = plot.lines(title, f"{measure.title}, {measure.unit}", steps, series)
    return f"<section><h3>{html.escape(title)}</h3>{drawn}</section>"


def _bar_plot(report, load, line):
    measure = measures.BY_KEY[line["measure"]]
    title = f"{load['title']}: {measure.title}, {measure.unit}"
    rows = []
    for i, pair in enumerate(report["pairs"]):
        value = line["values"].get(pair["name"])
        words = table.number(measure, value) + (" (errors)" if load["errors"][pair["name"]] else "")
        rows.append((pair["title"], value, words, f"s{i}"))
    better = "more" if measure.higher_is_better else "less"
    drawn = plot.bars(title, rows)
    return f'<section><h3>{html.escape(title)} <span class="soft">({better} is better)</span></h3>{drawn}</section>'


def _bar_plots(report):
    for load in report["loads"]:
        if not load["plot"]:
            yield from (_bar_plot(report, load, line) for line in load["lines"][:2])


def _css(report, load, line, column):
    """The class of a table's cell; the pairs begin in the third column."""
    pairs = report["pairs"]
    if 2 <= column < 2 + len(pairs):
        name = pairs[column - 2]["name"]
        return "bad" if load["errors"][name] else "best" if name == line["best"] else ""
    if column == 4 + len(pairs):
        return {True: "good", False: "bad", None: ""}[line["met"]]
    return ""


def _table(report):
    heads = "".join(f"<th>{html.escape(word)}</th>" for word in table.header(report))
    of_rows = [(load, line) for load in report["loads"] for line in load["lines"]]
    body = []
    for (load, line), row in zip(of_rows, table.rows(report)):
        classes = (_css(report, load, line, column) for column in range(len(row)))
        cells = (f'<td class="{css}">{html.escape(cell)}</td>' for css, cell in zip(classes, row))
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def make(report):
    """The text of the page."""
    title = f"{report['subject']} and its peers"
    about = "".join(f"<li>{html.escape(note)}</li>" for note in table.notes(report))
    growth = "".join(_line_plot(report, *row) for row in _PLOTS)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}{_colours(len(report['pairs']))}</style></head><body>"
        f"<h1>{html.escape(title)}</h1><ul>{about}</ul>"
        f'<h2>What may grow</h2><div class="plots">{growth}</div>'
        f'<h2>Each load</h2><div class="plots">{"".join(_bar_plots(report))}</div>'
        f"<h2>All figures</h2>{_table(report)}</body></html>\n"
    )
