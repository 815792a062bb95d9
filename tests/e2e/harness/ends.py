# SPDX-License-Identifier: MIT
"""One end of a connection as a test holds it, with every way to end it and to see it end.

An ending is a word: "end" (FIN of plaintext, close_notify of TLS), "reset" (RST), "alert:NAME" (a
fatal alert of TLS), "cut" (a FIN of TLS with neither before it).
"""

import errno
import select
import socket
import struct
import time

from . import wait

PIECE = 64 * 1024

RESET_ERRORS = (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN)


class End:
    """What plaintext and TLS have in common. A subclass turns data into bytes of the wire and back."""

    def __init__(self, sock):
        self.sock = sock
        self.ending = "reset" if getattr(sock, "was_reset", False) else None
        self.unread = bytearray()
        if sock.family in (socket.AF_INET, socket.AF_INET6) and not self.ending:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def seal(self, data):
        """The bytes on the wire that say data."""
        raise NotImplementedError

    def unseal(self, wire):
        """The data that wire (b"": a FIN) says; may set the ending."""
        raise NotImplementedError

    def send(self, data, timeout=10):
        """Send all of data. A reset is noted, not raised: it may come at any moment before it is looked for."""
        self.sock.settimeout(timeout * wait.SLOWNESS)
        try:
            self.sock.sendall(self.seal(data))
        except (ConnectionResetError, BrokenPipeError):
            self.ending = "reset"

    def step(self, timeout):
        """Take in what comes next. False when nothing came in time."""
        self.sock.settimeout(max(timeout, 0.000001))
        try:
            wire = self.sock.recv(PIECE)
        except (TimeoutError, BlockingIOError):
            return False
        except OSError as error:
            if error.errno not in RESET_ERRORS:
                raise
            self.ending = "reset"
            return True
        self.unread += self.unseal(wire)
        return True

    def _step_before(self, deadline, what):
        left = deadline - time.monotonic()
        if left <= 0 or not self.step(left):
            raise AssertionError(f"nothing came while waiting for {what}")

    def receive(self, size, timeout=10):
        """Exactly size bytes of data."""
        deadline = time.monotonic() + timeout * wait.SLOWNESS
        while len(self.unread) < size:
            assert self.ending is None, f"{self.ending} after {len(self.unread)} of {size} bytes"
            self._step_before(deadline, f"{size} bytes")
        data = bytes(self.unread[:size])
        del self.unread[:size]
        return data

    def wait_ending(self, timeout=10):
        """How the peer's way ends; what comes before is kept in unread."""
        deadline = time.monotonic() + timeout * wait.SLOWNESS
        while self.ending is None:
            self._step_before(deadline, "an ending")
        return self.ending

    def rest(self, timeout=10):
        """All data up to the ending, and the ending."""
        ending = self.wait_ending(timeout)
        data = bytes(self.unread)
        self.unread.clear()
        return data, ending

    def raw_rest(self, timeout=10):
        """The bytes of the wire until the peer closes the socket, and how: "fin" or "reset"."""
        wire = bytearray()
        self.sock.settimeout(timeout * wait.SLOWNESS)
        while self.ending != "reset":
            try:
                piece = self.sock.recv(PIECE)
            except OSError as error:
                if error.errno not in RESET_ERRORS:
                    raise
                break
            if not piece:
                return bytes(wire), "fin"
            wire += piece
        return bytes(wire), "reset"

    def wait_closed(self, timeout=10):
        """How the peer closes the socket: "fin" or "reset"."""
        return self.raw_rest(timeout)[1]

    def wait_broken(self, timeout):
        """Wait until the socket has failed, without reading it. Returns the seconds that took."""
        poller = select.poll()
        poller.register(self.sock, 0)
        before = time.monotonic()
        assert poller.poll(timeout * wait.SLOWNESS * 1000), f"not broken within {timeout} s"
        return time.monotonic() - before

    def was_aborted(self, timeout=10):
        """Did the peer abort, so that nobody could take it for an end?"""
        ending = self.wait_ending(timeout)
        return ending == "reset" or ending.startswith("alert:")

    def is_quiet(self, seconds):
        """Does nothing come and nothing end for so long?"""
        until = time.monotonic() + seconds
        while not self.unread and self.ending is None and time.monotonic() < until:
            self.step(until - time.monotonic())  # which may be a ticket, and so nothing
        return not self.unread and self.ending is None

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()


class PlainEnd(End):
    """Plaintext over TCP or UNIX."""

    is_tls = False

    def seal(self, data):
        return data

    def unseal(self, wire):
        if not wire:
            self.ending = "end"
        return wire

    def finish(self):
        self.sock.shutdown(socket.SHUT_WR)
