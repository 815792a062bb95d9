# SPDX-License-Identifier: MIT
"""What comes between and inside the records: updates of keys, tickets, empty and tiny records, alerts."""

import subprocess
import time

import pytest
from harness import tls
from harness.forger import ALERT, CHANGE_CIPHER_SPEC, CLOSE_NOTIFY, DATA, HANDSHAKE, USER_CANCELED
from harness.forger import Forger, message, ticket
from harness.listeners import connect


@pytest.fixture
def tunnel(world, tmp_path):
    """tunnel(mode): a world, both ends, and a forger for the one that speaks TLS 1.3."""

    def open_one(mode, **options):
        made = world(mode, "1.3", **options)
        keylog = str(tmp_path / "keys")
        context = made.client_context if mode == "offload" else made.listener.context
        context.keylog_filename = keylog
        if mode == "encrypt":
            context.num_tickets = 0
        client = made.connect()
        backend = made.listener.accept()
        made.ends.append(backend)
        end, role = (client, "CLIENT") if mode == "offload" else (backend, "SERVER")
        return made, client, backend, Forger(end, keylog, role)

    return open_one


def test_empty_records_are_nothing(tunnel):
    _, _, backend, forger = tunnel("offload")
    empty = [forger.record(DATA, b"", padding=n % 3) for n in range(500)]
    forger.send(*empty)
    assert backend.is_quiet(0.3)
    forger.send(forger.record(DATA, b"data"), forger.record(DATA, b""))
    assert backend.receive(4) == b"data"
    assert backend.is_quiet(0.3)
    forger.send(forger.record(DATA, b""), forger.record(ALERT, CLOSE_NOTIFY))
    assert backend.rest() == (b"", "end")


def test_tiny_and_padded_records_arrive(tunnel):
    _, _, backend, forger = tunnel("offload")
    tiny = [forger.record(DATA, bytes([n % 251])) for n in range(20000)]
    forger.send(*tiny, *[forger.record(DATA, b"p", padding=16000) for _ in range(50)])
    assert backend.receive(20050) == bytes(n % 251 for n in range(20000)) + b"p" * 50


@pytest.mark.parametrize("asked", [False, True])
def test_key_updates_within_data(tunnel, asked):
    _, client, backend, forger = tunnel("offload")
    for _ in range(6):
        forger.send(forger.record(DATA, b"a" * 16000), forger.key_update(asked), forger.record(DATA, b"b" * 9000))
        assert backend.receive(25000) == b"a" * 16000 + b"b" * 9000
        backend.send(b"answer" * 1000)
        assert client.receive(6000) == b"answer" * 1000
    assert backend.is_quiet(0.1)


def test_a_key_update_after_our_end_is_harmless(tunnel):
    world, client, backend, forger = tunnel("offload")
    backend.finish()
    assert client.wait_ending() == "end"
    forger.send(forger.key_update(True), forger.record(DATA, b"late"))
    assert backend.receive(4) == b"late"
    forger.send(forger.record(ALERT, CLOSE_NOTIFY))
    assert backend.rest() == (b"", "end")
    world.program.wait_tunnel(end="closed")


def test_many_tickets_whole_and_cut_between_data(tunnel):
    _, client, backend, forger = tunnel("encrypt")
    wire = []
    for number in range(300):
        whole = ticket(number)
        wire += [forger.record(HANDSHAKE, whole), forger.record(HANDSHAKE, whole * 3)]
        wire += [forger.record(HANDSHAKE, piece) for piece in (whole[:2], whole[2:30], whole[30:] + whole)]
        wire.append(forger.record(DATA, b"data"))
    forger.send(*wire)
    assert client.receive(1200) == b"data" * 300
    client.send(b"back")
    assert backend.receive(4) == b"back"
    forger.send(forger.record(DATA, b"last"), forger.record(HANDSHAKE, ticket(0)))
    assert client.receive(4) == b"last"
    forger.send(forger.record(HANDSHAKE, ticket(0)), forger.record(ALERT, CLOSE_NOTIFY))
    assert client.rest() == (b"", "end")


def test_a_cancelling_peer_has_ended_cleanly(tunnel):
    """Java says user_canceled before each close_notify of TLS 1.3 (RFC 8446 section 6.1)."""
    world, client, backend, forger = tunnel("offload")
    forger.send(
        forger.record(DATA, b"last"), forger.record(ALERT, USER_CANCELED), forger.record(ALERT, CLOSE_NOTIFY)
    )
    assert backend.rest() == (b"last", "end")
    backend.finish()
    assert client.wait_ending() == "end"
    world.program.wait_tunnel(end="closed")


def test_a_cancelling_peer_that_is_cut_has_not_ended(tunnel):
    world, client, backend, forger = tunnel("offload")
    forger.send(forger.record(DATA, b"last"), forger.record(ALERT, USER_CANCELED))
    assert backend.receive(4) == b"last"
    assert backend.is_quiet(0.2)
    client.cut()
    assert backend.wait_ending() == "reset"
    world.program.wait_tunnel(end="aborted")


@pytest.mark.parametrize("bytes_after", [0, 200000])
def test_what_comes_after_the_end_is_dropped(tunnel, bytes_after):
    world, client, backend, forger = tunnel("offload")
    forger.send(forger.record(DATA, b"last"), forger.record(ALERT, CLOSE_NOTIFY), b"x" * bytes_after)
    assert backend.rest() == (b"last", "end")
    backend.send(b"answer")
    assert client.receive(6) == b"answer"
    backend.finish()
    assert client.wait_ending() == "end"
    world.program.wait_tunnel(end="closed")


@pytest.mark.parametrize("what", ["request", "hello", "ccs", "alert", "cut"])
def test_what_has_no_place_after_the_handshake_is_an_abort(tunnel, what):
    world, client, backend, forger = tunnel("encrypt")
    if what == "request":
        body = b"\1c" + b"\0\x08" + b"\0\x0d\0\4\0\2\4\3"
        forger.send(forger.record(HANDSHAKE, message(13, body)))
    elif what == "hello":
        forger.send(forger.record(HANDSHAKE, message(2, b"\3\3" + bytes(60))))
    elif what == "ccs":
        forger.send(b"\x14\3\3\0\1\1")
    elif what == "alert":
        forger.send(forger.record(ALERT, b"\1\x70"))
    else:
        forger.send(forger.record(DATA, b"whole"), forger.record(DATA, b"half")[:9])
        assert client.receive(5) == b"whole"
        backend.cut()
    assert client.rest()[1] == "reset"
    assert world.program.wait_tunnel(end="aborted")["by"] == "backend"


def test_change_cipher_spec_inside_a_handshake_is_ignored(world):
    made = world("offload", "1.3")
    client = made.connect_silent()
    client.sock.settimeout(10)
    ccs = b"\x14\3\3\0\1\1"
    with pytest.raises(tls.ssl.SSLWantReadError):
        client.tls.do_handshake()
    client.sock.sendall(client.outgoing.read() + ccs * 3)
    assert client.handshake() is None
    backend = made.listener.accept()
    client.send(b"data")
    assert backend.receive(4) == b"data"


@pytest.mark.parametrize("first", [b"", b"hello"])
def test_close_notify_inside_a_handshake_is_a_peer_that_left(world, first):
    made = world("offload", "1.3")
    client = made.connect_silent()
    if first:
        with pytest.raises(tls.ssl.SSLWantReadError):
            client.tls.do_handshake()
        first = client.outgoing.read()
    client.sock.sendall(first + b"\x15\3\3\0\2\1\0")
    client.wait_closed()
    line = made.program.wait_tunnel(end="refused")
    assert "speak TLS" not in line["reason"], line
    assert not made.listener.has_pending()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_peer_that_wants_small_records_gets_small_ones(world, version):
    made = world("offload", version)
    identity = made.pki.get("client")
    command = ["openssl", "s_client", "-quiet", "-maxfraglen", "512", "-connect", made.address]
    command += ["-cert", identity.crt, "-cert_chain", identity.crt, "-key", identity.key]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        backend = made.listener.accept()
        data = bytes(range(256)) * 8192
        backend.send(data)
        assert process.stdout.read(len(data)) == data
    finally:
        process.kill()
        process.communicate()


def test_a_client_cannot_renegotiate(world):
    made = world("offload", "1.2")
    identity = made.pki.get("client")
    command = ["openssl", "s_client", "-connect", made.address, "-cert", identity.crt, "-key", identity.key]
    command += ["-cert_chain", identity.crt]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        backend = made.listener.accept()
        process.stdin.write(b"R\n")
        process.stdin.flush()
        assert backend.rest() == (b"", "reset")
        assert "renegotiate" in made.program.wait_tunnel(end="aborted")["reason"]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.deadline(60)
def test_halves_of_records_do_not_use_up_the_memory_of_all(world):
    """640 halves of large records fill the smallest buffer-memory; each is freed by its other half only."""
    made = world("offload", "1.3", buffer_memory="16MiB")
    halves = []
    for _ in range(640):
        client = made.connect()
        wire = client.seal(b"x" * 16384)
        client.sock.sendall(wire[:16390])
        halves.append((client, made.listener.accept(), wire[16390:]))
        made.ends.append(halves[-1][1])
    time.sleep(0.5)
    for client, _, rest in halves:
        client.sock.sendall(rest)
    for _, backend, _ in halves:
        assert backend.receive(16384) == b"x" * 16384
