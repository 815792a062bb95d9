# SPDX-License-Identifier: MIT
"""Bad input and dead peers cost the one who causes them: no crash, no spinning, no blocked neighbour."""

import contextlib
import itertools
import random
import subprocess
import time

import pytest
from harness import load, processes, procfs, wait
from harness.listeners import connect
from harness.program import is_sanitized
from harness.worlds import MODES, VERSIONS, World

TLS_FRONTS = ("offload", "bridge")
CLIENT_HELLO_START = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


def still_serves(ends):
    """Carry a byte each way through a new tunnel, and end it."""
    for end in ends.open().values():
        end.close()
    return True


def garbage(seed):
    generator = random.Random(seed)
    return generator.randbytes(generator.randrange(1, 3000))


NOT_TLS = {
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "postgresql": b"\0\0\0\x08\x04\xd2\x16\x2f",
    "smtp": b"EHLO localhost\r\n",
    "sslv2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + b"\x01" * 40,
    "zeroes": b"\0" * 5000,
    "oversize record": b"\x16\x03\x01\xff\xff" + b"\0" * 70000,
    "empty records": b"\x16\x03\x01\x00\x00" * 1000,
    "data before the handshake": b"\x17\x03\x03\x00\x10" + b"x" * 16,
    "alert before the handshake": b"\x15\x03\x03\x00\x02\x02\x28",
    "hello that is a lie": b"\x16\x03\x01\x00\x40\x01\x00\xff\xff" + b"\x41" * 60,
    **{f"garbage {seed}": garbage(seed) for seed in range(20)},
}


@pytest.mark.parametrize("mode", TLS_FRONTS)
def test_what_is_not_tls_is_refused_with_words(world, mode):
    ends = world(mode, "1.3", handshake_timeout=wait.duration(1))
    for data in NOT_TLS.values():
        ends.program.mark()
        client = ends.connect_silent()
        try:
            client.sock.sendall(data)
        except OSError:
            pass  # it may be refused before all of it is sent
        assert client.wait_closed(3) in ("fin", "reset")
        client.close()
        line = ends.program.wait_tunnel()
        assert line["end"] != "closed" and line["reason"]
    assert not ends.listener.has_pending()
    assert still_serves(ends)


@pytest.mark.parametrize("mode", ("encrypt", "bridge"))
@pytest.mark.parametrize("name", sorted(NOT_TLS))
def test_a_backend_that_does_not_speak_tls_aborts_the_client(world, mode, name):
    ends = world(mode, "1.3", handshake_timeout=wait.duration(1))
    client = ends.connect()
    sock = ends.listener.accept_raw()
    try:
        sock.sendall(NOT_TLS[name])
    except OSError:
        pass
    assert client.was_aborted()
    sock.close()
    assert ends.program.wait_tunnel()["reason"]
    assert still_serves(ends)


CRUMB = b"\x16\x03\x03\x00\x01\x00"


def assert_carries(ends):
    ends["client"].send(b"still here")
    assert ends["backend"].receive(10) == b"still here"


def assert_refused_in_between(ends, neighbour, sock, kind):
    """A message of 16 MiB, in records of a byte without a pause, is not waited for."""
    sock.settimeout(5 * wait.SLOWNESS)
    try:
        sock.sendall(b"\x16\x03\x03\x00\x04" + bytes([kind]) + b"\xff\xff\xff")
        for _ in range(3500):
            sock.sendall(CRUMB * 1000)
    except OSError:
        pass  # it is refused before all of it is sent
    assert "too large" in ends.program.wait_tunnel()["reason"]
    assert_carries(neighbour)


@pytest.mark.parametrize("mode", TLS_FRONTS)
def test_a_message_that_does_not_end_is_refused_to_a_client(world, mode):
    """In TLS 1.2, where what comes behind the ClientHello is in plaintext, too."""
    ends = world(mode, "1.2", handshake_timeout="60s")
    neighbour = ends.open()
    client = ends.connect_silent()
    client.say_first()
    wait.until(lambda: wait.ready(client.sock)[0], "the server's flight")
    assert_refused_in_between(ends, neighbour, client.sock, 11)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", ("encrypt", "bridge"))
def test_a_message_that_does_not_end_is_refused_to_a_backend(world, mode, version):
    ends = world(mode, version, handshake_timeout="60s")
    neighbour = ends.open()
    ends.connect()
    assert_refused_in_between(ends, neighbour, ends.listener.accept_raw(), 2)


def drip(sock, data, period, limit):
    """Send a byte a period until the other side ends it; the seconds that took."""
    start = time.monotonic()
    for byte in itertools.chain(data, itertools.repeat(0)):
        if time.monotonic() - start > limit:
            raise AssertionError(f"still dripping after {limit} s")
        try:
            sock.send(bytes([byte]))
            if wait.ready(sock, seconds=period)[0] and is_over(sock):
                break
        except OSError:
            break
    return time.monotonic() - start


def is_over(sock):
    while True:
        wire = sock.recv(65536)
        if not wire:
            return True
        if not wait.ready(sock)[0]:
            return wire[:1] == b"\x15"


@pytest.mark.parametrize("mode", TLS_FRONTS)
def test_a_dripping_client_is_cut_by_the_handshake_timeout_and_delays_nobody(world, mode):
    ends = world(mode, "1.3", handshake_timeout="1s")
    neighbour = ends.open()
    seconds = drip(ends.connect_silent().sock, CLIENT_HELLO_START, 0.05, 3 * wait.SLOWNESS)
    assert seconds > 0.8
    assert_carries(neighbour)


def test_a_dripping_backend_is_cut_by_the_handshake_timeout(world):
    ends = world("encrypt", "1.3", handshake_timeout="1s")
    client = ends.connect()
    seconds = drip(ends.listener.accept_raw(), b"\x16\x03\x03\x10\x00\x02\x00\x0f", 0.05, 3 * wait.SLOWNESS)
    assert seconds > 0.8
    assert client.was_aborted()


@pytest.mark.parametrize("version", VERSIONS)
def test_an_oversize_record_aborts_the_tunnel(world, version):
    tunnel = world("offload", version).open()
    try:
        tunnel["client"].sock.sendall(b"\x17\x03\x03\x48\x01" + b"x" * 0x4801)
    except OSError:
        pass
    assert tunnel["client"].was_aborted()
    assert tunnel["backend"].was_aborted()


@pytest.mark.parametrize("version", VERSIONS)
def test_thousands_of_tiny_records_arrive(world, version):
    tunnel = world("bridge", version).open()
    for sender, receiver in (("client", "backend"), ("backend", "client")):
        near, far = tunnel[sender], tunnel[receiver]
        data = bytes(index % 251 for index in range(20_000))
        wire = b"".join(near.seal(data[at : at + 1]) for at in range(len(data)))
        near.sock.settimeout(20)
        near.sock.sendall(wire)
        assert far.receive(len(data)) == data


@pytest.mark.parametrize("version", VERSIONS)
def test_records_in_pieces_arrive(world, version):
    tunnel = world("offload", version).open()
    wire = tunnel["client"].seal(b"in pieces" * 20)
    for at in range(0, len(wire), 7):
        tunnel["client"].sock.sendall(wire[at : at + 7])
        time.sleep(0.001)
    assert tunnel["backend"].receive(180) == b"in pieces" * 20


@pytest.mark.parametrize("mode", MODES)
def test_a_port_probe_is_not_an_error(world, mode):
    ends = world(mode, "1.3")
    for _ in range(10):
        connect(ends.address).close()
    if ends.client_is_tls:
        assert still_serves(ends)
        ends.program.wait_tunnel()
        assert not [line for line in ends.program.log() if line["level"] in ("error", "warning")]
        assert not ends.listener.has_pending()


SAID = {b"K\n": b"KEYUPDATE", b"k\n": b"KEYUPDATE", b"R\n": b"RENEGOTIATING"}


def command(process, letter):
    """Have openssl s_client do something, since what it reads together with a command is lost. Does it say so?"""
    process.stdin.write(letter)
    process.stdin.flush()
    return any(SAID[letter] in line for line in process.stderr)


def commanded(ends, commands):
    """openssl s_client in the middle of a tunnel, which gets one-letter commands by its input."""
    identity = ends.pki.get("client")
    option = {"1.2": "-tls1_2", "1.3": "-tls1_3"}[ends.version]
    process = processes.start(
        ["openssl", "s_client", "-connect", ends.address, "-CAfile", ends.pki.ca, option]
        + ["-cert", identity.crt, "-cert_chain", identity.crt, "-key", identity.key],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    backend = ends.listener.accept()
    process.stdin.write(b"before\n")
    process.stdin.flush()
    assert backend.receive(7) == b"before\n"
    for letter in commands:
        if not command(process, letter):
            processes.end(process)
            raise AssertionError(f"openssl has ended instead of {letter}")
    return process, backend


def test_a_key_update_is_followed(world):
    ends = world("offload", "1.3")
    process, backend = commanded(ends, [b"K\n", b"k\n"])
    try:
        process.stdin.write(b"after\n")
        process.stdin.flush()
        assert backend.receive(6) == b"after\n"
    finally:
        processes.end(process)


def test_a_flood_of_key_updates_ends_the_session(world):
    ends = world("offload", "1.3")
    process, backend = commanded(ends, [])
    try:
        with contextlib.suppress(BrokenPipeError):
            for _ in range(40):
                command(process, b"k\n")
        assert backend.was_aborted()
    finally:
        processes.end(process)


def test_a_renegotiation_is_refused(world):
    ends = world("offload", "1.2")
    process, backend = commanded(ends, [b"R\n"])
    try:
        assert backend.was_aborted()
    finally:
        processes.end(process)


@pytest.fixture
def cramped(run, pki, closing):
    """A world whose program may have 64 descriptors."""

    def start(text):
        return run(text, wrapper=["prlimit", "--nofile=64"])

    return lambda mode, **options: closing(World(start, pki, mode, "1.3", **options))


def test_without_descriptors_clients_wait_and_are_served_later(cramped):
    ends = cramped("offload", handshake_timeout="1m")
    assert still_serves(ends)
    crowd = [ends.connect_silent() for _ in range(100)]
    late = ends.connect_silent()
    assert late.is_quiet(0.3)
    serve = ends.program.workers()
    assert procfs.descriptors(serve) <= 64
    before = procfs.cpu_seconds(serve)
    time.sleep(1)
    assert procfs.cpu_seconds(serve) - before < 0.15
    for end in crowd:
        end.close()
    assert late.handshake() is None
    late.send(b"at last")
    assert ends.listener.accept().receive(7) == b"at last"
    assert ends.program.workers() == serve, "serve must have survived"


def test_without_descriptors_every_client_is_served_in_the_end(cramped):
    ends = cramped("encrypt")
    clients = [ends.connect() for _ in range(60)]
    for number, client in enumerate(clients):
        client.send(bytes([number]))
    served = set()
    while len(served) < 60:
        backend = ends.listener.accept()
        number = backend.receive(1)[0]
        served.add(number)
        backend.finish()
        assert clients[number].wait_ending() == "end"
        clients[number].finish()
        assert backend.wait_ending() == "end"
        backend.close()
        clients[number].close()


def idle(ends):
    return [ends.open() for _ in range(10)]


def half_closed(ends):
    tunnels = [ends.open() for _ in range(4)]
    for index, tunnel in enumerate(tunnels):
        near, far = ("client", "backend") if index % 2 else ("backend", "client")
        tunnel[near].finish()
        assert tunnel[far].wait_ending() == "end"
    return tunnels


def blocked(ends):
    tunnels = [ends.open() for _ in range(4)]
    for index, tunnel in enumerate(tunnels):
        load.fill(tunnel["client" if index % 2 else "backend"], 1 << 30, patience=0.1)
    return tunnels


def blocked_both_ways(ends):
    tunnel = ends.open()
    load.fill(tunnel["client"], 1 << 30, patience=0.1)
    load.fill(tunnel["backend"], 1 << 30, patience=0.1)
    return tunnel


def blocked_and_half_closed(ends):
    tunnel = ends.open()
    load.fill(tunnel["client"], 1 << 30, patience=0.1)
    tunnel["backend"].finish()
    assert tunnel["client"].wait_ending() == "end"
    return tunnel


def truncated(ends):
    tunnel = ends.open()
    for role in ("client", "backend"):
        if ends.is_tls(role):
            tunnel[role].cut()
            break
    return tunnel


def silent_client(ends):
    clients = [ends.connect_silent() for _ in range(10)]
    if ends.client_is_tls:
        return clients
    # Plaintext is connected at once: then it is the backend that says nothing.
    return clients, [ends.listener.accept_silent() for _ in clients]


STATES = [idle, half_closed, blocked, blocked_both_ways, blocked_and_half_closed, truncated, silent_client]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
@pytest.mark.parametrize("mode", MODES)
def test_waiting_costs_no_processor_time(world, mode, state):
    ends = world(mode, "1.3", truncation="accept")
    kept = state(ends)
    pids = [ends.program.pid, ends.program.workers()]
    time.sleep(0.2)
    before = sum(map(procfs.cpu_seconds, pids))
    time.sleep(1)
    assert sum(map(procfs.cpu_seconds, pids)) - before < 0.05 * wait.SLOWNESS
    assert kept and still_serves(ends)


def test_dialing_costs_no_processor_time(world):
    ends = world("offload", "1.3", hole=True)
    kept = [ends.connect() for _ in range(10)]
    serve = ends.program.workers()
    time.sleep(0.5)
    before = procfs.cpu_seconds(serve)
    time.sleep(1)
    assert procfs.cpu_seconds(serve) - before < 0.05 * wait.SLOWNESS
    assert kept


# A build with sanitizers says nothing about memory.
if not is_sanitized():

    def test_an_idle_tunnel_holds_no_buffers(world):
        """Hundreds of tunnels that have carried data cost little more than their sessions."""
        ends = world("offload", "1.3")
        kept = [ends.open()]
        serve = ends.program.workers()
        before = procfs.resident_bytes(serve)
        for _ in range(300):
            kept.append(ends.open())
        assert (procfs.resident_bytes(serve) - before) / 300 < 40 * 1024
