# SPDX-License-Identifier: MIT
"""Several services on one address: which is chosen by the name that the client asks for, and by nothing
else; and the protocol inside TLS (ALPN), which both ends must agree on."""

import socket
import ssl
import struct
import subprocess
import time

import pytest
from harness import ports, processes, procfs, tls, wait
from harness.listeners import Listener, connect
from harness.program import configuration
from harness.worlds import VERSIONS, credentials

ALERTS = {"illegal_parameter": 47, "decode_error": 50, "unrecognized_name": 112, "no_application_protocol": 120}
TLS_FRONTS = ("offload", "bridge")


class Site:
    """Services of one group, each with a backend and a certificate of its own: it says who was chosen."""

    def __init__(self, run, pki, closing, sections, version="1.3", mode="offload"):
        self.pki, self.closing, self.version, self.mode = pki, closing, version, mode
        self.address = f"127.0.0.1:{ports.free()}"
        self.backends = {}
        self.program = run(self.text(sections))

    def identity(self, name):
        key = f"group-{name}"
        if key not in self.pki.made:
            self.pki.made[key] = self.pki.issue(key, dns=("localhost", f"{name}.cert.test"))
        return self.pki.made[key]

    def backend(self, name):
        if name not in self.backends:
            context = tls.context(True, self.pki.get("server"), self.pki.ca) if self.mode == "bridge" else None
            self.backends[name] = self.closing(Listener(context))
        return self.backends[name]

    def section(self, name, options):
        identity = self.identity(name)
        made = {
            "name": name,
            "mode": self.mode,
            "accept": self.address,
            "connect": self.backend(name).address,
            "cert": identity.crt,
            "key": identity.key,
            "ca": self.pki.ca,
            "accept_tls_min_version" if self.mode == "bridge" else "tls_min_version": self.version,
            "accept_tls_max_version" if self.mode == "bridge" else "tls_max_version": self.version,
        }
        return {**made, **options}

    def text(self, sections):
        """sections: names and their `sni`, or dicts of options."""
        made = []
        for name, options in sections.items():
            made.append(self.section(name, options if isinstance(options, dict) else {"sni": options}))
        return configuration(*made)

    def client(self, name, alpn=None):
        """A client that asks for a name; not shaken hands yet."""
        context = tls.context(False, self.pki.get("client"), self.pki.ca, self.version)
        if alpn:
            context.set_alpn_protocols(alpn)
        return self.closing(tls.TlsEnd(connect(self.address), context, name=name))

    def chosen(self, name, **options):
        """Which service a client gets that asks for a name: both its certificate and its backend say so."""
        client = self.client(name, **options)
        assert client.handshake() is None
        return self.carried(client)

    def carried(self, client):
        ready = wait.until(lambda: [n for n, b in self.backends.items() if b.has_pending()], "a backend is dialled")
        assert len(ready) == 1
        backend = self.closing(self.backends[ready[0]].accept())
        client.send(b"?")
        assert backend.receive(1) == b"?"
        backend.send(b"!")
        assert client.receive(1) == b"!"
        names = {value for _, value in ssl_names(client)}
        assert f"{ready[0]}.cert.test" in names, (ready, names)
        self.latest = {"client": client, "backend": backend}
        return ready[0]

    def refusal(self, name, **options):
        """The alert that a client gets which asks for a name."""
        self.program.mark()
        client = self.client(name, **options)
        client.handshake()
        line = self.program.wait_tunnel(end="refused")
        assert not any(backend.has_pending() for backend in self.backends.values())
        return client.ending, line


def ssl_names(client):
    return client.tls.getpeercert()["subjectAltName"]


@pytest.fixture
def site(run, pki, closing):
    return lambda sections, *more, **options: Site(run, pki, closing, sections, *more, **options)


def hello_of(client):
    """The records of the ClientHello, which the client takes for sent."""
    try:
        client.tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return client.outgoing.read()


def records(hello, piece):
    """The same message in records of that many bytes."""
    message = hello[5:]
    parts = [message[at : at + piece] for at in range(0, len(message), piece)]
    return b"".join(hello[:3] + struct.pack(">H", len(part)) + part for part in parts)


def is_alert(ending, name):
    """Python has no names of its own for the younger alerts, and tells OpenSSL's words."""
    return name in (ending or "").lower().replace(" ", "_")


def alert_in(wire):
    """The description of the alert in plaintext that is all that wire has."""
    assert wire[:2] == b"\x15\x03" and wire[3:6] == b"\x00\x02\x02" and len(wire) == 7, wire
    return wire[6]


THREE = {
    "one": "one.test, *.shared.test",
    "two": "two.test, exact.shared.test",
    "three": "*.three.test",
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", TLS_FRONTS)
def test_the_name_chooses_certificate_and_backend(site, mode, version):
    group = site(THREE, version=version, mode=mode)
    for name, service in {
        "one.test": "one",
        "two.test": "two",
        "TWO.Test": "two",
        "any.shared.test": "one",
        "exact.shared.test": "two",
        "a.three.test": "three",
    }.items():
        assert group.chosen(name) == service, name


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["other.test", "three.test", "a.b.three.test", "one.test.example", None])
def test_a_name_that_nobody_has_is_refused(site, version, name):
    group = site(THREE, version=version)
    ending, line = group.refusal(name)
    assert is_alert(ending, "unrecognized_name")
    assert line["service"] == "one" and line["by"] == "client"
    assert line.get("sni") == name
    if name:
        assert f'no service has the name "{name}"' in line["reason"].replace("\\", "")
    else:
        assert "sent no name" in line["reason"]
    assert group.chosen("two.test") == "two"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_default_takes_unknown_and_absent_names(site, version):
    group = site({"one": "one.test", "rest": "default", "two": "two.test"}, version=version)
    assert group.chosen("one.test") == "one"
    assert group.chosen("two.test") == "two"
    assert group.chosen("unknown.test") == "rest"
    assert group.chosen(None) == "rest"


def test_the_default_may_have_names_of_its_own(site):
    group = site({"one": "*.test", "rest": "default, rest.test"})
    assert group.chosen("rest.test") == "rest"
    assert group.chosen("one.test") == "one"
    assert group.chosen("test") == "rest"


def test_a_service_alone_with_names_refuses_others(site):
    group = site({"one": "one.test"})
    assert group.chosen("one.test") == "one"
    assert is_alert(group.refusal("two.test")[0], "unrecognized_name")
    assert is_alert(group.refusal(None)[0], "unrecognized_name")


def test_a_service_alone_without_names_takes_all(site):
    group = site({"one": {}})
    assert group.chosen("one.test") == "one"
    assert group.chosen("127.0.0.1") == "one"
    assert group.chosen(None) == "one"


def test_the_log_says_the_name_and_the_service_that_was_chosen(site):
    group = site({"one": "one.test", "two": "two.test"})
    group.program.mark()
    group.chosen("Two.test")
    for end in group.latest.values():
        end.close()
    line = group.program.wait_tunnel()
    assert line["service"] == "two" and line["sni"] == "two.test"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_is_resumed_by_its_own_service_alone(site, version):
    group = site({"one": "one.test", "two": "two.test"}, version=version)
    context = tls.context(False, group.pki.get("client"), group.pki.ca, version)

    def again(name, session):
        client = group.closing(tls.TlsEnd(connect(group.address), context, name=name, session=session))
        assert client.handshake() is None
        assert group.carried(client) == name.partition(".")[0]
        return client.tls

    first = again("one.test", None)
    assert not first.session_reused
    assert again("one.test", first.session).session_reused
    assert not again("two.test", first.session).session_reused


def test_totals_count_each_connection_for_its_service(site):
    group = site({"one": "one.test", "two": "two.test"})
    group.chosen("one.test")
    group.chosen("two.test")
    group.chosen("two.test")
    group.refusal("three.test")
    group.program.stop()
    totals = {line["service"]: line for line in group.program.log() if line["message"] == "totals"}
    assert [int(totals[name]["accepted"]) for name in ("one", "two")] == [2, 2]
    assert [int(totals[name]["refused"]) for name in ("one", "two")] == [1, 0]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_hello_may_come_byte_by_byte(site, version):
    group = site({"one": "one.test", "two": "two.test"}, version=version)
    client = group.client("two.test")
    for byte in hello_of(client):
        client.sock.send(bytes([byte]))
        time.sleep(0.0005)
    assert client.handshake() is None
    assert group.carried(client) == "two"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("piece", [1, 3, 4, 5, 50])
def test_a_hello_may_be_in_many_records(site, version, piece):
    group = site({"one": "one.test", "two": "two.test"}, version=version)
    client = group.client("two.test")
    client.sock.sendall(records(hello_of(client), piece))
    assert client.handshake() is None
    assert group.carried(client) == "two"


def test_a_piece_of_a_hello_and_a_fin_is_refused(site):
    group = site({"one": "one.test", "two": "default"})
    client = group.client("one.test")
    client.sock.sendall(hello_of(client)[:50])
    client.cut()
    line = group.program.wait_tunnel()
    assert line["end"] == "refused" and line["service"] == "two"
    assert "closed the connection" in line["reason"]


def test_a_hello_that_stops_is_cut_by_the_handshake_timeout(site):
    group = site({"one": {"sni": "one.test", "handshake_timeout": "500ms"}})
    client = group.client("one.test")
    client.sock.sendall(hello_of(client)[:-1])
    line = group.program.wait_tunnel()
    assert line["end"] == "refused" and "handshake-timeout" in line["reason"]
    assert client.wait_closed() in ("fin", "reset")


def with_padding(hello, size):
    """The hello with so many bytes of an extension that means nothing (RFC 7685), in large records."""
    body = hello[9:]
    at = 34
    at += 1 + body[at]
    at += 2 + int.from_bytes(body[at : at + 2], "big")
    at += 1 + body[at]
    extensions = body[at + 2 :] + struct.pack(">HH", 21 if b"\0\x15" not in body[at:] else 0x4A4A, size) + bytes(size)
    body = body[:at] + struct.pack(">H", len(extensions) & 0xFFFF) + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return records(hello[:5] + message, 16000)


def test_a_hello_over_64_kib_is_refused(site):
    group = site({"one": "one.test"})
    client = group.client("one.test")
    try:
        client.sock.sendall(with_padding(hello_of(client), 65300))
    except OSError:
        pass
    assert alert_in(client.raw_rest()[0]) == ALERTS["illegal_parameter"]
    assert "64 KiB" in group.program.wait_tunnel()["reason"]
    assert group.chosen("one.test") == "one"


def forged(name_list):
    """A ClientHello with just that list of server names."""
    extension = struct.pack(">HH", 0, len(name_list)) + name_list
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\xc0\x2b" + b"\x01\0"
    body += struct.pack(">H", len(extension)) + extension
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


def names(*entries):
    listed = b"".join(bytes([kind]) + struct.pack(">H", len(name)) + name for kind, name in entries)
    return struct.pack(">H", len(listed)) + listed


FORGED = {
    "two names": (names((0, b"one.test"), (0, b"two.test")), "illegal_parameter"),
    "another type": (names((1, b"one.test")), "illegal_parameter"),
    "a nul": (names((0, b"one.test\0.two.test")), "illegal_parameter"),
    "an empty name": (names((0, b"")), "decode_error"),
    "an empty list": (b"\0\0", "decode_error"),
    "256 bytes": (names((0, b"x" * 256)), "decode_error"),
    "cut off": (names((0, b"one.test"))[:-1], "decode_error"),
}


@pytest.mark.parametrize("what", sorted(FORGED))
def test_a_malformed_name_is_refused_even_by_a_default(site, what):
    group = site({"one": "one.test", "two": "default"})
    name_list, alert = FORGED[what]
    end = group.client(None)
    end.sock.sendall(forged(name_list))
    assert alert_in(end.raw_rest()[0]) == ALERTS[alert]
    line = group.program.wait_tunnel()
    assert line["end"] == "refused" and line["service"] == "two" and line["reason"]


def record(sock):
    """The next record that comes, with its header."""
    sock.settimeout(10 * wait.SLOWNESS)
    header = sock.recv(5, socket.MSG_WAITALL)
    return header + sock.recv(int.from_bytes(header[3:5], "big"), socket.MSG_WAITALL)


def test_a_second_hello_must_ask_for_the_same_name(site, closing):
    """A server that wants another key share gets a second ClientHello (RFC 8446 section 4.1.4)."""
    group = site({"one": "one.test", "two": "two.test"})
    middle = closing(Listener())
    client = processes.start(
        ["openssl", "s_client", "-connect", middle.address, "-servername", "one.test", "-groups", "P-521:X25519"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        near, far = middle.accept_raw(), connect(group.address)
        far.sendall(record(near))
        near.sendall(record(far))
        hello = b""
        while b"one.test" not in hello:
            hello += record(near)
        far.sendall(hello.replace(b"one.test", b"two.test"))
        wire = b""
        while not wire.startswith(b"\x15"):
            wire = record(far)
        assert alert_in(wire) == ALERTS["illegal_parameter"]
        line = group.program.wait_tunnel()
        assert line["end"] == "refused" and line["sni"] == "one.test"
        near.close()
        far.close()
    finally:
        processes.end(client)


@pytest.mark.parametrize("version", VERSIONS)
def test_one_of_the_protocols_is_selected_in_the_servers_order(site, version):
    group = site({"one": {"alpn": "h2, smtp"}}, version=version)
    assert group.chosen("one.test", alpn=["imap", "smtp", "h2"]) == "one"
    assert group.latest["client"].tls.selected_alpn_protocol() == "h2"
    assert group.chosen("one.test", alpn=["smtp"]) == "one"
    assert group.latest["client"].tls.selected_alpn_protocol() == "smtp"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", TLS_FRONTS)
@pytest.mark.parametrize("alpn", [None, ["imap"], ["h"], ["h2c", "H2"]])
def test_without_a_common_protocol_a_client_is_refused(site, mode, version, alpn):
    group = site(
        {"one": {"sni": "one.test", ("accept_alpn" if mode == "bridge" else "alpn"): "h2, smtp"}, "two": "two.test"},
        version=version,
        mode=mode,
    )
    ending, line = group.refusal("one.test", alpn=alpn)
    assert is_alert(ending, "no_application_protocol")
    assert line["service"] == "one"
    assert (alpn[0] if alpn else "no protocol (ALPN)") in line["reason"]
    assert group.chosen("two.test", alpn=alpn) == "two"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("alpn", [None, ["imap"]])
def test_an_encryptor_refuses_a_server_that_selects_no_protocol(run, pki, closing, version, alpn):
    context = tls.context(True, pki.get("server"), pki.ca, version)
    if alpn:
        context.set_alpn_protocols(alpn)
    backend = closing(Listener(context))
    accept = f"127.0.0.1:{ports.free()}"
    program = run(
        configuration(
            {
                "mode": "encrypt",
                "accept": accept,
                "connect": backend.address,
                "peer_name": "localhost",
                "alpn": "h2, smtp",
                **credentials(pki, "client"),
            }
        )
    )
    client = connect(accept)
    end = closing(backend.accept_silent())
    # A server of TLS 1.3 is content before the client has judged what it selected.
    end.handshake()
    assert is_alert(end.wait_ending(), "no_application_protocol")
    line = program.wait_tunnel(end="failed")
    assert "alpn" in line["reason"].lower()
    client.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_an_encryptor_and_a_server_agree_on_a_protocol(world, version):
    ends = world("pair", version, alpn="smtp")
    ends.open()


def test_a_reload_adds_and_removes_a_member_and_running_tunnels_stay(site):
    group = site({"one": "one.test", "two": "two.test"})
    assert group.chosen("two.test") == "two"
    running = group.latest
    group.program.reload(group.text({"one": "one.test", "three": "three.test"}))
    assert is_alert(group.refusal("two.test")[0], "unrecognized_name")
    assert group.chosen("three.test") == "three"
    assert group.chosen("one.test") == "one"
    running["client"].send(b"still")
    assert running["backend"].receive(5) == b"still"
    running["backend"].send(b"here")
    assert running["client"].receive(4) == b"here"
    group.program.reload(group.text({"one": "one.test", "two": "two.test"}))
    assert group.chosen("two.test") == "two"
    assert is_alert(group.refusal("three.test")[0], "unrecognized_name")


def test_a_connection_that_was_accepted_before_a_reload_gets_what_it_was_accepted_with(site):
    group = site({"one": "one.test", "two": "two.test"})
    before = procfs.descriptors(group.program.workers())
    client = group.client("two.test")
    hello = hello_of(client)
    client.sock.sendall(hello[:20])
    wait.until(lambda: procfs.descriptors(group.program.workers()) > before, "the connection is accepted")
    group.program.reload(group.text({"one": "one.test"}))
    client.sock.sendall(hello[20:])
    assert client.handshake() is None
    assert group.carried(client) == "two"


def test_members_may_share_one_address_and_differ_in_another(run, pki, closing):
    site = Site(run, pki, closing, {"one": "one.test"})
    other = f"127.0.0.1:{ports.free()}"
    sections = {
        "one": {"sni": "one.test", "accept": [site.address, other]},
        "two": {"sni": "two.test", "accept": other},
    }
    site.program.reload(site.text(sections))
    assert site.chosen("one.test") == "one"
    assert is_alert(site.refusal("two.test")[0], "unrecognized_name")
    site.address = other
    assert site.chosen("two.test") == "two"
    assert site.chosen("one.test") == "one"

