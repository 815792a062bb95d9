# SPDX-License-Identifier: MIT
"""A PKCS#11 token in software, with keys and certificates in it."""

import glob
import os

from . import processes

PIN = "271828"
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/*/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")


def module():
    """The path of SoftHSM's module, or None."""
    return next((path for pattern in MODULES for path in glob.glob(pattern)), None)


class Token:
    """A token whose place only `environment` tells."""

    def __init__(self, directory):
        self.directory = str(directory)
        os.chmod(self.directory, 0o755)
        tokens = os.path.join(self.directory, "tokens")
        os.mkdir(tokens)
        self.conf = self._write("softhsm2.conf", f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
        self.environment = {"SOFTHSM2_CONF": self.conf}
        self.pin = self._write("pin", PIN + "\n")
        self.count = 0
        self._run("softhsm2-util", "--init-token", "--free", "--label", "test", "--pin", PIN, "--so-pin", PIN)

    def _write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(text)
        return path

    def _run(self, *command):
        processes.must_run(command, env={**os.environ, **self.environment})

    def take(self, identity):
        """Put it into the token; returns the URLs of its certificate and of its key."""
        self.count += 1
        name, number = f"object-{self.count}", f"{self.count:02d}"
        importing = ("--token", "test", "--label", name, "--id", number, "--pin", PIN)
        self._run("softhsm2-util", "--import", identity.key, *importing)
        writing = ("--write", f"--load-certificate={identity.crt}", f"--label={name}", f"--id={number}")
        self._run("p11tool", f"--provider={module()}", "--login", f"--set-pin={PIN}", *writing, "pkcs11:token=test")
        return [f"pkcs11:token=test;object={name};type={kind}" for kind in ("cert", "private")]
