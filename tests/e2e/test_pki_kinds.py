# SPDX-License-Identifier: MIT
"""sallyport pki revoke, self and ticket-key: what they make is what two ends of a tunnel take."""

import os
import re
import stat
import threading

import pytest
from harness import ports, processes
from harness.ends import PlainEnd
from harness.listeners import Listener, connect
from harness.pki_command import done, openssl, pki, refused
from harness.program import configuration


@pytest.fixture
def ca(tmp_path):
    directory = tmp_path / "pki"
    done("init", directory)
    done("issue", directory, "server", "--dns", "localhost")
    done("issue", directory, "client")
    return directory


class Pair:
    """An encryptor before an offloader before a plain backend, in one program."""

    def __init__(self, run, closing, near, far):
        self.backend = closing(Listener())
        between, self.port = ports.free(), ports.free()
        self.near = {"name": "near", "mode": "encrypt", "accept": f"127.0.0.1:{self.port}"}
        self.near |= {"connect": f"localhost:{between}", **near}
        self.far = {"name": "far", "mode": "offload", "accept": f"127.0.0.1:{between}"}
        self.far |= {"connect": self.backend.address, **far}
        self.program = run(configuration(self.near, self.far))

    def carries(self):
        client = PlainEnd(connect(f"127.0.0.1:{self.port}"))
        client.send(b"hello")
        backend = self.backend.accept()
        assert backend.receive(5) == b"hello"
        backend.close()
        client.close()
        return True

    def refuses(self):
        client = PlainEnd(connect(f"127.0.0.1:{self.port}"))
        client.send(b"hello")
        assert client.wait_ending() == "reset"
        client.close()
        return True


def ends(ca, **options):
    near = {"cert": ca / "client.crt", "key": ca / "client.key", "ca": ca / "ca.crt", **options}
    far = {"cert": ca / "server.crt", "key": ca / "server.key", "ca": ca / "ca.crt", **options}
    return near, far


@pytest.mark.parametrize("name", ["client", "server"])
def test_who_is_revoked_is_refused_after_a_reload(run, closing, ca, name):
    done("revoke", ca)
    pair = Pair(run, closing, *ends(ca, crl=ca / "ca.crl"))
    assert pair.carries()
    done("revoke", ca, name)
    assert pair.program.reload()["message"] == "reloaded"
    assert pair.refuses()
    pair.program.wait_words("the certificate has been revoked")


def test_lists_are_what_openssl_takes(ca):
    for _ in range(3):
        done("revoke", ca)
    done("revoke", ca, "client", "--days", "3")
    text = openssl("crl", "-in", ca / "ca.crl", "-noout", "-text", "-CAfile", ca / "ca.crt")
    assert re.search(r"X509v3 CRL Number: *\n *4\n", text)
    assert "X509v3 Authority Key Identifier" in text
    said = processes.run(
        ["openssl", "verify", "-crl_check", "-CAfile", ca / "ca.crt", "-CRLfile", ca / "ca.crl"]
        + [ca / "server.crt", ca / "client.crt"]
    )
    assert f"{ca}/server.crt: OK" in said.stdout
    assert "certificate revoked" in said.stderr
    assert stat.S_IMODE((ca / "ca.crl").stat().st_mode) == 0o644


def test_lists_that_are_made_at_once_lose_nobody(ca):
    names = [f"end-{number}" for number in range(6)]
    for name in names:
        done("issue", ca, name)
    threads = [threading.Thread(target=pki, args=("revoke", ca, name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = openssl("crl", "-in", ca / "ca.crl", "-noout", "-text")
    assert text.count("Serial Number:") == len(names)
    assert re.search(rf"X509v3 CRL Number: *\n *{len(names)}\n", text)
    assert sorted(each.name for each in ca.iterdir() if each.name.startswith(".")) == []


def test_an_expired_list_is_renewed_with_all_that_were_on_it(ca):
    done("revoke", ca, "client")
    # Time cannot be waited for: OpenSSL makes a list that was good once.
    database = ca / "index"
    serial = openssl("x509", "-in", ca / "client.crt", "-noout", "-serial").split("=")[1].strip()
    database.write_text(f"R\t991231235959Z\t200101000000Z\t{serial}\tunknown\t/CN=client\n")
    (ca / "number").write_text("41\n")
    (ca / "openssl.cnf").write_text(
        f"[ca]\ndefault_ca = x\n[x]\ndatabase = {database}\ncrlnumber = {ca}/number\ndefault_md = sha256\n"
        "crl_extensions = y\n[y]\nauthorityKeyIdentifier = keyid\n"
    )
    openssl(
        "ca", "-gencrl", "-config", ca / "openssl.cnf", "-cert", ca / "ca.crt", "-keyfile", ca / "ca.key",
        "-out", ca / "ca.crl", "-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200102000000Z",
    )  # fmt: skip
    assert "; 1 on it, " in done("revoke", ca)
    text = openssl("crl", "-in", ca / "ca.crl", "-noout", "-text", "-CAfile", ca / "ca.crt")
    assert serial in text
    assert "X509v3 CRL Number: \n                66" in text, text  # hexadecimal 41, and one


def test_a_list_that_is_not_ours_is_not_overwritten(ca, tmp_path):
    done("init", tmp_path / "other")
    done("revoke", tmp_path / "other")
    (ca / "ca.crl").write_bytes((tmp_path / "other" / "ca.crl").read_bytes())
    before = (ca / "ca.crl").read_bytes()
    assert "was not signed by this authority" in refused("revoke", ca, "client")
    assert (ca / "ca.crl").read_bytes() == before


def lines_of(said):
    """The options that pki self prints for this end and for the other one."""
    ours, theirs = said.split("# In the section of the other end:\n")
    parse = re.compile(r"^([a-z]+) = (.*)$", re.MULTILINE)
    return dict(parse.findall(ours)), dict(parse.findall(theirs))


# In TLS 1.2 GnuTLS shows no certificate with an Ed25519 key to a server.
KINDS = [("ecdsa-p256", "1.2"), ("ecdsa-p256", "1.3"), ("ed25519", "1.3"), ("rsa-3072", "1.2"), ("rsa-3072", "1.3")]


@pytest.mark.parametrize(("kind", "version"), KINDS)
def test_what_self_prints_makes_two_ends_a_pair(run, closing, tmp_path, kind, version):
    near, pin_of_near = lines_of(done("self", tmp_path / "near", "near", "--key-type", kind))
    far, pin_of_far = lines_of(done("self", tmp_path / "far", "far_end", "--key-type", kind))
    assert set(near) == {"cert", "key", "ca"}
    assert set(pin_of_far) == {"ca", "pin"}
    versions = {"tls_min_version": version, "tls_max_version": version}
    assert Pair(run, closing, {**near, **pin_of_far, **versions}, {**far, **pin_of_near, **versions}).carries()


@pytest.mark.parametrize("side", ["near", "far"])
def test_who_has_another_key_is_not_of_the_pair(run, closing, tmp_path, side):
    options = {}
    for name in ("near", "far", "stranger"):
        options[name] = lines_of(done("self", tmp_path / name, name))
    pins = {"near": options["far"][1], "far": options["near"][1]}
    pins[side] = options["stranger"][1]
    pair = Pair(run, closing, {**options["near"][0], **pins["near"]}, {**options["far"][0], **pins["far"]})
    assert pair.refuses()


def test_a_ticket_key_is_what_it_says(tmp_path):
    path = tmp_path / "tickets"
    os.umask(0o022)
    done("ticket-key", path)
    first = path.read_bytes()
    assert len(first) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    done("ticket-key", path)
    assert path.read_bytes() != first
    assert [each.name for each in tmp_path.iterdir()] == ["tickets"]


def test_a_ticket_key_takes_no_other_files_place(ca):
    before = (ca / "ca.key").read_bytes()
    assert "is not overwritten" in refused("ticket-key", ca / "ca.key")
    assert (ca / "ca.key").read_bytes() == before
    link = ca / "link"
    link.symlink_to(ca / "ca.key")
    assert "is not overwritten" in refused("ticket-key", link)


def test_a_ticket_key_is_taken_by_an_offloader(run, closing, ca):
    done("ticket-key", ca / "tickets")
    near, far = ends(ca)
    pair = Pair(run, closing, near, {**far, "ticket_keys": ca / "tickets"})
    assert pair.carries()
    done("ticket-key", ca / "tickets")
    assert pair.program.reload()["message"] == "reloaded"
    assert pair.carries()
