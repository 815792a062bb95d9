# SPDX-License-Identifier: MIT
"""What reloads by itself when files change, and reloads without end."""

import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from harness import ports, processes, procfs, wait
from harness.ends import PlainEnd
from harness.listeners import Listener, connect
from harness.program import LOAD, configuration, is_sanitized
from harness.tls import TlsEnd, context
from harness.worlds import credentials

LONG_RELOADS = int(os.environ.get("RELOADS", "10000"))
NOTICED = "reloading, since files have changed"
SERVER = {"dns": ("localhost",), "ip": ("127.0.0.1",)}


class Place:
    """An offloader with a certificate of its own in a directory of its own."""

    def __init__(self, run, pki, closing, directory, **options):
        self.pki, self.closing, self.directory = pki, closing, str(directory)
        self.backend = closing(Listener())
        self.address = f"127.0.0.1:{ports.free()}"
        self.number = 0
        self.service = {"name": "site", "mode": "offload", "accept": self.address}
        self.service |= {"connect": self.backend.address, "ca": pki.ca}
        self.service |= {"cert": self.path("tls.crt"), "key": self.path("tls.key")}
        self.options = {"reload_on_change": "yes", **options}
        self.run = run
        self.program = None

    def start(self):
        self.program = self.run(self.text())
        return self

    def text(self, *more, **changes):
        return configuration({**self.service, **changes}, *more, **self.options)

    def path(self, name):
        return os.path.join(self.directory, name)

    def issue(self, **wishes):
        """A new identity for the same names, anywhere else."""
        self.number += 1
        name = f"{os.path.basename(self.directory)}-{self.number}"
        return self.pki.issue(name, **SERVER, **wishes)

    def rename(self, identity):
        """Put both files in their places, each at once."""
        for source, name in ((identity.key, "tls.key"), (identity.crt, "tls.crt")):
            shutil.copy2(source, self.path("new"))
            os.rename(self.path("new"), self.path(name))

    def served(self):
        """The serial number of the certificate that a new client is shown."""
        made = context(False, self.pki.get("client"), self.pki.ca)
        client = self.closing(TlsEnd(connect(self.address), made, name="localhost"))
        assert client.handshake() is None
        return x509.load_der_x509_certificate(client.tls.getpeercert(True)).serial_number

    def count(self, message):
        return sum(line["message"] == message for line in self.program.log())

    def wait_reloads(self, number):
        wait.until(lambda: self.count("reloaded") >= number, f"reload {number}", timeout=20)
        assert self.count("reloaded") == number
        return True

    def quiet(self):
        """Nothing more happens, for longer than it would need."""
        before = self.count("reloaded"), self.count(NOTICED)
        time.sleep(2.5)
        return (self.count("reloaded"), self.count(NOTICED)) == before


@pytest.fixture
def place(run, pki, closing, tmp_path):
    """place() is an offloader that runs with its first certificate."""

    def make(**options):
        made = Place(run, pki, closing, tmp_path, **options)
        made.rename(made.issue())
        return made.start()

    return make


def test_files_that_are_renamed_into_place_are_taken_up_once(place):
    site = place()
    identity = site.issue()
    assert site.served() != identity.certificate.serial_number
    site.rename(identity)
    site.wait_reloads(1)
    assert site.served() == identity.certificate.serial_number
    assert site.quiet()


def test_a_file_that_is_written_in_steps_is_taken_up_when_it_is_whole(place):
    site = place()
    identity = site.issue()
    with open(identity.crt, "rb") as file:
        certificate = file.read()
    shutil.copy2(identity.key, site.path("key.new"))
    with open(site.path("tls.crt"), "wb") as file:
        for start in range(0, len(certificate), 400):
            file.write(certificate[start : start + 400])
            file.flush()
            time.sleep(0.3)
    os.rename(site.path("key.new"), site.path("tls.key"))
    site.wait_reloads(1)
    assert site.served() == identity.certificate.serial_number
    assert site.quiet()
    assert not site.program.find(lambda line: line["level"] == "error")


def kubelet(directory, identity, number):
    """Put an identity into a directory as Kubernetes does it: everything changes with one link."""
    data = os.path.join(directory, f"..{number}")
    os.mkdir(data)
    shutil.copy2(identity.crt, os.path.join(data, "tls.crt"))
    shutil.copy2(identity.key, os.path.join(data, "tls.key"))
    os.symlink(f"..{number}", os.path.join(directory, "..data_tmp"))
    os.rename(os.path.join(directory, "..data_tmp"), os.path.join(directory, "..data"))


def test_a_swap_of_links_is_taken_up_again_and_again(run, pki, closing, tmp_path):
    site = Place(run, pki, closing, tmp_path)
    kubelet(site.directory, site.issue(), 0)
    for name in ("tls.crt", "tls.key"):
        os.symlink(f"..data/{name}", site.path(name))
    site.start()
    for number in (1, 2, 3):
        identity = site.issue()
        kubelet(site.directory, identity, number)
        shutil.rmtree(site.path(f"..{number - 1}"))
        site.wait_reloads(number)
        assert site.served() == identity.certificate.serial_number
    assert site.quiet()


def test_a_bad_set_keeps_the_old_one_and_its_repair_is_taken_up(place):
    site = place()
    old, new = site.served(), site.issue()
    site.program.mark()
    shutil.copy2(new.crt, site.path("tls.crt"))
    line = site.program.wait_line(lambda line: line["level"] == "error", "the reason is logged")
    assert "tls." in line["message"] and site.program.file in line["message"]
    site.program.wait_words("reload failed: everything stays as it was")
    assert site.served() == old
    shutil.copy2(new.key, site.path("tls.key"))
    site.wait_reloads(1)
    assert site.served() == new.certificate.serial_number


def test_many_changes_in_a_burst_are_one_reload(place):
    site = place()
    for _ in range(10):
        identity = site.issue()
        site.rename(identity)
        time.sleep(0.1)
    site.wait_reloads(1)
    assert site.served() == identity.certificate.serial_number
    assert site.quiet()


def test_what_is_written_without_a_change_reloads_nothing(place):
    site = place()
    with open(site.path("tls.crt"), "rb") as file:
        certificate = file.read()
    with open(site.path("tls.crt"), "wb") as file:
        file.write(certificate)
    site.program.wait_words("files were written, but nothing in them has changed")
    assert site.count(NOTICED) == 0 and site.count("reloaded") == 0


def test_included_files_that_come_change_and_go_are_taken_up(place):
    site = place()
    site.program.write("include = conf.d/*.conf\n" + site.text())
    site.wait_reloads(1)
    directory = os.path.join(site.program.directory, "conf.d")
    port = ports.free()
    service = {**site.service, "name": "other", "accept": f"127.0.0.1:{port}"}
    text = configuration(service).partition("\n\n")[2]
    os.mkdir(directory)
    with open(os.path.join(directory, "other.conf"), "w", encoding="ascii") as file:
        file.write(text)
    site.wait_reloads(2)
    assert procfs.is_listening(port)
    os.rename(os.path.join(directory, "other.conf"), os.path.join(directory, "other.off"))
    site.wait_reloads(3)
    assert not procfs.is_listening(port)
    assert site.quiet()


def test_without_the_option_nothing_is_taken_up(place):
    site = place(reload_on_change="no")
    old = site.served()
    site.rename(site.issue())
    assert site.quiet()
    assert site.served() == old


def test_a_program_that_waits_for_files_sleeps(place):
    site = place()
    # Files that others make in /tmp, where the configuration is, wake main once a second.
    for pid, most in ((site.program.pid, 6), (site.program.workers(), 3)):
        before = procfs.status(pid, "voluntary_ctxt_switches")
        time.sleep(3)
        after = procfs.status(pid, "voluntary_ctxt_switches")
        assert int(after[0]) - int(before[0]) <= most


def response(pki, certificate, path, days=5):
    """Write an OCSP response that says of the certificate that it is good, until in so many days."""
    now = datetime.datetime.utcnow()
    until = now + datetime.timedelta(days=days)
    issuer = pki.intermediate
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=certificate,
        issuer=issuer.certificate,
        algorithm=hashes.SHA1(),
        cert_status=ocsp.OCSPCertStatus.GOOD,
        this_update=min(now, until) - datetime.timedelta(days=1),
        next_update=until,
        revocation_time=None,
        revocation_reason=None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
    made = builder.sign(issuer.private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    with open(path + ".new", "wb") as file:
        file.write(made)
    os.rename(path + ".new", path)


def stapled(site):
    """When the response that a client gets expires, as openssl prints it."""
    client = site.pki.get("client")
    identity = ["-cert", client.crt, "-cert_chain", client.crt, "-key", client.key]
    said = processes.run(["openssl", "s_client", "-connect", site.address, "-status", *identity])
    lines = [line.strip() for line in said.stdout.splitlines() if "Next Update:" in line]
    return lines[0] if lines else None


def test_an_ocsp_response_is_taken_up_always_unless_it_is_bad(run, pki, closing, tmp_path):
    site = Place(run, pki, closing, tmp_path, reload_on_change="no")
    identity = site.issue()
    site.rename(identity)
    path = site.path("tls.ocsp")
    site.service["ocsp_response"] = path
    response(pki, identity.certificate, path)
    site.start()
    first = stapled(site)
    assert first
    site.program.mark()
    response(pki, identity.certificate, path, days=-1)
    site.program.wait_words("the OCSP response has expired; the one before stays")
    assert stapled(site) == first
    response(pki, site.issue().certificate, path)
    site.program.wait_words("the OCSP response is for another certificate")
    site.program.wait_words("the OCSP responses stay as they were")
    assert stapled(site) == first
    response(pki, identity.certificate, path, days=9)
    site.program.wait_words("renewed")
    second = stapled(site)
    assert second and second != first
    site.rename(site.issue())
    os.remove(path)
    site.program.wait_words("the one before stays")
    assert site.count("reloaded") == 0
    assert stapled(site) == second
    assert site.served() == identity.certificate.serial_number


def test_the_log_warns_of_a_certificate_that_expires(run, pki, closing, tmp_path):
    site = Place(run, pki, closing, tmp_path)
    for number, days in enumerate((3, 10, 100)):
        site.rename(site.issue(days=days))
        if number == 0:
            site.start()
        else:
            site.wait_reloads(number)
    site.program.reload()
    found = re.compile(r"service site: cert: .*/tls.crt.*CN=.*-([0-9]) expires in ([0-9]+) days?, on 20")
    lines = [(line["level"], found.search(line["message"])) for line in site.program.log()]
    told = [(level, match[1], int(match[2])) for level, match in lines if match]
    assert [line[:2] for line in told] == [("warning", "1"), ("warning", "2")]
    assert told[0][2] in (1, 2) and told[1][2] in (8, 9)


class Pair:
    """An encryptor and an offloader in one program, that count what they log without reading it twice."""

    def __init__(self, run, pki, target, environment=None):
        self.port, between = ports.free(), ports.free()
        far = {"name": "far", "mode": "offload", "accept": f"127.0.0.1:{between}", "connect": target}
        near = {"name": "near", "mode": "encrypt", "accept": f"127.0.0.1:{self.port}"}
        near["connect"] = f"localhost:{between}"
        services = [{**far, **credentials(pki, "server")}, {**near, **credentials(pki, "client")}]
        self.text = configuration(*services, log_level="notice")
        self.program = run(self.text, environment=environment)
        self.offset = 0
        self.reloads = 0

    def _read(self):
        with open(self.program.stderr, "rb") as file:
            file.seek(self.offset)
            said = file.read()
        said = said[: said.rfind(b"\n") + 1]
        self.offset += len(said)
        assert b"reload failed" not in said, said
        self.reloads += said.count(b'"reloaded"')
        return self.reloads

    def reload(self):
        wanted = self.reloads + 1
        self.program.write(f"{self.text}idle-timeout = {wanted % 100 + 60}m\n")
        self.program.signal(signal.SIGHUP)
        wait.until(lambda: self._read() >= wanted, f"reload {wanted}", timeout=20)

    def resident(self):
        return [procfs.resident_bytes(pid) for pid in (self.program.pid, self.program.workers())]

    def descriptors(self):
        return [procfs.descriptors(pid) for pid in (self.program.pid, self.program.workers())]


@pytest.mark.deadline(60)
def test_a_reload_every_100_ms_fails_none_of_32_looping_clients(run, pki, echo):
    pair = Pair(run, pki, echo)
    command = [LOAD, "connect", "--json", "--connect", f"127.0.0.1:{pair.port}", "--connections", "32"]
    load = processes.start([*command, "--seconds", "5"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        begun = time.monotonic()
        while load.poll() is None:
            pair.reload()
            time.sleep(max(begun + 0.1 * pair.reloads - time.monotonic(), 0))
        said = load.communicate()[0].decode()
    finally:
        processes.end(load)
    assert load.returncode == 0, said
    result = json.loads(said.splitlines()[-1])
    assert result["errors"] == 0, said
    assert result["done"] > 100 and pair.reloads > 10, said


def reload_and_measure(run, pki, echo, number):
    """Nothing is left of so many reloads, with a connection between them now and then."""
    # What a sanitizer keeps of freed memory is not what we look for.
    options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0"
    pair = Pair(run, pki, echo, environment={"ASAN_OPTIONS": options.lstrip(":")})

    def pass_through():
        client = PlainEnd(connect(f"127.0.0.1:{pair.port}"))
        client.send(b"hello")
        assert client.receive(5) == b"hello"
        client.close()

    for _ in range(40):
        pair.reload()
    pass_through()
    before, opened = pair.resident(), pair.descriptors()
    for index in range(number):
        pair.reload()
        if index % 50 == 0:
            pass_through()
    # Its own bookkeeping grows, too; there the leak checker is the judge.
    limit = (16 << 20) + 4096 * number if is_sanitized() else 4 << 20
    for now, then in zip(pair.resident(), before):
        assert now - then < limit, f"{then} bytes have become {now} in {number} reloads"
    wait.until(lambda: pair.descriptors() <= opened, "descriptors are given back")
    pair.program.stop()
    assert pair.program.process.returncode == 0


@pytest.mark.deadline(120)
def test_200_reloads_leave_nothing_behind(run, pki, echo):
    reload_and_measure(run, pki, echo, 200)


@pytest.mark.long
@pytest.mark.deadline(1800)
def test_ten_thousand_reloads_leave_nothing_behind(run, pki, echo):
    reload_and_measure(run, pki, echo, LONG_RELOADS)
