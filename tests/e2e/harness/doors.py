# SPDX-License-Identifier: MIT
"""A door is a side of a service that judges its peers: the front door clients, the back door servers. A
peer passes it, or is refused as somebody must be who was not let in."""

from . import peers, ports
from .ends import PlainEnd
from .listeners import Listener, connect
from .peers import HELLO, REPLY
from .tls import TlsEnd, context
from .worlds import credentials

PREFIXES = {"front": "accept_", "back": "connect_"}
# There is one side that it could be about.
UNPREFIXED = ("sni",)


class Door:
    """What both have in common. A bridge has a prefix before the options of the side that judges."""

    def __init__(self, world, mode, version):
        self.world, self.mode, self.version = world, mode, version
        self.name = f"{mode}-{version}".replace(".", "")
        self.address = f"127.0.0.1:{ports.free()}"

    def _section(self, target, options):
        prefix = PREFIXES[self.side] if self.mode == "bridge" else ""
        own = {name if name in UNPREFIXED else prefix + name: value for name, value in options.items()}
        service = {"name": self.name, "mode": self.mode, "accept": self.address, "connect": target}
        return {**service, **credentials(self.world.pki, self.world.ours), **own}

    def _line(self, expected=None):
        """The log's line of the connection, which has ended."""
        line = self.world.program.wait_tunnel(service=self.name)
        assert expected is None or line["end"] == expected, line
        return line

    def _was_resumed(self, line):
        second = self.side == "back" and self.mode == "bridge"
        return line["backend-resumed" if second else "resumed"] == "yes"

    def _check_words(self, line, refusal):
        missing = [word for word in refusal.words if word not in line["reason"]]
        assert not missing, f"the log does not say {missing} but: {line['reason']}"

    def _check_alert(self, alert, refusal):
        expected = refusal.alert.get(self.version) if isinstance(refusal.alert, dict) else refusal.alert
        assert expected is None or alert == expected, f"alert {alert} instead of {expected}"


class FrontDoor(Door):
    """Before a backend of plaintext, or of TLS behind a bridge."""

    side = "front"

    def __init__(self, world, mode, version, by_openssl=False):
        super().__init__(world, mode, version)
        theirs = context(True, world.pki.get("server"), world.pki.ca) if mode == "bridge" else None
        self.backend = world.keep(Listener(theirs))
        self.clients = {}

    def section(self, options):
        return self._section(self.backend.address.replace("127.0.0.1", "localhost"), options)

    def _client(self, peer):
        if peer not in self.clients:
            self.clients[peer] = self.world.keep(peers.client(self.world, peer, self.version))
        return self.clients[peer]

    def passes(self, peer, resume=False):
        """Fails unless peer passes. Returns whether its session was resumed."""
        self.world.program.mark()
        client = self._client(peer)
        meeting = client.meet(self.address, resume)
        assert meeting.shake(), f"the handshake failed: {meeting.over()}"
        meeting.say(HELLO)
        backend = self.backend.accept()
        assert backend.receive(len(HELLO)) == HELLO
        backend.send(REPLY)
        assert meeting.receive(len(REPLY)) == REPLY
        client.keep(meeting)
        backend.close()
        meeting.close()
        return self._was_resumed(self._line())

    def refuses(self, peer, refusal, resume=False):
        """Fails unless peer is refused. Returns whether its session was resumed."""
        self.world.program.mark()
        meeting = self._client(peer).meet(self.address, resume)
        if meeting.shake():
            meeting.say(HELLO)  # a client of TLS 1.3 does not know yet
        alert, data, closing = meeting.over()
        resumed = meeting.resumed()
        meeting.close()
        line = self._line("refused")
        assert not self.backend.has_pending(), "a backend was contacted"
        assert not meeting.got_ticket(), "the client was given a ticket"
        assert not data, f"the client got {data}"
        assert closing == "fin", f"the alert was followed by {closing}"
        self._check_alert(alert, refusal)
        self._check_words(line, refusal)
        return resumed


class BackDoor(Door):
    """Before a server that is judged, behind a client of plaintext, or of TLS before a bridge."""

    side = "back"

    def __init__(self, world, mode, version, by_openssl=False):
        super().__init__(world, mode, version)
        self.server = world.keep(peers.server(world, version, by_openssl))

    def section(self, options):
        return self._section(f"localhost:{self.server.port}", options)

    def _connect(self):
        sock = connect(self.address)
        if self.mode != "bridge":
            return self.world.keep(PlainEnd(sock))
        ours = context(False, self.world.pki.get("client"), self.world.pki.ca, self.version)
        end = self.world.keep(TlsEnd(sock, ours, name="localhost"))
        assert end.handshake() is None, end.ending
        return end

    def _open(self, peer, resume):
        """A client that has said hello, and the server's end of what comes of it."""
        self.world.program.mark()
        self.server.become(peer, forget=not resume)
        expected = self.server.expect()
        client = self._connect()
        if client.ending is None:  # before a bridge a client of TLS may have been told already
            client.send(HELLO)
        return client, expected()

    def passes(self, peer, resume=False):
        """Fails unless peer passes. Returns whether its session was resumed."""
        client, meeting = self._open(peer, resume)
        assert meeting.shake(), f"the handshake failed: {meeting.over()}"
        assert meeting.receive(len(HELLO)) == HELLO
        meeting.say(REPLY)
        assert client.receive(len(REPLY)) == REPLY
        resumed = meeting.resumed()
        assert resumed or peer.psk or meeting.saw_certificate(), "the server was shown no certificate"
        client.close()
        meeting.close()
        assert resumed == self._was_resumed(self._line())
        return resumed

    def refuses(self, peer, refusal, resume=False):
        """Fails unless peer is refused. Returns whether its session was resumed."""
        client, meeting = self._open(peer, resume)
        meeting.shake()
        alert, data, closing = meeting.over()
        resumed = meeting.resumed()
        ending = client.wait_ending()
        line = self._line("failed")
        assert client.was_aborted(), f"the client saw {ending}"
        assert not client.unread, f"the client got {bytes(client.unread)}"
        assert not data, f"the server got {data}"
        assert closing == "fin", f"the alert was followed by {closing}"
        assert not meeting.saw_certificate(), "the server was shown our certificate"
        self._check_alert(alert, refusal)
        self._check_words(line, refusal)
        meeting.close()
        return resumed
