# SPDX-License-Identifier: MIT
"""A complete pair that runs: backend, offloading end, encrypting end; fresh processes, and their end."""

import os
import re
import shutil
import signal
import socket
import tempfile
import time

from compare import ports, processes
from compare.certificates import CLIENT, SERVER
from compare.peer import End
from compare.program import Program

_MESSAGE = b"is anybody there?"
_LISTEN_SECONDS = 10


class PairError(Exception):
    """Words for why a pair does not run."""


def _accepts(port):
    """Does anybody take a connection? It ends at once. (The kernel's table is slow to read after a long load.)"""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _exchange(port, seconds):
    """Does a message come back?"""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as client:
            client.sendall(_MESSAGE)
            back = b""
            while len(back) < len(_MESSAGE):
                piece = client.recv(len(_MESSAGE))
                if not piece:
                    return False
                back += piece
            client.shutdown(socket.SHUT_WR)
            return client.recv(1) == b""
    except OSError:
        return False


class Pair:
    """To be used in a with statement. After start() `near` is where the load goes, `far` where the TLS end is."""

    def __init__(self, peer, load, identities, resumption=True, connections=1000, remembering=True):
        self.peer, self.load, self.identities = peer, load, identities
        self.resumption, self.connections, self.remembering = resumption, connections, remembering
        self.directory = tempfile.mkdtemp(prefix="sallyport-bench-")
        self.programs = []
        self.ends = []
        self.far = self.near = ""
        self.start_seconds = 0.0

    def twin(self):
        """Another one like it, not yet started."""
        return Pair(self.peer, self.load, self.identities, self.resumption, self.connections, self.remembering)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        for program in reversed(self.programs):
            program.stop()
        ports.release()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start(self, name, command):
        program = Program(name, command, self.directory)
        self.programs.append(program)
        return program

    def _start_backend(self):
        backend = self._start("backend", [self.load, "serve", "--listen", "127.0.0.1:0"])
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and backend.is_running():
            if backend.output().endswith("\n"):
                return int(backend.output().rpartition(":")[2])
            time.sleep(0.005)
        raise PairError(f"the backend does not start: {backend.output().strip()}")

    def _end(self, encrypting, accept, connect):
        name = "encrypt" if encrypting else "offload"
        directory = os.path.join(self.directory, f"{name}.d")
        os.mkdir(directory)
        return End(
            encrypting=encrypting,
            directory=directory,
            accept=accept,
            connect=connect,
            identity=self.identities[CLIENT if encrypting else SERVER],
            server_name=SERVER,
            resumption=self.resumption,
            connections=self.connections,
            remembering=self.remembering,
        )

    def _start_end(self, encrypting, accept, connect):
        end = self._end(encrypting, accept, connect)
        self.ends.append(self._start("encrypt" if encrypting else "offload", self.peer.command(end)))

    def _words(self):
        """What the ends have said, on a line."""
        said = [f"{end.name}: {' '.join(end.output().split())[-300:]}" for end in self.ends if end.output().strip()]
        return "; ".join(said) or "it says nothing"

    def _await_listener(self, end, port):
        """Else the other end would meet a refusal first, and wait before it tries again."""
        deadline = time.monotonic() + _LISTEN_SECONDS
        while not _accepts(port):
            if not end.is_running() or time.monotonic() > deadline:
                raise PairError(f"{end.name} does not listen: {self._words()}")
            time.sleep(0.001)

    def _await_first(self, began, seconds):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if _exchange(int(self.near.rpartition(":")[2]), left):
                self.start_seconds = time.monotonic() - began
                return
            if not all(end.is_running() for end in self.ends):
                raise PairError(f"an end has ended: {self._words()}")
            time.sleep(0.002)
        raise PairError(f"nothing comes through: {self._words()}")

    def start(self, seconds=10):
        """Start all; the first message has so many seconds to come back. Fails with PairError."""
        backend = self._start_backend()
        far, near = ports.free(), ports.free()
        self.far, self.near = f"127.0.0.1:{far}", f"127.0.0.1:{near}"
        began = time.monotonic()
        self._start_end(False, far, backend)
        self._await_listener(self.ends[0], far)
        self._start_end(True, near, far)
        self._await_first(began, seconds)

    def _await_words(self, words, seconds):
        end, deadline = self.ends[0], time.monotonic() + seconds
        while not re.search(words, end.output(), re.MULTILINE):
            if not end.is_running() or time.monotonic() > deadline:
                raise PairError(f"{end.name} does not say {words}: {self._words()}")
            time.sleep(0.002)

    def reload(self, count, seconds=60):
        """Seconds from the signal until all of so many services are new; None for a program of which that is not
        measured. Fails with PairError."""
        command = self.peer.many_command(self._end(False, ports.free(), ports.free()), count)
        if not command:
            return None
        self.ends.append(self._start("offload", command))
        self._await_words(r"notice ready$", seconds)
        began = time.monotonic()
        self.ends[0].process.send_signal(signal.SIGHUP)
        self._await_words(r"notice reloaded$", seconds)
        return time.monotonic() - began

    def cpu_seconds(self):
        """Of both ends, when they have come to rest."""
        before, deadline = -1.0, time.monotonic() + 2
        while time.monotonic() < deadline:
            now = processes.cpu_seconds([end.pid for end in self.ends])
            if now == before:
                break
            before = now
            time.sleep(0.03)
        return before

    def memory(self):
        """Bytes of both ends. Fails with PairError."""
        try:
            return processes.memory([end.pid for end in self.ends])
        except OSError as error:
            raise PairError(f"memory cannot be read: {error}") from error

    def sleeps(self):
        """How often each thread of both ends has gone to sleep so far. Fails with PairError."""
        try:
            return processes.sleeps([end.pid for end in self.ends])
        except OSError as error:
            raise PairError(f"threads cannot be read: {error}") from error

    def check(self):
        """Fails with PairError if an end has ended."""
        for end in self.ends:
            if not end.is_running():
                raise PairError(f"{end.name} has ended: {self._words()}")
