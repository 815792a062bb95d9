# SPDX-License-Identifier: MIT
"""Pre-shared keys, in both roles, against openssl and against ourselves."""

import subprocess

import pytest
from harness import ports, processes, procfs, tls, wait
from harness.ends import PlainEnd
from harness.listeners import Listener, connect
from harness.program import configuration
from harness.worlds import VERSIONS, credentials

KEY, OTHER = "00112233445566778899aabbccddeeff" * 2, "ff" * 32
FLAGS = {"1.2": "-tls1_2", "1.3": "-tls1_3"}


def keys(tmp_path, *lines, name="keys.psk"):
    path = tmp_path / name
    path.write_text("# who may come in\n" + "".join(line + "\n" for line in lines))
    path.chmod(0o600)
    return path


@pytest.fixture
def front(run, backend, tmp_path):
    """front(**options) starts an offloader with the key of west; its port."""

    def start(**options):
        port = ports.free()
        service = {"mode": "offload", "accept": f"127.0.0.1:{port}", "connect": backend.address}
        start.program = run(configuration({**service, "psk": keys(tmp_path, f"west:{KEY}"), **options}, workers=1))
        return port

    return start


@pytest.fixture
def openssl(started):
    """openssl(*arguments) is a running openssl whose standard input is a pipe."""

    def start(*arguments):
        # Where only data are wanted on standard output, its remarks are not.
        stderr = subprocess.DEVNULL if "-quiet" in arguments else subprocess.STDOUT
        return started("openssl", *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr)

    return start


def s_client(openssl, port, *arguments, key=KEY, identity="west"):
    return openssl("s_client", "-connect", f"127.0.0.1:{port}", "-psk", key, "-psk_identity", identity, *arguments)


def said_by(process):
    """Everything until it ends by itself, because it was refused."""
    return process.stdout.read().decode(errors="replace")


@pytest.mark.parametrize("version", VERSIONS)
def test_who_has_the_key_comes_in(front, backend, openssl, version):
    client = s_client(openssl, front(), FLAGS[version], "-quiet")
    client.stdin.write(b"hello")
    client.stdin.flush()
    end = backend.accept()
    assert end.receive(5) == b"hello"
    end.send(b"back")
    assert client.stdout.read(4) == b"back"
    end.finish()
    end.close()
    line = front.program.wait_tunnel()
    assert line["identity"] == "psk:west"
    assert line["version"] == f"TLS{version}"
    assert line["group"] == "X25519"
    assert line["resumed"] == "no"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("wrong", ["key", "identity", "both"])
def test_a_wrong_key_and_an_unknown_identity_look_alike(front, backend, openssl, version, wrong):
    wishes = {"key": {"key": OTHER}, "identity": {"identity": "east"}, "both": {"key": OTHER, "identity": "east"}}[wrong]
    client = s_client(openssl, front(), FLAGS[version], **wishes)
    assert "alert decrypt error" in said_by(client)
    words = "another pre-shared key" if wrong == "key" else "not in psk"
    front.program.wait_words(words)
    assert not backend.has_pending()


@pytest.mark.parametrize("version", VERSIONS)
def test_who_has_neither_key_nor_certificate_stays_out(front, backend, pki, version):
    port = front()
    sock = connect(f"127.0.0.1:{port}")
    end = tls.TlsEnd(sock, tls.context(False, pki.get("client"), pki.ca, version), name="localhost")
    assert (end.handshake() or "").startswith("alert:")
    assert not backend.has_pending()


def test_a_key_without_a_fresh_exchange_is_refused(front, backend, openssl):
    """psk_ke has no forward secrecy: openssl offers it beside the other when told so, and alone it cannot."""
    client = s_client(openssl, front(), "-tls1_3", "-allow_no_dhe_kex", "-quiet")
    client.stdin.write(b"hello")
    client.stdin.flush()
    end = backend.accept()
    assert end.receive(5) == b"hello"
    end.finish()
    end.close()
    assert front.program.wait_tunnel()["group"] == "X25519"


@pytest.mark.parametrize("cipher", ["PSK-AES128-GCM-SHA256", "DHE-PSK-AES128-GCM-SHA256", "RSA-PSK-AES128-GCM-SHA256"])
def test_tls_1_2_needs_ecdhe_too(front, backend, openssl, cipher):
    client = s_client(openssl, front(), "-tls1_2", "-cipher", cipher)
    assert "alert handshake failure" in said_by(client)
    assert not backend.has_pending()


def resume_with_key(front, backend, openssl, version, session, port):
    """The lines of a tunnel with the key, and of another with the session that was got by it, if one was."""
    lines = []
    for option in ("-sess_out", "-sess_in"):
        if option == "-sess_out" or session.exists():
            front.program.mark()
            client = s_client(openssl, port, FLAGS[version], "-quiet", option, session)
            client.stdin.write(b"?")
            client.stdin.flush()
            end = backend.accept()
            assert end.receive(1) == b"?"
            end.send(b"!")
            assert client.stdout.read(1) == b"!"
            end.finish()
            end.close()
            lines.append(front.program.wait_tunnel())
            processes.end(client)
    return lines


@pytest.mark.parametrize("version", VERSIONS)
def test_where_only_keys_let_in_nothing_is_resumed(front, backend, openssl, version, tmp_path):
    lines = resume_with_key(front, backend, openssl, version, tmp_path / "session", front())
    assert all(line["resumed"] == "no" for line in lines)


def test_beside_certificates_a_session_of_a_key_has_no_ticket(front, backend, openssl, pki, tmp_path):
    port = front(**credentials(pki, "server"))
    lines = resume_with_key(front, backend, openssl, "1.3", tmp_path / "session", port)
    assert [line["resumed"] for line in lines] == ["no"]


def test_in_tls_1_2_it_has_one_and_is_judged_as_that_key(front, backend, openssl, pki, tmp_path):
    """GnuTLS gives it within the handshake. It is worth nothing when the file of keys has changed."""
    port = front(**credentials(pki, "server"))
    session = tmp_path / "session"
    lines = resume_with_key(front, backend, openssl, "1.2", session, port)
    assert [line["resumed"] for line in lines] == ["no", "yes"]
    assert [line["identity"] for line in lines] == ["psk:west"] * 2
    keys(tmp_path, f"east:{OTHER}")
    assert front.program.reload()["message"] == "reloaded"
    assert "alert decrypt error" in said_by(s_client(openssl, port, "-tls1_2", "-sess_in", session))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_rule_can_name_a_key(run, backend, openssl, tmp_path, version):
    port = ports.free()
    service = {"mode": "offload", "accept": f"127.0.0.1:{port}", "connect": backend.address}
    run(
        configuration(
            {**service, "psk": keys(tmp_path, f"west:{KEY}", f"east:{OTHER}"), "allow": "psk:west"}, workers=1
        )
    )
    refused = said_by(s_client(openssl, port, FLAGS[version], key=OTHER, identity="east"))
    assert "alert access denied" in refused
    assert not backend.has_pending()
    client = s_client(openssl, port, FLAGS[version], "-quiet")
    client.stdin.write(b"x")
    client.stdin.flush()
    assert backend.accept().receive(1) == b"x"


@pytest.mark.parametrize("version", VERSIONS)
def test_with_both_either_comes_in(front, backend, openssl, pki, closing, version):
    port = front(**credentials(pki, "server"))
    client = s_client(openssl, port, FLAGS[version], "-quiet")
    client.stdin.write(b"x")
    client.stdin.flush()
    end = closing(backend.accept())
    assert end.receive(1) == b"x"
    context = tls.context(False, pki.get("client"), pki.ca, version)
    other = closing(tls.TlsEnd(connect(f"127.0.0.1:{port}"), context, name="localhost"))
    assert other.handshake() is None
    other.send(b"y")
    assert closing(backend.accept()).receive(1) == b"y"


@pytest.fixture
def s_server(openssl):
    """s_server(*arguments) listens; its port."""

    def start(*arguments):
        port = ports.free()
        openssl("s_server", "-accept", f"127.0.0.1:{port}", "-nocert", "-rev", *arguments)
        wait.until(lambda: procfs.is_listening(port), "openssl listens")
        return port

    return start


def near(run, closing, tmp_path, target, line=f"west:{KEY}", **options):
    """A client behind an encryptor that is west."""
    port = ports.free()
    service = {"mode": "encrypt", "accept": f"127.0.0.1:{port}", "connect": f"localhost:{target}"}
    secret = {"psk": keys(tmp_path, line, name="near.psk"), "psk_identity": "west"}
    near.program = run(configuration({**service, **secret, **options}, workers=1))
    return closing(PlainEnd(connect(f"127.0.0.1:{port}")))


@pytest.mark.parametrize("version", VERSIONS)
def test_an_encryptor_makes_itself_known_by_its_key(run, closing, tmp_path, s_server, version):
    target = s_server(FLAGS[version], "-psk", KEY, "-psk_identity", "west")
    client = near(run, closing, tmp_path, target)
    client.send(b"ab\n")
    assert client.receive(3) == b"ba\n"
    client.finish()
    line = near.program.wait_tunnel()
    assert line["identity"] == "psk:west"
    assert line["group"] not in ("", "-")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_encryptor_refuses_a_server_with_another_key(run, closing, tmp_path, s_server, version):
    target = s_server(FLAGS[version], "-psk", OTHER, "-psk_identity", "west")
    client = near(run, closing, tmp_path, target)
    client.send(b"ab\n")
    assert client.wait_ending() == "reset"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_encryptor_with_only_a_key_believes_no_certificate(run, closing, tmp_path, pki, version):
    listener = closing(Listener(tls.context(True, pki.get("server"), None, version, verify=False)))
    client = near(run, closing, tmp_path, listener.port)
    client.send(b"secret")
    end = closing(listener.accept_silent())
    assert (end.handshake() or end.wait_ending()) != "end"
    assert end.unread == b""
    assert client.wait_ending() == "reset"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pair_by_key_alone(run, closing, tmp_path, backend, front, version):
    client = near(run, closing, tmp_path, front(), tls_max_version=version)
    client.send(b"?")
    end = backend.accept()
    assert end.receive(1) == b"?"
    client.finish()
    end.finish()
    assert client.wait_ending() == "end"
    assert near.program.wait_tunnel()["identity"] == "psk:west"
    assert front.program.wait_tunnel()["identity"] == "psk:west"
    end.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_key_that_a_reload_takes_away_is_refused(front, backend, openssl, tmp_path, version):
    port = front()
    keys(tmp_path, f"east:{OTHER}")
    assert front.program.reload()["message"] == "reloaded"
    assert "alert decrypt error" in said_by(s_client(openssl, port, FLAGS[version]))
    assert not backend.has_pending()


def test_a_bad_file_is_refused_with_its_line(front, tmp_path):
    front()
    keys(tmp_path, f"west:{KEY}", "east:f00d")
    assert "failed" in front.program.reload()["message"]
    assert "line 3: the key has 2 bytes" in front.program.output()
    assert "f00d" not in front.program.output()


def test_an_identity_without_a_key_is_an_error(run, tmp_path):
    service = {"mode": "encrypt", "accept": "127.0.0.1:1", "connect": "localhost:2"}
    program = run(
        configuration({**service, "psk": keys(tmp_path, f"west:{KEY}"), "psk_identity": "east"}), ready=False
    )
    assert program.wait_exit() != 0
    assert "psk-identity" in program.output()
    assert "no key of that identity" in program.output()
