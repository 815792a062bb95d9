# SPDX-License-Identifier: MIT
"""The load generator is only worth something if it finds what a broken tunnel does: here something between
it and its backend changes, loses, adds, delays or cuts bytes on purpose, and it must see each of them."""

import contextlib
import json
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest
from harness import procfs, wait
from harness.program import LOAD

MIB = 1 << 20


class Cut(Exception):
    """Raised by a meddling function: end the connection with FIN."""


class Reset(Exception):
    """Raised by a meddling function: end the connection with RST."""


class Meddler:
    """A TCP proxy that hands each piece of data with its position to a function, and sends on what that returns."""

    def __init__(self, target, up=None, down=None):
        self.target = target
        self.up = up or (lambda position, data: data)
        self.down = down or (lambda position, data: data)
        self.dead = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            for one, other, change in (client, server, self.up), (server, client, self.down):
                threading.Thread(target=self._carry, args=(one, other, change), daemon=True).start()

    @staticmethod
    def _cut(*ends):
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _reset(self, *ends):
        """A close becomes a RST only when no other thread reads any more: SHUT_RD, which sends nothing, wakes it."""
        self.dead.update(ends)
        for end in ends:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RD)
            end.close()

    def _carry(self, one, other, change):
        position = 0
        try:
            while data := one.recv(65536):
                other.sendall(change(position, data))
                position += len(data)
            if one not in self.dead:
                other.sendall(change(position, b""))
                other.shutdown(socket.SHUT_WR)
        except Reset:
            self._reset(one, other)
        except Cut:
            self._cut(one, other)
        except OSError:
            pass

    def close(self):
        self.listener.close()


class Backend:
    """`load serve` on free addresses."""

    def __init__(self, directory):
        path = f"unix:{directory}/backend"
        self.process = subprocess.Popen(
            [LOAD, "serve", "--listen", "127.0.0.1:0", "--listen", path], stdout=subprocess.PIPE, text=True
        )
        self.addresses = [self.process.stdout.readline().split()[-1] for _ in range(2)]
        host, port = self.addresses[0].rsplit(":", 1)
        self.target = host, int(port)

    def connect(self):
        return socket.create_connection(self.target, timeout=10)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


@pytest.fixture
def backend(tmp_path):
    running = Backend(tmp_path)
    yield running
    if running.process.poll() is None:
        running.end()


@pytest.fixture
def relayed(backend):
    """The address of a plain relay in front of the backend."""
    command = [LOAD, "relay", "--listen", "127.0.0.1:0", "--connect", "%s:%d" % backend.target, "--threads", "2"]
    relay = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield relay.stdout.readline().split()[-1]
    relay.terminate()
    relay.wait(10)
    relay.stdout.close()


@pytest.fixture
def meddle(backend):
    meddlers = []

    def start(**changes):
        meddlers.append(Meddler(backend.target, **changes))
        return meddlers[-1].address

    yield start
    for meddler in meddlers:
        meddler.close()


def load(command, address, *arguments, timeout=1):
    """Run the load; returns its exit code and its result."""
    done = subprocess.run(
        [LOAD, command, "--connect", address, "--json", "--timeout", str(timeout), *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode in (0, 1), done
    result = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode == 1) == (result["errors"] > 0)
    assert result["errors"] == 0 or "first error" in done.stderr
    assert sum(result["errors_by_kind"].values()) == result["errors"]
    return done.returncode, result


def flip(at):
    def change(position, data):
        if position <= at < position + len(data):
            data = bytearray(data)
            data[at - position] ^= 0x10
        return bytes(data)

    return change


def drop(at):
    """Lose one byte in the middle of the stream."""

    def change(position, data):
        return data if not position <= at < position + len(data) else data[: at - position] + data[at - position + 1 :]

    return change


def end_at(at, how):
    def change(position, data):
        if position + len(data) > at:
            raise how()
        return data

    return change


def swallow(at):
    """Deliver nothing from a position on, and say so with a clean end."""

    def change(position, data):
        return data[: max(0, at - position)]

    return change


def add_at_end(position, data):
    return data if data else b"more"


# What goes through each load when nothing is wrong.
LOADS = {
    "bulk up": ("bulk", "--direction", "up", "--bytes", "1M", "--connections", "3"),
    "bulk down": ("bulk", "--direction", "down", "--bytes", "1M", "--connections", "3"),
    "bulk both": ("bulk", "--direction", "both", "--bytes", "1M", "--connections", "3"),
    "bulk up for a time": ("bulk", "--direction", "up", "--seconds", "0.2", "--connections", "3"),
    "bulk down for a time": ("bulk", "--direction", "down", "--seconds", "0.2", "--connections", "3"),
    "bulk both for a time": ("bulk", "--direction", "both", "--seconds", "0.2", "--connections", "3"),
    "connect": ("connect", "--count", "50", "--connections", "3"),
    "rate": ("rate", "--rate", "200", "--seconds", "0.3"),
    "pingpong": ("pingpong", "--count", "100", "--size", "1000", "--connections", "3"),
    "message": ("message", "--seconds", "0.4", "--interval", "0.1", "--connections", "20"),
    "hold": ("hold", "--seconds", "0.2", "--connections", "20"),
    "hash": ("hash", "--bytes", "1M"),
}
TIMED = "bulk up for a time", "bulk down for a time", "bulk both for a time"
loads = pytest.mark.parametrize("name", LOADS)


def run(name, address, timeout=1):
    command, *arguments = LOADS[name]
    return load(command, address, *arguments, timeout=timeout)


def run_well(name, address):
    """A run in which nothing goes wrong, however long the machine has other things to do."""
    code, result = run(name, address, timeout=30)
    assert code == 0, result
    return result


@loads
@pytest.mark.parametrize("family", [0, 1], ids=["tcp", "unix"])
def test_a_sound_way_has_no_errors(name, family, backend):
    result = run_well(name, backend.addresses[family])
    assert result["done"] > 0
    assert result["bytes"] > 0
    if name in ("connect", "rate", "pingpong", "message"):
        assert 0 < result["p50_us"] <= result["p99_us"] <= result["p999_us"] <= result["max_us"]
        assert result["p50_us"] < 1000000  # of microseconds, also on a machine with more to do
    if name.startswith("bulk") and name not in TIMED:
        assert result["bytes"] == 3 * MIB and result["done"] == 3


@loads
def test_the_plain_relay_is_a_sound_way(name, relayed):
    assert run_well(name, relayed)["done"] > 0


def test_the_plain_relay_holds_what_its_client_does_not_take_yet(backend, relayed):
    host, port = relayed.rsplit(":", 1)
    data = random.Random(3).randbytes(64 * MIB)
    with socket.create_connection((host, int(port)), timeout=10) as client:
        sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
        sender.start()
        time.sleep(0.5)  # the echo fills every buffer on the way, and stands still
        assert sender.is_alive()
        assert read_all(client) == data
        sender.join()


@loads
def test_one_flipped_byte_is_found(name, meddle):
    side = "up" if "up" in name else "down"
    code, result = run(name, meddle(**{side: flip(50)}))
    assert code == 1
    assert result["errors_by_kind"]["wrong"] > 0
    # Each connection has one; a hash cannot tell how many.
    if name != "hash":
        assert result["wrong_bytes"] == result["errors_by_kind"]["wrong"]


def test_a_flip_far_into_the_stream_is_counted_once(meddle):
    _, result = load("bulk", meddle(down=flip(700001)), "--direction", "both", "--bytes", "1M")
    assert result["wrong_bytes"] == 1 and result["errors"] == 1 and result["done"] == 0


@loads
def test_an_early_end_is_found(name, meddle):
    side = "up" if "up" in name else "down"
    code, result = run(name, meddle(**{side: end_at(40, Cut)}))
    kinds = result["errors_by_kind"]
    assert code == 1
    assert kinds["short"] + kinds["broken"] > 0 and result["done"] == 0


@loads
def test_a_reset_is_found(name, meddle):
    code, result = run(name, meddle(down=end_at(10, Reset)))
    assert code == 1
    assert result["errors_by_kind"]["broken"] > 0 and result["done"] == 0


@pytest.mark.parametrize("name", ["bulk up", "bulk down", "bulk both", "connect", "hash"])
def test_a_lost_tail_behind_a_clean_end_is_found(name, meddle):
    """The worst that a tunnel can do: less arrives, and both ends believe that it was all."""
    if name == "bulk up":
        code, result = run(name, meddle(up=swallow(500000)))
    elif name == "connect":
        code, result = run(name, meddle(down=swallow(63)))
    else:
        code, result = run(name, meddle(down=swallow(MIB - 1)))
    kinds = result["errors_by_kind"]
    assert code == 1 and result["done"] == 0
    assert kinds["short"] + kinds["wrong"] + kinds["timeout"] == result["errors"]


@pytest.mark.parametrize("name", ["bulk down for a time", "bulk both for a time"])
def test_a_lost_tail_of_a_timed_load_is_found(name, meddle):
    code, result = run(name, meddle(down=swallow(100001)))
    assert code == 1 and result["errors_by_kind"]["short"] > 0


@pytest.mark.parametrize("name", ["bulk up", "bulk down", "bulk both", "hash"])
def test_a_byte_lost_in_the_middle_is_found(name, meddle):
    side = "up" if "up" in name else "down"
    code, result = run(name, meddle(**{side: drop(300000)}))
    assert code == 1 and result["done"] == 0


@pytest.mark.parametrize("name", ["bulk up", "bulk down", "bulk both", "connect", "hash"])
def test_more_than_was_due_is_found(name, meddle):
    code, result = run(name, meddle(down=add_at_end))
    assert code == 1
    assert result["errors_by_kind"]["extra"] + result["errors_by_kind"]["wrong"] == result["errors"]


@loads
def test_silence_is_found(name, backend):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        code, result = run(name, "127.0.0.1:%d" % silent.getsockname()[1])
    assert code == 1
    assert result["errors_by_kind"]["timeout"] == result["errors"]


@loads
def test_a_refused_connection_is_found(name):
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        code, result = run(name, "127.0.0.1:%d" % reserved.getsockname()[1])
    assert code == 1
    assert result["errors_by_kind"]["connect"] == result["errors"] > 0


def test_many_errors_end_a_load_early(backend):
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        before = time.monotonic()
        _, result = load(
            "connect", "127.0.0.1:%d" % reserved.getsockname()[1], "--seconds", "30", "--max-errors", "20"
        )
    assert 20 <= result["errors"] < 30 and time.monotonic() - before < 10


def test_held_connections_that_vanish_are_found(meddle):
    """All are cut while nothing is sent."""

    def late(position, data):
        if position == 0:
            return data
        raise Cut()

    code, result = load("hold", meddle(down=late), "--connections", "5", "--seconds", "0.2")
    assert code == 1 and result["errors"] == 5 and result["done"] == 0


def wait_started(process):
    """It is told by a descriptor to end, and before its clock starts it blocks the signals for that."""
    wait.until(lambda: int(procfs.status(process.pid, "SigBlk")[0], 16), "the load has started")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("name", ["hold", "pingpong", "bulk"])
def test_a_load_that_is_told_to_end_does_so_in_order(name, number, backend):
    """Every connection comes to its good end, and what there was until then is told."""
    command = [LOAD, name, "--connections", "3", "--seconds", "60", "--connect", backend.addresses[0], "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if name == "hold":
            assert process.stdout.readline() == "holding 3\n"
        else:
            wait_started(process)
            time.sleep(0.2)
        process.send_signal(number)
        result = json.loads(process.communicate(timeout=10)[0])
    assert process.returncode == 0 and result["errors"] == 0
    assert result["done"] == 3 if name != "pingpong" else result["done"] > 3


def test_arrivals_do_not_wait_for_slow_answers(meddle):
    """An open loop measures from the time at which a connection was due, and counts what it could not open."""

    def slow(_position, data):
        time.sleep(0.3)
        return data

    code, result = load("rate", meddle(down=slow), "--rate", "50", "--count", "20", timeout=30)
    assert code == 0 and result["done"] == 20 and result["seconds"] < 3
    assert result["p50_us"] >= 300000
    code, result = load("rate", meddle(down=slow), "--rate", "50", "--count", "20", "--connections", "1")
    assert code == 1 and result["errors_by_kind"]["dropped"] > 0


def test_an_arrival_that_could_not_even_be_opened_in_time_was_late(backend):
    """Half of the arrivals fall into a time in which the load generator itself stands still."""
    with subprocess.Popen(
        [LOAD, "rate", "--connect", backend.addresses[0], "--rate", "300", "--seconds", "1", "--json"],
        stdout=subprocess.PIPE, text=True,
    ) as process:
        wait_started(process)
        time.sleep(0.3)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        process.send_signal(signal.SIGCONT)
        result = json.loads(process.communicate(timeout=20)[0])
    assert result["errors"] == 0
    assert result["p99_us"] >= 300000


def test_a_stall_is_measured_by_every_message_that_fell_into_it(meddle):
    """The grid goes on while the way stands still for half a second."""
    stalled = threading.Event()

    def stall(position, data):
        if position > 3 * 64 and not stalled.is_set():
            stalled.set()
            time.sleep(0.5)
        return data

    code, result = load("message", meddle(down=stall), "--interval", "0.02", "--seconds", "1", timeout=30)
    assert code == 0
    assert 45 <= result["done"] <= 52  # none was left out
    assert result["max_us"] >= 400000 and result["p50_us"] > 1000


def test_a_file_has_the_sum_that_others_compute(backend, tmp_path):
    file = tmp_path / "data"
    file.write_bytes(random.Random(1).randbytes(3 * MIB + 17))
    wanted = subprocess.run(["sha256sum", file], capture_output=True, text=True, check=True).stdout.split()[0]
    done = subprocess.run(
        [LOAD, "hash", "--connect", backend.addresses[0], "--file", file], capture_output=True, text=True, check=True
    )
    sent, received, _ = done.stdout.splitlines()
    assert sent.split()[-1] == received.split()[-1] == wanted


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["nonsense"], ["bulk"], ["serve"], ["bulk", "--connect"], ["bulk", "--connect", "nonsense"],
        ["bulk", "--connect", "127.0.0.1:1", "--rate", "5"], ["bulk", "--connect", "127.0.0.1:1", "--json=yes"],
        ["bulk", "--connect", "127.0.0.1:1", "--bytes", "-1"], ["bulk", "--connect", "127.0.0.1:1", "--bytes", "5X"],
        ["bulk", "--connect", "127.0.0.1:1", "--bytes", "99999999999G"],
        ["bulk", "--connect", "127.0.0.1:1", "--bytes", "1M", "--seconds", "1"],
        ["bulk", "--connect", "127.0.0.1:1", "--direction", "left"], ["rate", "--connect", "127.0.0.1:1", "--rate", "0"],
        ["hash", "--connect", "127.0.0.1:1"], ["hash", "--connect", "127.0.0.1:1", "--file", "/nonexistent"],
        ["serve", "--listen", "127.0.0.1:99999"],
        ["relay", "--listen", "127.0.0.1:0"], ["relay", "--connect", "127.0.0.1:1"],
        ["relay", "--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--connect", "127.0.0.1:1"],
    ],
)
def test_a_wrong_command_line_is_refused_in_words(arguments):
    done = subprocess.run([LOAD, *arguments], capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("load: ") and len(done.stderr.splitlines()) == 1


# The backend itself, seen by clients that are not the load generator.


def read_all(connection):
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_the_echo_answers_everything_after_a_half_close(backend):
    data = random.Random(2).randbytes(5 * MIB)
    with backend.connect() as client:
        sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
        sender.start()
        time.sleep(0.3)  # long enough for every buffer on the way to fill
        assert read_all(client) == data
        sender.join()


@pytest.mark.parametrize("data", [b"", b"\0", b"\0load", b"\0loaf", b"\0load\r\n\x1a" + b"\xff" * 40, b"hello\n"])
def test_what_only_begins_like_a_request_is_echoed(data, backend):
    with backend.connect() as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == data


def test_a_typed_line_is_echoed_at_once(backend):
    with backend.connect() as client:
        for line in b"one\n", b"two\n":
            client.sendall(line)
            assert client.recv(100) == line


def test_clients_that_reset_do_not_harm_the_backend(backend):
    for number in range(20):
        client = backend.connect()
        client.sendall(b"\0load\r\n\x1a" + struct.pack(">QQQ", number % 3, 1, 2**64 - 1) + bytes(1000))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    assert run("bulk both", backend.addresses[0])[0] == 0


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_a_backend_that_waits_does_not_spin(backend):
    with backend.connect() as idle, backend.connect() as stuffed:
        idle.sendall(b"x")
        stuffed.setblocking(False)
        try:
            while True:
                stuffed.send(bytes(65536))
        except BlockingIOError:
            pass
        time.sleep(0.2)
        before = cpu_ticks(backend.process.pid)
        time.sleep(0.5)
        assert cpu_ticks(backend.process.pid) - before <= 5


@pytest.fixture
def poor():
    """A backend that may have 32 descriptors."""
    with subprocess.Popen(
        ["prlimit", "--nofile=32:32", LOAD, "serve", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.terminate()
        assert process.wait(10) == 0


def test_a_backend_without_descriptors_recovers(poor):
    port = int(poor.stdout.readline().rsplit(":", 1)[1])
    clients = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(40)]
    time.sleep(0.2)
    before = cpu_ticks(poor.pid)
    time.sleep(0.4)
    assert cpu_ticks(poor.pid) - before <= 5
    for client in clients[:20]:
        client.close()
    clients[-1].sendall(b"here")
    assert clients[-1].recv(10) == b"here"
    for client in clients:
        client.close()


def test_the_backend_ends_cleanly(backend):
    path = backend.addresses[1].removeprefix("unix:")
    assert os.path.exists(path)
    assert backend.end() == 0
    assert not os.path.exists(path)
