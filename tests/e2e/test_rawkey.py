# SPDX-License-Identifier: MIT
"""Raw public keys (RFC 7250), and which identity an encryptor shows, where keys are pinned without a CA."""

import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from harness import ports, procfs, wait
from harness.ends import PlainEnd
from harness.listeners import connect
from harness.pki import pin
from harness.program import configuration
from harness.worlds import VERSIONS

RAW = "-CTYPE-ALL:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK"


def paired(pki, own, *peers, ca="none"):
    identity = pki.get(own)
    return {"cert": identity.crt, "key": identity.key, "ca": ca, "pin": [pin(pki.get(peer)) for peer in peers]}


def raw_files(pki, tmp_path, name):
    """A key without its certificate, as the tools of GnuTLS take it."""
    identity = pki.get(name)
    public = tmp_path / f"{name}.pub"
    public.write_bytes(
        identity.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return ["--rawpkkeyfile", identity.key, "--rawpkfile", str(public)]


def priority(version):
    return ["--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{version}:{RAW}"]


@pytest.fixture
def tool(started):
    """tool(name, *arguments) is a running program."""

    def start(name, *arguments):
        if not shutil.which(name):
            pytest.skip(f"{name} is not installed")
        pipe = subprocess.PIPE
        return started(name, *arguments, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT)

    return start


@pytest.fixture
def front(run, backend, pki):
    """front(**options) starts an offloader that knows the key of client; its port."""

    def start(**options):
        port = ports.free()
        service = {"mode": "offload", "accept": f"127.0.0.1:{port}", "connect": backend.address}
        service.update(paired(pki, "server", "client"))
        start.program = run(configuration({**service, **options}, workers=1))
        return port

    return start


def raw_client(tool, pki, tmp_path, port, version, name="client"):
    files = raw_files(pki, tmp_path, name)
    return tool("gnutls-cli", "--insecure", *files, *priority(version), "-p", str(port), "127.0.0.1")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_without_certificate_comes_in_by_its_key(front, backend, pki, tool, tmp_path, version):
    client = raw_client(tool, pki, tmp_path, front(), version)
    client.stdin.write(b"hello\n")
    client.stdin.flush()
    end = backend.accept()
    assert end.receive(6) == b"hello\n"
    end.finish()
    end.close()
    line = front.program.wait_tunnel()
    assert line["identity"] == "raw-public-key"
    assert line["version"] == f"TLS{version}"


@pytest.mark.parametrize("version", VERSIONS)
def test_another_key_stays_out(front, backend, pki, tool, tmp_path, version):
    client = raw_client(tool, pki, tmp_path, front(), version, "client-only")
    client.stdout.read()
    front.program.wait_words("raw-public-key is refused")
    assert not backend.has_pending()


@pytest.mark.parametrize("version", VERSIONS)
def test_with_authorities_no_raw_key_is_taken(front, backend, pki, tool, tmp_path, version):
    port = front(**paired(pki, "server", "client", ca=pki.ca))
    client = raw_client(tool, pki, tmp_path, port, version)
    client.stdout.read()
    front.program.wait_tunnel(end="refused")
    assert not backend.has_pending()


def near(run, closing, pki, target, version, **options):
    """A client behind an encryptor that knows the key of server."""
    port = ports.free()
    service = {"mode": "encrypt", "accept": f"127.0.0.1:{port}", "connect": f"localhost:{target}"}
    service.update(paired(pki, "client", "server"))
    near.program = run(configuration({**service, "tls_max_version": version, **options}, workers=1))
    return closing(PlainEnd(connect(f"127.0.0.1:{port}")))


@pytest.mark.parametrize("version", VERSIONS)
def test_an_encryptor_speaks_with_a_server_without_certificate(run, closing, pki, tool, tmp_path, version):
    port = ports.free()
    files = raw_files(pki, tmp_path, "server")
    tool("gnutls-serv", "--echo", "--require-client-cert", *files, *priority(version), "-p", str(port))
    wait.until(lambda: procfs.is_listening(port), "gnutls-serv listens")
    client = near(run, closing, pki, port, version)
    client.send(b"hello\n")
    assert client.receive(6) == b"hello\n"
    client.finish()
    assert near.program.wait_tunnel()["identity"] == "raw-public-key"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pair_prefers_its_certificates(run, closing, pki, backend, front, version):
    client = near(run, closing, pki, front(), version)
    client.send(b"?")
    end = closing(backend.accept())
    assert end.receive(1) == b"?"
    end.finish()
    client.finish()
    assert "CN=server" in near.program.wait_tunnel()["identity"]
    assert "CN=client" in front.program.wait_tunnel()["identity"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("order", [("client", "server-rsa"), ("server-rsa", "client")])
def test_an_encryptor_with_two_identities_shows_one_to_whom_names_no_issuer(
    run, closing, pki, backend, front, version, order
):
    """GnuTLS itself would show none."""
    both = [pki.get(name) for name in order]
    client = near(run, closing, pki, front(), version, cert=[i.crt for i in both], key=[i.key for i in both])
    client.send(b"?")
    end = closing(backend.accept())
    assert end.receive(1) == b"?"
    end.finish()
    client.finish()
    assert "CN=client" in front.program.wait_tunnel()["identity"]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_encryptor_with_two_identities_shows_the_one_that_is_asked_for(run, closing, pki, tool, version):
    """The better key is of an authority that the server does not name."""
    other, own, server = pki.get("wrong-ca"), pki.get("server-rsa"), pki.get("server")
    port = ports.free()
    files = ["-cert", server.crt, "-key", server.key, "-CAfile", pki.ca, "-Verify", "3", "-verify_return_error"]
    tool("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-rev", "-tls" + version.replace(".", "_"), *files)
    wait.until(lambda: procfs.is_listening(port), "openssl listens")
    client = near(run, closing, pki, port, version, cert=[other.crt, own.crt], key=[other.key, own.key])
    client.send(b"ab\n")
    assert client.receive(3) == b"ba\n"
