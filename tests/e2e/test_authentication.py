# SPDX-License-Identifier: MIT
"""Nobody gets in who was not let in, and who is refused is told why, in both roles and versions."""

import itertools
import os
import subprocess

import pytest
from harness import ports, processes, tls, wait
from harness.ends import PlainEnd
from harness.listeners import Listener, connect
from harness.program import SALLYPORT, configuration
from harness.worlds import VERSIONS, credentials

every_version = pytest.mark.parametrize("version", VERSIONS)

# What can be wrong with a certificate; test_decision.py has by which alert it is refused.
BAD = ("wrong-ca", "self-signed", "expired", "not-yet-valid", "mail-only", "rsa-1024")
LONG = "the peer's key is beyond RSA of 8192 bits with an exponent of 32"
BAD_CLIENTS, BAD_SERVERS = (*BAD, "server-only"), (*BAD, "client-only", "other-name")


class Offload:
    """An offloader before a plaintext backend."""

    def __init__(self, run, pki, **options):
        self.pki = pki
        self.backend = Listener()
        self.address = f"127.0.0.1:{ports.free()}"
        mode = options.pop("mode", "offload")
        service = {"mode": mode, "accept": self.address, "connect": self.backend.address}
        self.program = run(configuration({**service, **credentials(pki, "server"), **options}))

    def connect(self, context, name="localhost"):
        """A client and how its handshake went (None: well)."""
        client = tls.TlsEnd(connect(self.address), context, name=name)
        return client, client.handshake()

    def client_context(self, name, version):
        return tls.context(False, self.pki.get(name) if name else None, self.pki.ca, version)

    def admits(self, name, version):
        """Is the client of that name carried to the backend?"""
        client, failure = self.connect(self.client_context(name, version))
        assert failure is None, failure
        client.send(b"hello")
        backend = self.backend.accept()
        assert backend.receive(5) == b"hello"
        backend.close()
        client.close()
        return True

    def refusal(self, name, version):
        """The ending by which the client of that name is refused, no backend having been contacted."""
        client, failure = self.connect(self.client_context(name, version))
        ending = failure or client.wait_ending()
        assert client.wait_closed() == "fin", "the alert is followed by a FIN, not by a RST"
        client.close()
        self.program.wait_tunnel()
        assert not self.backend.has_pending(), "a backend was contacted for an unauthorised peer"
        return ending

    def close(self):
        self.backend.close()


class Encrypt:
    """An encryptor before a TLS backend with a certificate of the test's choice."""

    def __init__(self, run, pki, identity, version, ask=True, **options):
        context = tls.context(True, pki.get(identity), pki.ca, version, verify=ask)
        self.names_asked_for = []
        context.sni_callback = lambda _tls, name, _context: self.names_asked_for.append(name)
        self.backend = Listener(context)
        self.address = f"127.0.0.1:{ports.free()}"
        options.setdefault("connect", self.backend.address.replace("127.0.0.1", "localhost"))
        service = {"mode": "encrypt", "accept": self.address}
        self.program = run(configuration({**service, **credentials(pki, "client"), **options}))

    def try_once(self):
        """A client, the backend's end, and how the backend's handshake went (None: well)."""
        client = plain_client(self.address)
        backend = self.backend.accept_silent()
        return client, backend, backend.handshake()

    def refusal(self):
        """The alert that the backend gets; the client is reset and its data are not sent."""
        client, backend, failure = self.try_once()
        failure = failure or backend.wait_ending()
        assert not backend.unread, "data was sent to a peer that was not authorised"
        assert client.wait_ending() == "reset"
        return failure

    def admits(self):
        client, backend, failure = self.try_once()
        assert failure is None, failure
        assert backend.receive(5) == b"hello"
        client.close()
        backend.close()
        return True

    def close(self):
        self.backend.close()


def plain_client(address):
    client = PlainEnd(connect(address))
    client.send(b"hello")
    return client


@pytest.fixture
def offload(run, pki, closing):
    return lambda **options: closing(Offload(run, pki, **options))


@pytest.fixture
def encrypt(run, pki, closing):
    return lambda *arguments, **options: closing(Encrypt(run, pki, *arguments, **options))


@every_version
def test_a_client_with_a_good_certificate_is_admitted(offload, version):
    service = offload()
    assert service.admits("client", version)
    line = service.program.wait_tunnel()
    assert "client" in line["identity"]
    assert line["version"].replace("TLS", "").lstrip("v") == version


@pytest.mark.parametrize("name, version", list(itertools.product(BAD_CLIENTS, VERSIONS)))
def test_an_optional_certificate_must_still_be_good(offload, name, version):
    assert offload(verify="optional").refusal(name, version).startswith("alert:")


@every_version
def test_verify_optional_admits_a_client_without_a_certificate(offload, version):
    service = offload(verify="optional")
    assert service.admits(None, version)
    assert service.admits("client", version)


@every_version
def test_verify_no_asks_for_no_certificate(offload, version):
    service = offload(verify="no", ca=None)
    assert service.admits(None, version)
    assert service.admits("wrong-ca", version)
    assert "verify" in service.program.output()


@every_version
def test_a_resumed_session_is_authorised_again(offload, version):
    """A ticket that a service without client certificates gave is worth nothing where they are required."""
    open_door, closed_door = offload(verify="no", ca=None), offload()
    context = closed_door.client_context(None, version)
    client, failure = open_door.connect(context)
    assert failure is None
    client.send(b"x")
    backend = open_door.backend.accept()
    backend.send(b"y")
    assert client.receive(1) == b"y"
    session = client.tls.session
    again = tls.TlsEnd(connect(closed_door.address), context, name="localhost", session=session)
    ending = again.handshake() or again.wait_ending()
    assert ending.startswith("alert:")
    assert not closed_door.backend.has_pending()


@every_version
def test_a_good_server_is_believed(encrypt, version):
    assert encrypt("server", version).admits()


@pytest.mark.parametrize("name", ["server-rsa", "server-ed25519"])
def test_other_kinds_of_keys_are_believed(encrypt, name):
    assert encrypt(name, "1.3").admits()


@pytest.mark.parametrize("name, version", list(itertools.product(BAD_SERVERS, VERSIONS)))
def test_verify_no_believes_any_server(encrypt, name, version):
    service = encrypt(name, version, verify="no", ca=None)
    assert service.admits()
    assert "verify" in service.program.output()


@every_version
def test_a_server_that_does_not_know_us_aborts_the_client(encrypt, pki, version):
    identity = pki.get("wrong-ca")
    service = encrypt("server", version, cert=identity.crt, key=identity.key)
    client, backend, failure = service.try_once()
    assert failure.startswith("error:")
    backend.close()
    assert client.wait_ending() == "reset"
    assert "unknown" in service.program.wait_tunnel()["reason"].lower()


@every_version
def test_an_encryptor_without_a_certificate_shows_none(encrypt, version):
    service = encrypt("server", version, ask=False, cert="none", key=None)
    assert service.admits()


@every_version
def test_peer_name_replaces_the_host_of_connect(encrypt, version):
    assert encrypt("other-name", version, peer_name="other.test").admits()
    assert encrypt("other-name", version, peer_name="192.0.2.1").admits()
    assert encrypt("server", version, peer_name="other.test").refusal().startswith("alert:")


@every_version
def test_an_ip_target_must_stand_in_the_certificate(run, pki, closing, version):
    for name, good in (("server", True), ("other-name", False)):
        backend = closing(Listener(tls.context(True, pki.get(name), pki.ca, version)))
        address = f"127.0.0.1:{ports.free()}"
        service = {"mode": "encrypt", "accept": address, "connect": backend.address}
        run(configuration({**service, **credentials(pki, "client")}))
        client = plain_client(address)
        end = backend.accept_silent()
        ending = end.handshake()
        if good:
            assert end.receive(5) == b"hello"
        else:
            assert (ending or end.wait_ending()).startswith("alert:")
        client.close()


@every_version
@pytest.mark.parametrize(
    "options, expected",
    [
        ({}, "localhost"),
        ({"server_name": "asked.test"}, "asked.test"),
        ({"server_name": "none"}, None),
        ({"peer_name": "server.test"}, "server.test"),
        ({"peer_name": "127.0.0.1"}, None),
    ],
)
def test_the_server_is_asked_for_the_right_name(encrypt, version, options, expected):
    service = encrypt("server", version, **options)
    assert service.admits()
    assert service.names_asked_for == [expected]


@pytest.mark.parametrize("ours, theirs", [("1.2", "1.3"), ("1.3", "1.2")])
def test_a_client_of_another_version_is_refused(offload, ours, theirs):
    service = offload(tls_min_version=ours, tls_max_version=ours)
    assert service.admits("client", ours)
    # GnuTLS calls it the one or the other, depending on what else the hello holds.
    assert service.refusal("client", theirs) in ("alert:protocol_version", "alert:handshake_failure")


@pytest.mark.parametrize("ours, theirs", [("1.2", "1.3"), ("1.3", "1.2")])
def test_a_server_of_another_version_is_refused(encrypt, ours, theirs):
    service = encrypt("server", theirs, tls_min_version=ours, tls_max_version=ours)
    client, _, failure = service.try_once()
    assert failure is not None
    assert client.wait_ending() == "reset"


def test_tls_1_3_is_preferred(offload):
    service = offload()
    client, failure = service.connect(service.client_context("client", None))
    assert failure is None
    assert client.tls.version() == "TLSv1.3"


def test_priority_chooses_the_cipher(offload):
    service = offload(
        priority="NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305", tls_min_version="1.3"
    )
    client, failure = service.connect(service.client_context("client", None))
    assert failure is None
    assert "CHACHA20" in client.tls.cipher()[0]


@pytest.mark.parametrize("profile", ["LOW", "VERY_WEAK"])
def test_a_weak_chain_is_admitted_only_with_a_profile_that_the_user_set(offload, profile):
    service = offload(priority=f"NORMAL:%PROFILE_{profile}")
    assert service.admits("rsa-1024", "1.3")


@every_version
def test_a_client_whose_key_takes_long_to_check_is_refused_before_it_is_checked(offload, version):
    service = offload()
    assert service.refusal("long-exponent", version) == "alert:bad_certificate"
    assert LONG in service.program.wait_tunnel()["reason"]


@every_version
def test_a_server_whose_key_takes_long_to_check_is_not_believed_without_verification_either(encrypt, version):
    service = encrypt("long-exponent", version, verify="no", ca=None)
    assert service.refusal() == "alert:bad_certificate"
    assert LONG in service.program.wait_tunnel()["reason"]


def test_an_error_in_the_priority_shows_the_position(run, pki):
    text = configuration(
        {"mode": "offload", "accept": f"127.0.0.1:{ports.free()}", "connect": "127.0.0.1:1"}
        | credentials(pki, "server")
        | {"priority": "NORMAL:+NONSENSE"}
    )
    program = run(text, ready=False)
    assert program.wait_exit() == 1
    assert "NONSENSE" in program.output() and "priority" in program.output()


def own_key(pki, directory, mode, owner=0, group=0):
    """A copy of the server's key with these permissions."""
    path = os.path.join(directory, "copy.key")
    with open(pki.get("server").key, "rb") as source, open(path, "wb") as copy:
        copy.write(source.read())
    os.chown(path, owner, group)
    os.chmod(path, mode)
    return path


def check(tmp_path, pki, key, **options):
    path = tmp_path / "check.conf"
    service = {"mode": "offload", "accept": f"127.0.0.1:{ports.free()}", "connect": "127.0.0.1:1"}
    path.write_text(configuration({**service, **credentials(pki, "server"), "key": key, **options}))
    return processes.run([SALLYPORT, "check", "-c", path])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give files to others")
@pytest.mark.parametrize(
    "mode, owner, good",
    [
        (0o600, 0, True),
        (0o400, 0, True),
        (0o640, 0, True),
        (0o640, 65534, False),
        (0o600, 65534, True),
        (0o660, 0, False),
        (0o604, 0, False),
        (0o644, 0, False),
        (0o602, 0, False),
    ],
)
def test_a_key_that_others_can_read_is_refused_with_the_remedy(pki, tmp_path, mode, owner, good):
    key = own_key(pki, tmp_path, mode, owner)
    for path in (key, str(tmp_path / "link.key")):
        if not os.path.exists(path):
            os.symlink(key, path)
        result = check(tmp_path, pki, path)
        assert (result.returncode == 0) == good, result.stderr
        assert good or "chmod" in result.stderr + result.stdout
    if not good:
        assert check(tmp_path, pki, key, key_permissions="off").returncode == 0


def test_key_permissions_off_warns_at_start(run, pki, tmp_path):
    key = own_key(pki, tmp_path, 0o644)
    service = {"mode": "offload", "accept": f"127.0.0.1:{ports.free()}", "connect": "127.0.0.1:1"}
    program = run(
        configuration({**service, **credentials(pki, "server"), "key": key, "key_permissions": "off"})
    )
    assert "key-permissions" in program.output()


def test_a_key_of_another_certificate_is_an_error(pki, tmp_path):
    result = check(tmp_path, pki, pki.get("client").key)
    assert result.returncode == 1
    assert "key" in result.stderr


@every_version
def test_openssl_sees_the_certificate_chain_and_gets_in_with_its_own(offload, pki, version):
    service = offload()
    identity = pki.get("client")
    option = {"1.2": "-tls1_2", "1.3": "-tls1_3"}[version]
    process = processes.start(
        ["openssl", "s_client", "-connect", service.address, "-CAfile", pki.ca, "-verify_return_error"]
        + ["-cert", identity.crt, "-cert_chain", identity.crt, "-key", identity.key, option, "-quiet"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        backend = service.backend.accept()
        process.stdin.write(b"from openssl\n")
        process.stdin.flush()
        assert backend.receive(13) == b"from openssl\n"
        backend.send(b"to openssl\n")
        assert process.stdout.readline() == b"to openssl\n"
    finally:
        processes.end(process)
    wait.until(lambda: service.program.find(lambda line: "end" in line), "the tunnel ends")
