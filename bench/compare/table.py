# SPDX-License-Identifier: MIT
"""The report as text: a table for a terminal, and one for RESULTS.md."""

from compare import measures

_BEGIN, _END = "<!-- begin of what make bench-full writes -->", "<!-- end of what make bench-full writes -->"


def number(measure, value):
    """A value in the measure's digits."""
    return "–" if value is None else f"{value:,.{measure.digits}f}"


def wanted(measure, line):
    """Such as "≥ 1.4", or nothing."""
    words = []
    if line["wanted"] is not None:
        words.append(f"{'≥' if measure.higher_is_better else '≤'} {line['wanted']:g}")
    if line["limit"] is not None:
        words.append(f"≤ {line['limit']:g} {measure.unit}")
    return "; ".join(words)


def ratio(line):
    return "–" if line["ratio"] is None else f"{line['ratio']:.2f}"


def verdict(line):
    return {True: "yes", False: "NO", None: ""}[line["met"]]


def _cell(load, line, measure, name):
    text = number(measure, line["values"].get(name))
    return f"{text} ({load['errors'][name]} errors)" if load["errors"][name] else text


def header(report):
    return ["load", "measure", *(pair["title"] for pair in report["pairs"]), "ratio", "wanted", "met"]


def rows(report):
    """The lines of all loads as cells of text; a load's title stands in its first one only."""
    names = [pair["name"] for pair in report["pairs"]]
    for load in report["loads"]:
        title = load["title"]
        for line in load["lines"]:
            measure = measures.BY_KEY[line["measure"]]
            cells = [_cell(load, line, measure, name) for name in names]
            yield [title, f"{measure.title}, {measure.unit}", *cells, ratio(line), wanted(measure, line), verdict(line)]
            title = ""


def notes(report):
    """Sentences that belong below the table."""
    profile, where = report["profile"], report["machine"]
    yield (
        f"Medians of {profile['rounds']} round{'s' if profile['rounds'] > 1 else ''} of {profile['seconds']:g} s; "
        f"{where['processor']}, {where['cores']} cores, {where['memory']}, {where['kernel']}, "
        f"TCP's congestion control {where['congestion']}."
    )
    yield (
        f"Memory that is kept is looked at until {profile['returning']:g} s after the last connection, "
        "in the first round."
    )
    yield "Ratio: sallyport to the best of the others that had no errors."
    for load in report["loads"]:
        taken = max(map(len, load["samples"].values()))
        if taken > profile["rounds"]:
            yield f"Medians of {taken} samples: {load['title']}."
    for pair in report["pairs"]:
        library = f" with {pair['library']}" if pair["library"] else ""
        yield " ".join([f"{pair['title']} {pair['version']}{library}.", *pair["remarks"]])
    for words in report["left_out"]:
        yield f"Left out: {words}."
    for load in report["loads"]:
        for name, words in load["words"].items():
            if words:
                yield f"Errors of {name}, {load['title']}: {' '.join(words.split())[:300]}"


def text(report):
    """For a terminal."""
    table = [header(report), *rows(report)]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table]
    return "\n".join([*lines, "", *notes(report)]) + "\n"


def _markdown(report):
    table = [header(report), ["---"] * len(header(report)), *rows(report)]
    lines = [f"| {' | '.join(row)} |" for row in table]
    return "\n".join([*lines, "", *(f"- {note}" for note in notes(report))])


def replace_results(document, report):
    """The document with the report in its marked part. Fails with ValueError where it has none."""
    before, begin, rest = document.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"it lacks the lines {_BEGIN} and {_END}")
    return f"{before}{begin}\n\n{_markdown(report)}\n\n{end}{after}"
