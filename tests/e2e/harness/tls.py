# SPDX-License-Identifier: MIT
"""An end of TLS at the level of records: Python's ssl through memory, so that truncation, a
close_notify alone and every alert can be made and seen exactly."""

import socket
import ssl
import time

from . import wait
from .ends import PIECE, End

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context(server, identity=None, ca=None, version=None, verify=True):
    """A context of either role. identity has .crt and .key; ca is the path of the trust anchors."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    # Weak certificates are for the other end to refuse.
    made.set_ciphers("DEFAULT:@SECLEVEL=0")
    if ca:
        made.load_verify_locations(ca)
    if identity:
        made.load_cert_chain(identity.crt, identity.key)
    if version:
        made.minimum_version = made.maximum_version = VERSIONS[version]
    return made


def _ending_of(error):
    reason = str(error.reason or error)
    if "_ALERT_" in reason:
        return "alert:" + reason.partition("_ALERT_")[2].lower()  # TLSV1_ALERT_UNKNOWN_CA
    return "error:" + reason


class TlsEnd(End):
    """TLS over a connected socket; handshake() comes first."""

    is_tls = True

    def __init__(self, sock, made_context, server=False, name=None, session=None):
        super().__init__(sock)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = made_context.wrap_bio(
            self.incoming, self.outgoing, server_side=server, server_hostname=name, session=session
        )

    def _flush(self):
        wire = self.outgoing.read()
        if wire:
            self.sock.sendall(wire)

    def handshake(self, timeout=10):
        """Returns None when done, else the ending that came instead."""
        deadline = time.monotonic() + timeout * wait.SLOWNESS
        while self.ending is None:
            try:
                self.tls.do_handshake()
                self._flush()
                # What came together with the last flight is here already.
                self.unread += self._decrypt()
                return None
            except ssl.SSLWantReadError:
                self._flush_and_fetch(deadline)
            except ssl.SSLError as error:
                self.ending = _ending_of(error)
                self._flush_quietly()
        return self.ending

    def say_first(self, timeout=10):
        """Send our first flight, which of a server is the answer to a ClientHello, and wait for nothing."""
        if self.tls.server_side:
            self._flush_and_fetch(time.monotonic() + timeout * wait.SLOWNESS)
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()

    def _flush_quietly(self):
        try:
            self._flush()
        except OSError:
            pass

    def _flush_and_fetch(self, deadline):
        self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            self._flush()
            wire = self.sock.recv(PIECE)
        except (ConnectionResetError, BrokenPipeError):
            self.ending = "reset"
            return
        if wire:
            self.incoming.write(wire)
        else:
            self.ending = "cut"

    def seal(self, data):
        for at in range(0, len(data), PIECE):
            self.tls.write(data[at : at + PIECE])
        return self.outgoing.read()

    def unseal(self, wire):
        self.incoming.write(wire)
        data = self._decrypt()
        if not wire and self.ending is None:
            self.ending = "cut"
        return data

    def _decrypt(self):
        data = bytearray()
        while self.ending is None:
            try:
                piece = self.tls.read(PIECE)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                piece = b""
            except ssl.SSLError as error:
                self.ending = _ending_of(error)
                break
            if not piece:
                self.ending = "end"
            data += piece
        return data

    def finish(self):
        """A close_notify, and no FIN."""
        # What has come must be out of the way: OpenSSL would take it for an error while shutting down.
        while self.step(0):
            if self.ending:
                break
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self._flush()

    def cut(self):
        """A FIN without a close_notify."""
        self.sock.shutdown(socket.SHUT_WR)

    def cut_inside_record(self, data):
        """A FIN after half of the record that carries data."""
        wire = self.seal(data)
        self.sock.sendall(wire[: len(wire) // 2])
        self.cut()

    def alert(self):
        """A fatal alert: OpenSSL sends one when it is given garbage."""
        self.incoming.write(b"\x17\x03\x03\x00\x20" + b"garbage " * 4)
        try:
            self.tls.read(1)
        except ssl.SSLError:
            pass
        self._flush()
