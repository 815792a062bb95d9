# SPDX-License-Identifier: MIT
"""The harness against itself: what the tests see must be what happened."""

import socket

import pytest
from harness import ports, processes, tls, wait
from harness.ends import PlainEnd
from harness.listeners import BlackHole, Listener, connect


def tls_pair(pki, listener_context, client_context, closing):
    listener = closing(Listener(listener_context))
    client = closing(tls.TlsEnd(connect(listener.address), client_context, name="localhost"))
    server = closing(listener.accept_silent())
    return client, server


def shake(client, server):
    """Both handshakes by one thread, a flight at a time."""
    done = set()
    while len(done) < 2 and not (client.ending or server.ending):
        for end in (client, server):
            if end in done:
                continue
            try:
                end.tls.do_handshake()
                done.add(end)
            except tls.ssl.SSLWantReadError:
                pass
            except tls.ssl.SSLError as error:
                end.ending = tls._ending_of(error)
            end._flush_quietly()
            other = server if end is client else client
            other.sock.settimeout(0.05)
            try:
                other.incoming.write(other.sock.recv(65536))
            except TimeoutError:
                pass


@pytest.fixture(params=["1.2", "1.3"])
def ends(request, pki, closing):
    server_context = tls.context(True, pki.get("server"), pki.ca, request.param)
    client_context = tls.context(False, pki.get("client"), pki.ca, request.param)
    client, server = tls_pair(pki, server_context, client_context, closing)
    shake(client, server)
    assert client.ending is None and server.ending is None
    return client, server


def test_a_close_notify_is_an_end_and_leaves_the_way_back_open(ends):
    client, server = ends
    client.send(b"question")
    client.finish()
    assert server.rest() == (b"question", "end")
    server.send(b"answer")
    server.finish()
    assert client.rest() == (b"answer", "end")


def test_a_close_notify_with_unread_data_is_an_end(ends):
    client, server = ends
    server.send(b"early")
    wait.until(lambda: client.step(1), "data comes")
    client.finish()
    assert server.rest() == (b"", "end")
    assert client.receive(5) == b"early"


def test_a_fin_without_close_notify_is_a_cut(ends):
    client, server = ends
    client.send(b"x")
    client.cut()
    assert server.rest() == (b"x", "cut")


def test_a_fin_inside_a_record_is_a_cut(ends):
    client, server = ends
    client.cut_inside_record(b"x" * 100)
    assert server.rest() == (b"", "cut")


def test_a_reset_is_a_reset(ends):
    client, server = ends
    client.reset()
    assert server.rest() == (b"", "reset")


def test_a_fatal_alert_has_a_name(ends):
    client, server = ends
    client.alert()
    assert server.wait_ending() == "alert:bad_record_mac"


def test_an_unknown_authority_is_an_alert_to_the_client(pki, closing):
    server_context = tls.context(True, pki.get("server"), pki.ca, "1.2")
    client_context = tls.context(False, pki.get("wrong-ca"), pki.ca, "1.2")
    client, server = tls_pair(pki, server_context, client_context, closing)
    shake(client, server)
    assert server.ending.startswith("error:")
    assert client.handshake() == "alert:unknown_ca"


def test_plaintext_ends_are_told_apart(closing):
    for finish, ending in ((PlainEnd.finish, "end"), (PlainEnd.reset, "reset")):
        listener = closing(Listener())
        client = PlainEnd(connect(listener.address))
        server = closing(listener.accept())
        client.send(b"data")
        finish(client)
        assert server.rest() == (b"data", ending)
        client.close()


def test_a_black_hole_answers_nothing(closing):
    hole = closing(BlackHole())
    with pytest.raises(TimeoutError):
        connect(hole.address, timeout=0.3)


def test_openssl_verifies_our_chains(pki):
    for name, words in (("server", "OK"), ("expired", "expired"), ("wrong-ca", "unable to get")):
        crt = pki.get(name).crt
        result = processes.run(["openssl", "verify", "-CAfile", pki.ca, "-untrusted", crt, crt])
        assert words in result.stdout + result.stderr


def test_openssl_talks_to_our_end(pki, closing):
    port = ports.free()
    identity = pki.get("server")
    server = processes.start(
        ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", identity.crt, "-key", identity.key]
        + ["-cert_chain", identity.crt, "-rev", "-quiet"]
    )
    try:
        sock = wait.until(lambda: try_connect(port), "openssl listens")
        client = closing(tls.TlsEnd(sock, tls.context(False, None, pki.ca), name="localhost"))
        assert client.handshake() is None
        client.send(b"hello\n")
        assert client.receive(6) == b"olleh\n"
        client.finish()
        assert client.wait_ending() in ("end", "cut")
    finally:
        processes.end(server)


def try_connect(port):
    try:
        return socket.create_connection(("127.0.0.1", port), 1)
    except ConnectionRefusedError:
        return None
