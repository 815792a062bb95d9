# SPDX-License-Identifier: MIT
"""The command line: which pairs, which loads, and where the report goes."""

import argparse
import json
import os
import signal
import sys

from compare import loads, page, peers, rounds, table


def _parser():
    parser = argparse.ArgumentParser(prog="bench/compare", description="Compare sallyport with other tunnels.")
    parser.add_argument("--profile", choices=loads.PROFILES, default="quick", help="how much (default: quick)")
    parser.add_argument("--pairs", metavar="NAME,...", default="", help="only these")
    parser.add_argument("--loads", metavar="NAME,...", default="", help="only these")
    parser.add_argument("--rounds", type=int, help="instead of the profile's")
    parser.add_argument("--seconds", type=float, help="of each load, instead of the profile's")
    parser.add_argument("--sallyport", default="./sallyport", help="the program (default: ./sallyport)")
    parser.add_argument("--load", default="bench/load", help="the load generator (default: bench/load)")
    parser.add_argument("--binary", metavar="NAME=PATH", action="append", default=[], help="where a peer's program is")
    parser.add_argument("--json", metavar="FILE", help="write every figure there")
    parser.add_argument("--html", metavar="FILE", help="write the report with plots there")
    parser.add_argument("--results", metavar="FILE", help="replace the marked part of RESULTS.md")
    parser.add_argument("--from", metavar="FILE", dest="source", help="measure nothing: report on what --json wrote")
    parser.add_argument("--list", action="store_true", help="list pairs and loads")
    return parser


def _names(text):
    return tuple(name for name in text.split(",") if name)


def _binaries(arguments):
    given = dict(pair.partition("=")[::2] for pair in arguments.binary)
    for name, option, path in (("sallyport", "--sallyport", arguments.sallyport), ("relay", "--load", arguments.load)):
        if name in given:
            raise ValueError(f"--binary is for the other programs; where {name} is says {option}")
        given[name] = os.path.abspath(path)
    unknown = set(given) - {kind.name for kind in peers.ALL}
    if unknown:
        raise ValueError(f"unknown pairs: {', '.join(sorted(unknown))}")
    return given


def _peers(arguments, profile):
    """Those that are asked for and can be had; what cannot is told."""
    asked, binaries = _names(arguments.pairs) or profile.pairs, _binaries(arguments)
    unknown = set(asked) - {kind.name for kind in peers.ALL}
    if unknown:
        raise ValueError(f"unknown pairs: {', '.join(sorted(unknown))}")
    found, left_out = [], []
    for kind in peers.ALL:
        if asked and kind.name not in asked:
            continue
        peer = kind(binaries.get(kind.name))
        words = peer.missing()
        if words is None:
            found.append(peer)
        else:
            left_out.append(f"{peer.title}: {words}")
            print(f"left out: {left_out[-1]}", file=sys.stderr)
    if not found:
        raise ValueError("there is no program to compare")
    return found, left_out


def _profile(arguments):
    given = {name: getattr(arguments, name) for name in ("rounds", "seconds") if getattr(arguments, name) is not None}
    if any(value <= 0 for value in given.values()):
        raise ValueError("--rounds and --seconds are above 0")
    return loads.changed(loads.PROFILES[arguments.profile], **given)


def _tell(load, name, number, sample):
    words = f": {sample['words']}" if sample["words"] else ""
    print(f"{load.name}, round {number + 1}, {name}: {sample['errors']} errors{words}", file=sys.stderr, flush=True)


def _measure(arguments):
    profile = _profile(arguments)
    taken = loads.chosen(profile, _names(arguments.loads))
    generator = os.path.abspath(arguments.load)
    if not os.access(generator, os.X_OK):
        raise ValueError(f"{generator} is not there: run make")
    found, left_out = _peers(arguments, profile)
    report = rounds.run(found, taken, profile, generator, peers.SUBJECT, _tell)
    return {**report, "left_out": left_out}


def _write(path, words):
    with open(path, "w", encoding="utf-8") as file:
        file.write(words)


def _report(arguments, report):
    if arguments.json:
        _write(arguments.json, json.dumps(report, indent=1) + "\n")
    if arguments.html:
        _write(arguments.html, page.make(report))
    if arguments.results:
        with open(arguments.results, encoding="utf-8") as file:
            document = file.read()
        _write(arguments.results, table.replace_results(document, report))
    print(table.text(report), end="")


def _list():
    for kind in peers.ALL:
        print(f"pair  {kind.name:20} {kind.title}")
    for load in loads.chosen(loads.PROFILES["full"]):
        print(f"load  {load.name:20} {load.title}")


def _run(arguments):
    if arguments.list:
        _list()
        return 0
    if arguments.source:
        with open(arguments.source, encoding="utf-8") as file:
            report = json.load(file)
    else:
        report = _measure(arguments)
    _report(arguments, report)
    return int(any(load["errors"].get(report["subject"]) for load in report["loads"]))


def main():
    """Returns the exit status: 0, 1 if sallyport had errors, 2 if nothing could be compared."""
    # What was started is ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return _run(_parser().parse_args())
    except (OSError, ValueError, RuntimeError) as error:
        print(f"bench/compare: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
