# SPDX-License-Identifier: MIT
"""How the ends behave: each row of DESIGN.md's table, in every mode and both versions of TLS."""

import itertools
import signal
import time

import pytest
from harness import load, ports, procfs, wait
from harness.listeners import connect
from harness.program import is_sanitized
from harness.worlds import MODES, VERSIONS

ROLES = ("client", "backend")
ALERT_RECORD = b"\x15"
OTHER = {"client": "backend", "backend": "client"}
TLS_ROLES = {"encrypt": ("backend",), "offload": ("client",), "bridge": ROLES, "pair": ()}

every_mode = pytest.mark.parametrize("mode, version", list(itertools.product(MODES, VERSIONS)))
# For what has to wait: the versions wait together, inside of the test.
both_versions_at_once = pytest.mark.parametrize("mode", MODES)
every_role = pytest.mark.parametrize("role", ROLES)
every_tls_role = pytest.mark.parametrize(
    "mode, version, role",
    [(mode, version, role) for mode in MODES for version in VERSIONS for role in TLS_ROLES[mode]],
)


def both_aborted(client, backend):
    return client.was_aborted() and backend.was_aborted()


@every_mode
@every_role
def test_an_end_leaves_the_way_back_open(world, mode, version, role):
    ends = world(mode, version)
    tunnel = ends.open()
    near, far = tunnel[role], tunnel[OTHER[role]]
    near.send(b"the last words")
    near.finish()
    assert far.rest() == (b"the last words", "end")
    far.send(b"an answer" * 100_000)
    far.finish()
    assert near.rest() == (b"an answer" * 100_000, "end")
    for end in (near, far):
        assert end.wait_closed() == "fin"
    assert ends.program.wait_tunnel()["end"] == "closed"


@every_mode
def test_both_ends_at_once_are_an_end(world, mode, version):
    tunnel = world(mode, version).open()
    for end in tunnel.values():
        end.send(b"bye")
        end.finish()
    for end in tunnel.values():
        assert end.rest() == (b"bye", "end")


@every_mode
def test_an_end_before_the_backend_answers_arrives_after_the_data(world, mode, version):
    ends = world(mode, version)
    client = ends.connect()
    client.send(b"all that I say")
    client.finish()
    backend = ends.listener.accept()
    assert backend.rest() == (b"all that I say", "end")
    backend.send(b"heard")
    backend.finish()
    assert client.rest() == (b"heard", "end")


@pytest.mark.parametrize("mode", MODES)
def test_an_end_while_dialing_arrives_after_the_data(world, mode):
    ends = world(mode, "1.3", hole=True)
    client = ends.connect()
    client.send(b"all that I say")
    client.finish()
    assert client.is_quiet(0.2)
    ends.hole.open()
    backend = ends.listener.accept()
    assert backend.rest() == (b"all that I say", "end")
    backend.send(b"heard")
    backend.finish()
    assert client.rest() == (b"heard", "end")


@every_tls_role
def test_a_tls_end_without_close_notify_is_an_abort(world, mode, version, role):
    ends = world(mode, version)
    tunnel = ends.open()
    tunnel[role].send(b"truncated")
    tunnel[role].cut()
    assert both_aborted(**tunnel)
    line = ends.program.wait_tunnel()
    assert (line["end"], line["by"]) == ("aborted", role)


@every_tls_role
def test_an_accepted_truncation_is_an_end_and_the_answer_arrives(world, mode, version, role):
    tunnel = world(mode, version, truncation="accept").open()
    near, far = tunnel[role], tunnel[OTHER[role]]
    near.send(b"no goodbye")
    near.cut()
    assert far.rest() == (b"no goodbye", "end")
    far.send(b"an answer" * 100_000)
    far.finish()
    assert near.rest() == (b"an answer" * 100_000, "end")


@every_tls_role
@pytest.mark.parametrize("truncation", ["abort", "accept"])
def test_an_end_inside_a_record_is_an_abort(world, mode, version, role, truncation):
    tunnel = world(mode, version, truncation=truncation).open()
    tunnel[role].cut_inside_record(b"half of this")
    assert both_aborted(**tunnel)


@every_mode
@every_role
def test_a_reset_is_an_abort(world, mode, version, role):
    ends = world(mode, version)
    tunnel = ends.open()
    tunnel[role].reset()
    assert tunnel[OTHER[role]].was_aborted()
    assert ends.program.wait_tunnel()["end"] == "aborted"


@every_mode
@every_role
def test_a_reset_after_an_end_is_an_abort(world, mode, version, role):
    tunnel = world(mode, version).open()
    near, far = tunnel[role], tunnel[OTHER[role]]
    far.finish()
    assert near.wait_ending() == "end"
    near.reset()
    assert far.was_aborted()


@every_tls_role
def test_a_fatal_alert_is_an_abort(world, mode, version, role):
    tunnel = world(mode, version).open()
    tunnel[role].alert()
    assert tunnel[OTHER[role]].was_aborted()
    assert tunnel[role].wait_closed() in ("fin", "reset")


@every_tls_role
def test_a_corrupt_record_is_an_abort_and_told_by_an_alert(world, mode, version, role):
    tunnel = world(mode, version).open()
    tunnel[role].sock.sendall(b"\x17\x03\x03\x00\x20" + b"garbage " * 4)
    assert tunnel[role].wait_ending() == "alert:bad_record_mac"
    assert tunnel[OTHER[role]].was_aborted()


@every_mode
def test_a_refusing_backend_aborts_the_client(world, mode, version):
    ends = world(mode, version, connect=f"127.0.0.1:{ports.free()}")
    client = ends.connect()
    assert client.wait_ending() == ("alert:internal_error" if ends.client_is_tls else "reset")
    if ends.client_is_tls:
        assert client.wait_closed() == "fin"
    assert "refused" in ends.program.wait_tunnel(service=ends.last_service())["reason"].lower()


@every_mode
def test_a_backend_that_never_answers_aborts_the_client(world, mode, version):
    ends = world(mode, version, hole=True, connect_timeout="500ms")
    before = time.monotonic()
    client = ends.connect()
    assert client.wait_ending() == ("alert:internal_error" if ends.client_is_tls else "reset")
    assert time.monotonic() - before > 0.4


@pytest.mark.parametrize("mode, version", list(itertools.product(("encrypt", "bridge"), VERSIONS)))
def test_a_backend_that_never_shakes_hands_aborts_both(world, mode, version):
    ends = world(mode, version, handshake_timeout="500ms")
    client = ends.connect()
    backend = ends.listener.accept_silent()
    assert client.wait_ending() == ("alert:internal_error" if ends.client_is_tls else "reset")
    assert backend.wait_closed() in ("fin", "reset")


@pytest.mark.parametrize("mode, version", list(itertools.product(("offload", "bridge"), VERSIONS)))
@pytest.mark.parametrize("start", [b"", b"\x16\x03\x01"])
def test_a_client_that_never_shakes_hands_is_aborted(world, mode, version, start):
    ends = world(mode, version, handshake_timeout="500ms")
    client = ends.connect_silent()
    client.sock.sendall(start)
    before = time.monotonic()
    wire, how = client.raw_rest()
    assert how == "reset" or wire[:1] == ALERT_RECORD
    assert time.monotonic() - before > 0.3
    assert not ends.listener.has_pending()


@both_versions_at_once
def test_an_idle_tunnel_is_aborted_on_both_sides(world, mode):
    places = [world(mode, version, idle_timeout=wait.duration(0.8)) for version in VERSIONS]
    tunnels = [ends.open() for ends in places]
    for _ in range(3):
        time.sleep(0.3 * wait.SLOWNESS)
        for tunnel in tunnels:
            tunnel["client"].send(b".")
            assert tunnel["backend"].receive(1) == b"."
    for ends, tunnel in zip(places, tunnels):
        assert both_aborted(**tunnel)
        ends.program.wait_line(lambda line: "idle" in line.get("reason", ""), "a tunnel was idle")


def half_closed(ends):
    """Two tunnels, of which either side has ended one: (who ended, who did not) of each."""
    pairs = []
    for role in ROLES:
        tunnel = ends.open()
        near, far = tunnel[role], tunnel[OTHER[role]]
        near.finish()
        assert far.wait_ending() == "end"
        pairs.append((near, far))
    return pairs


@both_versions_at_once
def test_a_silent_half_closed_tunnel_is_aborted_on_both_sides(world, mode):
    places = [world(mode, version, half_close_timeout=wait.duration(0.8)) for version in VERSIONS]
    pairs = [pair for ends in places for pair in half_closed(ends)]
    for _ in range(3):
        time.sleep(0.3 * wait.SLOWNESS)
        for near, far in pairs:
            far.send(b".")
            assert near.receive(1) == b"."
    for near, far in pairs:
        assert near.was_aborted()
        # Its way has ended cleanly, so nothing but a RST can tell it that the other way was cut.
        far.wait_broken(5)


@both_versions_at_once
def test_a_late_answer_to_a_half_close_outlives_the_idle_timeout(world, mode):
    pairs = [pair for version in VERSIONS for pair in half_closed(world(mode, version, idle_timeout="400ms"))]
    time.sleep(1)
    for near, far in pairs:
        assert near.is_quiet(0.01)
        far.send(b"late")
        far.finish()
        assert near.rest() == (b"late", "end")


@every_mode
def test_sigterm_drains(world, mode, version):
    ends = world(mode, version)
    tunnel = ends.open()
    ends.program.mark()
    ends.program.signal(signal.SIGTERM)
    wait_refused(ends)
    tunnel["client"].send(b"still here")
    assert tunnel["backend"].receive(10) == b"still here"
    for end in tunnel.values():
        end.finish()
    for end in tunnel.values():
        assert end.wait_ending() == "end"
    assert ends.program.wait_exit() == 0


def wait_refused(ends):
    wait.until(lambda: not procfs.is_listening(ends.port), "nothing is accepted any more")
    with pytest.raises(ConnectionRefusedError):
        connect(ends.address)


@every_mode
def test_a_drain_that_takes_too_long_aborts_both_and_exits_with_1(world, mode, version):
    ends = world(mode, version, drain_timeout="500ms")
    tunnel = ends.open()
    ends.program.signal(signal.SIGTERM)
    assert both_aborted(**tunnel)
    for end in tunnel.values():
        end.close()  # an alert is given time until its receiver is gone
    assert ends.program.wait_exit() == 1
    assert ends.program.wait_tunnel()["end"] == "aborted"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_aborts_at_once(world, number):
    ends = world("offload", "1.3")
    tunnel = ends.open()
    ends.program.signal(number)
    wait_refused(ends)
    ends.program.signal(number)
    assert both_aborted(**tunnel)
    for end in tunnel.values():
        end.close()  # an alert is given time until its receiver is gone
    assert ends.program.wait_exit() == 1


def test_sigterm_without_a_tunnel_ends_at_once(world):
    ends = world("encrypt", "1.3")
    ends.program.signal(signal.SIGTERM)
    assert ends.program.wait_exit(2) == 0


@every_mode
@every_role
def test_a_reset_crosses_a_blocked_tunnel_to_its_sender(world, mode, version, role):
    tunnel = world(mode, version).open()
    near, far = tunnel[role], tunnel[OTHER[role]]
    load.fill(near, 1 << 30, patience=0.2)
    far.reset()
    # A pair is two tunnels, each of which asks its blocked source every other second at worst.
    assert near.was_aborted(5 if mode == "pair" else 3)


@both_versions_at_once
def test_a_reset_of_a_blocked_sender_crosses_the_tunnel(world, mode):
    tunnels = [(world(mode, version).open(), role) for version in VERSIONS for role in ROLES]
    for tunnel, role in tunnels:
        load.fill(tunnel[role], 1 << 30, patience=0.2)
    for tunnel, role in tunnels:
        tunnel[role].reset()
    for tunnel, role in tunnels:
        tunnel[OTHER[role]].wait_broken(5 if mode == "pair" else 3)


@every_mode
@every_role
def test_a_stopped_reader_stops_its_sender_and_costs_little_memory(world, mode, version, role):
    ends = world(mode, version)
    tunnel = ends.open()
    serve = ends.program.workers()
    before = procfs.resident_bytes(serve)
    # What stays under way is what the sockets' buffers and two batches hold.
    assert load.fill(tunnel[role], 1 << 30, patience=0.3) < 64 << 20
    if not is_sanitized():
        assert procfs.resident_bytes(serve) - before < 16 << 20


@pytest.mark.deadline(90)
@every_mode
def test_nothing_is_lost_with_both_ways_busy_and_pausing(world, mode, version):
    ends = world(mode, version)
    tunnel = ends.open()
    load.converse(tunnel["client"], tunnel["backend"], 64 << 20)
    line = ends.program.wait_tunnel()
    assert (line["end"], line["sent"], line["received"]) == ("closed", (64 << 20) + 1, (64 << 20) + 1)


@every_mode
def test_many_tunnels_at_once_lose_nothing(world, mode, version):
    ends = world(mode, version)
    tunnels = [ends.open() for _ in range(20)]
    talkers = []
    for index, tunnel in enumerate(tunnels):
        talkers.append(load.Talker(tunnel["client"], 1 << 18, index, pauses=False))
        talkers.append(load.Talker(tunnel["backend"], 1 << 18, index + 1000, pauses=False))
    for talker in talkers:
        talker.start()
    for talker in talkers:
        talker.join(20)
        assert not talker.is_alive() and talker.error is None, talker.error
    for index, (client, backend) in enumerate(zip(talkers[::2], talkers[1::2])):
        assert backend.received.hexdigest() == load.digest(1 << 18, index)
        assert client.received.hexdigest() == load.digest(1 << 18, index + 1000)
