# SPDX-License-Identifier: MIT
"""Sessions that are resumed, in both roles: when they may be, when they may not, and who is judged anew."""

import os
import shutil
import subprocess
import time

import pytest
from harness import ports, procfs, tls, wait
from harness.ends import PlainEnd
from harness.listeners import Listener, connect
from harness.program import configuration
from harness.revocation import staple, write
from harness.worlds import VERSIONS, credentials

DAY = 24 * 3600


def reload(program, text=None):
    assert program.reload(text)["message"] == "reloaded"


def exchange(closing, client, backend):
    """Carry something both ways from client to what the backend accepts, which is returned."""
    client.send(b"?")
    end = closing(backend.accept())
    assert end.receive(1) == b"?"
    end.send(b"!")
    assert client.receive(1) == b"!"
    return end


def finish(client, end):
    """Both end the tunnel well."""
    client.finish()
    end.finish()
    assert client.wait_ending() == "end"
    client.close()
    end.close()


def carry(closing, port, backend):
    """A tunnel from a plain client to a plain backend that carries something both ways."""
    client = closing(PlainEnd(connect(f"127.0.0.1:{port}")))
    finish(client, exchange(closing, client, backend))


class Offloader:
    """An offloader before a plain backend, and clients of Python that keep their sessions."""

    def __init__(self, run, pki, closing, version="1.3", **options):
        self.pki, self.closing = pki, closing
        self.backend = closing(Listener())
        self.port = ports.free()
        self.version = version
        self.context = tls.context(False, pki.get("client"), pki.ca, version)
        self.run, self.options = run, options
        self.program = run(self.text(**options))

    def section(self, name="front", **options):
        service = {"name": name, "mode": "offload", "accept": f"127.0.0.1:{self.port}", "connect": self.backend.address}
        return {**service, **credentials(self.pki, "server"), **options}

    def text(self, **options):
        return configuration(self.section(**options), workers=1)

    def restart(self, **options):
        self.program.stop()
        self.program = self.run(self.text(**{**self.options, **options}))

    def connect(self, session=None, context=None, name="localhost"):
        """An end of TLS whose handshake is done, and nothing else."""
        sock = connect(f"127.0.0.1:{self.port}")
        end = self.closing(tls.TlsEnd(sock, context or self.context, name=name, session=session))
        end.failure = end.handshake()
        return end

    def talk(self, session=None, context=None, name="localhost"):
        """The session after a tunnel that carried something, and whether it was resumed."""
        end = self.connect(session, context, name)
        assert end.failure is None, end.failure
        backend = exchange(self.closing, end, self.backend)
        made = (end.tls.session, end.tls.session_reused)
        finish(end, backend)
        return made

    def resumes(self, session, **wishes):
        return self.talk(session, **wishes)[1]


@pytest.fixture
def offloader(run, pki, closing):
    return lambda version="1.3", **options: Offloader(run, pki, closing, version, **options)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_resumes_and_the_log_says_so(offloader, version):
    front = offloader(version)
    session, resumed = front.talk()
    assert not resumed
    front.program.wait_tunnel(resumed="no")
    assert front.resumes(session)
    line = front.program.wait_tunnel(resumed="yes")
    assert "client.test" in line["identity"]


@pytest.mark.parametrize("version", VERSIONS)
def test_without_tickets_nobody_resumes(offloader, version):
    front = offloader(version, tickets="no")
    session, _ = front.talk()
    assert not session.has_ticket
    assert not front.resumes(session)


def test_one_ticket_is_given_for_its_lifetime(offloader):
    front = offloader(ticket_lifetime="20m")
    session, _ = front.talk()
    assert session.has_ticket
    assert session.ticket_lifetime_hint == 20 * 60


@pytest.mark.parametrize("version", VERSIONS)
def test_a_restart_forgets_sessions(offloader, version):
    front = offloader(version)
    session, _ = front.talk()
    front.restart()
    assert not front.resumes(session)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_restart_with_ticket_keys_does_not(offloader, version, tmp_path):
    keys = secret(tmp_path)
    front = offloader(version, ticket_keys=keys)
    session, _ = front.talk()
    front.restart()
    session, resumed = front.talk(session)
    assert resumed
    with open(keys, "wb") as file:
        file.write(os.urandom(64))
    front.restart()
    assert not front.resumes(session)


def secret(tmp_path, size=64):
    path = tmp_path / "ticket.key"
    path.write_bytes(os.urandom(size))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("version", VERSIONS)
def test_a_serve_that_died_is_followed_by_one_that_resumes(offloader, version):
    front = offloader(version)
    session, _ = front.talk()
    front.program.mark()
    os.kill(front.program.workers(), 9)
    front.program.wait_ready()
    assert front.resumes(session)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reload_without_changes_keeps_sessions(offloader, version):
    front = offloader(version)
    session, _ = front.talk()
    reload(front.program)
    assert front.resumes(session)


def test_a_file_of_the_wrong_size_is_refused(offloader, tmp_path):
    front = offloader()
    line = front.program.reload(front.text(ticket_keys=secret(tmp_path, 63)))
    assert "failed" in line["message"]
    front.program.mark()
    assert "63 bytes" in front.program.output()


# What another section or policy has that a ticket must not be good for.
OTHERS = {
    "section": {"name": "other"},
    "verify": {"verify": "optional"},
    "alpn": {"alpn": "none-such, other"},
    "priority": {"priority": "NORMAL"},
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("other", OTHERS)
def test_a_ticket_is_worthless_under_another_policy(offloader, version, other, tmp_path):
    front = offloader(version, ticket_keys=secret(tmp_path))
    session, _ = front.talk()
    reload(front.program, front.text(ticket_keys=tmp_path / "ticket.key", **OTHERS[other]))
    if other == "alpn":
        front.context.set_alpn_protocols(["other"])
    assert not front.resumes(session)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ticket_of_other_trust_anchors_is_not_taken(offloader, version, tmp_path, pki):
    """The chain is good by both; what the ticket was given under counts."""
    both = tmp_path / "both.crt"
    both.write_bytes(open(pki.ca, "rb").read() + open(pki.stranger.crt, "rb").read())
    keys = secret(tmp_path)
    front = offloader(version, ticket_keys=keys)
    session, _ = front.talk()
    reload(front.program, front.text(ticket_keys=keys, ca=both))
    session, resumed = front.talk(session)
    assert not resumed
    # The same anchors in another order and file are the same.
    both.write_bytes(open(pki.stranger.crt, "rb").read() + b"\n" + open(pki.ca, "rb").read())
    reload(front.program)
    assert front.resumes(session)


@pytest.mark.parametrize("version", VERSIONS)
def test_who_is_denied_by_a_reload_is_refused_when_resuming(offloader, version):
    front = offloader(version)
    session, _ = front.talk()
    reload(front.program, front.text(deny="dns:client.test"))
    front.program.mark()
    end = front.connect(session)
    ending = end.failure or end.wait_ending()
    assert ending == "alert:access_denied"
    assert not front.backend.has_pending()
    front.program.wait_words("refused", "client.test")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_without_certificate_resumes_as_nobody(offloader, version):
    front = offloader(version, verify="optional")
    nobody = tls.context(False, None, front.pki.ca, version)
    session, _ = front.talk(context=nobody)
    assert front.resumes(session, context=nobody)
    front.program.wait_tunnel(resumed="yes", identity="-")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_refused_client_gets_no_ticket(offloader, version):
    front = offloader(version, deny="dns:client.test")
    end = front.connect()
    ending = end.failure or end.wait_ending()
    assert ending == "alert:access_denied"
    assert end.tls.session is None or not end.tls.session.has_ticket


class Encryptor:
    """An encryptor behind a plain client, before a TLS backend of Python that counts what is resumed."""

    def __init__(self, run, pki, closing, version, **options):
        self.pki, self.closing, self.version = pki, closing, version
        self.context = tls.context(True, pki.get("server"), pki.ca, version)
        self.backend = closing(Listener(self.context))
        self.port = ports.free()
        self.program = run(self.text(**options))

    def text(self, **options):
        service = {"mode": "encrypt", "accept": f"127.0.0.1:{self.port}", "connect": f"localhost:{self.backend.port}"}
        return configuration({**service, **credentials(self.pki, "client"), **options}, workers=1)

    def talk(self):
        """Was the tunnel's session resumed?"""
        client = self.closing(PlainEnd(connect(f"127.0.0.1:{self.port}")))
        end = exchange(self.closing, client, self.backend)
        resumed = end.tls.session_reused
        finish(client, end)
        return resumed


@pytest.fixture
def encryptor(run, pki, closing):
    return lambda version="1.3", **options: Encryptor(run, pki, closing, version, **options)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_encryptor_resumes(encryptor, version):
    near = encryptor(version)
    assert [near.talk() for _ in range(4)] == [False, True, True, True]
    near.program.wait_tunnel(resumed="yes")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_encryptor_without_tickets_never_does(encryptor, version):
    near = encryptor(version, tickets="no")
    assert [near.talk() for _ in range(3)] == [False, False, False]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_encryptor_goes_on_where_its_ticket_is_not_taken(encryptor, version):
    """A server that has forgotten its keys gets a full handshake, not an error."""
    near = encryptor(version)
    assert not near.talk()
    near.backend.context = tls.context(True, near.pki.get("server"), near.pki.ca, version)
    assert not near.talk()
    assert near.talk()


@pytest.mark.parametrize("version", VERSIONS)
def test_an_encryptors_reload_without_changes_keeps_its_tickets(encryptor, version):
    near = encryptor(version)
    assert not near.talk()
    reload(near.program)
    assert near.talk()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("change", ["ca", "cert", "rule"])
def test_a_reload_that_changes_identity_or_trust_drops_tickets(encryptor, version, change, tmp_path, pki):
    near = encryptor(version)
    assert not near.talk()
    both = tmp_path / "both.crt"
    both.write_bytes(open(pki.ca, "rb").read() + open(pki.stranger.crt, "rb").read())
    other = pki.get("client-only")
    options = {"ca": {"ca": both}, "cert": {"cert": other.crt, "key": other.key}, "rule": {"deny": "dns:nobody.test"}}
    reload(near.program, near.text(**options[change]))
    assert not near.talk()
    assert near.talk()


@pytest.mark.parametrize("version", VERSIONS)
def test_an_encryptor_judges_a_resumed_server(encryptor, version):
    """A rule that came by a reload leaves no ticket, and the server is refused by the full handshake."""
    near = encryptor(version)
    assert not near.talk()
    reload(near.program, near.text(deny="dns:localhost"))
    client = near.closing(PlainEnd(connect(f"127.0.0.1:{near.port}")))
    near.backend.accept_silent().handshake()
    assert client.wait_ending() == "reset"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pair_resumes(run, pki, closing, version):
    backend = closing(Listener())
    near, between = ports.free(), ports.free()
    both = {"tls_max_version": version}
    far = {"name": "far", "mode": "offload", "accept": f"127.0.0.1:{between}", "connect": backend.address}
    here = {"name": "near", "mode": "encrypt", "accept": f"127.0.0.1:{near}", "connect": f"localhost:{between}"}
    program = run(
        configuration({**far, **credentials(pki, "server"), **both}, {**here, **credentials(pki, "client"), **both}, workers=1)
    )
    for resumed in ("no", "yes", "yes"):
        program.mark()
        carry(closing, near, backend)
        program.wait_tunnel(resumed=resumed, service="near")
        program.wait_tunnel(resumed=resumed, service="far")


@pytest.mark.parametrize("version", VERSIONS)
def test_openssl_resumes(offloader, started, tmp_path, version):
    front = offloader(version)
    own = front.pki.get("client")
    session = tmp_path / "session"
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{front.port}", "-cert", own.crt, "-key", own.key]
    command += ["-cert_chain", own.crt, "-CAfile", front.pki.ca, "-quiet", "-tls" + version.replace(".", "_")]
    for option, resumed in (("-sess_out", "no"), ("-sess_in", "yes")):
        front.program.mark()
        pipe = subprocess.PIPE
        client = started(*command, option, session, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        client.stdin.write(b"?")
        client.stdin.flush()
        end = front.closing(front.backend.accept())
        assert end.receive(1) == b"?"
        end.send(b"!")
        assert client.stdout.read(1) == b"!"
        client.stdin.close()
        client.stdout.close()
        end.finish()
        front.program.wait_tunnel(resumed=resumed)


def stunnel(started, tmp_path, pki, name, port, **options):
    """An stunnel of one service, which resumes by default."""
    program = shutil.which("stunnel4") or shutil.which("stunnel")
    if not program:
        pytest.skip("stunnel is not installed")
    own = pki.get(name)
    files = {"cert": own.crt, "key": own.key, "CAfile": pki.ca, "verifyChain": "yes"}
    lines = ["foreground = yes", "pid =", "[service]"]
    lines += [f"{key} = {value}" for key, value in {**files, **options}.items()]
    path = tmp_path / "stunnel.conf"
    path.write_text("\n".join(lines) + "\n")
    started(program, path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait.until(lambda: procfs.is_listening(port), "stunnel listens")


@pytest.mark.parametrize("version", VERSIONS)
def test_stunnel_as_the_client_resumes(offloader, started, tmp_path, version):
    front = offloader(version)
    port = ports.free()
    stunnel(
        started, tmp_path, front.pki, "client", port,
        client="yes", accept=f"127.0.0.1:{port}", connect=f"127.0.0.1:{front.port}", sslVersion=f"TLSv{version}",
    )  # fmt: skip
    for resumed in ("no", "yes"):
        front.program.mark()
        carry(front.closing, port, front.backend)
        front.program.wait_tunnel(resumed=resumed)


@pytest.mark.parametrize("version", VERSIONS)
def test_stunnel_as_the_server_is_resumed(encryptor, closing, started, tmp_path, pki, version):
    backend = closing(Listener())
    port = ports.free()
    stunnel(
        started, tmp_path, pki, "server", port,
        accept=f"127.0.0.1:{port}", connect=backend.address, sslVersion=f"TLSv{version}", requireCert="yes",
    )  # fmt: skip
    near = encryptor(version, connect=f"localhost:{port}")
    for resumed in ("no", "yes"):
        near.program.mark()
        carry(closing, near.port, backend)
        near.program.wait_tunnel(resumed=resumed)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("what", ["staple", "certificate"])
def test_a_ticket_is_not_used_longer_than_what_it_was_given_for(run, pki, closing, tmp_path, version, what):
    """A resumed session shows the old certificates and staple; the server has new ones by then."""
    backend = closing(Listener())
    near, between = ports.free(), ports.free()
    both = {"tls_max_version": version}
    short = pki.issue("short", dns=("localhost",), days=(DAY + 6) / DAY) if what == "certificate" else pki.get("server")
    far = {"name": "far", "mode": "offload", "accept": f"127.0.0.1:{between}", "connect": backend.address, **both}
    here = {"name": "near", "mode": "encrypt", "accept": f"127.0.0.1:{near}", "connect": f"localhost:{between}", **both}
    far.update(credentials(pki, "server"), cert=short.crt, key=short.key)
    if what == "staple":
        far["ocsp_response"] = write(tmp_path / "staple", staple(short, pki.intermediate, until=6))
        here["ocsp"] = "require"
    here.update(credentials(pki, "client"))
    program = run(configuration(far, here, workers=1))
    for resumed in ("no", "yes"):
        program.mark()
        carry(closing, near, backend)
        program.wait_tunnel(service="near", resumed=resumed)
    time.sleep(7)
    if what == "staple":
        write(tmp_path / "staple", staple(short, pki.intermediate))
    far.update(credentials(pki, "server"))
    reload(program, configuration(far, here, workers=1))
    program.mark()
    carry(closing, near, backend)
    program.wait_tunnel(service="near", resumed="no")
