# SPDX-License-Identifier: MIT
"""The report as a page that stands alone: plots, then the table."""

import html

from compare import measures, plot, table

_STYLE = """
:root { color-scheme: light dark; --ink: #1d1d1f; --soft: #6b6b70; --paper: #fcfcfb; --rule: #dededa;
  --good: #2e7d32; --bad: #c62828;
  --s0: #2a78d6; --s1: #d9622b; --s2: #1f9e77; --s3: #b8860b; --s4: #8a4fc0; --s5: #8c8c92; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececea; --soft: #a3a3a8; --paper: #191919; --rule: #3a3a3a;
  --good: #6fbf73; --bad: #ff8a80;
  --s0: #5b9ff0; --s1: #f08b58; --s2: #3fc49a; --s3: #d9ab36; --s4: #b184e0; --s5: #9a9aa0; } }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); }
h1, h2, h3 { line-height: 1.2; } h3 { font-size: 1rem; margin: 0 0 .4rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 2rem; }
svg { width: 100%; height: auto; font: 13px system-ui, sans-serif; } svg text { fill: var(--ink); }
svg .axis { fill: var(--soft); } svg .grid { stroke: var(--rule); } svg .line { fill: none; stroke-width: 2; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--rule); vertical-align: top; }
td { white-space: nowrap; } th { vertical-align: bottom; } td:first-child { white-space: normal; min-width: 11rem; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; } td.best { font-weight: 600; }
td.bad { color: var(--bad); } td.good { color: var(--good); } .soft { color: var(--soft); font-weight: 400; }
p { margin: .3rem 0 1rem; }
"""

_PLOTS = (
    ("held", "cpu_growth", "What a connection costs beside others, to one beside none", lambda x: f"{x:,} held"),
    ("stream", "cpu_per_gib", "What a GiB costs, by the length of its stream", lambda x: f"{x >> 20:,} MiB"),
)
_BARS = 2  # plots of a load


def _colours(count):
    rule = "rect.s%d, circle.s%d { fill: var(--s%d); } polyline.s%d { stroke: var(--s%d); }"
    return "\n".join(rule % ((i,) * 5) for i in range(count))


def _value(load, key, name):
    return next((line["values"].get(name) for line in load["lines"] if line["measure"] == key), None)


def _ends(report, loads, measure, steps):
    """The first and the last of ours, in words."""
    values = [_value(load, measure.key, report["subject"]) for load in loads]
    told = [f"{table.number(measure, values[i])} {measure.unit} ({steps[i]})" for i in (0, -1)]
    words = f"{report['subject']}: {told[0]}, {told[1]}."
    return f'<p class="soft">{html.escape(words)}</p>'


def _line_plot(report, kind, key, title, step):
    loads = [load for load in report["loads"] if load["plot"] and load["plot"]["kind"] == kind]
    if not loads:
        return ""
    measure = measures.BY_KEY[key]
    series = []
    for i, pair in enumerate(report["pairs"]):
        errors = " (errors)" if any(load["errors"][pair["name"]] for load in loads) else ""
        series.append((pair["title"] + errors, [_value(load, key, pair["name"]) for load in loads], f"s{i}"))
    steps = [step(load["plot"]["x"]) for load in loads]
    drawn = plot.lines(title, f"{measure.title}, {measure.unit}", steps, series)
    return f"<section><h3>{html.escape(title)}</h3>{drawn}{_ends(report, loads, measure, steps)}</section>"


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


def _is_judged(line):
    return line["wanted"] is not None or line["limit"] is not None


def _drawn(load):
    """The lines that are drawn: those of which something is wanted, and the first of the others."""
    judged = [line for line in load["lines"] if _is_judged(line)]
    others = [line for line in load["lines"] if not _is_judged(line)]
    chosen = [*judged, *others[: max(_BARS - len(judged), 0)]]
    return [line for line in load["lines"] if line in chosen]


def _bar_plots(report):
    for load in report["loads"]:
        if not load["plot"]:
            yield from (_bar_plot(report, load, line) for line in _drawn(load))


def _css(report, load, line, column):
    """The class of a table's cell; the pairs begin in the third column."""
    pairs = report["pairs"]
    if 2 <= column < 2 + len(pairs):
        name = pairs[column - 2]["name"]
        return "bad" if load["errors"][name] else "best" if name == line["best"] else ""
    if column == 4 + len(pairs):
        return {True: "good", False: "bad", None: ""}[line["met"]]
    return ""


def _row(cells, classes):
    filled = (f'<td class="{css}">{html.escape(cell)}</td>' for css, cell in zip(classes, cells))
    return f"<tr>{''.join(filled)}</tr>"


def _framed(header, body):
    heads = "".join(f"<th>{html.escape(word)}</th>" for word in header)
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def _table(report):
    of_rows = [(load, line) for load in report["loads"] for line in load["lines"]]
    body = [
        _row(row, (_css(report, load, line, column) for column in range(len(row))))
        for (load, line), row in zip(of_rows, table.rows(report))
    ]
    return _framed(table.header(report), body)


def _wanted(report):
    """What was wanted, in short: our figure and the best of the others."""
    titles = {pair["name"]: pair["title"] for pair in report["pairs"]}
    judged = [(load, line) for load in report["loads"] for line in load["lines"] if _is_judged(line)]
    body = []
    for load, line in judged:
        measure, best = measures.BY_KEY[line["measure"]], line["best"]
        ours = table.number(measure, line["values"].get(report["subject"]))
        others = f"{table.number(measure, line['values'][best])} ({titles[best]})" if best else "–"
        cells = [load["title"], f"{measure.title}, {measure.unit}", ours, others]
        cells += [table.ratio(line), table.wanted(measure, line), table.verdict(line)]
        met = {True: "good", False: "bad", None: ""}[line["met"]]
        body.append(_row(cells, ["", "", "", "", "", "", met]))
    reached = sum(line["met"] is True for _, line in judged)
    header = ["load", "measure", report["subject"], "best of the others", "ratio", "wanted", "met"]
    return f"<p>{reached} of {len(judged)} are met.</p>{_framed(header, body)}"


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
        f"<h2>What was wanted</h2>{_wanted(report)}"
        f'<h2>What must not grow</h2><div class="plots">{growth}</div>'
        f'<h2>Each load</h2><div class="plots">{"".join(_bar_plots(report))}</div>'
        f"<h2>All figures</h2><p>Bold is the best of the others.</p>{_table(report)}</body></html>\n"
    )
