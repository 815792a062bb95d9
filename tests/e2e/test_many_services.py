# SPDX-License-Identifier: MIT
"""Reloads of many services, what may be spared in them and what must not, and what an idle program does."""

import os
import shutil
import signal
import time

import pytest
from cryptography import x509
from harness import ports, procfs, wait
from harness.listeners import Listener, connect
from harness.program import configuration
from harness.tls import TlsEnd, context

MANY = 500
SERVER = {"dns": ("localhost",), "ip": ("127.0.0.1",)}
KEYS = {"ecdsa": "no", "rsa": "auto"}  # and whether they live in the key process


class Services:
    """Offloaders with one certificate in common, or each with files of its own."""

    def __init__(self, run, pki, closing, directory, kind, shared, count):
        self.pki, self.closing, self.directory, self.kind = pki, closing, str(directory), kind
        self.shared, self.issued = shared, []
        self.port, self.backend = ports.free(), closing(Listener())
        for index in range(1 if shared else count):
            self.put(index, self.issued[0] if index else self.issue())
        sections = [self._section(index) for index in range(count)]
        self.text = configuration(*sections, ca=pki.ca, key_process=KEYS[kind], log_level="notice")
        self.program = run(self.text)

    def issue(self):
        name = f"{os.path.basename(self.directory)}-{len(self.issued)}"
        self.issued.append(self.pki.issue(name, key=self.kind, **SERVER))
        return self.issued[-1]

    def path(self, index, suffix):
        return os.path.join(self.directory, f"{0 if self.shared else index}.{suffix}")

    def put(self, index, identity, parts=("crt", "key")):
        for suffix in parts:
            shutil.copy2(getattr(identity, suffix), self.path(index, suffix))

    def address(self, index):
        return f"127.2.{index // 250}.{index % 250 + 1}:{self.port}"

    def _section(self, index):
        files = {"cert": self.path(index, "crt"), "key": self.path(index, "key")}
        address = {"accept": self.address(index), "connect": self.backend.address}
        return {"name": f"s{index}", "mode": "offload", **address, **files}

    def served(self, index):
        """The serial number of the certificate that a new client of a service is shown."""
        made = context(False, self.pki.get("client"), self.pki.ca)
        client = self.closing(TlsEnd(connect(self.address(index)), made, name="localhost"))
        assert client.handshake() is None
        return x509.load_der_x509_certificate(client.tls.getpeercert(True)).serial_number

    def cpu_seconds(self):
        """Of main, and of the key process if there is one; a busy machine does not make it more."""
        pids = [self.program.pid] + ([self.program.keys()] if KEYS[self.kind] != "no" else [])
        return sum(procfs.cpu_seconds(pid) for pid in pids)

    def refused_with(self):
        """The words of a reload that failed."""
        line = self.program.reload(timeout=20)
        assert line["message"] == "reload failed: everything stays as it was", line
        words = [line["message"] for line in self.program.log()[self.program.position :] if line["level"] == "error"]
        return words[:-1]


@pytest.fixture(params=[True, False], ids=["shared", "own"])
def services(request, run, pki, closing, tmp_path):
    def make(kind, count):
        return Services(run, pki, closing, tmp_path, kind, request.param, count)

    return make


@pytest.mark.parametrize("kind", KEYS)
def test_a_reload_of_many_services_is_quick_and_takes_up_what_is_new(services, kind):
    """Half a second and more would be spent if RSA signed for each service."""
    site = services(kind, MANY)
    last = MANY - 1
    old, new = site.served(last), site.issue()
    assert site.served(0) == old
    site.put(last, new)
    site.program.mark()
    before, spent = time.monotonic(), site.cpu_seconds()
    site.program.signal(signal.SIGHUP)
    site.program.wait_line(lambda line: line["message"] == "reloaded", "the reload is over", 20)
    assert time.monotonic() - before < 2.5 * wait.SLOWNESS
    assert site.cpu_seconds() - spent < 0.6 * wait.SLOWNESS
    assert site.served(last) == new.certificate.serial_number
    assert site.served(0) == (new.certificate.serial_number if site.shared else old)


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_that_fitted_before_the_reload_must_fit_after_it(services, kind):
    """Nothing that was found good once is good for other bytes: neither a new key nor a new certificate."""
    site = services(kind, 3)
    old = site.served(2)
    assert site.program.reload()["message"] == "reloaded"
    other = site.issue()
    wrong = "the key does not match the certificate"
    for part in ("key", "crt"):
        site.put(2, other, (part,))
        words = site.refused_with()
        assert len(words) == (3 if site.shared else 1)
        assert all(wrong in word and site.path(2, "key") in word for word in words), words
        assert site.served(2) == old and site.served(0) == old
        site.put(2, site.issued[0], (part,))
        assert site.program.reload()["message"] == "reloaded"
        assert site.served(2) == old
    site.put(2, other)
    assert site.program.reload()["message"] == "reloaded"
    assert site.served(2) == other.certificate.serial_number


def sleeps(program):
    """How often the threads of all its processes have waited for something."""
    count = 0
    for pid in (program.pid, *procfs.children(program.pid)):
        for thread in os.listdir(f"/proc/{pid}/task"):
            count += int(procfs.status(f"{pid}/task/{thread}", "voluntary_ctxt_switches")[0])
    return count


def quiet(program, seconds, most):
    before = sleeps(program)
    time.sleep(seconds)
    return sleeps(program) - before <= most


def test_an_idle_program_wakes_up_less_than_once_a_second(run, pki, closing):
    """All processes and threads together, when what its start left to do is done."""
    server, client = pki.get("server"), pki.get("client")
    plain, backend = ports.free(), closing(Listener())
    between = f"127.0.0.1:{ports.free()}"
    far = {"mode": "offload", "accept": between, "connect": backend.address, "cert": server.crt, "key": server.key}
    near = {"mode": "encrypt", "accept": f"127.0.0.1:{plain}", "connect": between, "peer_name": "localhost"}
    near |= {"cert": client.crt, "key": client.key}
    for section in (far, near):
        options = {"key_process": "yes", "ca": pki.ca, "log_level": "notice"}
        program = run(configuration(section, **options))
        assert len(procfs.children(program.pid)) == 2
        wait.until(lambda: quiet(program, 4, 3), "a program that sleeps", 20)
