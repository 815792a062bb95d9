# SPDX-License-Identifier: MIT
"""Revocation lists, failing closed: whoever is on one, or about whom none tells, does not pass."""

import os
import signal
import time

import pytest
from cryptography import x509
from harness import ports, processes, wait
from harness.listeners import Listener, connect
from harness.program import SALLYPORT, configuration
from harness.revocation import DER, HOUR, crl, write
from harness.tls import TlsEnd, context
from harness.worlds import VERSIONS, credentials
from test_authentication import Encrypt, Offload
from test_resumption import Offloader, reload

every_version = pytest.mark.parametrize("version", VERSIONS)
both_roles = pytest.mark.parametrize("role", ["offload", "encrypt"])

WORDS = {
    "revoked": "the certificate has been revoked",
    "missing": "there is no revocation list of an issuer of the certificate",
    "expired": "the revocation list is too old",
    "early": "the revocation list is dated in the future",
    "forged": "the revocation list of an issuer was not signed by it",
}
ALERTS = {"revoked": "alert:certificate_revoked"}


class Lists:
    """A file with the lists of the tests' authorities."""

    def __init__(self, pki, path):
        self.pki, self.path = pki, path
        self.name = {"offload": "client", "encrypt": "server"}

    def good(self, *revoked, **wishes):
        """A list of each issuer, on one of which are these identities."""
        root, intermediate = self.pki.root, self.pki.intermediate
        of_root = [each for each in revoked if each is intermediate]
        others = [each for each in revoked if each is not intermediate]
        return crl(root, of_root) + crl(intermediate, others, **wishes)

    def write(self, data=None):
        return write(self.path, self.good() if data is None else data)


@pytest.fixture
def lists(pki, tmp_path):
    return Lists(pki, tmp_path / "lists.pem")


class Side:
    """One end that judges the other by lists; admits() and refusal() without regard to the role."""

    def __init__(self, run, pki, closing, role, version, **options):
        self.role, self.version = role, version
        if role == "offload":
            self.end = closing(Offload(run, pki, **options))
        else:
            self.end = closing(Encrypt(run, pki, "server", version, **options))
        self.program = self.end.program

    def admits(self):
        return self.end.admits("client", self.version) if self.role == "offload" else self.end.admits()

    def refusal(self):
        return self.end.refusal("client", self.version) if self.role == "offload" else self.end.refusal()

    def refuses(self, why):
        self.program.mark()
        assert self.refusal() == ALERTS.get(why, "alert:certificate_unknown")
        self.program.wait_words(WORDS[why])
        return True


@pytest.fixture
def side(run, pki, closing):
    return lambda role, version, **options: Side(run, pki, closing, role, version, **options)


@both_roles
@every_version
def test_who_is_on_no_list_passes(side, lists, role, version):
    assert side(role, version, crl=lists.write()).admits()


@both_roles
@every_version
def test_a_revoked_certificate_is_refused(side, lists, pki, role, version):
    data = lists.good(pki.get("other-name"), pki.get(lists.name[role]))
    assert side(role, version, crl=lists.write(data)).refuses("revoked")


@both_roles
@every_version
def test_a_revoked_intermediate_is_refused(side, lists, pki, role, version):
    assert side(role, version, crl=lists.write(lists.good(pki.intermediate))).refuses("revoked")


@both_roles
@every_version
@pytest.mark.parametrize("given", ["root", "intermediate"])
def test_an_issuer_without_a_list_is_refused_unless_that_is_waived(side, lists, pki, role, version, given):
    path = lists.write(crl(getattr(pki, given)))
    assert side(role, version, crl=path).refuses("missing")
    assert side(role, version, crl=path, crl_missing="accept").admits()


@both_roles
@every_version
def test_the_waiver_lets_nobody_pass_who_is_on_a_list(side, lists, pki, role, version):
    path = lists.write(crl(pki.intermediate, [pki.get(lists.name[role])]))
    assert side(role, version, crl=path, crl_missing="accept").refuses("revoked")


@both_roles
@every_version
def test_a_list_that_its_issuer_did_not_sign_is_refused(side, lists, pki, role, version):
    path = lists.write(crl(pki.root) + crl(pki.intermediate, signer=pki.stranger))
    assert side(role, version, crl=path, crl_missing="accept").refuses("forged")


@both_roles
@every_version
def test_a_list_that_expires_while_it_runs_refuses_from_then_on(side, lists, role, version):
    life = 4 * wait.SLOWNESS
    before = time.monotonic()
    end = side(role, version, crl=lists.write(lists.good(until=life)))
    assert end.admits()
    time.sleep(max(before + life + 1.5 - time.monotonic(), 0))
    end.program.wait_line(lambda line: is_warning(line, EXPIRED), "it is said when it happens", timeout=2)
    assert end.refuses("expired")


# Lists that are not of this time when they are loaded: the connections suffer, and not the program.

EXPIRED = 'the revocation list of CN=intermediate has expired on 20'
UNTIMELY = {
    "expired": ({"since": -2 * HOUR, "until": -HOUR}, EXPIRED),
    "early": ({"since": HOUR}, "the revocation list of CN=intermediate is not valid before 20"),
}
every_time = pytest.mark.parametrize("time_of_list", UNTIMELY)


def is_warning(line, words):
    message = line["message"]
    return (
        line["level"] == "warning"
        and words in message
        and "crl: " in message
        and "lists.pem" in message
        and "every connection that needs it is refused" in message
    )


@both_roles
@every_version
@every_time
@pytest.mark.parametrize("missing", ["refuse", "accept"])
def test_with_a_list_of_another_time_it_starts_and_warns_and_refuses(
    side, lists, role, version, time_of_list, missing
):
    wishes, words = UNTIMELY[time_of_list]
    end = side(role, version, crl=lists.write(lists.good(**wishes)), crl_missing=missing)
    assert end.program.find(lambda line: is_warning(line, words))
    assert end.refuses(time_of_list)
    lists.write()
    assert end.program.reload()["message"] == "reloaded"
    assert end.admits()


@every_time
def test_the_check_warns_of_a_list_of_another_time(pki, lists, tmp_path, time_of_list):
    wishes, words = UNTIMELY[time_of_list]
    said, code = check(pki, tmp_path, crl=lists.write(lists.good(**wishes)))
    assert code == 0, said
    assert f'service service-1: crl: "{lists.path}": {words}' in said


@pytest.mark.parametrize("by_itself", ["no", "yes"])
def test_a_reload_takes_up_an_expired_list_and_warns(run, pki, closing, lists, by_itself):
    start = lambda text: run(f"reload-on-change = {by_itself}\n{text}")
    end = Side(start, pki, closing, "offload", "1.3", crl=lists.write())
    assert end.admits()
    end.program.mark()
    lists.write(lists.good(since=-2 * HOUR, until=-HOUR))
    if by_itself == "no":
        assert end.program.reload()["message"] == "reloaded"
    end.program.wait_line(lambda line: line["message"] == "reloaded", "the reload")
    end.program.wait_line(lambda line: is_warning(line, EXPIRED), "the warning")
    assert end.refuses("expired")


@both_roles
@every_version
def test_after_its_list_has_expired_serve_comes_up_again(run, pki, closing, lists, role, version):
    """The generation that runs is good for ever, or no service would come back when serve dies."""
    life = 4 * wait.SLOWNESS
    before = time.monotonic()
    # In the same program: another offloader, without lists.
    backend, address = closing(Listener()), f"127.0.0.1:{ports.free()}"
    other = {"name": "other", "mode": "offload", "accept": address, "connect": backend.address}
    text = configuration({**other, **credentials(pki, "server")}).partition("\n\n")[2]
    path = lists.write(lists.good(until=life))
    end = Side(lambda first: run(f"{first}\n{text}"), pki, closing, role, version, crl=path)
    assert end.admits()
    time.sleep(max(before + life + 1.5 - time.monotonic(), 0))
    end.program.mark()
    os.kill(end.program.workers(), signal.SIGKILL)
    end.program.wait_words("it is started again")
    end.program.wait_ready()
    assert carries_hello(closing, pki, address, backend)
    assert end.refuses("expired")
    assert not end.program.find(lambda line: "cannot be used" in line["message"])
    lists.write()
    assert end.program.reload()["message"] == "reloaded"
    assert end.admits()


def carries_hello(closing, pki, address, backend):
    client = closing(TlsEnd(connect(address), context(False, pki.get("client"), pki.ca), name="localhost"))
    assert client.handshake() is None
    client.send(b"hello")
    return closing(backend.accept()).receive(5) == b"hello"


@both_roles
def test_lists_of_a_directory_count(side, lists, pki, role, tmp_path):
    directory = tmp_path / "lists"
    directory.mkdir()
    write(directory / "root.crl", crl(pki.root))
    write(directory / "intermediate.crl", crl(pki.intermediate, encoding=DER))
    assert side(role, "1.3", crl=directory).admits()
    write(directory / "intermediate.crl", crl(pki.intermediate, [pki.get(lists.name[role])], encoding=DER))
    assert side(role, "1.3", crl=directory).refuses("revoked")


@both_roles
@every_version
def test_a_reload_takes_up_a_new_list(side, lists, pki, role, version):
    end = side(role, version, crl=lists.write())
    assert end.admits()
    lists.write(lists.good(pki.get(lists.name[role])))
    assert end.program.reload()["message"] == "reloaded"
    assert end.refuses("revoked")


def test_a_reload_with_a_bad_list_keeps_the_old_one(side, lists):
    end = side("offload", "1.3", crl=lists.write())
    lists.write(lists.good() + b"#")
    assert "nothing else may stand in the file" in end.program.reload()["message"]
    end.program.wait_words("reload failed: everything stays as it was")
    assert end.admits()


# What is wrong with a file of lists, and the words that say so.


def bad_files(pki):
    def scope(**which):
        standard = {"full_name": None, "relative_name": None, "only_contains_user_certs": False}
        standard |= {"only_contains_ca_certs": False, "only_some_reasons": None, "indirect_crl": False}
        part = x509.IssuingDistributionPoint(**{**standard, "only_contains_attribute_certs": False, **which})
        return crl(pki.intermediate, extensions=[(part, True)])

    good = crl(pki.root)
    return {
        "empty": (b"", "there is no revocation list in it"),
        "garbage-before": (b"Certificate Revocation List\n" + good, "at byte 0: this is neither PEM"),
        "garbage-between": (good + b"hello\n" + good, f"at byte {len(good)}: this is neither PEM"),
        "garbage-behind": (good + b"#", f"at byte {len(good)}: this is neither PEM"),
        "cut": (good + good[:-30], "the PEM is not whole"),
        "second-is-damaged": (good + good.replace(b"\nM", b"\nN", 1), "revocation list 2"),
        "a-certificate": (open(pki.ca, "rb").read(), "this is neither PEM (-----BEGIN X509 CRL-----) nor DER"),
        "users-only": (scope(only_contains_user_certs=True), "covers only a part"),
        "indirect": (scope(indirect_crl=True), "covers only a part"),
        "delta": (crl(pki.root, extensions=[(x509.DeltaCRLIndicator(1), True)]), "the list is a delta"),
    }


BAD_FILES = [
    "empty", "garbage-before", "garbage-between", "garbage-behind", "cut",
    "second-is-damaged", "a-certificate", "users-only", "indirect", "delta",
]  # fmt: skip


def check(pki, tmp_path, **options):
    """What `sallyport check` says about an offloader with these options, and its exit code."""
    file = tmp_path / "test.conf"
    service = {"mode": "offload", "accept": "127.0.0.1:1", "connect": "127.0.0.1:2"}
    file.write_text(configuration({**service, **credentials(pki, "server"), **options}))
    result = processes.run([SALLYPORT, "check", "-c", file])
    return result.stdout + result.stderr, result.returncode


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_an_error_at_start(pki, lists, tmp_path, name):
    data, words = bad_files(pki)[name]
    said, code = check(pki, tmp_path, crl=lists.write(data))
    assert code == 1, said
    assert words in said
    assert "crl: " in said


def test_the_table_of_bad_files_is_whole(pki):
    assert sorted(bad_files(pki)) == sorted(BAD_FILES)


def test_a_good_file_is_none(pki, lists, tmp_path):
    said, code = check(pki, tmp_path, crl=lists.write())
    assert code == 0, said


# Sessions that are resumed.


@every_version
def test_a_client_that_was_revoked_meanwhile_does_not_resume(run, pki, closing, lists, version):
    front = Offloader(run, pki, closing, version, crl=lists.write())
    session, _ = front.talk()
    session, resumed = front.talk(session)
    assert resumed
    lists.write(lists.good(pki.get("client")))
    reload(front.program)
    front.program.mark()
    end = front.connect(session)
    assert (end.failure or end.wait_ending()) == ALERTS["revoked"]
    front.program.wait_words(WORDS["revoked"])


@every_version
def test_a_server_that_was_revoked_meanwhile_is_not_resumed(side, lists, pki, version):
    end = side("encrypt", version, crl=lists.write())
    # Each of the workers keeps sessions of its own.
    wait.until(lambda: end.admits() and end.program.find(lambda line: line.get("resumed") == "yes"), "a resumption")
    lists.write(lists.good(pki.get("server")))
    assert end.program.reload()["message"] == "reloaded"
    assert end.refuses("revoked")
