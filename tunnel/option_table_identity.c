/* SPDX-License-Identifier: MIT */
/* What one side shows to its peer. */
#include "tunnel/option_row.h"

static const char *const none_only[] = {"none", NULL};
static const char *const permissions[] = {"off", "yes", NULL};

static const struct option rows[] = {
	{
		.name = "cert",
		.value = "FILE",
		.schema = TEXT,
		.words = none_only,
		.missing = "name the file with the certificate that this end shows to its peer",
		.level = OPTION_OF_SIDE,
		.traits = OPTION_REQUIRED | OPTION_PAIRED | OPTION_PATH | OPTION_TOKEN |
			OPTION_REPEATED,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.sample = {"/etc/sallyport/app.crt", "/etc/sallyport/db.crt"},
		.summary = "this end's certificate chain (can be repeated)",
		.text = "File with the certificate that this end shows to its peer, "
			"followed by the intermediate certificates, if there are any: PEM, "
			"PKCS#12, or the URL of a certificate on a PKCS#11 token, such as "
			"`pkcs11:token=app;object=cert`. Written several times, the best "
			"that the peer can do is shown: Ed25519 before ECDSA before RSA. On "
			"the side that connects, `none` may be written: the peer must then "
			"admit clients without a certificate. It may be left out where "
			"`psk` is written. It is inherited together with `key`.",
	},
	{
		.name = "key",
		.value = "FILE",
		.schema = TEXT,
		.otherwise = "the file of cert",
		.level = OPTION_OF_SIDE,
		.traits = OPTION_PAIRED | OPTION_PATH | OPTION_TOKEN | OPTION_REPEATED |
			OPTION_NEEDS_CERT,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.sample = {"/etc/sallyport/app.key", "/etc/sallyport/db.key"},
		.summary = "the private key of cert (can be repeated)",
		.text = "File with the private key of `cert`: PEM, PKCS#12, either of them "
			"encrypted (see `password-file`), or the URL of a key on a PKCS#11 "
			"token, such as `pkcs11:token=app;object=key`. With several "
			"certificates there are as many keys in the same place, the first "
			"for the first, or none at all, and every certificate's file has "
			"its key in it. The file is refused when others can read or write "
			"it, when its group can write it, or when its group can read it and "
			"its owner is not root. It is inherited together with `cert`: where "
			"one of both is written, neither is inherited.",
	},
	{
		.name = "password-file",
		.value = "FILE",
		.schema = TEXT,
		.otherwise = "keys are not encrypted",
		OF_SIDE(password_file),
		.traits = OPTION_PATH | OPTION_NEEDS_CERT,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_TEXT,
		.sample = {"/etc/sallyport/app.password", "/etc/sallyport/db.password"},
		.summary = "file with the password of encrypted keys",
		.text = "File with the password of an encrypted `key` (PEM or PKCS#12) in "
			"its first line, without the newline; an empty line is the empty "
			"password. The file is judged by its permissions as the key is.",
	},
	{
		.name = "pin-source",
		.value = "FILE",
		.schema = TEXT,
		.otherwise = "tokens ask for no PIN",
		OF_SIDE(pin_source),
		.traits = OPTION_PATH | OPTION_NEEDS_CERT | OPTION_NEEDS_TOKEN,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_TEXT,
		.sample = {"/etc/sallyport/token.pin", "/etc/sallyport/token.pin"},
		.summary = "file with the PIN of the PKCS#11 token",
		.text = "File with the PIN of the PKCS#11 token in its first line. The file "
			"is judged by its permissions as a key is.",
	},
	{
		.name = "key-permissions",
		.value = "yes|off",
		.schema = WORD(permissions),
		.initial = "yes",
		OF_SIDE(key_permissions),
		.traits = OPTION_NEEDS_SECRET,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_BOOL,
		.summary = "refuse secrets that others can read",
		.text = "Whether the permissions of the key file are judged, and those of "
			"the other files with secrets: `password-file`, `pin-source`, `psk` "
			"and `ticket-keys`. `off` is for file systems that have none, and "
			"warns at every start.",
	},
	{
		.name = "ocsp-response",
		.value = "FILE",
		.schema = TEXT,
		.otherwise = "nothing is stapled",
		OF_SIDE(ocsp_response),
		.traits = OPTION_PATH | OPTION_NEEDS_CERT,
		.modes = 1 << MODE_OFFLOAD | 1 << MODE_BRIDGE,
		.sides = 1 << SIDE_ACCEPT,
		.field = FIELD_TEXT,
		.sample = {NULL, "/etc/sallyport/db.ocsp"},
		.summary = "OCSP response to staple to the certificate",
		.text = "File with the OCSP response that is stapled to this end's "
			"certificate, so that clients see that it is not revoked: as DER, "
			"or as PEM with one for each of several certificates. It is read "
			"again whenever it changes, and is not sent once it has expired.",
	},
	{
		.name = "sni",
		.value = "NAME,...",
		.schema = LIST,
		.check = check_sni,
		.otherwise = "every client is taken",
		OF_SIDE(sni),
		.traits = OPTION_OWN,
		.modes = 1 << MODE_OFFLOAD | 1 << MODE_BRIDGE,
		.sides = 1 << SIDE_ACCEPT,
		.field = FIELD_LIST,
		.sample = {NULL, "db.example.net"},
		.summary = "names that clients must ask for; default takes the rest",
		.text = "The names that clients ask for (SNI) to get this service: host "
			"names, `*.example.net` for any one label in front of "
			"`example.net`, and `default` for every name that no other section "
			"has, and for clients that ask for none. Without `default` such "
			"clients are refused with unrecognized_name. Sections that all have "
			"`sni` may share an address in `accept`. SEVERAL NAMES ON ONE PORT "
			"in sallyport.conf(5) says more.",
	},
	{
		.name = "alpn",
		.value = "NAME,...",
		.schema = LIST,
		.check = check_alpn,
		.otherwise = "no protocol is agreed on",
		OF_SIDE(alpn),
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_LIST,
		.sample = {"postgresql", "postgresql"},
		.summary = "protocols to agree on (ALPN), preferred first",
		.text = "The protocols that are offered or taken (ALPN), the preferred one "
			"first, at most eight. A peer that agrees on none of them is "
			"refused with no_application_protocol, whichever end it is.",
	},
};

const struct option_table option_table_identity = TABLE(rows);
