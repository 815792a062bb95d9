# SPDX-License-Identifier: MIT
"""Main and serve: reload, restart, users, signals and the log."""

import grp
import json
import os
import pwd
import re
import signal
import threading
import time

import pytest
from cryptography import x509
from harness import load, ports, procfs, wait
from harness.ends import PlainEnd
from harness.listeners import Listener, connect
from harness.program import configuration
from harness.tls import TlsEnd, context
from harness.worlds import MODES, credentials

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
FIELDS = "service tunnel peer identity backend version cipher group resumed sent received duration end by".split()


class Site:
    """An offloader whose configuration can be changed."""

    def __init__(self, run, pki, closing, **options):
        self.pki, self.closing = pki, closing
        self.backend = closing(Listener())
        self.port = ports.free()
        self.address = f"127.0.0.1:{self.port}"
        self.service = {"name": "site", "mode": "offload", "accept": self.address}
        self.service |= {"connect": self.backend.address, **credentials(pki, "server")}
        self.options = options
        self.program = run(self.text())

    def text(self, *more, **changes):
        return configuration({**self.service, **changes}, *more, **self.options)

    def client(self, address=None):
        made = context(False, self.pki.get("client"), self.pki.ca)
        client = self.closing(TlsEnd(connect(address or self.address), made, name="localhost"))
        assert client.handshake() is None
        return client

    def open(self, address=None, backend=None):
        client = self.client(address)
        client.send(b"ping")
        end = self.closing((backend or self.backend).accept())
        assert end.receive(4) == b"ping"
        return client, end


@pytest.fixture
def site(run, pki, closing):
    return lambda **options: Site(run, pki, closing, **options)


def carries(client, backend):
    client.send(b"ping")
    assert backend.receive(4) == b"ping"
    backend.send(b"pong")
    return client.receive(4) == b"pong"


class Crowd(threading.Thread):
    """Connects again and again, through to an echo, and counts what failed."""

    def __init__(self, ends, failures):
        super().__init__(daemon=True)
        self.ends, self.failures, self.done, self.over = ends, failures, 0, threading.Event()

    def run(self):
        while not self.over.is_set():
            try:
                client = PlainEnd(connect(self.ends.address))
                client.send(b"crowd")
                if client.receive(5) != b"crowd":
                    raise AssertionError("another echo")
                client.close()
                self.done += 1
            except Exception as error:  # pylint: disable=broad-except
                self.failures.append(repr(error))


def echo_for_ever(listener):
    """A backend that echoes, a thread a connection."""

    def serve(sock):
        with sock:
            try:
                while data := sock.recv(4096):
                    sock.sendall(data)
            except OSError:
                pass

    def accept():
        while True:
            try:
                sock = listener.sock.accept()[0]
            except OSError:
                return
            threading.Thread(target=serve, args=(sock,), daemon=True).start()

    listener.sock.settimeout(None)
    threading.Thread(target=accept, daemon=True).start()


def test_a_reload_cuts_nothing_when_no_descriptor_is_left_for_more_tunnels(run, pki, closing):
    backend = closing(Listener())
    addresses = [f"127.0.0.1:{ports.free()}" for _ in range(16)]
    service = {"mode": "offload", "accept": addresses, "connect": backend.address, **credentials(pki, "server")}

    def text(level):
        return configuration({**service, "ca": None, "verify": "no"}, log_level=level, workers=4)

    program = run(text("info"), wrapper=["prlimit", "--nofile=256:256"])
    made = context(False, None, pki.ca)
    clients, backends = [], []
    while not program.find(lambda line: line["message"].startswith("accepting waits")):
        client = closing(TlsEnd(connect(addresses[0]), made, name="localhost"))
        try:
            ending = client.handshake(timeout=1)
        except TimeoutError:  # it came before the line was written, and waits now
            continue
        if ending is None:
            clients.append(client)
            backends.append(closing(backend.accept()))
    serve = program.workers()
    program.write(text("notice"))
    program.reload()
    assert program.workers() == serve
    assert len(backends) > 10 and all(carries(*pair) for pair in zip(clients, backends))


def test_reloads_under_load_fail_no_connection(world):
    ends = world("pair", "1.3")
    echo_for_ever(ends.listener)
    failures = []
    crowds = [Crowd(ends, failures) for _ in range(4)]
    for crowd in crowds:
        crowd.start()
    with open(ends.program.file, encoding="ascii") as file:
        text = file.read()
    number = 0
    while number < 10 or sum(crowd.done for crowd in crowds) < 40:
        number += 1
        line = ends.program.reload(text + f"idle-timeout = {number}m\n")
        assert line["level"] not in ("error", "warning"), line
    for crowd in crowds:
        crowd.over.set()
    for crowd in crowds:
        crowd.join(15)
    assert failures == []


def test_a_reload_with_an_error_keeps_everything_and_says_so(site):
    place = site()
    client, backend = place.open()
    program = place.program
    program.mark()
    program.write(place.text(verify="maybe", accept=f"127.0.0.1:{ports.free()}"))
    program.signal(signal.SIGHUP)
    program.wait_line(lambda line: line["level"] == "error" and "maybe" in str(line), "the error is logged")
    assert carries(client, backend)
    assert place.open()
    assert program.is_running()


def test_a_reload_whose_address_is_taken_keeps_everything(site, closing):
    place = site()
    taken = closing(Listener())
    place.program.mark()
    place.program.write(place.text(accept=[place.address, taken.address]))
    place.program.signal(signal.SIGHUP)
    place.program.wait_line(lambda line: line["level"] == "error" and str(taken.port) in str(line), "the error")
    assert place.open()


def test_a_reload_adds_and_removes_listeners(site):
    place = site()
    client, backend = place.open()
    other = f"127.0.0.1:{ports.free()}"
    place.program.reload(place.text(accept=[place.address, other]))
    assert place.open() and place.open(other)
    place.program.reload(place.text(accept=other))
    assert place.open(other)
    assert not procfs.is_listening(place.port)
    assert carries(client, backend)


def test_a_reload_adds_and_removes_services(site, closing):
    place = site()
    client, backend = place.open()
    second = closing(Listener())
    other = f"127.0.0.1:{ports.free()}"
    service = {**place.service, "name": "second", "accept": other, "connect": second.address}
    place.program.reload(place.text(service))
    assert place.open(other, second) and place.open()
    place.program.reload(configuration(service))
    assert place.open(other, second)
    assert not procfs.is_listening(place.port)
    assert carries(client, backend)


def test_running_tunnels_keep_their_old_settings(site, closing):
    place = site()
    client, backend = place.open()
    elsewhere = closing(Listener())
    place.program.reload(place.text(connect=elsewhere.address, idle_timeout="300ms"))
    new_client, new_backend = place.open(None, elsewhere)
    assert new_client.was_aborted() and new_backend.was_aborted()
    assert carries(client, backend)


def test_a_reload_takes_up_new_certificates(site, pki):
    place = site()
    identity = pki.get("server-ed25519")
    place.program.reload(place.text(cert=identity.crt, key=identity.key))
    shown = place.client().tls.getpeercert(True)
    assert x509.load_der_x509_certificate(shown).serial_number == identity.certificate.serial_number


def test_a_listener_that_did_not_change_is_the_same_socket_after_a_reload(site):
    place = site()
    inode = listening_inode(place.port)
    place.program.reload(place.text(idle_timeout="1h"))
    assert listening_inode(place.port) == inode


def listening_inode(port):
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return sorted(row[9] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port)


def test_a_serve_that_is_killed_is_logged_and_replaced_and_the_listeners_stay(site):
    place = site()
    client, backend = place.open()
    inode = listening_inode(place.port)
    serve = place.program.workers()
    place.program.mark()
    os.kill(serve, signal.SIGKILL)
    waiting = connect(place.address)  # at no moment is a connection refused
    waiting.close()
    for end in (client, backend):
        end.wait_closed()
    place.program.wait_line(lambda line: line["level"] in ("error", "warning"), "the death is logged")
    wait.until(lambda: procfs.children(place.program.pid) not in ([], [serve]), "serve is restarted")
    assert place.open()
    assert listening_inode(place.port) == inode
    assert place.program.workers() != serve


def test_when_main_is_killed_serve_goes_too(site):
    place = site()
    serve = place.program.workers()
    client, backend = place.open()
    os.kill(place.program.pid, signal.SIGKILL)
    wait.until(lambda: not procfs.is_running(serve), "serve ends")
    for end in (client, backend):
        assert end.was_aborted()


def test_a_second_instance_fails_with_words(site, run):
    place = site()
    second = run(place.text(), ready=False)
    assert second.wait_exit() == 1
    assert place.address in second.output() and "in use" in second.output()
    assert place.open()


@needs_root
def test_serve_runs_as_the_user_and_main_does_not(site):
    place = site(user="nobody")
    nobody = pwd.getpwnam("nobody")
    serve = place.program.workers()
    assert procfs.status(serve, "Uid") == [str(nobody.pw_uid)] * 4
    assert procfs.status(serve, "Gid") == [str(nobody.pw_gid)] * 4
    assert procfs.status(serve, "Groups") in ([], [str(nobody.pw_gid)])
    assert int(procfs.status(serve, "CapEff")[0], 16) == 0
    assert procfs.status(place.program.pid, "Uid") == ["0"] * 4
    assert place.open()
    place.program.reload(place.text(idle_timeout="1h"))
    assert place.open()


@needs_root
def test_serve_runs_as_the_group(site):
    place = site(user="nobody", group="daemon")
    daemon = str(grp.getgrnam("daemon").gr_gid)
    assert procfs.status(place.program.workers(), "Gid") == [daemon] * 4


def test_an_unknown_user_is_an_error_with_words(run, site):
    place = site()
    program = run(configuration({**place.service, "accept": f"127.0.0.1:{ports.free()}"}, user="nobody-at-all"), ready=False)
    assert program.wait_exit() == 1
    assert "nobody-at-all" in program.output()


def test_keys_are_nowhere_in_the_command_line_or_environment_of_serve(site):
    place = site()
    serve = place.program.workers()
    for name in ("cmdline", "environ"):
        with open(f"/proc/{serve}/{name}", "rb") as file:
            assert b"PRIVATE" not in file.read()


def test_sigusr1_reopens_the_log_file(run, pki, closing, tmp_path):
    log = tmp_path / "log"
    backend = closing(Listener())
    address = f"127.0.0.1:{ports.free()}"
    service = {"mode": "offload", "accept": address, "connect": backend.address, **credentials(pki, "server")}
    program = run(configuration(service, log_target=str(log)), ready=False)
    wait.until(lambda: log.exists() and "ready" in log.read_text(), "the program is ready")
    os.rename(log, tmp_path / "log.1")
    program.signal(signal.SIGUSR1)
    wait.until(log.exists, "the log is opened again")

    def is_written_to():
        """The file is there before serve has it, and its line may still go to the old one."""
        client = TlsEnd(connect(address), context(False, pki.get("client"), pki.ca), name="localhost")
        assert client.handshake() is None
        client.reset()
        return "tunnel" in log.read_text()

    wait.until(is_written_to, "the new file is written to")
    assert json.loads(log.read_text().splitlines()[-1])


def test_every_line_of_json_parses(site):
    place = site()
    for _ in range(3):
        client, backend = place.open()
        client.close()
        backend.close()
    place.program.reload(place.text(idle_timeout="1h"))
    place.program.stop()
    lines = place.program.output().splitlines()
    assert len(lines) > 5
    for line in lines:
        parsed = json.loads(line)
        assert {"time", "level", "message"} <= parsed.keys(), line
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", parsed["time"])


LOGFMT = re.compile(r'(?:[a-z-]+=(?:"(?:[^"\\]|\\.)*"|[^" =]*) ?)+')


def test_every_line_of_logfmt_parses(run, pki, closing):
    backend = closing(Listener())
    address = f"127.0.0.1:{ports.free()}"
    service = {"mode": "offload", "accept": address, "connect": backend.address, **credentials(pki, "server")}
    program = run(configuration(service, log_format="logfmt"), ready=False)
    wait.until(lambda: "ready" in program.output(), "the program is ready")
    client = closing(TlsEnd(connect(address), context(False, pki.get("client"), pki.ca), name="localhost"))
    assert client.handshake() is None
    backend.accept().close()
    client.close()
    wait.until(lambda: "end=" in program.output(), "the tunnel's line")
    program.stop()
    for line in program.output().splitlines():
        assert LOGFMT.fullmatch(line), line
        assert line.startswith("time=")


def test_text_for_people_says_the_same(run, pki, closing):
    backend = closing(Listener())
    address = f"127.0.0.1:{ports.free()}"
    service = {"name": "s", "mode": "offload", "accept": address, "connect": backend.address, **credentials(pki, "server")}
    program = run(configuration(service, log_format="text"), ready=False)
    wait.until(lambda: "ready" in program.output(), "the program is ready")
    connect(address).close()
    program.stop()
    assert re.search(r"^\S+Z notice .*ready", program.output(), re.MULTILINE), program.output()


@pytest.mark.parametrize("mode", MODES)
def test_the_line_of_a_tunnel_says_who_what_and_why(world, mode):
    ends = world(mode, "1.3")
    tunnel = ends.open()
    client_address = "%s:%d" % tunnel["client"].sock.getsockname()
    tunnel["client"].send(b"x" * 999)
    assert tunnel["backend"].receive(999)
    for end in tunnel.values():
        end.finish()
    line = ends.program.wait_tunnel(peer=client_address)
    for field in FIELDS:
        assert field in line, (field, line)
    assert line["peer"] == client_address
    assert (line["sent"], line["received"], line["end"]) == (1000, 1, "closed")
    assert "GCM" in line["cipher"] or "POLY1305" in line["cipher"]
    assert "1.3" in line["version"]
    assert line["level"] == "info"
    if mode != "pair":
        assert line["backend"] == ends.listener.address
    expected = {"encrypt": "localhost", "offload": "client", "bridge": "client", "pair": "localhost"}
    assert expected[mode] in line["identity"]


def test_what_a_peer_wrote_into_its_certificate_cannot_forge_the_log(site, pki):
    place = site()
    evil = pki.issue("evil", cn='x"}\n{"level":"error","message":"forged', dns=("evil.test",))
    made = context(False, evil, pki.ca)
    client = TlsEnd(connect(place.address), made, name="localhost")
    assert client.handshake() is None
    client.send(b"x")
    place.backend.accept().close()
    client.close()
    place.program.wait_tunnel()
    place.program.stop()
    for line in place.program.output().splitlines():
        assert json.loads(line)["message"] != "forged"


def test_log_level_error_says_nothing_of_tunnels(run, pki, closing):
    backend = closing(Listener())
    address = f"127.0.0.1:{ports.free()}"
    service = {"mode": "offload", "accept": address, "connect": backend.address, **credentials(pki, "server")}
    program = run(configuration(service, log_level="error"), ready=False)
    port = int(address.rpartition(":")[2])
    wait.until(lambda: procfs.is_listening(port), "the program listens")
    client = closing(TlsEnd(connect(address), context(False, pki.get("client"), pki.ca), name="localhost"))
    assert client.handshake() is None
    backend.accept().close()
    client.close()
    program.stop()
    assert program.log() == []


def test_all_workers_take_part(world):
    ends = world("offload", "1.3")
    tunnels = [ends.open() for _ in range(40)]
    for tunnel in tunnels:
        for end in tunnel.values():
            end.close()

    def workers():
        return {line["tunnel"].partition(".")[0] for line in ends.program.log() if "end" in line}

    wait.until(lambda: len(workers()) == 2, "both workers had tunnels")


def test_signals_that_mean_nothing_change_nothing(site):
    place = site()
    client, backend = place.open()
    for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGWINCH, signal.SIGURG):
        place.program.signal(number)
    time.sleep(0.1)
    assert carries(client, backend)


def test_a_drain_lets_a_transfer_finish(world):
    ends = world("offload", "1.3")
    tunnel = ends.open()
    talker = load.Talker(tunnel["client"], 8 << 20, 7)
    sink = load.Talker(tunnel["backend"], 8 << 20, 9)
    talker.start()
    ends.program.signal(signal.SIGTERM)
    sink.start()
    for thread in (talker, sink):
        thread.join(20)
        assert not thread.is_alive() and thread.error is None
    assert sink.received.hexdigest() == load.digest(8 << 20, 7)
    assert ends.program.wait_exit() == 0


def test_a_crash_is_no_clean_end_for_anybody(world):
    """Plaintext has nothing but a RST to say that something is missing."""
    for mode in MODES:
        ends = world(mode, "1.3")
        tunnel = ends.open()
        os.kill(ends.program.workers(), signal.SIGKILL)
        endings = {role: end.wait_ending() for role, end in tunnel.items()}
        for role, ending in endings.items():
            # A FIN of TLS without close_notify is visible, too.
            assert ending in (("cut", "reset") if ends.is_tls(role) else ("reset",)), (mode, endings)
