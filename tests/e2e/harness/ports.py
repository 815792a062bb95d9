# SPDX-License-Identifier: MIT
"""Port numbers that nobody else uses, even when several copies of the tests run at once."""

import random
import socket

# Below the range from which the kernel takes the ports of outgoing connections.
FIRST, LAST = 10240, 32000

# An abstract UNIX name per port that was given out; the kernel drops them with the process.
_reservations = []


def _is_free(port):
    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def free():
    """A port on which nothing listens, reserved for this process until release()."""
    while True:
        port = random.randint(FIRST, LAST)
        reservation = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            reservation.bind(f"\0sallyport-test-port-{port}")
        except OSError:
            reservation.close()
            continue
        _reservations.append(reservation)
        if _is_free(port):
            return port


def release():
    """Let others have what was given out: the test is over."""
    while _reservations:
        _reservations.pop().close()
