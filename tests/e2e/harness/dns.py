# SPDX-License-Identifier: MIT
"""A name server as small as it can be: A and AAAA from a table that a test may change."""

import ipaddress
import select
import socket
import struct
import threading

A, AAAA = 1, 28


def _question(packet):
    """The name and type that are asked for, and where the question ends."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode("ascii"))
        at += 1 + packet[at]
    return ".".join(labels).lower(), struct.unpack(">H", packet[at + 1 : at + 3])[0], at + 5


class NameServer:
    """Serves `records`, {name: ([addresses], TTL)}, until closed; counts the questions for each name."""

    def __init__(self, address="127.0.0.1", records=None):
        self.records = dict(records or {})
        self.questions = {}
        self.silent = False
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 53))
        self.wakeup, self._waker = socket.socketpair()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        poller = select.poll()
        poller.register(self.sock, select.POLLIN)
        poller.register(self.wakeup, select.POLLIN)
        while True:
            ready = poller.poll()
            if any(descriptor == self.wakeup.fileno() for descriptor, _ in ready):
                return
            packet, client = self.sock.recvfrom(4096)
            try:
                name, kind, end = _question(packet)
            except (IndexError, UnicodeDecodeError):
                continue
            self.questions[name] = self.questions.get(name, 0) + 1
            if not self.silent:
                self.sock.sendto(self._answer(packet, name, kind, end), client)

    def _answer(self, packet, name, kind, end):
        known = name in self.records
        addresses, ttl = self.records.get(name, ((), 0))
        answers = b""
        count = 0
        for text in addresses:
            address = ipaddress.ip_address(text)
            if {4: A, 6: AAAA}[address.version] != kind:
                continue
            packed = address.packed
            answers += struct.pack(">HHHIH", 0xC00C, kind, 1, ttl, len(packed)) + packed
            count += 1
        flags = 0x8580 if known else 0x8583
        return packet[:2] + struct.pack(">HHHHH", flags, 1, count, 0, 0) + packet[12:end] + answers

    def close(self):
        self._waker.send(b"x")
        self.thread.join(5)
        for sock in (self.sock, self.wakeup, self._waker):
            sock.close()
