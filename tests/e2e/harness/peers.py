# SPDX-License-Identifier: MIT
"""Peers of either role, of which it can be told how the program treated them: which alert came, whether a
certificate was shown, whether a byte arrived. Python's ssl plays them; openssl where Python cannot
(staples, pre-shared keys)."""

import os
import re
import ssl
import weakref
from dataclasses import dataclass

from . import ports, processes, procfs, tls, wait
from .listeners import Listener, connect

HELLO, REPLY = b"hello there", b"reply"
FLAGS = {"1.2": "-tls1_2", "1.3": "-tls1_3"}


@dataclass(frozen=True)
class Peer:
    """Who stands there. Where a function stands it is called with the world of the test."""

    identity: object = "rich"  # a name in the PKI, an identity, or None: none is shown
    asks: str = "localhost"  # a client, for the server's name (SNI); None: for none
    alpn: tuple = ()
    source: str = "127.0.0.1"
    staple: object = None  # a server's, as DER
    psk: tuple = ()  # an identity and its key

    def needs_openssl(self):
        return bool(self.staple or self.psk)


class Witness:
    """Notes what TLS says in one connection."""

    _of = weakref.WeakKeyDictionary()

    def __init__(self, end):
        self.alert, self.certificate, self.ticket = None, False, False
        self._of[end.tls] = self

    @classmethod
    def watch(cls, context):
        """Have every connection of context noted that has a witness."""
        context._msg_callback = cls._note
        return context

    @classmethod
    def _note(cls, conn, direction, _version, kind, what, _data):
        witness = cls._of.get(conn)
        if witness is None or direction != "read":
            return
        word = getattr(what, "name", str(what)).lower()
        if kind == ssl._TLSContentType.ALERT and word != "close_notify":
            witness.alert = word
        if kind == ssl._TLSContentType.HANDSHAKE:
            witness.certificate |= word == "certificate"
            witness.ticket |= word == "newsession_ticket"


class PythonMeeting:
    """One connection, at the end of the peer."""

    def __init__(self, end):
        self.end, self.witness = end, Witness(end)

    def shake(self):
        """Did the handshake go well, as far as this end can tell?"""
        return self.end.handshake() is None

    def say(self, data):
        """Unless it is over: an alert may have come with the last flight."""
        if self.end.ending is None:
            self.end.send(data)

    def receive(self, size):
        return self.end.receive(size)

    def resumed(self):
        return bool(self.end.tls.session_reused)

    def saw_certificate(self):
        return self.witness.certificate

    def got_ticket(self):
        return self.witness.ticket

    def over(self):
        """Wait for the end: the alert that came, the data before it, and how the socket was closed."""
        self.end.wait_ending()
        return self.witness.alert, bytes(self.end.unread), self.end.wait_closed()

    def close(self):
        self.end.close()


class PythonClient:
    """A client, with the session that it keeps."""

    def __init__(self, world, peer, version):
        self.peer, self.session = peer, None
        self.context = tls.context(False, world.identity(peer), world.pki.ca, version)
        Witness.watch(self.context)
        if peer.alpn:
            self.context.set_alpn_protocols(list(peer.alpn))

    def meet(self, address, resume):
        sock = connect(address, source=self.peer.source)
        session = self.session if resume else None
        return PythonMeeting(tls.TlsEnd(sock, self.context, name=self.peer.asks, session=session))

    def keep(self, meeting):
        self.session = meeting.end.tls.session

    def close(self):
        pass


class PythonServer:
    """A server that can be one peer and then another; each remembers its sessions."""

    def __init__(self, world, version):
        self.world, self.version = world, version
        self.contexts = {}
        self.listener = Listener()
        self.port = self.listener.port

    def become(self, peer, forget=False):
        if forget or peer not in self.contexts:
            context = tls.context(True, self.world.identity(peer), self.world.pki.ca, self.version)
            if peer.alpn:
                context.set_alpn_protocols(list(peer.alpn))
            self.contexts[peer] = Witness.watch(context)
        self.listener.context = self.contexts[peer]

    def expect(self):
        """Called before the program connects; what it returns is the meeting, once somebody has."""
        return lambda: PythonMeeting(self.listener.accept_silent())

    def close(self):
        self.listener.close()


class OpensslMeeting:
    """One connection of an openssl that tells every message; what it says from `start` on is about it."""

    def __init__(self, openssl, start):
        self.openssl, self.start = openssl, start
        self.process, self.path = openssl.process, openssl.path

    def output(self):
        with open(self.path, "rb") as file:
            file.seek(self.start)
            return file.read()

    def shake(self):
        """Nobody waits for openssl's handshake: what it is given to say it says afterwards."""
        return True

    def say(self, data):
        try:
            self.process.stdin.write(data + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended because of an alert

    def receive(self, size):
        """The only thing that may come: the one or the other greeting, by its size."""
        expected = {len(HELLO): HELLO, len(REPLY): REPLY}[size]
        wait.until(lambda: expected in self.output(), f"openssl gets {expected}; see {self.path}")
        return expected

    def saw_certificate(self):
        return b", Certificate\n" in self._heard()

    def got_ticket(self):
        return b", NewSessionTicket\n" in self._heard()

    def _heard(self):
        return b"\n".join(line for line in self.output().splitlines(True) if line.startswith(b"<<<"))

    def resumed(self):
        """Had the server nothing to sign? With a pre-shared key that says something in TLS 1.2 only."""
        if self.openssl.peer.psk and self.openssl.version == "1.3":
            return False
        return b", CertificateVerify" not in self.output() and b", ServerKeyExchange" not in self.output()

    def _alert(self):
        found = re.search(rb"<<< .*Alert \[length 0002\], fatal (\w+)", self.output())
        return found and found[1].decode()

    def over(self):
        def ended():
            return self._alert() or self.process.poll() is not None or b"\nERROR" in self.output()

        wait.until(ended, f"openssl is told of an end; see {self.path}")
        data = b"".join(word for word in (HELLO, REPLY) if word in self.output())
        return self._alert(), data, "fin"

    def close(self):
        if isinstance(self.openssl, OpensslClient):
            self.openssl.stop()


class Openssl:
    """Common to client and server: the arguments that make it a peer."""

    def __init__(self, world, version):
        self.world, self.version = world, version
        self.peer = self.process = self.path = None

    def start(self, command, peer, *arguments):
        self.stop()
        self.peer, identity = peer, self.world.identity(peer)
        words = ["openssl", command, *arguments, "-quiet", "-msg", FLAGS[self.version]]
        if identity:
            words += ["-cert", identity.crt, "-cert_chain", identity.crt, "-key", identity.key]
        if peer.psk:
            words += ["-psk_identity", peer.psk[0], "-psk", peer.psk[1]]
        self.path = self.world.path("openssl")
        pipe = processes.subprocess.PIPE
        with open(self.path, "wb") as output:
            self.process = processes.start(words, stdin=pipe, stdout=output, stderr=output)

    def stop(self):
        if self.process:
            processes.end(self.process)
            self.process = None

    def close(self):
        self.stop()


class OpensslClient(Openssl):
    def __init__(self, world, peer, version):
        super().__init__(world, version)
        self.wanted, self.session = peer, world.path("session")

    def meet(self, address, resume):
        arguments = ["-connect", address, "-servername", self.wanted.asks, "-sess_out", self.session]
        if resume and os.path.exists(self.session):
            arguments += ["-sess_in", self.session]
        self.start("s_client", self.wanted, *arguments)
        return OpensslMeeting(self, 0)

    def keep(self, _meeting):
        """It is in the file, if there is one."""


class OpensslServer(Openssl):
    def __init__(self, world, version):
        super().__init__(world, version)
        self.port = ports.free()

    def become(self, peer, forget=False):
        """forget is not needed: a session that is not taken up once is gone."""
        if peer == self.peer:
            return
        arguments = ["-accept", f"127.0.0.1:{self.port}", "-CAfile", self.world.pki.ca]
        arguments += ["-nocert"] if not peer.identity else ["-Verify", "3"]
        if peer.staple:
            arguments += ["-status_file", self.world.file("staple", peer.staple(self.world))]
        self.start("s_server", peer, *arguments)
        wait.until(lambda: procfs.is_listening(self.port), "openssl listens")

    def expect(self):
        start = os.path.getsize(self.path)
        return lambda: OpensslMeeting(self, start)


def client(world, peer, version):
    return (OpensslClient if peer.needs_openssl() else PythonClient)(world, peer, version)


def server(world, version, by_openssl):
    return (OpensslServer if by_openssl else PythonServer)(world, version)
