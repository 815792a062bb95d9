# SPDX-License-Identifier: MIT
"""Signatures that take long: whoever makes them, the tunnels of the same loop go on meanwhile."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest
from harness import ports, processes, wait
from harness.listeners import connect
from harness.program import configuration
from harness.worlds import credentials

# An echo, and eight clients that connect, exchange a byte and leave, until standard input ends; a process of
# its own, so that what is measured is not slowed down by Python.
CROWD = """
import socket, struct, sys, threading
backend = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=256)
over, counts = threading.Event(), [0] * 8

def echo(sock):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with sock:
        while data := sock.recv(4096):
            sock.sendall(data)

def serve():
    while True:
        threading.Thread(target=echo, args=(backend.accept()[0],), daemon=True).start()

def visit(number):
    while not over.is_set():
        with socket.create_connection(("127.0.0.1", int(sys.argv[2])), 60) as sock:
            sock.sendall(b"?")
            assert sock.recv(1) == b"?"
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(1) == b""
        counts[number] += 1

threading.Thread(target=serve, daemon=True).start()
print("ready", flush=True)
sys.stdin.readline()
visitors = [threading.Thread(target=visit, args=(number,), daemon=True) for number in range(8)]
for visitor in visitors:
    visitor.start()
sys.stdin.readline()
over.set()
for visitor in visitors:
    visitor.join()
print(sum(counts), flush=True)
"""


class Crowd:
    """The clients and the backend of CROWD."""

    def __init__(self, backend, front):
        self.process = processes.start(
            [sys.executable, "-c", CROWD, str(backend), str(front)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"

    def _say(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    start = _say

    def stop(self):
        """How many visits there were; every one was whole, or there is no answer."""
        self._say()
        return int(self.process.stdout.readline())

    def close(self):
        processes.end(self.process)


def round_trips(end, seconds):
    """How many echoes fit."""
    count, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        end.sendall(b"!")
        assert end.recv(1) == b"!"
        count += 1
    return count


@pytest.fixture(scope="module")
def slow_identity(pki):
    return pki.issue("slow", dns=("localhost",), key="rsa-4096")


def cpu_times(pid):
    """What each thread of a process has used so far, in ticks of the kernel."""
    used = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/stat", encoding="ascii") as file:
            used[thread] = sum(map(int, file.read().rpartition(")")[2].split()[11:13]))
    return used


def cpu_since(pid, before):
    return {thread: used - before.get(thread, 0) for thread, used in cpu_times(pid).items()}


@pytest.mark.parametrize("version", ("1.2", "1.3"))
@pytest.mark.parametrize("role", ("offload", "encrypt"))
def test_a_crowd_of_slow_handshakes_delays_no_tunnel(role, version, run, pki, closing, slow_identity):
    """Both ends share one loop, in which an echo would wait for the signatures of all the others. How long it waits
    for a processor says more of the machine, so what counts is who makes them."""
    backend, between, front = (ports.free() for _ in range(3))
    slow = {"cert": slow_identity.crt, "key": slow_identity.key}
    common = {"tls_min_version": version, "tls_max_version": version, "tickets": "no"}
    near = {"name": "near", "mode": "encrypt", "accept": f"127.0.0.1:{front}", "connect": f"localhost:{between}"}
    far = {"name": "far", "mode": "offload", "accept": f"127.0.0.1:{between}", "connect": f"127.0.0.1:{backend}"}
    near = {**near, **credentials(pki, "client"), **common, **(slow if role == "encrypt" else {})}
    far = {**far, **credentials(pki, "server"), **common, **(slow if role == "offload" else {})}
    crowd = closing(Crowd(backend, front))
    program = run(configuration(near, far, workers="1", key_process="no"))
    sock = closing(connect(f"127.0.0.1:{front}"))
    serve = program.workers()
    before = cpu_times(serve)
    round_trips(sock, 0.5)
    echoing = cpu_since(serve, before)
    loop = max(echoing, key=echoing.get)
    before = cpu_times(serve)
    crowd.start()
    trips = round_trips(sock, 2)
    visits = crowd.stop()
    used = cpu_since(serve, before)
    assert visits > 20 / wait.SLOWNESS and trips > 0
    # Without helpers the loop has nearly all.
    assert sum(used.values()) > 3 * used[loop], (used, loop, visits, trips)
    sock.close()
    assert program.is_running()


def is_stopped(pid):
    """Do all threads stand still? The first that gets the signal stops the others, which takes a moment."""
    states = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/stat", encoding="ascii") as file:
            states.append(file.read().rpartition(")")[2].split()[0])
    return set(states) == {"T"}


@contextlib.contextmanager
def stopped(pid):
    """A process that answers nothing for a while."""
    os.kill(pid, signal.SIGSTOP)
    try:
        wait.until(lambda: is_stopped(pid), "a process that stands still")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture(params=[(role, version) for role in ("offload", "encrypt") for version in ("1.2", "1.3")], ids="-".join)
def hanging(request, world):
    """A world whose keys are all in the key process."""
    return lambda **options: world(*request.param, key_process="yes", tickets="no", **options)


def begin(world):
    """A client whose tunnel waits for a signature."""
    client = world.connect_silent()
    if world.client_is_tls:
        client.say_first()
    else:
        world.ends.append(world.listener.accept_silent())
        world.ends[-1].say_first()
    return client


def assert_flows(ends):
    ends["client"].send(b"ping")
    assert ends["backend"].receive(4) == b"ping"


def test_a_signature_that_hangs_is_ended_by_the_handshake_timeout(hanging):
    """At once, for the client and the log; other tunnels go on, and so does everything when it is over."""
    world = hanging(handshake_timeout="1s")
    ends = world.open()
    with stopped(world.program.keys()):
        before = time.monotonic()
        client = begin(world)
        assert client.raw_rest()[1] == "reset"
        assert 0.9 < time.monotonic() - before < 1 + wait.SLOWNESS
        world.program.wait_words("tunnel ended", "handshake-timeout")
        assert_flows(ends)
    assert_flows(world.open())


def test_a_client_that_resets_is_noticed_while_a_signature_hangs(hanging):
    world = hanging(handshake_timeout="60s")
    with stopped(world.program.keys()):
        begin(world).reset()
        world.program.wait_words("tunnel ended", "reset")
    assert_flows(world.open())


def test_the_end_waits_for_a_signature_that_hangs_but_not_for_ever(hanging):
    world = hanging(handshake_timeout="60s", drain_timeout="1s")
    with stopped(world.program.keys()):
        client = begin(world)
        time.sleep(1)  # until a helper has it
        world.program.signal(signal.SIGTERM)
        wire, how = client.raw_rest()
        assert how == "reset", wire
        world.program.wait_words("tunnel ended", "drain-timeout")
    assert world.program.wait_exit() == 1
