# SPDX-License-Identifier: MIT
"""What is promised and shows only in the running system: options of sockets, syslog, users, totals."""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest
from harness import ports, processes, procfs, wait
from harness.ends import PlainEnd
from harness.listeners import Listener, connect
from harness.program import LOAD, SALLYPORT, configuration, is_sanitized
from harness.tls import TlsEnd, context
from harness.worlds import credentials

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces and other users")
TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
PIDFD_GETFD = 438
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def sockets_of(pid):
    """The connected TCP sockets of another process, as our own."""
    process = os.pidfd_open(pid)
    found = []
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
                continue
            descriptor = _libc.syscall(PIDFD_GETFD, process, int(name), 0)
            if descriptor < 0:
                raise OSError(ctypes.get_errno(), "pidfd_getfd")
            sock = socket.socket(fileno=descriptor)
            found.append(sock)
        yield [sock for sock in found if is_connected(sock)]
    finally:
        for sock in found:
            sock.close()
        os.close(process)


def is_connected(sock):
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


def tcp_options(sock):
    tcp = {name: sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in TCP_OPTIONS}
    return {"SO_KEEPALIVE": sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), **tcp}


TCP_OPTIONS = ("TCP_NODELAY", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")


@needs_root
@pytest.mark.parametrize("mode", ["encrypt", "offload", "bridge"])
@pytest.mark.parametrize("keepalive", [None, "7s", "off"])
def test_both_legs_are_probed_and_send_at_once(world, mode, keepalive):
    ends = world(mode, "1.3", keepalive=keepalive)
    ends.open()
    with sockets_of(ends.program.workers()) as found:
        assert len(found) == 2
        for options in map(tcp_options, found):
            assert options["TCP_NODELAY"] == 1
            assert options["TCP_USER_TIMEOUT"] == 0  # who is there may read nothing for as long as it likes
            assert options["SO_KEEPALIVE"] == (0 if keepalive == "off" else 1)
            if keepalive != "off":
                assert options["TCP_KEEPIDLE"] == (7 if keepalive else 60)
                assert (options["TCP_KEEPINTVL"], options["TCP_KEEPCNT"]) == (10, 6)


class Place:
    """An offloader whose log may go anywhere."""

    def __init__(self, run, pki, closing, wrapper=(), ready=True, **options):
        self.pki, self.closing = pki, closing
        self.backend = closing(Listener())
        self.port = ports.free()
        self.address = f"127.0.0.1:{self.port}"
        service = {"name": "place", "mode": "offload", "accept": self.address}
        service |= {"connect": self.backend.address, **credentials(pki, "server")}
        self.program = run(configuration(service, **options), wrapper=wrapper, ready=ready)
        wait.until(lambda: procfs.is_listening(self.port), "it listens")

    def use(self, identity=None):
        """A tunnel from beginning to end."""
        made = context(False, identity or self.pki.get("client"), self.pki.ca)
        client = self.closing(TlsEnd(connect(self.address), made, name="localhost"))
        assert client.handshake() is None
        client.send(b"x")
        backend = self.closing(self.backend.accept())
        assert backend.receive(1) == b"x"
        client.close()
        backend.close()


@pytest.fixture
def place(run, pki, closing):
    return lambda **options: Place(run, pki, closing, **options)


def test_workers_are_as_many_as_the_cores_that_may_be_used(place):
    core = min(os.sched_getaffinity(0))
    where = place(wrapper=["taskset", "-c", str(core)], workers="auto")
    listening = where.program.find(lambda line: line["message"] == "listening")
    assert int(listening["sockets"]) == 1
    where.use()


@contextlib.contextmanager
def traced(pid, call, path):
    """Have strace write down each `call` of all its threads."""
    tracer = processes.start(["strace", "-f", "-qq", "-e", f"trace={call}", "-o", path, "-p", pid])
    threads = [f"{pid}/task/{thread}" for thread in os.listdir(f"/proc/{pid}/task")]
    try:
        wait.until(lambda: all(procfs.status(thread, "TracerPid") == [str(tracer.pid)] for thread in threads), "strace")
        yield
    finally:
        processes.end(tracer)


def both_ends(pki, backend):
    """Both ends of a tunnel in one program: its configuration, but for options, and where to connect."""
    near, between = (f"127.0.0.1:{ports.free()}" for _ in range(2))
    far = {"mode": "offload", "accept": between, "connect": backend, **credentials(pki, "server")}
    encrypt = {"mode": "encrypt", "accept": near, "connect": between, **credentials(pki, "client")}
    return lambda **wish: configuration(far, {**encrypt, "peer_name": "localhost"}, **wish), near


@needs_root
@pytest.mark.skipif(is_sanitized(), reason="a sanitizer gives way where it waits for a lock")
def test_busy_wait_can_be_had_and_not(run, pki, echo, tmp_path):
    """It gives way to others when it has had several events, and only if it may wait awake."""
    text, near = both_ends(pki, echo)
    program = run(text())

    def gives_way():
        trace = tmp_path / "trace"
        with traced(program.workers(), "sched_yield", trace):
            command = [LOAD, "pingpong", "--connections", "16", "--seconds", "0.3", "--connect", near]
            assert processes.run(command).returncode == 0
        return "sched_yield()" in trace.read_text()

    assert gives_way()
    assert program.reload(text(busy_wait="no"))["message"] == "reloaded"
    assert not gives_way()
    assert program.reload(text(busy_wait="yes"))["message"] == "reloaded"
    assert gives_way()


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="it takes two cores")
def test_workers_stay_on_cores_of_their_own_while_much_comes(run, pki, echo):
    text, near = both_ends(pki, echo)
    program, many = run(text()), ("pingpong", "--connections", "64")

    def taken():
        threads = os.listdir(f"/proc/{program.workers()}/task")
        return sorted(min(has) for has in map(os.sched_getaffinity, map(int, threads)) if len(has) == 1)

    @contextlib.contextmanager
    def load(*kind):
        loading = processes.start([LOAD, *kind, "--seconds", "60", "--connect", near])
        try:
            yield
        finally:
            processes.end(loading)

    assert not taken()
    with load(*many):
        bound = wait.until(taken, "a worker is bound", timeout=20)
        assert len(set(bound)) == len(bound)
    with load("connect"):
        wait.until(lambda: not taken(), "all are free", timeout=20)
    with load(*many):
        wait.until(taken, "one is bound again", timeout=20)
        assert program.reload(text(busy_wait="no"))["message"] == "reloaded"
        wait.until(lambda: not taken(), "they are free")


def test_drain_timeout_off_waits_for_the_tunnel(world):
    ends = world("offload", "1.3", drain_timeout="off")
    tunnel = ends.open()
    ends.program.signal(signal.SIGTERM)
    ends.program.wait_words("drained")
    assert tunnel["client"].is_quiet(1)
    tunnel["client"].send(b"still")
    assert tunnel["backend"].receive(5) == b"still"
    for end in tunnel.values():
        end.finish()
    assert [end.wait_ending() for end in tunnel.values()] == ["end", "end"]
    assert ends.program.wait_exit() == 0


# A /dev of its own, with the little that a program needs, in which "log" is what the test says.
PRIVATE_DEV = """
set -e
mount -t tmpfs none /dev
mknod -m 666 /dev/null c 1 3
mknod -m 666 /dev/urandom c 1 9
ln -s "$1" /dev/log
shift
exec "$@"
"""


class SyslogDaemon:
    def __init__(self, path):
        self.path = str(path)
        self.said = ""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        self.sock.setblocking(False)

    def has(self, *words):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.said += self.sock.recv(65536).decode("ascii") + "\n"
        return any(all(word in line for word in words) for line in self.said.splitlines())

    def close(self):
        self.sock.close()
        os.unlink(self.path)


@needs_root
def test_lines_reach_syslog_also_after_its_restart(place, tmp_path):
    daemon = SyslogDaemon(tmp_path / "log")
    wrapper = ["unshare", "-m", "sh", "-c", PRIVATE_DEV, "sh", daemon.path]
    where = place(wrapper=wrapper, ready=False, log_target="syslog", log_format="text")
    wait.until(lambda: daemon.has("ready"), "main says that it is ready")
    where.use()
    wait.until(lambda: daemon.has("tunnel ended", "end="), "serve's line of the tunnel")
    assert re.search(r"^<\d+>\w{3} [ \d]\d \d\d:\d\d:\d\d sallyport\[\d+\]: ", daemon.said, re.MULTILINE), daemon.said
    daemon.close()
    where.use()
    daemon = SyslogDaemon(tmp_path / "log")

    def arrives():
        where.use()
        return daemon.has("tunnel ended")

    wait.until(arrives, "lines reach the new daemon")
    where.program.stop()
    assert daemon.has("ended")
    daemon.close()


HOSTILE = 'a\n2026-11-21T00:00:00.000Z error forged: \x1b[31m "quoted" end=closed \\ x\r\x7f'


@pytest.mark.parametrize("form", ["text", "logfmt", "json"])
def test_a_hostile_subject_makes_neither_a_line_nor_a_field(place, pki, form):
    evil = pki.issue(f"evil-{form}", cn=HOSTILE, uri=('spiffe://x/" end=closed by="nobody',))
    where = place(ready=False, log_format=form)
    where.use(evil)
    wait.until(lambda: "tunnel ended" in where.program.output(), "the tunnel's line")
    where.program.stop()
    output = where.program.output()
    assert all(c == "\n" or " " <= c <= "~" for c in output)
    (line,) = [line for line in output.splitlines() if "tunnel ended" in line]
    assert "spiffe://x/" in line and "forged" in line
    stamp = {"text": "2", "logfmt": "time=2", "json": '{"time":"2'}[form]
    assert all(each.startswith(stamp) for each in output.splitlines()), output
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
    assert "nobody" not in outside and "forged" not in outside
    assert form == "json" or outside.count(" end=") == 1


def test_probes_are_counted_and_told_at_the_end(place):
    where = place()
    for _ in range(7):
        connect(where.address).close()
    wait.until(lambda: len([x for x in where.program.log() if x.get("end") == "probe"]) == 7, "seven probes")
    assert {x["level"] for x in where.program.log() if x.get("end") == "probe"} == {"debug"}
    where.program.stop()
    totals = where.program.find(lambda line: line["message"] == "totals")
    assert (str(totals["probes"]), str(totals["failed"]), str(totals["refused"])) == ("7", "0", "0")


@pytest.mark.parametrize("accept", ["[::ffff:127.0.0.1]", "[::ffff:127.0.0.2]"])
def test_a_mapped_local_address_may_carry_plaintext(run, pki, closing, accept):
    backend = closing(Listener(context(True, pki.get("server"), pki.ca)))
    port = ports.free()
    service = {"mode": "encrypt", "accept": f"{accept}:{port}", "connect": backend.address}
    run(configuration({**service, **credentials(pki, "client")}))
    client = closing(PlainEnd(connect(f"{accept[8:-1]}:{port}")))
    client.send(b"mapped")
    assert closing(backend.accept()).receive(6) == b"mapped"


@pytest.mark.parametrize("target", ["[::ffff:192.0.2.1]:1", "192.0.2.1:1", "[2001:db8::1]:1"])
def test_a_mapped_address_is_no_way_around_the_rule(run, pki, target):
    service = {"mode": "offload", "accept": f"127.0.0.1:{ports.free()}", "connect": target}
    program = run(configuration({**service, **credentials(pki, "server")}), ready=False)
    assert program.wait_exit() == 1
    assert "allow-remote-plaintext" in program.output()


def example(pki, **options):
    service = {"mode": "offload", "accept": f"127.0.0.1:{ports.free()}", "connect": "127.0.0.1:1"}
    return configuration({**service, **credentials(pki, "server")}, **options)


@needs_root
@pytest.mark.parametrize(
    "options, words",
    [
        ({"user": "77777"}, "write group too"),
        ({"user": "99999999999"}, "no user"),
        ({"user": "nobody", "group": "99999999999"}, "no group"),
    ],
    ids=str,
)
def test_an_account_that_cannot_be_taken_is_told_with_its_line(pki, tmp_path, options, words):
    path = tmp_path / "test.conf"
    path.write_text(example(pki, **options))
    result = processes.run([SALLYPORT, "check", "-c", path])
    assert result.returncode == 1
    assert re.search(rf"^{re.escape(str(path))}:\d+: (user|group): .*{words}", result.stderr), result.stderr


@needs_root
def test_without_root_another_user_is_an_error_and_not_ignored(run):
    service = {"mode": "encrypt", "accept": f"127.0.0.1:{ports.free()}", "connect": "127.0.0.1:1"}
    program = run(
        configuration({**service, "cert": "none", "verify": "no"}, user="daemon"),
        ready=False,
        wrapper=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
    )
    assert program.wait_exit() == 1
    words = rf'{program.file}:\d+: user: "daemon": only a program started by root'
    assert re.match(words, program.output()), program.output()


def test_a_log_that_cannot_be_opened_is_an_error_with_the_remedy(run, pki, tmp_path):
    program = run(example(pki, log_target=f"{tmp_path}/missing/log"), ready=False)
    assert program.wait_exit() == 1
    words = rf'^\S+:\d+: log-target: "{tmp_path}/missing/log": open: .*directory that exists'
    assert re.search(words, program.output(), re.MULTILINE), program.output()


@pytest.mark.parametrize("arguments", [["--frob"], ["check", "-c"], ["run", "--frob", "-c", "x"], ["chek"], []])
def test_what_is_not_understood_names_the_program_and_exits_with_2(arguments):
    result = processes.run([SALLYPORT, *arguments])
    assert result.returncode == 2
    assert result.stdout == ""
    assert re.match("sallyport: |usage:", result.stderr), result.stderr


@pytest.fixture
def bare():
    """bare(apt_get="…") makes an environment whose PATH has a shell, its helpers, and programs of a line each."""
    with tempfile.TemporaryDirectory(prefix="sallyport-e2e-") as directory:
        os.chmod(directory, 0o755)
        for name in ("bash", "dirname", "cat", "env"):
            os.symlink(shutil.which(name), os.path.join(directory, name))

        def make(**stubs):
            for name, text in stubs.items():
                path = os.path.join(directory, name.replace("_", "-"))
                with open(path, "w", encoding="ascii") as file:
                    file.write(f"#!/bin/sh\n{text}\n")
                os.chmod(path, 0o755)
            return {"PATH": directory, "HOME": "/"}

        yield make


def quickstart(command, environment, wrapper=()):
    return processes.run([*wrapper, os.path.join(TOP, "quickstart"), command], env=environment)


@pytest.mark.parametrize("command, more", [("build", ()), ("demo", ()), ("check", ("mandoc", "stunnel4", "python3-pytest"))])
def test_quickstart_names_what_is_missing_where_there_is_no_apt(bare, command, more):
    result = quickstart(command, bare())
    assert result.returncode == 1
    for name in ("libgnutls28-dev", "libev-dev", "libinih-dev", "libc-ares-dev", "libssl-dev", "gcc", "autoconf", *more):
        assert name in result.stderr
    assert "package manager" in result.stderr


NONE_INSTALLED = {"dpkg_query": "exit 1", "apt_get": 'echo "asked: $*"; test "$2" != install'}


@needs_root
def test_quickstart_installs_as_root_by_apt_and_says_when_it_fails(bare):
    result = quickstart("build", bare(**NONE_INSTALLED))
    assert result.returncode == 1
    assert "asked: -q update" in result.stdout
    assert re.search(r"asked: -q install -y --no-install-recommends .*libgnutls28-dev", result.stdout)
    assert "apt-get could not install" in result.stderr


@needs_root
@pytest.mark.parametrize("has_sudo", [True, False])
def test_quickstart_installs_through_sudo_when_not_root(bare, has_sudo):
    stubs = {**NONE_INSTALLED, "sudo": 'echo "sudo $1"; exec "$@"'}
    if not has_sudo:
        del stubs["sudo"]
    result = quickstart("build", bare(**stubs), [shutil.which("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"])
    assert result.returncode == 1
    assert ("sudo env" in result.stdout) == has_sudo, result
    assert ("neither root nor sudo" in result.stderr) != has_sudo


@pytest.fixture
def built(tmp_path):
    """A tree in which quickstart finds everything installed and built: the programs under test."""
    shutil.copy(os.path.join(TOP, "quickstart"), tmp_path)
    (tmp_path / "build" / "bench").mkdir(parents=True)
    os.symlink(SALLYPORT, tmp_path / "build" / "sallyport")
    os.symlink(LOAD, tmp_path / "build" / "bench" / "load")
    (tmp_path / "build" / "Makefile").write_text("all:\n")
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    for path in ("configure.ac", "configure", "build/config.status", "bin/apt-get", "bin/dpkg-query"):
        (tmp_path / path).write_text("#!/bin/sh\nprintf installed\n")
        (tmp_path / path).chmod(0o755)
    for age, path in enumerate(("build/config.status", "configure", "configure.ac")):
        os.utime(tmp_path / path, (1_000_000_000 - age, 1_000_000_000 - age))
    (tmp_path / "tmp").mkdir()
    return tmp_path


@pytest.mark.deadline(60)
def test_the_demo_carries_refuses_tells_and_stays(built, closing):
    with open(built / "output", "wb") as output:
        demo = processes.start(
            [built / "quickstart", "demo", "--stay", "--size", "1"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**os.environ, "PATH": f"{built}/bin:{os.environ['PATH']}", "TMPDIR": str(built / "tmp")},
        )
    try:
        said = (built / "output").read_text

        def stays():
            assert demo.poll() is None, said()
            return "stays up" in said()

        wait.until(stays, "the demo is through", 40)
        assert len(set(re.findall(r"SHA-256 ([0-9a-f]{64})", said()))) == 1
        for words in ("TLS1.3 with AES-", "CN=server.example", "CN=client.example", "MiB/s", "was refused"):
            assert words in said(), words
        assert "the peer showed no certificate" in said() and "pki show" in said()
        address = re.search(r"^encryptor +(\S+)", said(), re.MULTILINE).group(1)
        client = closing(PlainEnd(connect(address)))
        client.send(b"hello\n")
        assert client.receive(6) == b"hello\n"
        client.close()
        demo.stdin.write(b"\n")
        demo.stdin.flush()
        assert demo.wait(20) == 0
        assert os.listdir(built / "tmp") == []
    finally:
        processes.end(demo)


def test_quickstart_explains_itself():
    result = processes.run([os.path.join(TOP, "quickstart"), "--help"])
    assert (result.returncode, result.stderr) == (0, "")
    for word in ("demo", "check", "build", "--stay", "--size"):
        assert word in result.stdout
    assert processes.run([os.path.join(TOP, "quickstart"), "frobnicate"]).returncode == 1




@pytest.mark.parametrize("workers", [1, 2])
def test_too_few_descriptors_for_the_listeners_are_an_error_with_the_remedy(run, pki, workers):
    services = []
    for number in range(45):
        service = {"mode": "offload", "accept": f"127.0.0.1:{ports.free()}", "connect": "127.0.0.1:1"}
        services.append({"name": f"s{number}", **service, **credentials(pki, "server")})
    program = run(configuration(*services, workers=workers), ready=False, wrapper=["prlimit", "--nofile=64"])
    assert program.wait_exit() == 1
    assert "ulimit -n" in program.output()


@pytest.mark.parametrize("priority, position", [("NORMAL:+NONSENSE", 8), ("NORMAL:+AES-128-GCM:%NONE-SUCH", 21)])
def test_an_error_in_the_priority_shows_where(pki, tmp_path, priority, position):
    path = tmp_path / "test.conf"
    path.write_text(example(pki) + f"priority = {priority}\n")
    result = processes.run([SALLYPORT, "check", "-c", path])
    assert result.returncode == 1
    assert f"position {position}:" in result.stderr, result.stderr


def test_ca_may_be_a_directory_and_the_key_may_stand_behind_the_certificate(run, pki, closing, tmp_path):
    anchors = tmp_path / "anchors"
    anchors.mkdir()
    for number, source in enumerate((pki.stranger.crt, pki.ca)):
        shutil.copy(source, anchors / f"{number}.pem")
    (anchors / "README").write_text("no certificate")
    both = tmp_path / "both.pem"
    both.touch(0o600)
    both.write_bytes(open(pki.get("server").crt, "rb").read() + open(pki.get("server").key, "rb").read())
    backend = closing(Listener())
    service = {"mode": "offload", "accept": f"127.0.0.1:{ports.free()}", "connect": backend.address}
    run(configuration({**service, "cert": both, "ca": anchors}))
    client = TlsEnd(connect(service["accept"]), context(False, pki.get("client"), pki.ca), name="localhost")
    assert closing(client).handshake() is None
    client.send(b"known")
    assert closing(backend.accept()).receive(5) == b"known"
