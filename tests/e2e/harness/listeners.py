# SPDX-License-Identifier: MIT
"""The backend's side of a test: listening sockets whose connections become ends."""

import socket

from . import ports, wait
from .ends import PlainEnd
from .tls import TlsEnd


class Listener:
    """Listens on a free port of loopback, or where it is told; with a context its ends speak TLS."""

    def __init__(self, context=None, host="127.0.0.1", port=None, path=None, backlog=128):
        self.context = context
        if path:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.bind(path)
            self.address = f"unix:{path}".replace("unix:\0", "unix:@")
        else:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self.sock = socket.socket(family, socket.SOCK_STREAM)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.port = port or ports.free()
            self.sock.bind((host, self.port))
            self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self.sock.listen(backlog)

    def accept_raw(self, timeout=10):
        self.sock.settimeout(timeout * wait.SLOWNESS)
        return self.sock.accept()[0]

    def accept(self, timeout=10):
        """The next connection, after the handshake where TLS is spoken."""
        end = self.accept_silent(timeout)
        if self.context:
            failure = end.handshake(timeout)
            assert failure is None, f"the handshake with the backend failed: {failure}"
        return end

    def accept_silent(self, timeout=10):
        """The same without a handshake."""
        sock = self.accept_raw(timeout)
        return TlsEnd(sock, self.context, server=True) if self.context else PlainEnd(sock)

    def has_pending(self):
        """Is somebody connected, and waits to be accepted?"""
        return wait.ready(self.sock)[0]

    def close(self):
        self.sock.close()


class BlackHole:
    """An address that never answers a SYN: its backlog is full."""

    def __init__(self, context=None, host="127.0.0.1", port=None):
        self.listener = Listener(context, host=host, port=port, backlog=0)
        self.address, self.port = self.listener.address, self.listener.port
        self.fillers = []
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((host, self.port))
            self.fillers.append(filler)
        # A connection that is established leaves room for none of the others.
        wait.until(self._is_full, "the backlog fills up")

    def _is_full(self):
        return any(wait.ready(filler, False, True)[1] for filler in self.fillers)

    def open(self):
        """Answer from now on; a SYN that was ignored is sent again within a second or two."""
        for filler in self.fillers:
            filler.close()
        self.listener.accept_raw().close()

    def close(self):
        for filler in self.fillers:
            filler.close()
        self.listener.close()


class Socket(socket.socket):
    """One that remembers that its connection was reset before connect() was back."""

    was_reset = False


def connect(address, timeout=10, **options):
    """A connected socket; address as the program writes it."""
    if address.startswith("unix:"):
        sock = Socket(socket.AF_UNIX, socket.SOCK_STREAM)
        target = address[5:].replace("@", "\0", 1) if address[5] == "@" else address[5:]
    else:
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        sock = Socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        target = (host, int(port))
    if "buffer" in options:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options["buffer"])
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, options["buffer"])
    if "source" in options:
        sock.bind((options["source"], 0))
    sock.settimeout(timeout * wait.SLOWNESS)
    try:
        sock.connect(target)
    except ConnectionResetError:
        sock.was_reset = True  # connected, and reset at once: that is for the end to tell
    except BaseException:
        sock.close()
        raise
    return sock
