# SPDX-License-Identifier: MIT
"""What any program is asked to be: either end of a pair, as the end says."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass

from compare.certificates import Identity

WORKERS = 2
CIPHER, GROUP = "TLS_AES_128_GCM_SHA256", "X25519"


def parse_versions(told):
    """The version that is told first, and that of the library that is named last: the one it runs with."""
    match = re.search(r"\d+(\.\d+)+[^\s,]*", told)
    libraries = re.findall(r"\b(GnuTLS|OpenSSL)\s+(\d[\w.+-]*)", told)
    return match[0] if match else "unknown", " ".join(libraries[-1]) if libraries else None


@dataclass(frozen=True)
class End:
    """One end: plaintext to TLS if encrypting, else TLS to plaintext."""

    encrypting: bool
    directory: str
    accept: int
    connect: int
    identity: Identity
    server_name: str
    resumption: bool
    connections: int
    remembering: bool = True

    def write(self, name, *lines):
        """A file in the end's directory; returns its path."""
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return path


class Peer:
    """A program that can be either end. The names and remarks are shown in the report."""

    name = title = package = ""
    binaries = ()
    version_arguments = ("--version",)
    remarks = ()
    is_floor = False  # it does less than a tunnel has to, and never is the best

    def __init__(self, binary=None):
        self.binary = binary or self._find()

    def _find(self):
        path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
        found = (shutil.which(name, path=path) for name in self.binaries)
        return next((name for name in found if name), None)

    def missing(self):
        """Words for what it takes to run this program; None when all is there."""
        if not self.binary or not os.access(self.binary, os.X_OK):
            return f"not installed ({self.package})"
        return None

    def versions(self):
        """Of the program, and of the library that does its TLS: None where it does not tell."""
        told = subprocess.run([self.binary, *self.version_arguments], capture_output=True, text=True, check=False)
        return self.read_versions(told.stdout + told.stderr)

    def read_versions(self, told):
        """The same, from what the program tells."""
        return parse_versions(told)

    def takes_part(self, _load):
        """Is it measured under this load?"""
        return True

    def many_command(self, end, count):
        """The same for an offloading end with so many services. None: what it takes to reload it is not measured."""

    def command(self, end):
        """Write what `end` needs; returns the command line."""
        raise NotImplementedError
