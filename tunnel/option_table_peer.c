/* SPDX-License-Identifier: MIT */
/* What the peer of one side must prove. */
#include "tunnel/option_row.h"

static const char *const none_only[] = {"none", NULL};
static const char *const trust_words[] = {"system", "none", NULL};
static const char *const verifications[] = {"no", "optional", "yes", NULL};
static const char *const missing_lists[] = {"refuse", "accept", NULL};
static const char *const staples[] = {"off", "check", "require", NULL};

static const struct option rows[] = {
	{
		.name = "ca",
		.value = "FILE",
		.schema = TEXT,
		.words = trust_words,
		.missing = "name the file with the CA certificates that vouch for the peer",
		OF_SIDE(ca),
		.traits = OPTION_REQUIRED | OPTION_PATH | OPTION_NEEDS_SHOWN,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_TEXT,
		.sample = {"/etc/sallyport/ca.crt", "/etc/sallyport/ca.crt"},
		.summary =
			"CA certificates that vouch for the peer: a file, a directory, or system",
		.text = "The certificate authorities that vouch for the peer: a PEM file, a "
			"directory of PEM files, or `system` for those that the operating "
			"system trusts. With `system` on the side that accepts, `allow` "
			"must say who may pass, since anybody can get a certificate of a "
			"public authority. `none` goes by `pin` alone. It may be left out, "
			"or be `none` without a pin, where `psk` is written, and with "
			"`verify = no`.",
	},
	{
		.name = "verify",
		.value = "yes|optional|no",
		.schema = WORD(verifications),
		.initial = "yes",
		OF_SIDE(verify),
		.traits = OPTION_PREFIXED,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_ENUM,
		.summary = "whether the peer must prove who it is",
		.text = "Whether the peer must prove who it is. On the side that "
			"accepts, `yes` requires a certificate, `optional` takes clients "
			"without one but refuses a bad one, and `no` asks for none. On the "
			"side that connects, `yes` checks the server's certificate and its "
			"name, and `no` checks neither. Anything but `yes` warns at every "
			"start.",
	},
	{
		.name = "peer-name",
		.value = "NAME|IP",
		.schema = TEXT,
		.words = none_only,
		.check = check_peer_name,
		.otherwise = "the host of connect",
		OF_SIDE(peer_name),
		.traits = OPTION_NEEDS_CHAIN,
		.modes = 1 << MODE_ENCRYPT | 1 << MODE_BRIDGE,
		.sides = 1 << SIDE_CONNECT,
		.field = FIELD_TEXT,
		.sample = {"db.example.net"},
		.summary = "name or IP address that the server's certificate must have",
		.text = "The name or IP address that must stand in the server's "
			"certificate. It must be written when `connect` is a UNIX socket. "
			"`none` accepts every name, and needs a rule in `allow`, a `pin`, "
			"or `verify = no`. With `ca = none` no name is looked at.",
	},
	{
		.name = "server-name",
		.value = "NAME",
		.schema = TEXT,
		.words = none_only,
		.check = check_server_name,
		.otherwise = "peer-name, unless that is an IP address or none",
		OF_SIDE(server_name),
		.modes = 1 << MODE_ENCRYPT | 1 << MODE_BRIDGE,
		.sides = 1 << SIDE_CONNECT,
		.field = FIELD_TEXT,
		.sample = {"db.example.net"},
		.summary = "name to ask the server for (SNI)",
		.text = "The name that the server is asked for in the handshake "
			"(SNI). With `none` it is asked for no name.",
	},
	{
		.name = "allow",
		.value = "RULE",
		.schema = TEXT,
		.check = check_rule,
		.otherwise = "everybody who is verified",
		OF_SIDE(allow),
		.traits = OPTION_REPEATED | OPTION_PREFIXED | OPTION_NEEDS_VERIFY,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_TEXTS,
		.sample = {"dns:db.example.net", "dns:app.example.net, from:192.0.2.0/24"},
		.summary = "who may pass, of those verified (can be repeated)",
		.text = "A rule on who may pass, of those whose certificate or pre-shared "
			"key is good: several conditions, separated by commas, which must "
			"all hold. Written several times, one rule that holds is enough. "
			"RULES in sallyport.conf(5) lists the conditions. Without it "
			"everybody whose proof is good may pass. It is needed on the side "
			"that accepts with `ca = system`.",
	},
	{
		.name = "deny",
		.value = "RULE",
		.schema = TEXT,
		.check = check_rule,
		.otherwise = "nobody",
		OF_SIDE(deny),
		.traits = OPTION_REPEATED | OPTION_PREFIXED | OPTION_ADDED | OPTION_NEEDS_VERIFY,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_TEXTS,
		.sample = {"cn:retired", "cn:retired"},
		.summary = "who may not pass (can be repeated)",
		.text = "A rule on who may not pass, whatever `allow` says. What is written "
			"in a section is added to what is inherited. RULES in "
			"sallyport.conf(5) lists the conditions.",
	},
	{
		.name = "pin",
		.value = "sha256:BASE64",
		.schema = TEXT,
		.check = check_pin,
		.otherwise = "any key that the certificate vouches for",
		OF_SIDE(pins),
		.traits = OPTION_REPEATED | OPTION_PREFIXED | OPTION_NEEDS_VERIFY |
			OPTION_NEEDS_TRUST,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_TEXTS,
		.sample = {"sha256:HOO0L0znY4kBZr0MKmOIlw5GnpGIj/ogXbkdvIN+VZI=",
			"sha256:HOO0L0znY4kBZr0MKmOIlw5GnpGIj/ogXbkdvIN+VZI="},
		.summary = "SHA-256 of the peer's public key (can be repeated)",
		.text = "The SHA-256 of the public key that the peer must have, as "
			"`sallyport pki show` prints it. Written several times, any of them "
			"is good. It must hold in addition to everything else; with `ca = "
			"none` it takes the place of the chain, the purpose and the name of "
			"the certificate, whose dates still count.",
	},
	{
		.name = "crl",
		.value = "FILE",
		.schema = TEXT,
		.otherwise = "no lists are looked at",
		OF_SIDE(crl),
		.traits = OPTION_PATH | OPTION_NEEDS_VERIFY | OPTION_NEEDS_CHAIN,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_TEXT,
		.sample = {"/etc/sallyport/ca.crl", "/etc/sallyport/ca.crl"},
		.summary = "certificate revocation lists: a file or a directory",
		.text = "The certificate revocation lists: a PEM file, or a directory of "
			"such files. With them every certificate in the peer's chain is "
			"looked up in the list of its issuer, which must be there, be "
			"signed by the issuer, and not have expired. A file in which one "
			"list is bad is refused as a whole. REVOCATION in sallyport.conf(5) "
			"says more.",
	},
	{
		.name = "crl-missing",
		.value = "refuse|accept",
		.schema = WORD(missing_lists),
		.initial = "refuse",
		.needs = "crl",
		OF_SIDE(crl_missing),
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_ENUM,
		.summary = "whether an issuer without a list is accepted",
		.text = "What to do with a certificate whose issuer has no list in `crl`. "
			"`accept` warns at every start. A list that has expired refuses "
			"always.",
	},
	{
		.name = "ocsp",
		.value = "off|check|require",
		.schema = WORD(staples),
		.initial = "check",
		OF_SIDE(ocsp),
		.traits = OPTION_NEEDS_VERIFY | OPTION_NEEDS_CHAIN,
		.modes = 1 << MODE_ENCRYPT | 1 << MODE_BRIDGE,
		.sides = 1 << SIDE_CONNECT,
		.field = FIELD_ENUM,
		.summary = "whether the server's OCSP staple is checked",
		.text = "Whether the OCSP response that the server staples to its "
			"certificate is looked at. `check` refuses one that is bad or says "
			"revoked, and a certificate that promises a response (must-staple) "
			"and has none; `require` refuses every server without one; `off` "
			"looks at none.",
	},
	{
		.name = "remember-chains",
		.value = "yes|no",
		.schema = BOOLEAN,
		.initial = "yes",
		OF_SIDE(remember_chains),
		.traits = OPTION_NEEDS_VERIFY | OPTION_NEEDS_CHAIN,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_BOOL,
		.summary = "whether chains that verified are remembered",
		.text = "Whether it is remembered, for at most five minutes, that the "
			"certificate chain of a peer verified, so that the signatures in it "
			"are not verified anew at each connection of that peer. With `no` "
			"they are, also for resumed sessions. Rules, pins, dates and "
			"revocation are never remembered. REMEMBERED CHAINS "
			"in sallyport.conf(5) says more.",
	},
	{
		.name = "psk",
		.value = "FILE",
		.schema = TEXT,
		.otherwise = "no pre-shared keys",
		OF_SIDE(psk),
		.traits = OPTION_PATH | OPTION_PREFIXED | OPTION_NEEDS_VERIFY,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_TEXT,
		.sample = {"/etc/sallyport/app.psk", "/etc/sallyport/db.psk"},
		.summary = "file with pre-shared keys",
		.text = "File with pre-shared keys, a line each: an identity, a colon, and "
			"the key in hexadecimal digits. Who has one of the keys is let in "
			"without a certificate. Where it is written, `ca` may be left out: "
			"then nobody is let in otherwise; and `cert` may be left out: then "
			"this end shows no certificate. The file is judged by its "
			"permissions as a private key is. Pre-shared keys are used with "
			"(EC)DHE only.",
	},
	{
		.name = "psk-identity",
		.value = "NAME",
		.schema = TEXT,
		.check = check_psk_identity,
		.otherwise = "none",
		.needs = "psk",
		OF_SIDE(psk_identity),
		.modes = 1 << MODE_ENCRYPT | 1 << MODE_BRIDGE,
		.sides = 1 << SIDE_CONNECT,
		.field = FIELD_TEXT,
		.sample = {"app"},
		.summary = "which key in psk this end has",
		.text = "The identity of the key in `psk` by which this end makes itself "
			"known. It must be written on the side that connects where `psk` "
			"is.",
	},
};

const struct option_table option_table_peer = TABLE(rows);
