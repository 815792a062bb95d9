# SPDX-License-Identifier: MIT
"""The program between a client and a backend, in each mode and version of TLS.

	mode      client   program            backend
	encrypt   plain    [encrypt]          TLS
	offload   TLS      [offload]          plain
	bridge    TLS      [bridge]           TLS
	pair      plain    [encrypt][offload] plain
"""

from . import ports, tls
from .ends import PlainEnd
from .listeners import BlackHole, Listener, connect
from .program import configuration

MODES = ("encrypt", "offload", "bridge", "pair")
VERSIONS = ("1.2", "1.3")
PROGRAM_OPTIONS = ("drain_timeout", "buffer_memory", "key_process", "user")


def credentials(pki, name):
    identity = pki.get(name)
    return {"cert": identity.crt, "key": identity.key, "ca": pki.ca}


class World:
    """What a test needs to play both ends; start is a function that runs a configuration.

    Options are those of every service, but for `connect` (no backend is made) and `hole` (the backend
    does not answer until world.hole.open()).
    """

    def __init__(self, start, pki, mode, version, hole=False, **options):
        self.mode, self.version, self.pki = mode, version, pki
        self.ends = []
        self.client_is_tls = mode in ("offload", "bridge")
        self.backend_is_tls = mode in ("encrypt", "bridge")
        self.hole = BlackHole(self._backend_context()) if hole else None
        if hole:
            self.listener = self.hole.listener
        else:
            self.listener = None if "connect" in options else Listener(self._backend_context())
        target = options.pop("connect", self.listener and self.listener.address)
        self.port = ports.free()
        self.address = f"127.0.0.1:{self.port}"
        self.client_context = tls.context(False, pki.get("client"), pki.ca, version)
        self.program = start(self.text(target, options))

    def _backend_context(self):
        if not self.backend_is_tls:
            return None
        return tls.context(True, self.pki.get("server"), self.pki.ca, self.version)

    def text(self, target, options):
        """The configuration of this mode, with options for every service."""
        program = {key: options.pop(key) for key in PROGRAM_OPTIONS if key in options}
        common = {"tls_min_version": self.version, "tls_max_version": self.version, **options}
        if self.mode == "pair":
            between = f"127.0.0.1:{ports.free()}"
            near = {"mode": "encrypt", "accept": self.address, "connect": between}
            far = {"mode": "offload", "accept": between, "connect": target}
            services = [
                {"name": "near", **near, **credentials(self.pki, "client"), **common},
                {"name": "far", **far, **credentials(self.pki, "server"), **common},
            ]
        else:
            name = "client" if self.mode == "encrypt" else "server"
            service = {"mode": self.mode, "accept": self.address, "connect": target}
            services = [{"name": self.mode, **service, **credentials(self.pki, name), **common}]
        return configuration(*services, **program)

    def connect_silent(self, **options):
        """A client without a handshake."""
        sock = connect(self.address, **options)
        if self.client_is_tls:
            end = tls.TlsEnd(sock, self.client_context, name="localhost")
        else:
            end = PlainEnd(sock)
        self.ends.append(end)
        return end

    def connect(self, **options):
        end = self.connect_silent(**options)
        if self.client_is_tls:
            failure = end.handshake()
            assert failure is None, f"the handshake of the client failed: {failure}"
        return end

    def open(self):
        """Both ends of a new tunnel that has carried a byte each way."""
        client = self.connect()
        backend = self.listener.accept()
        self.ends.append(backend)
        client.send(b"?")
        assert backend.receive(1) == b"?"
        backend.send(b"!")
        assert client.receive(1) == b"!"
        return {"client": client, "backend": backend}

    def is_tls(self, role):
        return self.client_is_tls if role == "client" else self.backend_is_tls

    def last_service(self):
        """The name of the service beside the backend."""
        return "far" if self.mode == "pair" else self.mode

    def close(self):
        """Close what is open still, so that the program has nobody to wait for."""
        for end in self.ends:
            end.close()
        if self.hole:
            self.hole.close()
        elif self.listener:
            self.listener.close()
