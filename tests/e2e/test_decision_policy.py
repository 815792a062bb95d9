# SPDX-License-Identifier: MIT
"""Whom the policy keeps out, as test_decision.py does it: rules, names, protocols, pre-shared keys."""

from harness.decision import BOTH, CLIENTS, ENCRYPT, EVERYWHERE, OFFLOAD, PLAIN, RICH, Row, cases, pin_of
from harness.peers import Peer


def serial_of(name):
    def write(world):
        certificate = world.pki.get(name).certificate
        return f"serial:{certificate.serial_number:x}, issuer:{certificate.issuer.rfc4514_string()}"

    return write


# A condition that holds for the rich one alone, and one for the plain one.
CONDITIONS = {
    "cn": ("cn:rich", "cn:plain"),
    "ou": ("ou:vault", "ou:kitchen"),
    "o": (r"o:Gold\, Silver and Sons", "o:Tin"),
    "dns": ("dns:RICH.gold.test", "dns:plain.tin.TEST"),
    "dns with a star": ("dns:*.gold.test", "dns:*.tin.test"),
    "uri": ("uri:spiffe://test/gold/rich", "uri:spiffe://test/tin/room/plain"),
    "uri with a star": ("uri:spiffe://test/gold/*", "uri:spiffe://test/tin/*/plain"),
    "uri with two stars": ("uri:spiffe://test/gold/**", "uri:spiffe://test/tin/**"),
    "ip": ("ip:192.0.2.17", "ip:2001:db8:1::4"),
    "ip in a prefix": ("ip:2001:db8::/48", "ip:198.51.100.0/24"),
    "email": ("email:Rich@GOLD.test", "email:plain@tin.test"),
    "serial and issuer": (serial_of("rich"), serial_of("plain")),
    "issuer": ("issuer:CN=intermediate", "issuer:CN=root"),
    "pin": (lambda w: "pin:" + pin_of("rich")(w), lambda w: "pin:" + pin_of("plain")(w)),
    "several": ("cn:rich, dns:*.gold.test, ou:vault", "uri:spiffe://test/tin/**, cn:plain"),
    "one of several lines": (["cn:nobody", "cn:rich"], ["cn:nobody", "cn:plain"]),
}
NOT_ALLOWED = "access_denied", ("no rule allows it",)


def denied(rule):
    return "access_denied", ("a rule denies it", *([rule] if isinstance(rule, str) else []))


def rule_rows():
    for kind, (mine, others) in CONDITIONS.items():
        places = EVERYWHERE if kind == "dns" else BOTH
        yield Row(
            f"allow {kind}", *NOT_ALLOWED, {"allow": mine}, {"allow": others}, RICH, PLAIN, places, CLIENTS
        )
        yield Row(
            f"deny {kind}", *denied(mine), {"deny": others}, {"deny": mine}, RICH, PLAIN, places, CLIENTS
        )


NEAR, FAR = Peer("rich", source="127.0.0.2"), Peer("rich", source="127.0.0.9")

RULES = [
    *rule_rows(),
    Row(
        "allow from",
        *NOT_ALLOWED,
        {"allow": "from:127.0.0.2"},
        {"allow": "from:127.0.0.8/29"},
        NEAR,
        FAR,
        CLIENTS,
        CLIENTS,
    ),
    Row(
        "deny from",
        *denied("from:127.0.0.2/31"),
        {"deny": "from:127.0.0.8/29"},
        {"deny": "from:127.0.0.2/31"},
        NEAR,
        FAR,
        CLIENTS,
        CLIENTS,
    ),
    Row(
        "only half of a rule",
        *NOT_ALLOWED,
        {"allow": "cn:rich, ou:vault"},
        {"allow": "cn:rich, ou:kitchen"},
        kept=OFFLOAD,
    ),
    Row(
        "deny over allow",
        *denied("cn:rich"),
        {"allow": "any"},
        {"allow": ["any", "cn:rich"], "deny": "cn:rich"},
        RICH,
        PLAIN,
        kept=OFFLOAD,
    ),
    Row("deny any", *denied("any"), {"allow": "any"}, {"deny": "any"}, kept=OFFLOAD),
    Row(
        "a name is no pattern",
        *NOT_ALLOWED,
        {"allow": "any"},
        {"allow": ["dns:gold.test", "dns:*.gold", "cn:ric", "cn:Rich", "email:rich@gold.test"]},
        kept=OFFLOAD,
    ),
    Row(
        "a pattern or a NUL in a name",
        *NOT_ALLOWED,
        {"allow": "any"},
        {"allow": ["dns:rich.gold.test", "cn:rich", "uri:spiffe://test/gold/rich"]},
        Peer("tricky"),
        RICH,
        kept=OFFLOAD,
    ),
    Row(
        "cn is no dns",
        *NOT_ALLOWED,
        {"allow": "cn:localhost"},
        {"allow": "dns:localhost"},
        Peer("unnamed"),
        RICH,
        OFFLOAD,
        OFFLOAD,
    ),
    Row(
        "nobody is allowed by name",
        *NOT_ALLOWED,
        {"verify": "optional"},
        {"verify": "optional", "allow": "cn:rich"},
        Peer(None),
        RICH,
        OFFLOAD,
        OFFLOAD,
    ),
]


def asks(name):
    return Peer("rich", asks=name)


def speaks(*names):
    return Peer("rich", alpn=names)


NO_PROTOCOL = "no_application_protocol", ("alpn",)

GREETINGS = [
    Row(
        "unknown name",
        "unrecognized_name",
        ('no service has the name "other.test"',),
        {"sni": "*.test"},
        {"sni": "right.test"},
        asks("other.test"),
        asks("right.test"),
        CLIENTS,
    ),
    Row(
        "no name",
        "unrecognized_name",
        ("sent no name",),
        {"sni": "default"},
        {"sni": "right.test"},
        asks(None),
        asks("right.test"),
        OFFLOAD,
    ),
    Row(
        "wrong protocol",
        *NO_PROTOCOL,
        {"alpn": "right, other"},
        {"alpn": "right"},
        speaks("other"),
        speaks("right"),
        EVERYWHERE,
    ),
    Row("no protocol", *NO_PROTOCOL, {}, {"alpn": "right"}, RICH, speaks("right")),
]


def keys(**known):
    """A file of pre-shared keys."""

    def write(world):
        return world.file("psk", b"".join(f"{name}:{key}\n".encode() for name, key in known.items()))

    return write


def has(name, key):
    return Peer(None, psk=(name, key))


KEY, OTHER_KEY = "5a" * 32, "a5" * 32
WEST, EAST = has("west", KEY), has("east", OTHER_KEY)
BOTH_KEYS = {"psk": keys(west=KEY, east=OTHER_KEY)}
AS_WEST = {"cert": None, "key": None, "ca": None, "psk": keys(west=KEY), "psk_identity": "west"}
# The server ends the handshake itself where it has another key than the client.
KEYS = [
    Row(
        "wrong key",
        "decrypt_error",
        ("another pre-shared key",),
        {"psk": keys(west=KEY)},
        {"psk": keys(west="11" * 32, east=OTHER_KEY)},
        WEST,
        EAST,
        CLIENTS,
        resumes=("1.2",),
    ),
    Row(
        "unknown identity",
        "decrypt_error",
        ("not in psk",),
        {"psk": keys(west=KEY)},
        {"psk": keys(east=OTHER_KEY)},
        WEST,
        EAST,
        OFFLOAD,
        resumes=("1.2",),
    ),
    Row(
        "not allowed",
        *NOT_ALLOWED,
        BOTH_KEYS,
        {**BOTH_KEYS, "allow": "psk:east"},
        WEST,
        EAST,
        OFFLOAD,
        OFFLOAD,
        ("1.2",),
    ),
    Row(
        "denied",
        *denied("psk:west"),
        {**BOTH_KEYS, "deny": "psk:east"},
        {**BOTH_KEYS, "deny": "psk:west"},
        WEST,
        EAST,
        OFFLOAD,
        OFFLOAD,
        ("1.2",),
    ),
    Row(
        "a server with another key",
        None,
        ("handshake",),
        AS_WEST,
        {**AS_WEST, "psk": keys(west=OTHER_KEY)},
        WEST,
        has("west", OTHER_KEY),
        ENCRYPT,
        resumes=(),
    ),
    Row(
        "a server that is denied",
        *denied("psk:west"),
        AS_WEST,
        {**AS_WEST, "deny": "psk:west"},
        WEST,
        None,
        ENCRYPT,
        resumes=(),
    ),
]


@cases(RULES)
def test_whom_a_rule_keeps_out_is_refused(decide, row, place):
    decide(row, place)


@cases(GREETINGS)
def test_who_wants_something_else_is_refused(decide, row, place):
    decide(row, place)


@cases(KEYS)
def test_another_pre_shared_key_is_refused(decide, row, place):
    decide(row, place)
