# SPDX-License-Identifier: MIT
"""Many bytes through a tunnel: both ways at once, irregularly, or until nothing goes any more."""

import hashlib
import os
import random
import threading
import time

from . import wait
from .ends import PIECE

_block = os.urandom(1 << 20)


def stream(size, start):
    """size bytes, in pieces; different for different starts, and long before it repeats."""
    at = start
    while size > 0:
        piece = _block[at % len(_block) :][: min(PIECE, size)]
        stamp = at.to_bytes(8, "big")[: len(piece)]
        yield stamp + piece[len(stamp) :]
        size -= len(piece)
        at += len(piece) + 1


def digest(size, start):
    made = hashlib.sha256()
    for piece in stream(size, start):
        made.update(piece)
    return made.hexdigest()


class Talker(threading.Thread):
    """Sends and receives on one end at once, with pauses, until both ways have ended.

    A patient one ends its way only after it has got everything.
    """

    def __init__(self, end, size, start, pauses=True, patient=False):
        super().__init__(daemon=True)
        self.end, self.pieces, self.out = end, stream(size, start), b""
        self.awaited = size if patient else 0
        self.sent_all = False
        self.pauses = 0.01 if pauses else 0
        self.random = random.Random(start)
        self.received, self.count = hashlib.sha256(), 0
        self.finished = False
        self.error = None

    def run(self):
        try:
            while not (self.finished and self.end.ending):
                self._turn()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def _turn(self):
        waiting = self.sent_all and self.count < self.awaited
        readable, writable = wait.ready(
            self.end.sock, not self.end.ending, not self.finished and not waiting, 20 * wait.SLOWNESS
        )
        assert readable or writable, "neither way went on"
        if readable:
            self.end.step(0)
        if writable:
            self._send()
        # Finishing may have read, too.
        self.received.update(self.end.unread)
        self.count += len(self.end.unread)
        self.end.unread.clear()
        if self.random.random() < self.pauses:
            time.sleep(self.random.random() * 0.02)

    def _send(self):
        if not self.out:
            piece = next(self.pieces, None)
            if piece is None:
                self.sent_all = True
                if self.count < self.awaited:
                    return
                self.finished = True
                self.end.sock.settimeout(5)
                self.end.finish()
                return
            self.out = self.end.seal(piece)
        self.end.sock.setblocking(False)
        try:
            self.out = self.out[self.end.sock.send(self.out) :]
        except BlockingIOError:
            pass


def converse(first, second, size, timeout=60, patient=False):
    """Send size bytes each way at once; fails unless all of them arrive, each way ended cleanly."""
    talkers = [Talker(first, size, 1, patient=patient), Talker(second, size, 500_000, patient=patient)]
    for talker in talkers:
        talker.start()
    deadline = time.monotonic() + timeout * wait.SLOWNESS
    for talker in talkers:
        talker.join(max(deadline - time.monotonic(), 0))
        assert not talker.is_alive(), "the conversation did not end in time"
        assert talker.error is None, talker.error
    assert [talker.end.ending for talker in talkers] == ["end", "end"]
    assert [talker.count for talker in talkers] == [size, size], "bytes are missing, or too many"
    assert talkers[1].received.hexdigest() == digest(size, 1), "what the second got is not what was sent"
    assert talkers[0].received.hexdigest() == digest(size, 500_000), "what the first got is not what was sent"


def fill(end, limit, patience=0.5):
    """Send until nothing more is taken for `patience` seconds; returns how many bytes were taken."""
    sent, out = 0, b""
    end.sock.setblocking(False)
    while sent < limit:
        out = out or end.seal(_block[:PIECE])
        if not wait.ready(end.sock, False, True, patience)[1]:
            return sent
        try:
            taken = end.sock.send(out)
        except BlockingIOError:
            continue
        out, sent = out[taken:], sent + taken
    return sent
