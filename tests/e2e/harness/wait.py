# SPDX-License-Identifier: MIT
"""Waiting for a condition, never for a time."""

import os
import select
import time

# A build with sanitizers is several times slower; every limit is multiplied by this.
SLOWNESS = float(os.environ.get("SLOWNESS", "1"))


def until(condition, what, timeout=10.0):
    """Return the first true value of condition(), or fail saying that `what` did not happen."""
    deadline = time.monotonic() + timeout * SLOWNESS
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout} s")
        time.sleep(0.005)


def ready(sock, read=True, write=False, seconds=0):
    """Can the socket be (read, written) now or within so many seconds? A failed one can be both."""
    poller = select.poll()
    poller.register(sock, (select.POLLIN if read else 0) | (select.POLLOUT if write else 0))
    found = poller.poll(max(seconds, 0) * 1000)
    events = found[0][1] if found else 0
    failed = events & (select.POLLERR | select.POLLHUP)
    return read and bool(events & select.POLLIN or failed), write and bool(events & select.POLLOUT or failed)


def duration(seconds):
    """As the configuration writes it, and longer where everything is slower."""
    return f"{round(seconds * SLOWNESS * 1000)}ms"
