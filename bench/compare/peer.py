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

    def version(self):
        told = subprocess.run([self.binary, *self.version_arguments], capture_output=True, text=True, check=False)
        match = re.search(r"\d+(\.\d+)+[^\s,]*", told.stdout + told.stderr)
        return match[0] if match else "unknown"

    def command(self, end):
        """Write what `end` needs; returns the command line."""
        raise NotImplementedError
