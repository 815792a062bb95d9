# SPDX-License-Identifier: MIT
"""The load generator's own relay, plaintext to plaintext at both ends: what a tunnel costs without TLS."""

from compare.peer import WORKERS, Peer


class Relay(Peer):
    name, title, package = "relay", "plain relay", "run make"
    is_floor = True
    remarks = ("No TLS: one receive and one send a piece. It is not compared with.",)

    def versions(self):
        return "(bench/load relay)", None

    def takes_part(self, load):
        """Where connections only carry bytes; it knows no certificates."""
        return load.arguments[:1] in (("bulk",), ("pingpong",)) and load.kind == "timed"

    def command(self, end):
        return [
            self.binary,
            "relay",
            "--listen",
            f"127.0.0.1:{end.accept}",
            "--connect",
            f"127.0.0.1:{end.connect}",
            "--threads",
            str(WORKERS),
        ]
