# SPDX-License-Identifier: MIT
"""The comparison with other programs: its arithmetic, and that every pair does what all are said to do."""

import contextlib
import dataclasses
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
from xml.etree import ElementTree

import pytest

from harness import wait
from harness.program import LOAD, SALLYPORT

BENCH = os.path.join(os.path.dirname(__file__), "..", "..", "bench")
sys.path.insert(0, BENCH)

from compare import certificates, figures, loads, machine, measures, page, plot, ports, processes  # noqa: E402
from compare import pair as pairs  # noqa: E402
from compare import peer as kinds  # noqa: E402
from compare import peers, program, rounds, samples, table  # noqa: E402

RATE, LATENCY = measures.BY_KEY["per_second"], measures.BY_KEY["p99"]
MEASURED = {  # how and where, as a report has it
    "profile": {"rounds": 3, "seconds": 5, "returning": 65},
    "machine": {"processor": "p", "cores": 2, "memory": "1 GiB", "kernel": "k", "congestion": "reno"},
}
A_LOAD = loads.Load("l", "a load", "timed", shown=(("per_second", 1.8, None), ("p99", 0.5, None)))


def sample(errors=0, words=None, **found):
    return {"figures": found, "errors": errors, "words": words}


def judged(**samples):
    return figures.judge(A_LOAD, samples, "sallyport")


KINDS = [kind for kind in peers.ALL if not kind.is_floor]
PINNING = [kind for kind in KINDS if kind.name != "ghostunnel"]  # and resuming; it does neither


def installed(kind):
    peer = kind(SALLYPORT if kind is peers.Sallyport else None)
    words = peer.missing()
    if words:
        pytest.skip(f"{peer.title}: {words}")
    return peer


@pytest.fixture(scope="module")
def identities(tmp_path_factory):
    return certificates.make(str(tmp_path_factory.mktemp("bench")), "ecdsa")


def test_the_last_line_of_a_load_is_its_result():
    assert figures.parse('holding 3\n{"done":1}\n') == {"done": 1}
    with pytest.raises(ValueError):
        figures.parse("")
    with pytest.raises(ValueError):
        figures.parse("load: connect: refused\n")


def test_cpu_is_counted_per_gib_and_per_connection():
    found = figures.of({"bytes": 512 << 20, "done": 250, "mib_per_second": 9, "p999_us": 7}, 1.5)
    assert found == {"mib_per_second": 9, "p99_9": 7, "cpu_per_gib": 3.0, "cpu_each": 6000.0}


def test_a_load_that_did_nothing_has_no_cost_of_a_piece():
    assert figures.of({"bytes": 0, "done": 0, "per_second": 0}, 1.5) == {"per_second": 0}


def test_growth_is_the_median_of_the_turns_in_which_both_cost_something():
    beside = [sample(cpu_each=cost) for cost in (10, 12, 40, 9)] + [sample(errors=1)]
    alone = [sample(cpu_each=cost) for cost in (10, 10, 10, 0, 10)]
    assert figures.growth(beside, alone) == {"cpu_growth": 1.2}
    assert figures.growth(beside, []) == {}


def test_memory_is_counted_per_held_pair_beyond_what_an_empty_one_takes():
    found = figures.memory(10 << 20, 30 << 20, 11 << 20, 1024)
    assert found == {"memory_empty": 10, "memory_each": 20, "memory_kept": 1}
    assert figures.memory(10 << 20, 30 << 20, None, 1024) == {"memory_empty": 10, "memory_each": 20}


def test_a_median_leaves_out_what_failed_and_is_the_middle_of_the_rest():
    samples = [sample(p99=3.0), sample(p99=100.0, p50=4), sample(errors=1), sample(p99=5.0)]
    assert figures.medians(samples) == {"p99": 5.0, "p50": 4}


def test_the_best_peer_is_the_fastest_or_the_cheapest_and_never_ourselves():
    values = {"sallyport": 9, "a": 3, "b": 5}
    assert figures.best(RATE, values, {"sallyport"}) == "b"
    assert figures.best(LATENCY, {**values, "sallyport": 1}, {"sallyport"}) == "a"


def test_a_floor_is_shown_but_never_the_best():
    taken = {"sallyport": [sample(per_second=90)], "a": [sample(per_second=50)], "floor": [sample(per_second=99)]}
    line = figures.judge(A_LOAD, taken, "sallyport", ["floor"])["lines"][0]
    assert (line["best"], line["ratio"], line["values"]["floor"]) == ("a", 1.8, 99)


def test_the_plain_relay_takes_part_where_connections_only_carry_bytes():
    taken = {load.name for load in loads.ALL if peers.Relay(LOAD).takes_part(load)}
    assert taken == {load.name for load in loads.ALL if load.name.startswith(("bulk-", "pingpong-"))}


def test_a_peer_with_errors_in_any_round_is_shown_but_never_the_best():
    load = judged(
        sallyport=[sample(per_second=90)],
        a=[sample(per_second=50)],
        b=[sample(per_second=80), sample(errors=2, words="reset", per_second=80)],
    )
    line = load["lines"][0]
    assert (line["best"], line["ratio"], line["met"]) == ("a", 1.8, True)
    assert line["values"]["b"] == 80
    assert (load["errors"]["b"], load["words"]["b"]) == (2, "reset")


def test_a_ratio_that_is_wanted_is_at_least_for_rates_and_at_most_for_costs():
    load = judged(sallyport=[sample(per_second=89, p99=6)], a=[sample(per_second=50, p99=10)])
    assert [line["met"] for line in load["lines"]] == [False, False]
    load = judged(sallyport=[sample(per_second=91, p99=5)], a=[sample(per_second=50, p99=10)])
    assert [line["met"] for line in load["lines"]] == [True, True]


def test_our_own_errors_leave_no_ratio_and_meet_nothing():
    load = judged(sallyport=[sample(errors=1, per_second=900, p99=1)], a=[sample(per_second=50, p99=10)])
    assert [(line["ratio"], line["met"]) for line in load["lines"]] == [(None, False)] * 2


def test_without_a_good_peer_there_is_no_ratio():
    load = judged(sallyport=[sample(per_second=9)], a=[sample(errors=1)])
    assert (load["lines"][0]["best"], load["lines"][0]["ratio"], load["lines"][0]["met"]) == (None, None, None)


def test_an_absolute_limit_counts_beside_the_ratio():
    memory = measures.BY_KEY["memory_each"]
    assert figures.is_met(memory, 25, 0.5, 0.5, 25) is True
    assert figures.is_met(memory, 26, 0.1, 0.5, 25) is False
    assert figures.is_met(memory, 20, 0.6, 0.5, 25) is False
    assert figures.is_met(memory, 20, None, None, None) is None


def test_each_pair_begins_a_round_once():
    assert [rounds.turns(["a", "b", "c"], number)[0] for number in range(4)] == ["a", "b", "c", "a"]
    assert sorted(rounds.turns(["a", "b", "c"], 2)) == ["a", "b", "c"]


def test_only_the_first_round_waits_for_memory_to_come_back(monkeypatch):
    waits = []

    def take(peer, _load, profile, *_rest):
        waits.append((peer.name, profile.returning))
        return sample()

    monkeypatch.setattr(samples, "take", take)
    some = [peers.Sallyport("/bin/true"), peers.HAProxy("/bin/true")]
    full = loads.changed(loads.PROFILES["full"], rounds=2)
    rounds.run(some, loads.chosen(full, ["memory"]), full, LOAD, "sallyport")
    assert waits == [("sallyport", 65), ("haproxy", 65), ("haproxy", 0), ("sallyport", 0)]


def test_a_round_has_every_load_before_the_next_begins(monkeypatch):
    order = []

    def take(peer, load, *_rest):
        order.append((load.name, peer.name))
        return sample()

    monkeypatch.setattr(samples, "take", take)
    some = [peers.Sallyport("/bin/true"), peers.HAProxy("/bin/true")]
    full = loads.changed(loads.PROFILES["full"], rounds=2)
    report = rounds.run(some, loads.chosen(full, ["memory", "message"]), full, LOAD, "sallyport")
    first = [(load, pair) for load in ("memory", "message") for pair in ("sallyport", "haproxy")]
    messages, turned = first[2:], first[:1:-1]
    second = [("memory", "haproxy"), ("memory", "sallyport")]
    assert order == [*first, *turned, *messages, *second, *turned, *messages, *turned]
    assert [load["name"] for load in report["loads"]] == ["memory", "message"]


@pytest.mark.parametrize(("name", "option"), [("sallyport", "--sallyport"), ("relay", "--load")])
def test_a_program_that_another_option_names_is_not_taken_from_binary(name, option):
    command = [sys.executable, "-B", os.path.join(BENCH, "compare"), "--profile", "smoke", "--loads", "bulk-up-1"]
    command += ["--sallyport", SALLYPORT, "--load", LOAD, "--binary", f"{name}=/bin/true"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30 * wait.SLOWNESS, check=False)
    assert ended.returncode == 2
    assert f"where {name} is says {option}" in ended.stderr


WANTED = {  # of the best peer
    "bulk-up-1": {"mib_per_second": 1.4, "cpu_per_gib": 0.78},
    "bulk-down-1": {"mib_per_second": 1.4, "cpu_per_gib": 0.78},
    "bulk-up-16": {"mib_per_second": 1.5, "cpu_per_gib": 0.68},
    "bulk-down-16": {"mib_per_second": 1.5, "cpu_per_gib": 0.68},
    "connect-default-ecdsa": {"per_second": 1.8, "cpu_each": 0.5},
    "connect-default-rsa": {"per_second": 1.8, "cpu_each": 0.5},
    "connect-full-ecdsa": {"cpu_each": 0.75},
    "connect-full-ed25519": {"cpu_each": 0.75},
    "connect-full-rsa": {"cpu_each": 1.5},
    "pingpong-64-1": {"p50": 0.88},
    "pingpong-64-64": {"per_second": 1.2, "p99": 1.0},
    "pingpong-16K-16": {"per_second": 1.3},
    "memory": {"memory_each": 0.5},
    "message": {"p99": 0.9},
}
LIMITS = {  # of whatever the peers have
    "memory": {"memory_each": 25, "memory_kept": 2.5},
    **{f"among-{held}": {"cpu_growth": 1.1} for held in (1, 1000, 8000)},
    "idle": {"wakeups": 1},
    "start": {"start": 100},
    "reload-ecdsa": {"reload": 1000},
    "reload-rsa": {"reload": 1000},
}


def test_what_is_wanted_is_not_made_easier():
    ratios, limits = {}, {}
    for load in loads.chosen(loads.PROFILES["full"]):
        for key, wanted, limit in load.shown:
            if wanted is not None:
                ratios.setdefault(load.name, {})[key] = wanted
            if limit is not None:
                limits.setdefault(load.name, {})[key] = limit
    assert ratios == WANTED
    assert limits == LIMITS
    assert {name: load.held for load in loads.ALL if (name := load.name) in ("memory", "message", "reload-rsa")} == {
        "memory": 2000, "message": 8000, "reload-rsa": 1000}


def test_full_handshakes_are_measured_with_and_without_the_memory_of_chains():
    for name in "connect-full-ecdsa", "connect-full-ed25519":
        remembering, anew = loads.chosen(loads.PROFILES["quick"], [name, f"{name}-anew"])
        assert (remembering.remembering, anew.remembering) == (True, False)
        assert (remembering.resumption, anew.resumption) == (False, False)
        assert anew.arguments == remembering.arguments and anew.certificate == remembering.certificate
        assert ("cpu_each", 0.75, None) in remembering.shown
        assert ("cpu_each", None, None) in anew.shown and remembering.title != anew.title


@pytest.mark.parametrize("remembering", (True, False))
def test_a_pair_is_told_whether_to_remember_chains(remembering, identities, monkeypatch):
    told = []

    class Told(peers.Sallyport):
        def command(self, end):
            words = super().command(end)
            with open(words[-1], encoding="utf-8") as file:
                told.append("remember-chains = yes" in file.read())
            return ["/bin/false"]

    load = dataclasses.replace(A_LOAD, remembering=remembering)
    assert samples.take(Told(SALLYPORT), load, loads.PROFILES["smoke"], LOAD, identities)["errors"] == 1
    assert told == [remembering]


def test_every_load_tells_of_errors_latency_and_cost():
    """Of bulk there is no latency; what is no traffic has measures of its own."""
    for load in loads.ALL:
        keys = {key for key, _, _ in load.shown}
        if load.arguments and load.arguments[0] != "bulk":
            assert keys >= {"p50", "p99", "cpu_each"}, load.name
            assert keys >= {"p99_9", "max"} or load.kind == "among", f"{load.name} has enough for them"
            assert "per_second" in keys, load.name
        if load.kind == "timed" and load.arguments[0] == "bulk":
            assert keys == {"mib_per_second", "cpu_per_gib"}, load.name


def test_cpu_of_a_process_includes_children_that_are_gone():
    ticks = os.sysconf("SC_CLK_TCK")
    text = "7 (a (b) c) S 3 " + "0 " * 9 + "100 20 3 4 " + "0 " * 30
    assert processes.parse_stat(text) == (3, 127 / ticks)


def test_a_family_is_all_below_the_roots_and_nobody_else():
    parents = {10: 1, 11: 10, 12: 11, 20: 1, 21: 20}
    assert processes.descendants([10], parents) == {10, 11, 12}
    assert processes.descendants([10, 99], parents) == {10, 11, 12}


def test_shared_memory_is_counted_in_parts():
    assert processes.parse_pss("0-1 ---p [rollup]\nRss:  90 kB\nPss:  12 kB\nPss_Dirty: 3 kB\n") == 12288


def test_a_thread_that_wakes_up_is_seen(tmp_path):
    assert processes.parse_sleeps("Name:\tx\nvoluntary_ctxt_switches:\t41\nnonvoluntary_ctxt_switches:\t7\n") == 41
    with pytest.raises(ValueError):
        processes.parse_sleeps("Name:\tx\n")
    scripts = {"busy": "while :; do sleep 0.02; done", "quiet": "exec sleep 99"}
    started = {name: program.Program(name, ["sh", "-c", script], str(tmp_path)) for name, script in scripts.items()}
    try:

        def woken(name):
            pid = started[name].pid
            return processes.parse_sleeps(processes._read(pid, f"task/{pid}/status"))

        wait.until(lambda: woken("busy") > 20, "a thread that wakes up")
        quiet = processes.sleeps([started["quiet"].pid])
        assert list(quiet) == [started["quiet"].pid] and quiet[started["quiet"].pid] < 20
    finally:
        for one in started.values():
            one.stop()


def test_the_machine_and_the_versions_are_recorded():
    with open("/proc/sys/net/ipv4/tcp_congestion_control", encoding="ascii") as file:
        assert machine.describe()["congestion"] == file.read().strip()
    texts = {
        "sallyport 0.1.0\n\nlibraries:\n  GnuTLS  3.7.9 (built with 3.7.8)\n": ("0.1.0", "GnuTLS 3.7.9"),
        "HAProxy version 2.6.12-1+deb12u4 2025\nBuilt with OpenSSL version : OpenSSL 3.0.1 2 Aug\n"
        "Running on OpenSSL version : OpenSSL 3.0.22 25 Aug\nOpenSSL library supports SNI : yes\n": (
            "2.6.12-1+deb12u4",
            "OpenSSL 3.0.22",
        ),
        "nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.22 25 Aug 2026\n": ("1.22.1", "OpenSSL 3.0.22"),
        "version unheard of": ("unknown", None),
    }
    assert {text: kinds.parse_versions(text) for text in texts} == texts


@pytest.mark.parametrize("used", [True, False])
def test_who_does_aes_gcm_is_recorded(used):
    told = (
        "sallyport 0.1.0\n  GnuTLS     3.7.9 (built with 3.7.9)\n"
        f"  ipsec-mb   {'1.3.0' if used else 'none'} (when built)\n"
        f"  AES-GCM by ipsec-mb (VAES, AVX-512)          {'yes' if used else 'no'}\n  kernel TLS   no\n"
    )
    faster = " and, for AES-GCM, ipsec-mb 1.3.0" if used else ""
    assert peers.Sallyport("/bin/true").read_versions(told) == ("0.1.0", "GnuTLS 3.7.9" + faster)


def test_an_axis_ends_at_a_round_number_and_is_written_in_digits():
    assert [plot.ceiling(value) for value in (0, 0.3, 1, 1.01, 51, 99)] == [1, 0.5, 1, 2, 100, 100]
    drawn = plot.lines("t", "s", ["a", "b"], [("x", [1, 9000], "s0")])
    assert ">10,000<" in drawn and ">2,500<" in drawn and "e+" not in drawn


def test_a_plot_leaves_a_gap_where_there_is_no_figure_and_keeps_its_labels_apart():
    series = [("x", [1, None, 3], "s0"), ("y", [3, 3, 3], "s1"), ("z", [None] * 3, "s2")]
    drawn = plot.lines("t <1>", "s", ["a", "b", "c"], series)
    svg = ElementTree.fromstring(drawn)
    lines = [line.get("points").split() for line in svg.iter("polyline")]
    assert [len(points) for points in lines] == [2, 3]
    labels = {text.text: float(text.get("y")) for text in svg.iter("text")}
    assert abs(labels["x"] - labels["y"]) >= 15 and "z" not in labels


def test_results_are_replaced_between_their_marks_only():
    with open(os.path.join(BENCH, "RESULTS.md"), encoding="utf-8") as file:
        document = file.read()
    report = {
        **MEASURED,
        "pairs": [{"name": "sallyport", "title": "sallyport", "version": "9.9", "library": "L 7", "remarks": []}],
        "left_out": ["spooktunnel: not installed"],
        "loads": [judged(sallyport=[sample(per_second=1234)])],
    }
    changed = table.replace_results(document, report)
    assert "k, TCP's congestion control reno." in changed and "- sallyport 9.9 with L 7." in changed
    assert "- Left out: spooktunnel: not installed." in changed
    assert "| 1,234 |" in changed and "1,234" not in document.split("begin of what")[0]
    assert changed.split("<!-- begin")[0] == document.split("<!-- begin")[0]
    assert changed.split("<!-- end")[1] == document.split("<!-- end")[1]
    with pytest.raises(ValueError):
        table.replace_results("no marks", report)


def test_the_page_draws_first_what_was_wanted_and_counts_it():
    shown = (("per_second", None, None), ("p50", None, None), ("p99", 0.5, None), ("max", None, None))
    load = dataclasses.replace(A_LOAD, shown=shown)
    same = {"per_second": 1, "p50": 2, "max": 4}
    taken = {"sallyport": [sample(p99=3, **same)], "a": [sample(p99=10, **same)]}
    told = figures.judge(load, taken, "sallyport")
    assert [line["measure"] for line in page._drawn(told)] == ["per_second", "p99"]
    report = {"subject": "sallyport", "pairs": [{"name": name, "title": name.upper()} for name in taken]}
    words = page._wanted({**report, "loads": [told]})
    assert "1 of 1 are met" in words and "10 (A)" in words and "0.30" in words and words.count("<tr>") == 2


def test_the_page_shows_what_must_not_grow():
    def grown(errors, **changes):
        load = dataclasses.replace(A_LOAD, **changes)
        key = load.shown[0][0]
        taken = {"sallyport": [sample(**{key: cost[load.name]})], "a": [sample(errors, **{key: 9})]}
        return figures.judge(load, taken, "sallyport")

    def beside(held, errors):
        return grown(errors, name=f"among-{held}", held=held, plot="held", shown=(("cpu_growth", None, 1.1),))

    def long(size):
        return grown(0, name=f"stream-{size}", stream=size << 20, plot="stream", shown=(("cpu_per_gib", None, None),))

    cost = {"among-1": 0.98, "among-8000": 1.25, "stream-16": 1.5, "stream-4096": 1.25}
    same = {"version": "1", "library": None, "remarks": []}
    shown = page.make({
        "subject": "sallyport",
        **MEASURED,
        "pairs": [{"name": name, "title": name.upper(), **same} for name in ("sallyport", "a")],
        "left_out": [],
        "loads": [beside(1, 0), beside(8000, 1), long(16), long(4096)],
    })
    connections, streams = re.findall("<svg.*?</svg>", shown.partition("must not grow")[2], re.DOTALL)[:2]
    assert connections.count("<polyline") == streams.count("<polyline") == 2
    assert ">8,000 held<" in connections and ">A (errors)<" in connections and ">SALLYPORT<" in connections
    assert ">4,096 MiB<" in streams and ">A<" in streams
    assert "sallyport: 0.98 times (1 held), 1.25 times (8,000 held)." in shown
    assert "sallyport: 1.50 s (16 MiB), 1.25 s (4,096 MiB)." in shown


def test_what_is_kept_is_judged_only_where_there_is_time_to_give_it_back():
    shown = {name: loads.chosen(profile, ["memory"])[0].shown for name, profile in loads.PROFILES.items()}
    limits = {name: {key: limit for key, _, limit in lines} for name, lines in shown.items()}
    assert [limits[name]["memory_kept"] for name in ("full", "quick", "smoke")] == [2.5, None, None]
    assert [limits[name]["memory_each"] for name in ("full", "quick", "smoke")] == [25, 25, 25]


def test_growth_is_judged_only_where_there_are_turns_enough():
    def limit(name, **changes):
        load = loads.chosen(loads.changed(loads.PROFILES[name], **changes), ["among-8000"])[0]
        return next(limit for key, _, limit in load.shown if key == "cpu_growth")

    assert [limit("full"), limit("quick"), limit("quick", rounds=5, seconds=4)] == [1.1, None, 1.1]


def test_loads_are_cut_to_what_a_profile_wants():
    cut = {load.name: load for load in loads.chosen(loads.PROFILES["smoke"], ["message", "among-8000"])}
    assert cut["message"].arguments == ("message", "--connections", "8", "--interval", "1")
    assert cut["among-8000"].title.endswith("beside 8 held")
    with pytest.raises(ValueError, match="no-such-load"):
        loads.chosen(loads.PROFILES["smoke"], ["no-such-load"])


@pytest.mark.deadline(120)
def test_a_tiny_load_goes_through_every_pair_and_is_reported(tmp_path):
    files = {name: str(tmp_path / f"report.{name}") for name in ("json", "html")}
    ran = subprocess.run(
        [sys.executable, "-B", os.path.join(BENCH, "compare"), "--profile", "smoke", "--loads", "bulk-up-1,memory,idle"]
        + ["--sallyport", SALLYPORT, "--load", LOAD, "--json", files["json"], "--html", files["html"]],
        capture_output=True,
        text=True,
        timeout=100 * wait.SLOWNESS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    with open(files["json"], encoding="utf-8") as file:
        report = json.load(file)
    bulk, memory, idle = report["loads"]
    for one in report["pairs"]:
        assert bulk["errors"][one["name"]] == 0, bulk["words"]
        assert bulk["lines"][0]["values"][one["name"]] > 1
        if one["name"] == "relay":
            continue
        assert one["name"] in memory["lines"][0]["values"], memory["words"]
        assert one["name"] in idle["lines"][0]["values"], idle["words"]
    with open(files["html"], encoding="utf-8") as file:
        shown = file.read()
    assert shown == page.make(report)
    assert not re.search(r"(src|href)=|url\(", shown), "the page does not stand alone"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_both_ends_of_every_pair_judge_the_other(kind, identities, tmp_path):
    peer = installed(kind)
    client, server = identities[certificates.CLIENT], identities[certificates.SERVER]
    stranger = certificates.make(str(tmp_path), "ecdsa")[certificates.CLIENT]
    stranger = dataclasses.replace(stranger, ca=client.ca)
    with pairs.Pair(peer, LOAD, identities) as pair:
        pair.start()
        patience = max(0.8 * wait.SLOWNESS, 4 * pair.start_seconds)
    for shown in ((client, client), (stranger, server)):
        wrong = dict(zip((certificates.CLIENT, certificates.SERVER), shown))
        with pairs.Pair(peer, LOAD, wrong) as pair, pytest.raises(pairs.PairError, match="nothing comes through"):
            pair.start(patience)


def client_command(pair, identity, *options):
    command = ["openssl", "s_client", "-connect", pair.far, "-CAfile", identity.ca, "-cert", identity.cert]
    return [*command, "-key", identity.key, *options]


def greet(pair, identity, *options):
    """What openssl says of a connection to the end that accepts TLS."""
    command = client_command(pair, identity, *options)
    return subprocess.run(command, input="", capture_output=True, text=True, check=False).stdout


def collect_ticket(pair, identity, path):
    """Wait for a ticket; there may be none."""
    command = client_command(pair, identity, "-sess_out", path)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **pipes) as client:
        try:
            wait.until(lambda: os.path.exists(path) and os.path.getsize(path), "a ticket", 1)
        except AssertionError:
            pass
        client.stdin.close()
    return os.path.exists(path)


@pytest.mark.parametrize("kind", PINNING, ids=lambda kind: kind.name)
def test_every_pair_speaks_what_is_pinned_and_nothing_else(kind, identities):
    peer = installed(kind)
    client = identities[certificates.CLIENT]
    with pairs.Pair(peer, LOAD, identities) as pair:
        pair.start(10 * wait.SLOWNESS)
        assert re.search(r"New, TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256", greet(pair, client))
        assert "Server Temp Key: X25519" in greet(pair, client, "-groups", "P-256:X25519")
        assert "Cipher is (NONE)" in greet(pair, client, "-groups", "P-256")
        assert "Cipher is (NONE)" in greet(pair, client, "-ciphersuites", "TLS_AES_256_GCM_SHA384")
        assert "Cipher is (NONE)" in greet(pair, client, "-tls1_2")


@pytest.mark.parametrize("resumption", (True, False), ids=("default", "off"))
@pytest.mark.parametrize("kind", PINNING, ids=lambda kind: kind.name)
def test_the_accepting_end_resumes_sessions_unless_that_is_off(kind, resumption, identities, tmp_path):
    peer = installed(kind)
    client, ticket = identities[certificates.CLIENT], str(tmp_path / "ticket")
    with pairs.Pair(peer, LOAD, identities, resumption) as pair:
        pair.start(10 * wait.SLOWNESS)
        resumed = collect_ticket(pair, client, ticket) and "\nReused, " in greet(pair, client, "-sess_in", ticket)
    assert resumed == resumption


@contextlib.contextmanager
def counting_backend(identity):
    """A TLS server that echoes: its port, and of each session whether it was resumed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.verify_mode = ssl.TLSVersion.TLSv1_3, ssl.CERT_REQUIRED
    context.load_cert_chain(identity.cert, identity.key)
    context.load_verify_locations(identity.ca)
    resumed = []

    def echo(sock):
        with contextlib.suppress(OSError), context.wrap_socket(sock, server_side=True) as end:
            resumed.append(end.session_reused)
            while data := end.recv(1000):
                end.sendall(data)
            end.unwrap()

    def serve(listening):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=echo, args=(listening.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        try:
            yield listening.getsockname()[1], resumed
        finally:
            listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("resumption", (True, False), ids=("default", "off"))
@pytest.mark.parametrize("kind", PINNING, ids=lambda kind: kind.name)
def test_the_connecting_end_resumes_sessions_unless_that_is_off(kind, resumption, identities):
    peer, near = installed(kind), ports.free()
    with counting_backend(identities[certificates.SERVER]) as (port, resumed):
        with pairs.Pair(peer, LOAD, identities, resumption) as pair:
            pair._start_end(True, near, port)
            wait.until(lambda: pairs._exchange(near, 10), "a message comes back")
            for _ in range(20):
                assert pairs._exchange(near, 10 * wait.SLOWNESS)
    assert sum(resumed) >= 10 if resumption else not any(resumed), resumed


def test_held_connections_do_not_come_as_a_flood():
    """Else a pair would be judged by how it survives one."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as silent:
        target = "127.0.0.1:%d" % silent.getsockname()[1]
        options = ["--connections", "1000", "--timeout", "1", "--connect", target, "--json"]
        ran = subprocess.run([LOAD, "hold", *options], capture_output=True, text=True, timeout=20, check=False)
        assert figures.parse(ran.stdout)["errors"] > 0
        silent.setblocking(False)
        came = []
        with pytest.raises(BlockingIOError):
            while True:
                came.append(silent.accept()[0])
        for connection in came:
            connection.close()
    assert 0 < len(came) <= 256


def accepted(pair):
    """How many connections the encrypting end has taken. The kernel may tell of one twice while others come and go."""
    end = "0100007F:%04X" % int(pair.near.rpartition(":")[2])
    with open("/proc/net/tcp", encoding="ascii") as file:
        lines = [line.split() for line in file]
    return len({line[2] for line in lines if line[1] == end and line[3] == "01"})


def test_a_connection_beside_others_is_compared_with_one_beside_none_in_turns(identities, monkeypatch):
    order = []

    def timed(pair, _load, profile):
        order.append((accepted(pair), profile.seconds))
        return sample(cpu_each=1 + accepted(pair))

    monkeypatch.setattr(samples, "timed", timed)
    load = loads.chosen(loads.PROFILES["smoke"], ["among-8000"])[0]
    profile = loads.changed(loads.PROFILES["smoke"], seconds=2)
    taken = samples.take(installed(peers.Sallyport), load, profile, LOAD, identities)
    assert taken == sample(cpu_each=9, cpu_growth=9)
    assert order == [(held, 0.5) for held in (0, 8, 8, 0, 0, 8, 8, 0)]


@pytest.mark.parametrize("at", ["beside", "alone", "held"])
def test_what_fails_at_any_of_two_pairs_in_turns_is_an_error(at, identities, monkeypatch):
    bad, good, end = sample(2, "no good"), sample(cpu_each=1), samples._Held.end
    monkeypatch.setattr(samples, "timed", lambda pair, *_: bad if at == ("alone", "beside")[accepted(pair) > 0] else good)
    monkeypatch.setattr(samples._Held, "end", lambda held: end(held) and bad if at == "held" else end(held))
    load = loads.chosen(loads.PROFILES["smoke"], ["among-8000"])[0]
    taken = samples.take(installed(peers.Sallyport), load, loads.PROFILES["smoke"], LOAD, identities)
    assert taken["errors"] == (2 if at == "held" else 4) and taken["words"] == "no good"


@pytest.mark.parametrize("held", [0, 8])
def test_two_pairs_in_turns_must_both_run_to_the_end(held, identities, monkeypatch):
    def timed(pair, *_):
        if accepted(pair) == held:
            pair.ends[0].stop()
        return sample(cpu_each=1)

    monkeypatch.setattr(samples, "timed", timed)
    load = loads.chosen(loads.PROFILES["smoke"], ["among-8000"])[0]
    taken = samples.take(installed(peers.Sallyport), load, loads.PROFILES["smoke"], LOAD, identities)
    assert taken["errors"] == 1 and "offload has ended" in taken["words"]


def test_a_program_may_end_by_itself_and_what_it_leaves_is_killed(tmp_path):
    script = "trap 'echo bye; exit' TERM; sleep 99 & echo up; wait"
    started = program.Program("script", ["sh", "-c", script], str(tmp_path))
    wait.until(lambda: "up" in started.output(), "the script is up")
    started.stop()
    assert "bye" in started.output()
    with pytest.raises(ProcessLookupError):
        wait.until(lambda: os.killpg(started.pid, 0), "the end of its children", 2)


@pytest.mark.parametrize("kind, figures_of", [(peers.Sallyport, ["reload"]), (peers.Nginx, [])])
def test_a_reload_of_many_services_is_measured_where_one_can_be_told(kind, figures_of, identities):
    load = loads.Load("reload", "a reload", "reload", held=8)
    taken = samples.take(installed(kind), load, loads.PROFILES["smoke"], LOAD, identities)
    assert taken["errors"] == 0 and list(taken["figures"]) == figures_of, taken
    assert all(0 < value < 10000 for value in taken["figures"].values())


def test_a_reload_that_fails_is_an_error_with_words(identities, monkeypatch):
    peer = installed(peers.Sallyport)
    monkeypatch.setattr(peer, "many_command", lambda _end, _count: [peer.binary, "run", "-c", "/nowhere"])
    taken = samples.take(peer, loads.Load("reload", "", "reload"), loads.PROFILES["smoke"], LOAD, identities)
    assert taken["errors"] == 1 and "/nowhere" in taken["words"] and not taken["figures"]


def test_a_pair_leaves_nothing_running(identities):
    with pairs.Pair(installed(peers.Sallyport), LOAD, identities) as pair:
        pair.start(10 * wait.SLOWNESS)
        programs, directory = [one.pid for one in pair.programs], pair.directory
        assert processes.memory(programs) > 0
    assert processes.memory(programs) == 0
    assert not os.path.exists(directory)
    assert not ports._reservations
