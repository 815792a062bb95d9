# SPDX-License-Identifier: MIT
"""Certificates made when the tests run: good ones, and one for each way to be bad."""

import base64
import datetime
import hashlib
import ipaddress
import math
import os
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
PURPOSES = {
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
    "mail": ExtendedKeyUsageOID.EMAIL_PROTECTION,
}


def _rsa_with_exponent(exponent):
    """An RSA key that makes its checking costly, which the library itself does not make."""
    usual = rsa.generate_private_key(65537, 2048).private_numbers()
    private = pow(exponent, -1, math.lcm(usual.p - 1, usual.q - 1))
    halves = rsa.rsa_crt_dmp1(private, usual.p), rsa.rsa_crt_dmq1(private, usual.q)
    public = rsa.RSAPublicNumbers(exponent, usual.public_numbers.n)
    return rsa.RSAPrivateNumbers(usual.p, usual.q, private, *halves, usual.iqmp, public).private_key()


KEYS = {
    "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-1024": lambda: rsa.generate_private_key(65537, 1024),
    "rsa-4096": lambda: rsa.generate_private_key(65537, 4096),
    "rsa-33-bit-exponent": lambda: _rsa_with_exponent(2**32 + 15),
}


@dataclass
class Identity:
    """A certificate chain and its key, as files and as objects."""

    crt: str
    key: str
    certificate: x509.Certificate
    private: object
    chain: tuple = ()


def pin(identity):
    """The SHA-256 of its public key, as `pin` wants it."""
    info = identity.certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return "sha256:" + base64.b64encode(hashlib.sha256(info).digest()).decode("ascii")


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def _sans(wishes):
    names = [x509.DNSName(name) for name in wishes.get("dns", ())]
    names += [x509.IPAddress(ipaddress.ip_address(text)) for text in wishes.get("ip", ())]
    names += [x509.UniformResourceIdentifier(text) for text in wishes.get("uri", ())]
    return names + [x509.RFC822Name(text) for text in wishes.get("email", ())]


def _subject(name, wishes):
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, text) for text in wishes.get("o", ())]
    attributes += [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, text) for text in wishes.get("ou", ())]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, wishes.get("cn", name))])


class Pki:
    """A directory of certificates below two authorities, of which only the first is trusted."""

    def __init__(self, directory):
        self.directory = str(directory)
        self.root = self.authority("root")
        self.intermediate = self.authority("intermediate", self.root)
        self.stranger = self.authority("stranger")
        self.ca = self.root.crt
        self.made = {}

    def authority(self, name, issuer=None, key="ecdsa"):
        return self._make(name, issuer, {"key": key, "authority": True})

    def issue(self, name, issuer=None, **wishes):
        """Make NAME.crt (with its chain) and NAME.key. Wishes: cn, ou, o, dns, ip, uri, email, purposes,
        key, days (of validity, from `start` days from now), self_signed, extensions (further ones)."""
        return self._make(name, issuer or self.intermediate, wishes)

    def get(self, name):
        """The identity that table IDENTITIES describes, made when first asked for."""
        if name not in self.made:
            wishes = dict(IDENTITIES[name])
            issuer = getattr(self, wishes.pop("issuer", "intermediate"))
            self.made[name] = self.issue(name, issuer, **wishes)
        return self.made[name]

    def _make(self, name, issuer, wishes):
        private = KEYS[wishes.get("key", "ecdsa")]()
        if wishes.get("self_signed"):
            issuer = None
        builder = self._describe(name, issuer, private, wishes)
        signer = issuer.private if issuer else private
        digest = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        certificate = builder.sign(signer, digest)
        chain = (issuer.certificate, *issuer.chain) if issuer and issuer.chain else ()
        if issuer and not chain and issuer.certificate.issuer != issuer.certificate.subject:
            chain = (issuer.certificate,)
        return self._write(name, certificate, private, chain)

    def _describe(self, name, issuer, private, wishes):
        start = datetime.datetime.utcnow() + wishes.get("start", -1) * DAY
        subject = _subject(name, wishes)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + wishes.get("days", 90) * DAY)
        )
        authority = wishes.get("authority", False)
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
        names = _sans(wishes)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        for extension in wishes.get("extensions", ()):
            builder = builder.add_extension(extension, critical=False)
        if not authority and wishes.get("purposes", True):
            purposes = [PURPOSES[purpose] for purpose in wishes.get("purposes", ("server", "client"))]
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        return builder

    def _write(self, name, certificate, private, chain):
        crt, key = (os.path.join(self.directory, name + suffix) for suffix in (".crt", ".key"))
        with open(crt, "wb") as file:
            file.write(b"".join(_pem(each) for each in (certificate, *chain)))
        with open(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(
                private.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        return Identity(crt, key, certificate, private, chain)


SERVER_NAMES = {"dns": ("localhost", "server.test"), "ip": ("127.0.0.1", "::1")}

IDENTITIES = {
    "server": SERVER_NAMES,
    "client": {"dns": ("client.test",), "uri": ("spiffe://test/client",)},
    "server-rsa": {**SERVER_NAMES, "key": "rsa"},
    "server-ed25519": {**SERVER_NAMES, "key": "ed25519"},
    "other-name": {"dns": ("other.test",), "ip": ("192.0.2.1",)},
    "unnamed": {"cn": "localhost"},
    "expired": {**SERVER_NAMES, "start": -40, "days": 30},
    "not-yet-valid": {**SERVER_NAMES, "start": 10},
    "wrong-ca": {**SERVER_NAMES, "issuer": "stranger"},
    "self-signed": {**SERVER_NAMES, "self_signed": True},
    "mail-only": {**SERVER_NAMES, "purposes": ("mail",)},
    "server-only": {**SERVER_NAMES, "purposes": ("server",)},
    "client-only": {**SERVER_NAMES, "purposes": ("client",)},
    "rsa-1024": {**SERVER_NAMES, "key": "rsa-1024"},
    "long-exponent": {**SERVER_NAMES, "key": "rsa-33-bit-exponent"},
    "must-staple": {
        **SERVER_NAMES,
        "extensions": (x509.TLSFeature([x509.TLSFeatureType.status_request]),),
    },
    # Names that are less than they look like.
    "tricky": {
        "cn": "rich\0er",
        "dns": ("*.gold.test", "rich.gold.test\0.evil.test", "localhost"),
        "uri": ("spiffe://test/gold/*",),
    },
    # Two with every kind of name, none of them in common but those of a server, and another issuer.
    "rich": {
        "cn": "rich",
        "ou": ("accounts", "vault"),
        "o": ("Gold, Silver and Sons",),
        "dns": ("rich.gold.test", *SERVER_NAMES["dns"]),
        "ip": ("192.0.2.17", "2001:db8::17", *SERVER_NAMES["ip"]),
        "uri": ("spiffe://test/gold/rich",),
        "email": ("Rich@gold.test",),
    },
    "plain": {
        "issuer": "root",
        "cn": "plain",
        "ou": ("kitchen",),
        "o": ("Tin",),
        "dns": ("plain.tin.test", *SERVER_NAMES["dns"]),
        "ip": ("198.51.100.4", "2001:db8:1::4", *SERVER_NAMES["ip"]),
        "uri": ("spiffe://test/tin/room/plain",),
        "email": ("plain@tin.test",),
    },
}
