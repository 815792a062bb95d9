# SPDX-License-Identifier: MIT
"""The arithmetic: from what the load generator says to figures, medians, and ratios to the best peer."""

import json
import statistics

from compare import measures

_GIB = 1 << 30
_TAKEN = {"mib_per_second": "mib_per_second", "per_second": "per_second"}
_LATENCIES = {"p50": "p50_us", "p99": "p99_us", "p99_9": "p999_us", "max": "max_us"}


def parse(output):
    """The load generator's JSON: its last line. Fails with ValueError."""
    lines = output.strip().splitlines()
    if not lines:
        raise ValueError("the load said nothing")
    return json.loads(lines[-1])


def of(result, cpu):
    """Figures from the load's result and the CPU seconds that both ends used meanwhile."""
    found = {key: result[name] for key, name in {**_TAKEN, **_LATENCIES}.items() if name in result}
    if result["bytes"]:
        found["cpu_per_gib"] = cpu / (result["bytes"] / _GIB)
    if result["done"]:
        found["cpu_each"] = cpu / result["done"] * 1e6
    return found


def memory(empty, held, after, count):
    """Figures from bytes before, while `count` pairs of ends were held, and after, unless that is None."""
    found = {"memory_empty": empty / (1 << 20), "memory_each": (held - empty) / count / 1024}
    if after is not None:
        found["memory_kept"] = (after - empty) / count / 1024
    return found


def growth(beside, alone):
    """What a connection costs, as a multiple of what it costs elsewhere, from samples taken in turns."""
    costs = ((here["figures"].get("cpu_each"), there["figures"].get("cpu_each")) for here, there in zip(beside, alone))
    ratios = [here / there for here, there in costs if here and there]
    return {"cpu_growth": statistics.median(ratios)} if ratios else {}


def medians(samples):
    """Of each figure, over the samples that have it."""
    keys = dict.fromkeys(key for sample in samples for key in sample["figures"])
    return {
        key: statistics.median(sample["figures"][key] for sample in samples if key in sample["figures"])
        for key in keys
    }


def errors(samples):
    return sum(sample["errors"] for sample in samples)


def words(samples):
    """The first that were said of an error."""
    return next((sample["words"] for sample in samples if sample["words"]), None)


def best(measure, values, excluded):
    """The best of those that are not excluded, by name; None when there is none."""
    others = {name: value for name, value in values.items() if name not in excluded}
    if not others:
        return None
    return (max if measure.higher_is_better else min)(others, key=others.get)


def is_met(measure, value, ratio, wanted, limit):
    """Is what was wanted reached? None when nothing was, or it cannot be told."""
    judged = []
    if wanted is not None and ratio is not None:
        judged.append(ratio >= wanted if measure.higher_is_better else ratio <= wanted)
    if limit is not None and value is not None:
        judged.append(value <= limit)
    return all(judged) if judged else None


def line(shown, medians_of, faulty, subject, floors=()):
    """A line of the report: the values of one measure, the best peer, the ratio to it, and whether that will do."""
    key, wanted, limit = shown
    measure = measures.BY_KEY[key]
    values = {name: found[key] for name, found in medians_of.items() if key in found}
    name = best(measure, values, {subject, *faulty, *floors})
    value = None if subject in faulty else values.get(subject)
    ratio = value / values[name] if value is not None and name and values[name] > 0 else None
    met = is_met(measure, value, ratio, wanted, limit)
    if subject in faulty and (wanted is not None or limit is not None):
        met = False
    return {
        "measure": key,
        "values": values,
        "best": name,
        "ratio": ratio,
        "wanted": wanted,
        "limit": limit,
        "met": met,
    }


def judge(load, samples, subject, floors=()):
    """What the report says of a load; `samples` has a list for each pair, by name."""
    medians_of = {name: medians(taken) for name, taken in samples.items()}
    faulty = {name for name, taken in samples.items() if errors(taken)}
    return {
        "name": load.name,
        "title": load.title,
        "certificate": load.certificate,
        "resumption": load.resumption,
        "remembering": load.remembering,
        "plot": {"kind": load.plot, "x": getattr(load, load.plot)} if load.plot else None,
        "samples": samples,
        "errors": {name: errors(taken) for name, taken in samples.items()},
        "words": {name: words(taken) for name, taken in samples.items()},
        "lines": [line(shown, medians_of, faulty, subject, floors) for shown in load.shown],
    }
