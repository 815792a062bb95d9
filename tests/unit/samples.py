#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Print samples_table.h: certificates, revocation lists and OCSP responses that GnuTLS cannot make.

With a directory they are written into it too, each as a file."""

import datetime
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
BEGIN, END = datetime.datetime(2020, 1, 1), datetime.datetime(2099, 1, 1)
THIS, NEXT = datetime.datetime(2026, 1, 1), datetime.datetime(2026, 1, 8)
GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN
UNHEARD_OF = x509.ObjectIdentifier("1.3.6.1.4.1.99999.1")


class Pair:
    """A certificate and its key."""

    def __init__(self, name, issuer=None, extensions=(), end=END, serial=None):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuer.name)
            .public_key(self.key.public_key())
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(BEGIN)
            .not_valid_after(end)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, False)
        self.crt = builder.sign(issuer.key, hashes.SHA256())


AUTHORITY = x509.BasicConstraints(True, None)
RESPONDER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])

ca = Pair("sample CA", extensions=[AUTHORITY])
twin = Pair("sample CA", extensions=[AUTHORITY])
leaf = Pair("leaf", ca, serial=0x1234)
other = Pair("other", ca, serial=0x1235)
stapled = Pair("must-staple", ca, [x509.TLSFeature([x509.TLSFeatureType.status_request])])
responder = Pair("responder", ca, [RESPONDER])
bystander = Pair("bystander", ca)
retired = Pair("retired", ca, [RESPONDER], end=datetime.datetime(2021, 1, 1))
impostor = Pair("impostor", twin, [RESPONDER])


def crl(extensions=(), entries=(), digest=hashes.SHA256()):
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.name).last_update(THIS).next_update(END)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    for serial, extension, critical in entries:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(THIS)
        if extension:
            entry = entry.add_extension(extension, critical)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(ca.key, digest)


def part(**scope):
    standard = {"full_name": None, "relative_name": None, "only_contains_user_certs": False}
    standard |= {"only_contains_ca_certs": False, "only_some_reasons": None, "indirect_crl": False}
    return x509.IssuingDistributionPoint(**{**standard, "only_contains_attribute_certs": False, **scope})


def two_algorithms():
    """The inner algorithm says SHA-384, the outer one SHA-256."""
    raw = crl().public_bytes(DER)
    return raw.replace(bytes.fromhex("2a8648ce3d040302"), bytes.fromhex("2a8648ce3d040303"), 1)


def response(status=GOOD, crt=leaf, signer=ca, until=NEXT, shown=None, issuer=ca, extensions=()):
    builder = ocsp.OCSPResponseBuilder().add_response(
        crt.crt, issuer.crt, hashes.SHA1(), status, THIS, until, THIS if status == REVOKED else None, None
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.crt)
    if shown or signer not in (ca, twin):
        builder = builder.certificates([signer.crt])
    for extension in extensions:
        builder = builder.add_extension(extension, True)
    return builder.sign(signer.key, hashes.SHA256())


def unheard_of():
    return x509.UnrecognizedExtension(UNHEARD_OF, b"\x05\x00")


reason = x509.CRLReason(x509.ReasonFlags.key_compromise)
samples = {
    "ca_crt": ca.crt,
    "twin_crt": twin.crt,
    "leaf_crt": leaf.crt,
    "must_staple_crt": stapled.crt,
    "crl_plain": crl([(x509.CRLNumber(300), False)], [(0x1234, reason, False), (0xFF, None, False)]),
    "crl_empty": crl(),
    "crl_delta": crl([(x509.DeltaCRLIndicator(1), True)]),
    "crl_quiet_delta": crl([(x509.DeltaCRLIndicator(1), False)]),
    "crl_users_only": crl([(part(only_contains_user_certs=True), True)]),
    "crl_indirect": crl([(part(indirect_crl=True), True)]),
    "crl_critical": crl([(unheard_of(), True)]),
    "crl_not_critical": crl([(unheard_of(), False)]),
    "crl_critical_entry": crl(entries=[(7, x509.CertificateIssuer([x509.DirectoryName(twin.name)]), True)]),
    "crl_sha1": crl(digest=hashes.SHA1()),
    "crl_two_algorithms": two_algorithms(),
    "ocsp_good": response(),
    "ocsp_revoked": response(REVOKED),
    "ocsp_unknown": response(UNKNOWN),
    "ocsp_endless": response(until=None),
    "ocsp_other": response(crt=other),
    "ocsp_other_issuer": response(issuer=twin),
    "ocsp_by_twin": response(signer=twin),
    "ocsp_revoked_by_twin": response(REVOKED, signer=twin),
    "ocsp_delegated": response(signer=responder),
    "ocsp_by_bystander": response(signer=bystander),
    "ocsp_by_leaf": response(signer=leaf),
    "ocsp_by_retired": response(signer=retired),
    "ocsp_by_impostor": response(signer=impostor),
    "ocsp_must_staple": response(crt=stapled),
    "ocsp_critical": response(extensions=[x509.OCSPNonce(b"unasked for")]),
    "ocsp_try_later": ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER),
}


def hexadecimal(value):
    raw = value if isinstance(value, bytes) else value.public_bytes(DER)
    digits = raw.hex()
    return [digits[i : i + 80] for i in range(0, len(digits), 80)]


HEAD = """/* SPDX-License-Identifier: MIT */
/* Printed by samples.py, for samples.c. */
static const struct {
	const char *name, *digits;
} samples[] = {
"""


def main():
    out = sys.stdout
    out.write(HEAD)
    for name, value in samples.items():
        lines = hexadecimal(value)
        space = " " if len(lines) == 1 else "\n\t\t"
        out.write('\t{"%s",' % name + space)
        out.write("\n\t\t".join('"%s"' % line for line in lines) + "},\n")
    out.write("};\n")
    if len(sys.argv) > 1:
        for name, value in samples.items():
            with open(sys.argv[1] + "/" + name, "wb") as file:
                file.write(value if isinstance(value, bytes) else value.public_bytes(DER))


main()
