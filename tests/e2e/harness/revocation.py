# SPDX-License-Identifier: MIT
"""What authorities say about certificates afterwards: revocation lists, and OCSP responses."""

import base64
import datetime
import time
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

HOUR = 3600
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
STATUSES = {
    "good": ocsp.OCSPCertStatus.GOOD,
    "revoked": ocsp.OCSPCertStatus.REVOKED,
    "unknown": ocsp.OCSPCertStatus.UNKNOWN,
}
# Extensions of certificates: one that demands a staple, one that may sign them.
MUST_STAPLE = x509.TLSFeature([x509.TLSFeatureType.status_request])
RESPONDER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])


def now():
    return time.time()


def moment(seconds):
    """So many seconds from now; certificates know no fractions."""
    return datetime.datetime.utcnow().replace(microsecond=0) + datetime.timedelta(seconds=seconds)


def write(path, data):
    """Replace the file in one step."""
    with open(f"{path}.new", "wb") as file:
        file.write(data)
    os.rename(f"{path}.new", path)
    return str(path)


def crl(issuer, revoked=(), since=-HOUR, until=24 * HOUR, signer=None, extensions=(), encoding=PEM):
    """The list of issuer, with these identities on it. signer: whose key signs it instead. Extensions
    are pairs: the extension, and whether it is critical."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(moment(since))
        .next_update(moment(until))
    )
    for identity in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(identity.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(moment(since)).build())
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign((signer or issuer).private, hashes.SHA256()).public_bytes(encoding)


def staple(identity, issuer, status="good", since=-HOUR, until=24 * HOUR, signer=None, responder=None):
    """What issuer's responder says about identity, as DER. signer: whose key signs it instead; responder:
    who signs in its own name and shows its certificate. Without until (None) it names no end."""
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=identity.certificate,
        issuer=issuer.certificate,
        algorithm=hashes.SHA256(),
        cert_status=STATUSES[status],
        this_update=moment(since),
        next_update=None if until is None else moment(until),
        revocation_time=moment(since) if status == "revoked" else None,
        revocation_reason=None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, (responder or issuer).certificate)
    if responder:
        builder = builder.certificates([responder.certificate])
    return builder.sign((responder or signer or issuer).private, hashes.SHA256()).public_bytes(DER)


def pem(der):
    """A staple as PEM."""
    label = "OCSP RESPONSE-----\n"
    return f"-----BEGIN {label}".encode() + base64.encodebytes(der) + f"-----END {label}".encode()
