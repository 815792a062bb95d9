# SPDX-License-Identifier: MIT
"""Records of TLS 1.3 that no library would send, made with the keys of a session that one has begun."""

import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
CLOSE_NOTIFY, USER_CANCELED = b"\1\0", b"\1\x5a"
SIZES = {"TLS_AES_128_GCM_SHA256": (16, hashes.SHA256()), "TLS_AES_256_GCM_SHA384": (32, hashes.SHA384())}


def message(kind, body):
    """A handshake message."""
    return struct.pack(">I", kind << 24 | len(body)) + body


def ticket(number):
    return message(4, struct.pack(">IIB", 7200, number, 1) + b"n" + struct.pack(">H", 48) + b"t" * 48 + b"\0\0")


class Forger:
    """Speaks for an end that has sent nothing since its handshake, and shall send nothing any more."""

    def __init__(self, end, keylog, role):
        with open(keylog, encoding="ascii") as file:
            lines = [line.split() for line in file if line.startswith(f"{role}_TRAFFIC_SECRET_0")]
        self.end = end
        self.key_size, self.hash = SIZES[end.tls.cipher()[0]]
        self._start(bytes.fromhex(lines[-1][2]))

    def _derive(self, label, size):
        label = b"tls13 " + label
        info = struct.pack(">HB", size, len(label)) + label + b"\0"
        return HKDFExpand(self.hash, size, info).derive(self.secret)

    def _start(self, secret):
        self.secret, self.sequence = secret, 0
        self.aead = AESGCM(self._derive(b"key", self.key_size))
        self.iv = int.from_bytes(self._derive(b"iv", 12), "big")

    def record(self, kind, data, padding=0):
        """The bytes of one record."""
        inner = data + bytes([kind]) + bytes(padding)
        header = struct.pack(">BHH", DATA, 0x0303, len(inner) + 16)
        nonce = (self.iv ^ self.sequence).to_bytes(12, "big")
        self.sequence += 1
        return header + self.aead.encrypt(nonce, inner, header)

    def key_update(self, asked):
        """The record that announces a new key, which counts from then on; asked: yours as well."""
        wire = self.record(HANDSHAKE, message(24, bytes([asked])))
        self._start(self._derive(b"traffic upd", len(self.secret)))
        return wire

    def send(self, *records):
        self.end.sock.settimeout(10)
        self.end.sock.sendall(b"".join(records))
