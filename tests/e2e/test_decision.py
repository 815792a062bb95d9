# SPDX-License-Identifier: MIT
"""Every way of being wrong is refused: in both roles and both versions, in a new session and in one that
was good when it began. Here: certificates, what their authorities say about them, and pins.

A row says how somebody is let in at first, what changes then (the policy by a reload, or only the time),
and how he is refused from then on: by which alert, with which words in the log. Beside him somebody who
is right passes by the same rules. harness/decision.py plays it.
"""

from harness import revocation
from harness.decision import (
    BOTH,
    CLIENTS,
    ENCRYPT,
    EVERYWHERE,
    OFFLOAD,
    PLAIN,
    RICH,
    SERVERS,
    Row,
    cases,
    pin_of,
)
from harness.peers import Peer

UNVERIFIED = {"verify": "no", "ca": None}


def anchors(*names):
    """A file with these authorities."""

    def write(world):
        return world.file("ca", b"".join(open(getattr(world.pki, name).crt, "rb").read() for name in names))

    return write


def pinned(name):
    """The key is all that counts, and the dates."""
    return {"ca": "none", "pin": pin_of(name)}


def brief(world):
    """An identity that is good for as long as the test wants it."""
    days = (world.deadline - revocation.now()) / 86400
    return world.pki.issue("brief", dns=("localhost",), start=-1, days=1 + days)


NO_CERTIFICATE = {"1.2": "handshake_failure", "1.3": "certificate_required"}, ("showed no certificate",)
EXPIRED = "certificate_expired", ("has expired",)
PURPOSE = "unsupported_certificate", ("not meant for this purpose",)
UNKNOWN_CA = "unknown_ca", ("authority is not known",)

CHAIN = [
    Row("no certificate", *NO_CERTIFICATE, {"verify": "optional"}, {}, Peer(None), RICH, CLIENTS),
    Row(
        "wrong ca",
        *UNKNOWN_CA,
        {"ca": anchors("root", "stranger")},
        {"ca": anchors("root")},
        Peer("wrong-ca"),
        RICH,
        EVERYWHERE
    ),
    Row("self-signed", *UNKNOWN_CA, pinned("self-signed"), {}, Peer("self-signed"), RICH),
    # An encryptor keeps no session beyond the dates of the server's certificate.
    Row("expired", *EXPIRED, UNVERIFIED, {}, Peer("expired"), RICH, OFFLOAD),
    Row("expired", *EXPIRED, UNVERIFIED, {}, Peer("expired"), RICH, ENCRYPT, resumes=()),
    Row("expired, pinned", *EXPIRED, UNVERIFIED, pinned("expired"), Peer("expired"), None, OFFLOAD),
    Row(
        "expired, pinned", *EXPIRED, UNVERIFIED, pinned("expired"), Peer("expired"), None, ENCRYPT, resumes=()
    ),
    Row("expires", *EXPIRED, peer=Peer(brief), other=RICH, places=ENCRYPT),
    # An offloader gives no ticket of TLS 1.3 that would outlive the client's certificate.
    Row("expires", *EXPIRED, peer=Peer(brief), other=RICH, places=OFFLOAD, kept=OFFLOAD, resumes=("1.2",)),
    Row(
        "not yet valid",
        "certificate_expired",
        ("not valid yet",),
        UNVERIFIED,
        {},
        Peer("not-yet-valid"),
        RICH,
    ),
    Row(
        "wrong name",
        "bad_certificate",
        ("not for the expected name",),
        {"peer_name": "other.test"},
        {"peer_name": "localhost"},
        Peer("other-name"),
        RICH,
        SERVERS,
    ),
    Row("wrong purpose", *PURPOSE, pinned("mail-only"), {}, Peer("mail-only"), RICH),
    Row("a server as client", *PURPOSE, pinned("server-only"), {}, Peer("server-only"), RICH, OFFLOAD),
    Row("a client as server", *PURPOSE, pinned("client-only"), {}, Peer("client-only"), RICH, ENCRYPT),
    Row(
        "weak key",
        "bad_certificate",
        ("too weak",),
        {"priority": "NORMAL:%PROFILE_LOW"},
        {"priority": "NORMAL"},
        Peer("rsa-1024"),
        RICH,
    ),
]


def lists(root=(), intermediate=(), without=(), **wishes):
    """A file with the lists of both authorities, on which these names stand."""

    def write(world):
        get, pki = world.pki.get, world.pki
        revoked = {"root": [get(name) if name != "intermediate" else pki.intermediate for name in root]}
        revoked["intermediate"] = [get(name) for name in intermediate]
        made = [
            revocation.crl(getattr(pki, issuer), names, **wishes)
            for issuer, names in revoked.items()
            if issuer not in without
        ]
        return world.file("crl", b"".join(made))

    return {"crl": write}


def dying(world):
    """That of the intermediate expires; written anew when it has, it does not."""
    left = world.deadline - revocation.now()
    path = lists(without=("intermediate",))["crl"](world)
    with open(path, "ab") as file:
        file.write(revocation.crl(world.pki.intermediate, until=left if left > 0 else revocation.HOUR))
    return path


def forged(world):
    path = lists(without=("intermediate",))["crl"](world)
    with open(path, "ab") as file:
        file.write(revocation.crl(world.pki.intermediate, signer=world.pki.stranger))
    return path


def untimely(**times):
    """That of the intermediate is not of this time."""

    def write(world):
        path = lists(without=("intermediate",))["crl"](world)
        with open(path, "ab") as file:
            file.write(revocation.crl(world.pki.intermediate, **times))
        return path

    return write


EXPIRED_LIST = untimely(since=-7200, until=-3600)
NO_LIST = "certificate_unknown", ("there is no revocation list of an issuer",)
REVOKED = "certificate_revoked", ("has been revoked",)

REVOCATION = [
    Row("revoked leaf", *REVOKED, lists(), lists(intermediate=["rich"]), RICH, PLAIN, EVERYWHERE, CLIENTS),
    Row(
        "revoked intermediate",
        *REVOKED,
        lists(),
        lists(root=["intermediate"]),
        RICH,
        PLAIN,
        EVERYWHERE,
        CLIENTS
    ),
    Row(
        "revoked, others missing",
        *REVOKED,
        {**lists(without=["root"]), "crl_missing": "accept"},
        {**lists(intermediate=["rich"], without=["root"]), "crl_missing": "accept"},
        RICH,
        PLAIN,
        kept=OFFLOAD
    ),
    Row(
        "no list of the issuer", *NO_LIST, lists(), lists(without=["intermediate"]), RICH, PLAIN, kept=OFFLOAD
    ),
    Row("no list of the root", *NO_LIST, lists(), lists(without=["root"]), kept=OFFLOAD),
    Row(
        "a list of somebody else",
        "certificate_unknown",
        ("was not signed by it",),
        lists(),
        {"crl": forged},
        RICH,
        PLAIN,
        kept=OFFLOAD,
    ),
    Row(
        "a list has expired before",
        "certificate_unknown",
        ("revocation list is too old",),
        lists(),
        {"crl": EXPIRED_LIST},
        RICH,
        PLAIN,
        kept=OFFLOAD,
    ),
    Row(
        "a list has expired for all",
        "certificate_unknown",
        ("revocation list is too old",),
        lists(),
        {"crl": EXPIRED_LIST, "crl_missing": "accept"},
        kept=OFFLOAD,
    ),
    Row(
        "a list of tomorrow",
        "certificate_unknown",
        ("revocation list is dated in the future",),
        lists(),
        {"crl": untimely(since=86400, until=2 * 86400), "crl_missing": "accept"},
        kept=OFFLOAD,
    ),
    Row(
        "a list expires",
        "certificate_unknown",
        ("revocation list is too old",),
        {"crl": dying},
        None,
        RICH,
        PLAIN,
        kept=BOTH,
    ),
    Row(
        "a list expires for all",
        "certificate_unknown",
        ("revocation list is too old",),
        {"crl": dying, "crl_missing": "accept"},
        kept=BOTH,
    ),
]

PINNED = "certificate_unknown", ("none of those that are pinned",)

PINS = [
    Row("wrong pin", *PINNED, {"pin": pin_of("rich")}, {"pin": pin_of("plain")}, RICH, PLAIN, EVERYWHERE),
    Row("wrong pin, no authorities", *PINNED, pinned("rich"), pinned("plain"), RICH, PLAIN),
    Row(
        "not one of the pins",
        *PINNED,
        {"pin": [pin_of("plain"), pin_of("rich")]},
        {"pin": [pin_of("plain"), pin_of("server")]},
        RICH,
        PLAIN
    ),
    Row(
        "right pin, wrong ca",
        *UNKNOWN_CA,
        pinned("wrong-ca"),
        {"pin": [pin_of("wrong-ca"), pin_of("rich")]},
        Peer("wrong-ca"),
        RICH
    ),
]


# What a server staples to its certificate, by openssl.
def response(**wishes):
    def write(world):
        told = dict(wishes)
        about = told.pop("about", "rich")
        return revocation.staple(world.pki.get(about), world.pki.intermediate, **told)

    return write


def dying_response(world):
    left = world.deadline - revocation.now()
    return revocation.staple(world.pki.get("rich"), world.pki.intermediate, until=left)


def forged_response(world):
    return revocation.staple(world.pki.get("rich"), world.pki.intermediate, responder=world.pki.stranger)


def stapling(**wishes):
    return Peer("rich", staple=response(**wishes))


GOOD_STAPLE = stapling()
NOT_CHECKED, CHECKED, REQUIRED = {"ocsp": "off"}, {"ocsp": "check"}, {"ocsp": "require"}
UNSURE = "certificate_unknown"

STAPLES = [
    Row(
        "revoked",
        "certificate_revoked",
        ("has been revoked",),
        NOT_CHECKED,
        CHECKED,
        stapling(status="revoked"),
        GOOD_STAPLE,
        SERVERS,
    ),
    Row(
        "unknown",
        UNSURE,
        ("is not known",),
        NOT_CHECKED,
        CHECKED,
        stapling(status="unknown"),
        GOOD_STAPLE,
        ENCRYPT,
    ),
    Row(
        "stale",
        UNSURE,
        ("response has expired",),
        NOT_CHECKED,
        CHECKED,
        stapling(since=-7200, until=-3600),
        GOOD_STAPLE,
        ENCRYPT,
    ),
    Row(
        "of another",
        UNSURE,
        ("for another certificate",),
        NOT_CHECKED,
        CHECKED,
        stapling(about="server"),
        GOOD_STAPLE,
        ENCRYPT,
    ),
    Row(
        "of somebody else",
        UNSURE,
        ("was not signed",),
        NOT_CHECKED,
        CHECKED,
        Peer("rich", staple=forged_response),
        GOOD_STAPLE,
        ENCRYPT,
    ),
    Row(
        "expires",
        UNSURE,
        ("response has expired",),
        REQUIRED,
        None,
        Peer("rich", staple=dying_response),
        GOOD_STAPLE,
        ENCRYPT,
    ),
    Row(
        "none, and one is required",
        UNSURE,
        ("is required and none came",),
        CHECKED,
        REQUIRED,
        RICH,
        GOOD_STAPLE,
        ENCRYPT,
        by_openssl=True,
    ),
    Row(
        "none, and must staple",
        UNSURE,
        ("demands an OCSP status",),
        NOT_CHECKED,
        CHECKED,
        Peer("must-staple"),
        GOOD_STAPLE,
        ENCRYPT,
        by_openssl=True,
    ),
]


@cases(CHAIN)
def test_a_wrong_chain_is_refused(decide, row, place):
    decide(row, place)


@cases(REVOCATION)
def test_the_revoked_and_the_unknowable_are_refused(decide, row, place):
    decide(row, place)


@cases(PINS)
def test_another_key_is_refused(decide, row, place):
    decide(row, place)


@cases(STAPLES)
def test_a_server_without_a_good_staple_is_refused(decide, row, place):
    decide(row, place)
