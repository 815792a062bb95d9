# SPDX-License-Identifier: MIT
"""OCSP staples: what an encryptor believes of them, and what an offloader gives to whom."""

import os
import re
import signal
import subprocess
import tempfile
import time

import pytest
from harness import ports, processes, wait
from harness.ends import PlainEnd
from harness.listeners import Listener, connect
from harness.program import configuration
from harness.revocation import HOUR, MUST_STAPLE, RESPONDER, pem, staple, write
from harness.tls import TlsEnd, context
from harness.worlds import VERSIONS, credentials
from test_revocation import check

every_version = pytest.mark.parametrize("version", VERSIONS)
NAMES = {"dns": ("localhost",)}


@pytest.fixture(scope="session")
def responders(pki):
    """Those who sign in the place of an authority, rightly or not."""
    return {
        "delegated": pki.issue("responder", pki.intermediate, purposes=(), extensions=[RESPONDER]),
        "bystander": pki.issue("bystander", pki.intermediate),
        "impostor": pki.issue("impostor", pki.stranger, purposes=(), extensions=[RESPONDER]),
        "retired": pki.issue("retired", pki.intermediate, purposes=(), extensions=[RESPONDER], start=-40, days=30),
    }


class Server:
    """A TLS server of OpenSSL, which staples what it is given, and an encryptor before it."""

    def __init__(self, run, pki, version, staple, identity=None, **options):
        identity = identity or pki.get("server")
        between, near = ports.free(), ports.free()
        self.address = f"127.0.0.1:{near}"
        words = ["openssl", "s_server", "-accept", f"127.0.0.1:{between}", "-cert", identity.crt, "-key"]
        words += [identity.key, "-cert_chain", identity.crt, "-rev", {"1.2": "-tls1_2", "1.3": "-tls1_3"}[version]]
        if staple:
            words += ["-status_file", staple]
        self.heard = tempfile.TemporaryFile()
        self.process = processes.start(words, stdout=subprocess.DEVNULL, stderr=self.heard)
        wait.until(lambda: _listens(between), "the server listens")
        service = {"mode": "encrypt", "accept": self.address, "connect": f"localhost:{between}"}
        self.program = run(configuration({**service, **credentials(pki, "client"), **options}, workers=1))

    def talk(self):
        client = PlainEnd(connect(self.address))
        client.send(b"forwards\n")
        return client

    def admits(self, **fields):
        self.program.mark()
        client = self.talk()
        assert client.receive(9) == b"sdrawrof\n"
        client.close()
        self.program.wait_tunnel(**fields)
        return True

    def refuses(self, words):
        self.program.mark()
        client = self.talk()
        assert client.wait_ending() == "reset"
        assert not client.unread
        client.close()
        self.program.wait_words(words)
        return True

    def was_told(self, alert):
        """Did the server get the alert of that name?"""

        def look():
            self.heard.seek(0)
            return f"alert {alert}".encode() in self.heard.read()

        return wait.until(look, f"the server gets an alert: {alert}")

    def close(self):
        processes.end(self.process)
        self.heard.close()


def _listens(port):
    try:
        connect(f"127.0.0.1:{port}").close()
    except OSError:
        return False
    return True


@pytest.fixture
def server(run, pki, closing):
    return lambda *arguments, **options: closing(Server(run, pki, *arguments, **options))


# What an encryptor believes.

REFUSED = {
    "revoked": ({"status": "revoked"}, "the certificate has been revoked"),
    "unknown": ({"status": "unknown"}, "the OCSP response says that the certificate is not known"),
    "stale": ({"since": -2 * HOUR, "until": -HOUR}, "the OCSP response has expired"),
    "endless-and-old": ({"since": -16 * 24 * HOUR, "until": None}, "the OCSP response has expired"),
    "early": ({"since": HOUR}, "the OCSP response is dated in the future"),
    "bystander": ({"responder": "bystander"}, "the OCSP response was not signed for the issuer"),
    "impostor": ({"responder": "impostor"}, "the OCSP response was not signed for the issuer"),
    "retired": ({"responder": "retired"}, "the OCSP response was signed with a certificate that is not valid now"),
    "other-certificate": ({"about": "other-name"}, "the OCSP response is for another certificate"),
}
GOOD = {"plain": {}, "delegated": {"responder": "delegated"}, "endless": {"until": None}}


def write_staple(pki, responders, path, wishes):
    wishes = dict(wishes)
    about = pki.get(wishes.pop("about", "server"))
    if "responder" in wishes:
        wishes["responder"] = responders[wishes["responder"]]
    return write(path, staple(about, pki.intermediate, **wishes))


@every_version
@pytest.mark.parametrize("name", GOOD)
def test_a_good_staple_lets_the_server_pass(server, pki, responders, tmp_path, version, name):
    path = write_staple(pki, responders, tmp_path / "staple", GOOD[name])
    assert server(version, path, ocsp="require").admits()


@every_version
@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_staple_refuses_the_server(server, pki, responders, tmp_path, version, name):
    wishes, words = REFUSED[name]
    end = server(version, write_staple(pki, responders, tmp_path / "staple", wishes), ocsp="check")
    assert end.refuses(words)
    assert end.was_told("certificate revoked" if name == "revoked" else "certificate unknown")


@every_version
def test_a_staple_is_wanted_where_that_is_said(server, version):
    assert server(version, None, ocsp="check").admits()
    assert server(version, None, ocsp="require").refuses("an OCSP status is required and none came")


@every_version
def test_with_ocsp_off_no_staple_matters(server, pki, responders, tmp_path, version):
    path = write_staple(pki, responders, tmp_path / "staple", {"status": "revoked"})
    assert server(version, path, ocsp="off").admits()


@every_version
def test_must_staple_is_honoured(server, pki, tmp_path, version):
    identity = pki.issue("demands-staple", pki.intermediate, extensions=[MUST_STAPLE], **NAMES)
    words = "the certificate demands an OCSP status and none came"
    assert server(version, None, identity, ocsp="check").refuses(words)
    assert server(version, None, identity, ocsp="off").admits()
    path = write(tmp_path / "staple", staple(identity, pki.intermediate))
    assert server(version, path, identity, ocsp="check").admits()


@every_version
def test_a_resumed_session_is_judged_by_the_staple_of_its_beginning(server, pki, responders, tmp_path, version):
    life = 4 * wait.SLOWNESS
    before = time.monotonic()
    end = server(version, write_staple(pki, responders, tmp_path / "staple", {"until": life}), ocsp="require")
    assert end.admits(resumed="no")
    assert end.admits(resumed="yes")
    time.sleep(max(before + life + 1.5 - time.monotonic(), 0))
    assert end.refuses("the OCSP response has expired")


# What an offloader gives.


class Offloader:
    """An offloader with staples, asked by OpenSSL."""

    def __init__(self, run, pki, closing, identities=("server",), **options):
        self.backend = closing(Listener())
        self.pki = pki
        self.port = ports.free()
        found = [pki.get(name) for name in identities]
        service = {"mode": "offload", "accept": f"127.0.0.1:{self.port}", "connect": self.backend.address}
        service |= {"cert": [each.crt for each in found], "key": [each.key for each in found], "ca": pki.ca}
        self.program = run(configuration({**service, **options}))

    def staple(self, version, *words):
        """The status in the staple that OpenSSL gets, or None."""
        client = self.pki.get("client")
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-status", "-CAfile", self.pki.ca]
        command += ["-cert", client.crt, "-key", client.key, {"1.2": "-tls1_2", "1.3": "-tls1_3"}[version], *words]
        said = processes.run(command).stdout
        if "OCSP response: no response sent" in said:
            return None
        return re.search(r"Cert Status: (\w+)", said)[1], re.search(r"Serial Number: (\w+)", said)[1]

    def carries_hello(self, version):
        made = context(False, self.pki.get("client"), self.pki.ca, version)
        client = TlsEnd(connect(f"127.0.0.1:{self.port}"), made, name="localhost")
        assert client.handshake() is None
        client.send(b"hello")
        client.close()
        while True:  # those of staple() sent nothing
            backend = self.backend.accept()
            said = backend.rest()[0]
            backend.close()
            if said:
                return said == b"hello"


# What a client says that can do nothing with one kind of key.
ECDSA = ("-sigalgs", "ECDSA+SHA256")
RSA = {
    "1.2": ("-cipher", "aRSA"),
    "1.3": ("-sigalgs", "RSA-PSS+SHA256:ECDSA+SHA384"),
}


@pytest.fixture
def offloader(run, pki, closing):
    return lambda *arguments, **options: Offloader(run, pki, closing, *arguments, **options)


def number_of(identity):
    digits = f"{identity.certificate.serial_number:X}"
    return "0" * (len(digits) % 2) + digits


@every_version
@pytest.mark.parametrize("encode", [bytes, pem])
def test_an_offloader_staples_its_response(offloader, pki, tmp_path, version, encode):
    data = encode(staple(pki.get("server"), pki.intermediate))
    end = offloader(ocsp_response=write(tmp_path / "staple", data))
    assert end.staple(version) == ("good", number_of(pki.get("server")))


@every_version
def test_each_of_several_certificates_gets_its_own(offloader, pki, tmp_path, version):
    ours = [pki.get("server-rsa"), pki.get("server")]
    data = b"".join(pem(staple(each, pki.intermediate)) for each in ours)
    end = offloader(("server-rsa", "server"), ocsp_response=write(tmp_path / "staples", data))
    assert end.staple(version, *ECDSA) == ("good", number_of(ours[1]))
    assert end.staple(version, *RSA[version]) == ("good", number_of(ours[0]))


@every_version
def test_one_of_several_certificates_may_go_without(offloader, pki, tmp_path, version):
    data = staple(pki.get("server"), pki.intermediate)
    end = offloader(("server-rsa", "server"), ocsp_response=write(tmp_path / "staple", data))
    assert end.staple(version, *ECDSA) == ("good", number_of(pki.get("server")))
    assert end.staple(version, *RSA[version]) is None


@every_version
def test_an_expired_response_is_not_stapled_any_more(offloader, pki, tmp_path, version):
    life = 4 * wait.SLOWNESS
    before = time.monotonic()
    data = staple(pki.get("server"), pki.intermediate, until=life)
    end = offloader(ocsp_response=write(tmp_path / "staple", data))
    assert end.staple(version)
    time.sleep(max(before + life + 1.5 - time.monotonic(), 0))
    assert end.staple(version) is None
    end.program.wait_line(lambda line: is_warning(line, EXPIRED), "it is said when it happens", timeout=2)


# Responses that are not of this time: they are not stapled, and nothing else happens.

EXPIRED = "OCSP response 1 has expired on 20"
UNTIMELY = {
    "stale": ({"since": -2 * HOUR, "until": -HOUR}, EXPIRED),
    "endless-and-old": ({"since": -16 * 24 * HOUR, "until": None}, EXPIRED),
    "early": ({"since": HOUR}, "OCSP response 1 is not valid before 20"),
}


def is_warning(line, words):
    message = line["message"]
    found = all(each in message for each in (words, "ocsp-response: ", "/staple", "it is not stapled"))
    return found and line["level"] == "warning"


@every_version
@pytest.mark.parametrize("name", UNTIMELY)
def test_with_a_response_of_another_time_it_starts_and_warns(offloader, pki, responders, tmp_path, version, name):
    wishes, words = UNTIMELY[name]
    end = offloader(ocsp_response=write_staple(pki, responders, tmp_path / "staple", wishes))
    assert end.program.find(lambda line: is_warning(line, words))
    assert end.staple(version) is None
    write_staple(pki, responders, tmp_path / "staple", {})
    end.program.wait_words("renewed")
    wait.until(lambda: end.staple(version), "the new one is stapled")


@every_version
def test_of_several_responses_those_of_the_time_are_stapled(offloader, pki, tmp_path, version):
    ours = [pki.get("server-rsa"), pki.get("server")]
    old = pem(staple(ours[0], pki.intermediate, **UNTIMELY["stale"][0]))
    data = old + pem(staple(ours[1], pki.intermediate))
    end = offloader(("server-rsa", "server"), ocsp_response=write(tmp_path / "staples", data))
    assert end.staple(version, *ECDSA) == ("good", number_of(ours[1]))
    assert end.staple(version, *RSA[version]) is None


@pytest.mark.parametrize("name", UNTIMELY)
def test_the_check_warns_of_a_response_of_another_time(pki, responders, tmp_path, name):
    wishes, words = UNTIMELY[name]
    path = write_staple(pki, responders, tmp_path / "staple", wishes)
    said, code = check(pki, tmp_path, ocsp_response=path)
    assert code == 0, said
    assert f'service service-1: ocsp-response: "{path}": {words}' in said


def test_a_response_of_a_retired_responder_is_not_stapled(offloader, pki, responders, tmp_path):
    path = write_staple(pki, responders, tmp_path / "staple", {"responder": "retired"})
    assert offloader(ocsp_response=path).staple("1.3") is None


@every_version
def test_after_its_response_has_expired_serve_comes_up_again(offloader, pki, tmp_path, version):
    """The generation that runs is good for ever, or no service would come back when serve dies."""
    life = 4 * wait.SLOWNESS
    before = time.monotonic()
    path = write(tmp_path / "staple", staple(pki.get("server"), pki.intermediate, until=life))
    end = offloader(ocsp_response=path)
    assert end.staple(version)
    time.sleep(max(before + life + 1.5 - time.monotonic(), 0))
    end.program.mark()
    os.kill(end.program.workers(), signal.SIGKILL)
    end.program.wait_words("it is started again")
    end.program.wait_ready()
    assert end.carries_hello(version)
    assert end.staple(version) is None


@pytest.mark.parametrize("by_itself", ["no", "yes"])
def test_a_reload_takes_up_an_expired_response_and_warns(run, pki, closing, responders, tmp_path, by_itself):
    path = write_staple(pki, responders, tmp_path / "staple", {})
    start = lambda text: run(f"reload-on-change = {by_itself}\n{text}")
    end = Offloader(start, pki, closing, ocsp_response=path)
    assert end.staple("1.3")
    end.program.mark()
    write_staple(pki, responders, path, UNTIMELY["stale"][0])
    if by_itself == "no":
        end.program.wait_words("the OCSP response has expired; the one before stays")
        assert end.staple("1.3")
        assert end.program.reload()["message"] == "reloaded"
    end.program.wait_line(lambda line: line["message"] == "reloaded", "the reload")
    end.program.wait_line(lambda line: is_warning(line, EXPIRED), "the warning")
    assert end.staple("1.3") is None
    assert end.carries_hello("1.3")


@every_version
def test_our_two_ends_agree(run, pki, closing, tmp_path, version):
    path = write(tmp_path / "staple", staple(pki.get("server"), pki.intermediate))
    far = Offloader(run, pki, closing, ocsp_response=path, tls_min_version=version, tls_max_version=version)
    near = ports.free()
    service = {"mode": "encrypt", "accept": f"127.0.0.1:{near}", "connect": f"localhost:{far.port}"}
    run(configuration({**service, **credentials(pki, "client"), "ocsp": "require"}))
    client = PlainEnd(connect(f"127.0.0.1:{near}"))
    client.send(b"hello")
    backend = closing(far.backend.accept())
    assert backend.receive(5) == b"hello"
    client.close()


BAD_FILES = {
    "empty": (None, "there is no OCSP response in it"),
    "revoked": ({"status": "revoked"}, "says that the certificate has been revoked"),
    "unknown": ({"status": "unknown"}, "says that the certificate is not known"),
    "other-certificate": ({"about": "other-name"}, "the OCSP response is for another certificate"),
    "bystander": ({"responder": "bystander"}, "was not signed for the issuer"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_response_is_an_error_at_start(pki, responders, tmp_path, name):
    wishes, words = BAD_FILES[name]
    path = tmp_path / "staple"
    if wishes is None:
        path.write_bytes(b"")
    else:
        write_staple(pki, responders, path, wishes)
    said, code = check(pki, tmp_path, ocsp_response=path)
    assert code == 1, said
    assert words in said
    assert "ocsp-response: " in said


def test_garbage_and_a_second_response_are_errors(pki, tmp_path):
    good = pem(staple(pki.get("server"), pki.intermediate))
    for data, words in (
        (b"garbage", "OCSP response 1: this is neither PEM"),
        (good + good, "OCSP response 2: it is the second"),
    ):
        said, code = check(pki, tmp_path, ocsp_response=write(tmp_path / "staple", data))
        assert code == 1
        assert words in said
