# SPDX-License-Identifier: MIT
"""Port numbers on which nobody listens."""

import random
import socket

# Below the range from which the kernel takes the ports of outgoing connections.
_FIRST, _LAST = 10240, 32000

# Whoever else takes ports so (the end-to-end tests do) sees by an abstract name that one is taken.
_reservations = []


def free():
    """A port of 127.0.0.1 that is reserved until this process ends or calls release()."""
    while True:
        port = random.randint(_FIRST, _LAST)
        reservation = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            reservation.bind(f"\0sallyport-test-port-{port}")
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            reservation.close()
            continue
        _reservations.append(reservation)
        return port


def release():
    """Give back all that was reserved."""
    while _reservations:
        _reservations.pop().close()
