# SPDX-License-Identifier: MIT
"""Throwaway authorities and identities, one set for each kind of key, made by openssl."""

import os
import subprocess
from dataclasses import dataclass

CLIENT, SERVER = "client.example", "server.example"

_KEYS = {
    "ecdsa": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "ed25519": ("ed25519",),
    "rsa": ("rsa:2048",),
}
TITLES = {"ecdsa": "ECDSA P-256", "ed25519": "Ed25519", "rsa": "RSA-2048"}


@dataclass(frozen=True)
class Identity:
    """What one end shows, and the authority by which it judges the other one. All are paths."""

    name: str
    cert: str
    key: str
    both: str
    ca: str


def _make(directory, name, kind, *extra):
    cert, key = (os.path.join(directory, f"{name}.{suffix}") for suffix in ("crt", "key"))
    command = ["openssl", "req", "-x509", "-nodes", "-sha256", "-days", "30", "-newkey", *_KEYS[kind]]
    command += ["-subj", f"/CN={name}", "-keyout", key, "-out", cert, *extra]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(f"openssl cannot make the certificate {name}: {made.stderr.strip()}")
    os.chmod(key, 0o600)
    return cert, key


def _identity(directory, name, kind, ca, ca_key):
    extensions = (
        f"subjectAltName=DNS:{name}",
        "basicConstraints=critical,CA:false",
        "keyUsage=critical,digitalSignature",
        "extendedKeyUsage=serverAuth,clientAuth",
    )
    added = [word for extension in extensions for word in ("-addext", extension)]
    cert, key = _make(directory, name, kind, "-CA", ca, "-CAkey", ca_key, *added)
    both = os.path.join(directory, f"{name}.pem")
    with open(os.open(both, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as out:
        for path in cert, key:
            with open(path, encoding="ascii") as file:
                out.write(file.read())
    return Identity(name, cert, key, both, ca)


def make(directory, kind):
    """An authority with that kind of key, and of it {CLIENT: Identity, SERVER: Identity}."""
    place = os.path.join(directory, kind)
    os.mkdir(place, 0o700)
    ca, ca_key = _make(place, "authority.example", kind, "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    return {name: _identity(place, name, kind, ca, ca_key) for name in (CLIENT, SERVER)}
