# SPDX-License-Identifier: MIT
"""sallyport pki: what it makes and what it says, judged by OpenSSL."""

import calendar
import contextlib
import os
import re
import resource
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest
from harness import ports
from harness.pki_command import done, openssl, pki, refused
from harness.program import SALLYPORT

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "man" / "sallyport-pki.1"


def text_of(crt):
    return openssl("x509", "-in", crt, "-noout", "-text")


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def rows(output, field):
    return re.findall(rf"^ *{field}: +(.*)$", output, re.MULTILINE)


@pytest.fixture
def ca(tmp_path):
    directory = tmp_path / "pki"
    done("init", directory)
    return directory


# What is made.


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_files_have_the_modes_that_are_promised_whatever_the_umask(tmp_path, umask):
    old = os.umask(umask)
    try:
        done("init", tmp_path / "pki")
        done("issue", tmp_path / "pki", "db")
    finally:
        os.umask(old)
    assert mode_of(tmp_path / "pki") == 0o700
    for stem in "ca", "db":
        assert mode_of(tmp_path / "pki" / f"{stem}.key") == 0o600
        assert mode_of(tmp_path / "pki" / f"{stem}.crt") == 0o644


def test_an_authority_says_what_it_is_and_no_more(ca):
    text = text_of(ca / "ca.crt")
    assert "Version: 3" in text
    assert re.search(r"Basic Constraints: critical\s+CA:TRUE, pathlen:0", text)
    assert re.search(r"Key Usage: critical\s+Certificate Sign, CRL Sign\n", text)
    assert "Subject Key Identifier" in text
    assert re.search(r"Subject: CN = sallyport CA [0-9a-f]{8}\n", text)
    assert "NIST CURVE: P-256" in text


def test_an_authority_takes_name_days_and_key_type(tmp_path):
    done("init", tmp_path / "x", "--name", "Orders, test lab", "--days=30", "--key-type", "ed25519")
    text = text_of(tmp_path / "x" / "ca.crt")
    assert 'Subject: CN = "Orders, test lab"' in text
    assert "ED25519" in text
    openssl("x509", "-in", tmp_path / "x" / "ca.crt", "-noout", "-checkend", 29 * 86400)
    assert "will expire" in openssl(
        "x509", "-in", tmp_path / "x" / "ca.crt", "-noout", "-checkend", 31 * 86400, check=False)


@pytest.mark.parametrize("authority", ["ecdsa-p256", "ed25519", "rsa-3072"])
@pytest.mark.parametrize("leaf", ["ecdsa-p256", "ed25519", "rsa-3072"])
def test_openssl_accepts_every_pair_of_key_types_strictly(tmp_path, authority, leaf):
    done("init", tmp_path / "x", "--key-type", authority)
    done("issue", tmp_path / "x", "db.example.net", "--key-type", leaf)
    crt, key = tmp_path / "x" / "db.example.net.crt", tmp_path / "x" / "db.example.net.key"
    for purpose in "sslclient", "sslserver":
        assert "OK" in openssl(
            "verify", "-x509_strict", "-purpose", purpose, "-verify_hostname", "db.example.net",
            "-CAfile", tmp_path / "x" / "ca.crt", crt)
    assert key.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")
    assert openssl("pkey", "-in", key, "-pubout") == openssl("x509", "-in", crt, "-noout", "-pubkey")


def test_a_leaf_says_what_it_is_for(ca):
    done("issue", ca, "db", "--dns", "db.example.net", "--dns", "*.db.example.net",
         "--ip", "192.0.2.1", "--ip", "2001:db8::1", "--uri", "spiffe://example.net/db")
    text = text_of(ca / "db.crt")
    assert re.search(r"Basic Constraints: critical\s+CA:FALSE", text)
    assert re.search(r"Key Usage: critical\s+Digital Signature\n", text)
    assert "TLS Web Client Authentication, TLS Web Server Authentication" in text
    assert ("DNS:db.example.net, DNS:*.db.example.net, IP Address:192.0.2.1, "
            "IP Address:2001:DB8:0:0:0:0:0:1, URI:spiffe://example.net/db") in text
    authority = re.search(r"Subject Key Identifier:\s+(\S+)", text_of(ca / "ca.crt")).group(1)
    assert re.search(r"Authority Key Identifier:\s+" + authority, text)
    assert "DNS:db," not in text


def test_a_leaf_without_names_is_for_the_host_it_is_named_after(ca):
    done("issue", ca, "db.example.net")
    assert "DNS:db.example.net\n" in text_of(ca / "db.example.net.crt")


def test_the_certificate_file_holds_the_leaf_alone(ca):
    done("issue", ca, "db")
    assert (ca / "db.crt").read_text().count("BEGIN CERTIFICATE") == 1


def test_serial_numbers_have_twenty_octets_and_differ(ca):
    serials = set()
    for name in "a", "b", "c":
        done("issue", ca, name)
        serial = openssl("x509", "-in", ca / f"{name}.crt", "-noout", "-serial").strip()
        assert re.fullmatch(r"serial=[4-7][0-9A-F]{39}", serial)
        serials.add(serial)
    assert len(serials) == 3


def end_of(crt):
    return openssl("x509", "-in", crt, "-noout", "-enddate")


def test_a_leaf_never_outlives_its_authority(tmp_path):
    done("init", tmp_path / "x", "--days", 30)
    output = done("issue", tmp_path / "x", "db")
    assert "expire with its authority" in output
    assert end_of(tmp_path / "x" / "db.crt") == end_of(tmp_path / "x" / "ca.crt")
    done("issue", tmp_path / "x", "same", "--days", 30)
    assert "--days" in refused("issue", tmp_path / "x", "late", "--days", 32)
    assert not list((tmp_path / "x").glob("late*"))


def test_a_leaf_begins_before_now_for_clocks_that_are_slow(ca):
    done("issue", ca, "db")
    begin = openssl("x509", "-in", ca / "db.crt", "-noout", "-startdate", "-dateopt", "iso_8601")
    begin = time.strptime(begin.strip(), "notBefore=%Y-%m-%d %H:%M:%SZ")
    age = time.time() - calendar.timegm(begin)
    assert 3000 < age < 4000


# What is refused.


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_nothing_is_ever_overwritten(ca):
    done("issue", ca, "db")
    before = contents(ca)
    assert "ca.key exists" in refused("init", ca)
    assert "db.key exists" in refused("issue", ca, "db")
    (ca / "db.key").unlink()
    assert "db.crt exists" in refused("issue", ca, "db")
    del before["db.key"]
    assert contents(ca) == before


def test_a_link_in_the_way_is_not_followed(ca, tmp_path):
    (ca / "db.key").symlink_to(tmp_path / "elsewhere")
    assert "db.key exists" in refused("issue", ca, "db")
    assert not (tmp_path / "elsewhere").exists()


def limit_files(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


# The limits cut the key short, and the certificate, which is larger.
@pytest.mark.parametrize("size", [100, 400])
def test_a_failed_write_leaves_nothing_behind(ca, tmp_path, size):
    before = contents(ca)
    words = refused("issue", ca, "db", preexec_fn=limit_files(size), restore_signals=False)
    assert "File too large" in words
    assert contents(ca) == before
    refused("init", tmp_path / "new", preexec_fn=limit_files(size), restore_signals=False)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "..", ".x", "-x", "a b", "", "ca", "x" * 65])
def test_a_name_leads_nowhere_else(ca, name):
    before = contents(ca)
    result = pki("issue", ca, "--", name)
    assert result.returncode in (1, 2)
    assert result.stderr.startswith("sallyport pki issue: ")
    assert contents(ca) == before


def test_a_name_that_is_no_host_needs_an_alternative_name(ca):
    words = refused("issue", ca, "orders_db")
    assert '"orders_db" is not a host name' in words and "--uri" in words
    done("issue", ca, "orders_db", "--uri", "spiffe://example.net/orders")


def test_an_authority_that_is_not_one_is_refused(ca, tmp_path):
    done("issue", ca, "db")
    other = tmp_path / "other"
    other.mkdir()
    for suffix in ".crt", ".key":
        (other / ("ca" + suffix)).write_bytes((ca / ("db" + suffix)).read_bytes())
        (other / ("ca" + suffix)).chmod(0o600)
    assert "not that of a certificate authority" in refused("issue", other, "x")
    (other / "ca.crt").write_bytes((ca / "ca.crt").read_bytes())
    assert "does not belong" in refused("issue", other, "x")
    assert "ca.crt" in refused("issue", tmp_path, "x")


def test_an_authority_made_elsewhere_is_taken(tmp_path):
    openssl("req", "-x509", "-newkey", "rsa:3072", "-nodes", "-subj", "/C=XX/O=Example, Inc./CN=Root",
            "-addext", "subjectKeyIdentifier=none", "-days", 1000,
            "-keyout", tmp_path / "ca.key", "-out", tmp_path / "ca.crt")
    assert "Subject Key Identifier" not in text_of(tmp_path / "ca.crt")
    done("issue", tmp_path, "db")
    assert "OK" in openssl("verify", "-CAfile", tmp_path / "ca.crt", tmp_path / "db.crt")
    output = done("show", tmp_path / "db.crt")
    assert rows(output, "issuer") == ["CN=Root,O=Example\\, Inc.,C=XX"]


def test_a_century_is_possible(tmp_path):
    done("init", tmp_path / "x", "--days", 36500)
    done("issue", tmp_path / "x", "db", "--days", 36500)
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", tmp_path / "x" / "ca.crt",
                           tmp_path / "x" / "db.crt")
    assert rows(done("show", tmp_path / "x" / "db.crt"), "until")[0].startswith("21")


def test_an_authority_key_that_others_can_read_is_refused(ca):
    (ca / "ca.key").chmod(0o644)
    assert "chmod" in refused("issue", ca, "db")


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    assert str(tmp_path / "a" / "b") in refused("init", tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    assert "not a directory" in refused("init", tmp_path / "file")


@pytest.mark.parametrize("words", [
    [], ["bogus"], ["init"], ["init", "a", "b"], ["init", "a", "--days", "x"], ["issue", "a"],
    ["issue", "a", "b", "--key-type", "dsa"], ["issue", "a", "b", "--ca", "x"], ["show"],
    ["show", "--cert"], ["show", "localhost:1", "--key", "x"], ["show", "unix:/nowhere"],
    ["show", "/dev/null", "--peer-name", "x"],
])
def test_a_wrong_command_line_exits_with_2(words, tmp_path):
    assert "--help" in refused(*words, code=2, cwd=tmp_path) or words == []
    assert not list(tmp_path.iterdir())


def test_a_full_standard_output_is_a_failure(ca):
    with open("/dev/full", "w") as full:
        result = subprocess.run([SALLYPORT, "pki", "show", ca / "ca.crt"], stdout=full,
                                stderr=subprocess.PIPE, text=True, timeout=60)
    assert result.returncode == 1
    assert "standard output" in result.stderr


# Help and manual.


@pytest.mark.parametrize("command", ["init", "issue", "revoke", "self", "show", "ticket-key"])
def test_help_and_manual_have_the_same_options(command):
    helped = re.findall(r"^  --(\S+)", done(command, "--help"), re.MULTILINE)
    manual = MANUAL.read_text()
    section = manual[manual.index(f".Ss sallyport pki {command}"):]
    section = re.split(r"^\.S[sh] ", section[4:], flags=re.MULTILINE)[0]
    described = re.findall(r"^\.It Fl Fl (\S+)", section, re.MULTILINE)
    assert sorted(helped) == sorted(described)
    assert command in done("--help")


# Show a file.


def test_a_file_is_shown_as_openssl_sees_it(ca):
    done("issue", ca, "db", "--dns", "db.example.net", "--ip", "::1", "--uri", "urn:x")
    output = done("show", ca / "db.crt")
    issuer = openssl("x509", "-in", ca / "db.crt", "-noout", "-issuer", "-nameopt", "RFC2253")
    serial = openssl("x509", "-in", ca / "db.crt", "-noout", "-serial").strip()
    assert rows(output, "subject") == ["CN=db"]
    assert rows(output, "issuer") == [issuer.strip().removeprefix("issuer=")]
    assert rows(output, "name") == ["dns:db.example.net", "ip:::1", "uri:urn:x"]
    assert "serial=" + rows(output, "serial")[0].replace(":", "").upper() == serial
    assert rows(output, "purposes") == ["clientAuth, serverAuth"]
    assert rows(output, "key") == ["EC/ECDSA, 256 bits"]
    assert rows(output, "signature") == ["ECDSA-SHA256"]
    assert rows(output, "until")[0].endswith(("(365 days left)", "(364 days left)"))
    assert rows(output, "authority") == ["no"]


def test_the_pin_is_that_of_rfc_7469(ca):
    pipe = (f"openssl x509 -in {ca}/ca.crt -noout -pubkey | openssl pkey -pubin -outform der | "
            "openssl dgst -sha256 -binary | openssl base64")
    pin = subprocess.run(pipe, shell=True, capture_output=True, text=True, check=True).stdout
    assert rows(done("show", ca / "ca.crt"), "pin") == ["sha256:" + pin.strip()]


def test_every_certificate_of_a_file_is_shown_in_order(ca, tmp_path):
    done("issue", ca, "db")
    both = tmp_path / "both.pem"
    both.write_text("words\n" + (ca / "db.key").read_text() + (ca / "db.crt").read_text()
                    + (ca / "ca.crt").read_text())
    output = done("show", both)
    assert "certificate 1 of 2:" in output and "certificate 2 of 2:" in output
    assert rows(output, "subject")[0] == "CN=db"
    assert rows(output, "authority") == ["no", "yes, path length 0"]
    assert "PRIVATE" not in output


def test_a_der_file_is_shown(ca, tmp_path):
    openssl("x509", "-in", ca / "ca.crt", "-outform", "der", "-out", tmp_path / "ca.der")

    def shown(path):
        return re.sub(r"\(\d+ days left\)", "", done("show", path))

    assert shown(tmp_path / "ca.der") == shown(ca / "ca.crt")


def test_a_file_without_certificates_is_refused_with_words(ca, tmp_path):
    assert "but a private key" in refused("show", ca / "ca.key")
    (tmp_path / "junk").write_bytes(os.urandom(1000))
    assert str(tmp_path / "junk") in refused("show", tmp_path / "junk")
    (tmp_path / "empty").write_bytes(b"")
    assert str(tmp_path / "empty") in refused("show", tmp_path / "empty")
    assert "no such file" in refused("show", tmp_path / "absent")


def make_self_signed(tmp_path, *more, subject="/CN=localhost", key="ec"):
    key_options = {
        "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "weak": ["-newkey", "rsa:1024"],
    }[key]
    openssl("req", "-x509", *key_options, "-nodes", "-utf8", "-subj", subject, "-days", 30,
            "-keyout", tmp_path / "self.key", "-out", tmp_path / "self.crt",
            *(more or ["-addext", "subjectAltName=DNS:localhost"]))
    return tmp_path / "self.crt", tmp_path / "self.key"


HOSTILE = "/O=\x1b]0;owned\x07\u202e/CN=a\nverifies:      yes\r\x1b[2J"


def assert_harmless(output):
    assert not re.search(r"[^\n\x20-\x7e]", output)
    assert not re.search(r"^verifies: +yes", output, re.MULTILINE)
    assert "\\1B[2J" in output


def test_a_hostile_subject_can_neither_forge_a_line_nor_drive_a_terminal(tmp_path):
    crt, _ = make_self_signed(tmp_path, subject=HOSTILE)
    output = done("show", crt)
    assert_harmless(output)
    assert len(rows(output, "subject")) == 1


# Show a server.


@contextlib.contextmanager
def server(crt, key, *more):
    port = ports.free()
    process = subprocess.Popen(
        ["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{port}", "-cert", str(crt),
         "-key", str(key), *map(str, more)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            # Listening is looked up, not tried: a try would be a connection that the server sees.
            if f"0100007F:{port:04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text():
                break
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def localhost(ca):
    done("issue", ca, "localhost", "--dns", "localhost", "--ip", "127.0.0.1")
    done("issue", ca, "client")
    return ca


def show(port, *words, host="localhost", code=0):
    result = pki("show", f"{host}:{port}", *words)
    assert result.returncode == code, result.stdout + result.stderr
    assert (result.stderr == "") == (code == 0)
    return result.stdout


def judged(output):
    (verdict,) = rows(output, "verifies")
    return verdict


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_good_server_verifies(localhost, version, host):
    option = "-tls" + version.replace(".", "_")
    with server(localhost / "localhost.crt", localhost / "localhost.key", option) as port:
        output = show(port, "--ca", localhost / "ca.crt", host=host)
    assert rows(output, "version") == ["TLS" + version]
    assert "AES_128_GCM" in rows(output, "cipher")[0]
    assert rows(output, "group") == ["X25519"]
    assert rows(output, "ALPN") == ["none"]
    assert rows(output, "our cert") == ["not asked for"]
    assert rows(output, "subject") == ["CN=localhost"]
    assert judged(output) == f'yes, by {localhost}/ca.crt, for "{host}"'


@pytest.mark.parametrize("wanted, sent", [
    (["--peer-name", "localhost"], "localhost"),
    (["--server-name", "other.example.net"], "other.example.net"),
    (["--server-name", "none"], None),
    (["--peer-name", "127.0.0.1"], None),
    (["--peer-name", "none"], None),
])
def test_the_server_is_asked_for_the_right_name(localhost, wanted, sent):
    # Without the name that it wants, this server ends the handshake with an alert.
    options = ["-servername", sent or "unwanted", "-servername_fatal",
               "-cert2", localhost / "localhost.crt", "-key2", localhost / "localhost.key"]
    with server(localhost / "localhost.crt", localhost / "localhost.key", *options) as port:
        show(port, "--ca", localhost / "ca.crt", *wanted)


def test_a_server_of_another_authority_is_shown_and_refused(localhost, tmp_path):
    done("init", tmp_path / "other")
    with server(localhost / "localhost.crt", localhost / "localhost.key") as port:
        output = show(port, "--ca", tmp_path / "other" / "ca.crt", code=1)
        assert judged(output) == "no: the certificate authority is not known"
        assert rows(output, "subject") == ["CN=localhost"]


@pytest.mark.skipif(not Path("/etc/ssl/certs/ca-certificates.crt").exists(),
                    reason="the system has no trust anchors")
def test_the_system_is_asked_where_no_anchors_are_given(localhost):
    with server(localhost / "localhost.crt", localhost / "localhost.key") as port:
        assert judged(show(port, code=1)) == "no: the certificate authority is not known"


def test_a_server_of_another_name_is_shown_and_refused(localhost):
    with server(localhost / "localhost.crt", localhost / "localhost.key") as port:
        for name in "db.example.net", "192.0.2.1":
            output = show(port, "--ca", localhost / "ca.crt", "--peer-name", name, code=1)
            assert judged(output) == "no: the certificate is not for the expected name"
        output = show(port, "--ca", localhost / "ca.crt", "--peer-name", "none")
        assert judged(output).endswith("whatever its name")


def sign_by_openssl(ca, tmp_path, extensions, *dates):
    """A certificate that `pki issue` would not make."""
    (tmp_path / "extensions").write_text("subjectAltName=DNS:localhost\n" + extensions)
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=localhost", "-keyout", tmp_path / "odd.key", "-out", tmp_path / "odd.csr")
    openssl("x509", "-req", "-in", tmp_path / "odd.csr", "-CA", ca / "ca.crt", "-CAkey",
            ca / "ca.key", "-extfile", tmp_path / "extensions", "-out", tmp_path / "odd.crt",
            *dates)
    return tmp_path / "odd.crt", tmp_path / "odd.key"


def test_an_expired_server_is_shown_and_refused(localhost, tmp_path):
    crt, key = sign_by_openssl(localhost, tmp_path, "", "-days", "-1")
    with server(crt, key) as port:
        output = show(port, "--ca", localhost / "ca.crt", code=1)
    assert judged(output) == "no: the certificate has expired"
    assert rows(output, "until")[0].endswith("(expired 1 day ago)")


def test_a_certificate_that_is_for_clients_only_is_refused(localhost, tmp_path):
    crt, key = sign_by_openssl(localhost, tmp_path, "extendedKeyUsage=clientAuth\n")
    with server(crt, key) as port:
        output = show(port, "--ca", localhost / "ca.crt", code=1)
    assert judged(output) == "no: the certificate is not meant for this purpose"


def test_every_reason_is_given(localhost, tmp_path):
    crt, key = sign_by_openssl(localhost, tmp_path, "", "-days", "-1")
    with server(crt, key) as port:
        output = show(port, "--ca", localhost / "ca.crt", "--peer-name", "a.b", code=1)
    assert judged(output) == (
        "no: the certificate has expired; the certificate is not for the expected name")


def test_a_weak_key_is_shown_and_refused(tmp_path):
    crt, key = make_self_signed(tmp_path, key="weak")
    with server(crt, key, "-cipher", "DEFAULT@SECLEVEL=0") as port:
        output = show(port, "--ca", crt, code=1)
    assert rows(output, "key") == ["RSA, 1024 bits"]
    assert judged(output) == "no: a key or a signature in the certificate chain is too weak"


def test_a_hostile_server_certificate_is_harmless(localhost, tmp_path):
    crt, key = make_self_signed(tmp_path, subject=HOSTILE)
    with server(crt, key) as port:
        result = pki("show", f"localhost:{port}", "--ca", localhost / "ca.crt")
    assert result.returncode == 1
    assert_harmless(result.stdout + result.stderr)


MUTUAL = ["-Verify", "1", "-verify_return_error"]


def mutual(directory, version):
    return server(directory / "localhost.crt", directory / "localhost.key", "-CAfile",
                  directory / "ca.crt", *MUTUAL, "-tls" + version.replace(".", "_"))


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_mutual_server_is_shown_with_our_certificate(localhost, version):
    with mutual(localhost, version) as port:
        output = show(port, "--ca", localhost / "ca.crt", "--cert", localhost / "client.crt",
                      "--key", localhost / "client.key")
    assert rows(output, "our cert") == ["asked for, shown"]
    assert rows(output, "refused") == []
    assert judged(output).startswith("yes")


@pytest.mark.parametrize("version, field, alert", [
    ("1.2", "failed", "Handshake failed"),
    ("1.3", "refused", "Certificate is required"),
])
def test_a_mutual_server_is_shown_even_as_it_refuses_us(localhost, version, field, alert):
    with mutual(localhost, version) as port:
        output = show(port, "--ca", localhost / "ca.crt", code=1)
    assert rows(output, "our cert") == ["asked for, none shown"]
    assert rows(output, "subject")[0] == "CN=localhost"
    assert judged(output).startswith("yes")
    assert f'the server sent the alert "{alert}"' in rows(output, field)[0]


def test_a_certificate_that_the_server_does_not_want_is_sent_and_refused(localhost, tmp_path):
    done("init", tmp_path / "other")
    done("issue", tmp_path / "other", "client")
    both = tmp_path / "both.pem"
    both.write_text((tmp_path / "other" / "client.key").read_text()
                    + (tmp_path / "other" / "client.crt").read_text())
    both.chmod(0o600)
    with mutual(localhost, "1.3") as port:
        output = show(port, "--ca", localhost / "ca.crt", "--cert", both, code=1)
    assert rows(output, "our cert") == ["asked for, shown"]
    assert "CA is unknown" in rows(output, "refused")[0]


def test_a_key_of_another_certificate_is_refused_with_words(localhost):
    words = refused("show", "localhost:1", "--ca", localhost / "ca.crt", "--cert",
                    localhost / "client.crt", "--key", localhost / "ca.key")
    assert "localhost:1" in words


@contextlib.contextmanager
def listener(serve):
    """A server of one connection, which @serve gets."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def run():
            with contextlib.suppress(OSError):
                peer, _ = listening.accept()
                with peer:
                    serve(peer)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(20)


def test_a_port_that_does_not_speak_tls_is_said_to_be_so(localhost):
    def serve(peer):
        peer.sendall(b"220 mail.example.net ESMTP ready\r\n")
        peer.recv(4096)

    with listener(serve) as port:
        assert "is this a TLS port?" in refused(
            "show", f"127.0.0.1:{port}", "--ca", localhost / "ca.crt")


def test_a_server_that_hangs_up_is_said_to_do_so(localhost):
    with listener(lambda peer: peer.recv(4096)) as port:
        assert "cut the connection" in refused(
            "show", f"127.0.0.1:{port}", "--ca", localhost / "ca.crt")


def test_a_dripping_server_costs_ten_seconds(localhost):
    def serve(peer):
        for byte in b"\x16\x03\x03\x40\x00" + bytes(100):
            peer.sendall(bytes([byte]))
            time.sleep(0.3)

    with listener(serve) as port:
        start = time.monotonic()
        words = refused("show", f"127.0.0.1:{port}", "--ca", localhost / "ca.crt")
        assert 9 < time.monotonic() - start < 13
    assert "did not finish within 10 s" in words


def test_nobody_listening_is_said_to_be_so(localhost):
    assert "Connection refused" in refused(
        "show", f"127.0.0.1:{ports.free()}", "--ca", localhost / "ca.crt")


def test_trust_anchors_that_are_none_are_refused(localhost):
    with server(localhost / "localhost.crt", localhost / "localhost.key") as port:
        assert "trust anchors" in refused(
            "show", f"localhost:{port}", "--ca", localhost / "localhost.key")
