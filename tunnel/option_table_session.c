/* SPDX-License-Identifier: MIT */
/* How TLS is spoken on one side. */
#include "tunnel/option_row.h"

static const char *const versions[] = {"1.2", "1.3", NULL};
static const char *const truncations[] = {"abort", "accept", NULL};

static const struct option rows[] = {
	{
		.name = "tls-min-version",
		.value = "VERSION",
		.schema = WORD(versions),
		.initial = "1.2",
		OF_SIDE(min_version),
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_ENUM,
		.summary = "oldest version of TLS: 1.2 or 1.3",
		.text = "The oldest version of TLS that is spoken.",
	},
	{
		.name = "tls-max-version",
		.value = "VERSION",
		.schema = WORD(versions),
		.initial = "1.3",
		OF_SIDE(max_version),
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_ENUM,
		.summary = "newest version of TLS: 1.2 or 1.3",
		.text = "The newest version of TLS that is spoken. It is preferred "
			"where the peer has it.",
	},
	{
		.name = "priority",
		.value = "STRING",
		.schema = TEXT,
		.initial = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
			   ":-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA"
			   ":-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"
			   ":-MAC-ALL:+AEAD"
			   ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1"
			   ":%SERVER_PRECEDENCE:%PROFILE_MEDIUM",
		OF_SIDE(priority),
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_TEXT,
		.summary = "GnuTLS priority string: ciphers, groups, profile",
		.text = "The ciphers, groups and signatures that are spoken, as a "
			"priority string of GnuTLS. The versions in it are replaced by "
			"`tls-min-version` and `tls-max-version`. The profile is MEDIUM unless "
			"the string sets one. The default leaves out everything without "
			"forward secrecy or authenticated encryption, and begins with the "
			"post-quantum group X25519-MLKEM768 where the GnuTLS at run time has "
			"it; a string of your own is your own risk.",
	},
	{
		.name = "handshake-timeout",
		.value = "TIME",
		.schema = DURATION(MILLISECONDS(100), HOURS(1)),
		.initial = "10s",
		OF_SIDE(handshake_timeout),
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_SECONDS,
		.summary = "how long a TLS handshake may take",
		.text = "How long the whole TLS handshake may take, however slowly "
			"its bytes come.",
	},
	{
		.name = "truncation",
		.value = "abort|accept",
		.schema = WORD(truncations),
		.initial = "abort",
		OF_SIDE(truncation),
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_ENUM,
		.summary = "what a TLS end without close_notify means",
		.text = "What it means when the peer ends the connection without "
			"saying so by TLS (close_notify). With `abort` the data may have been "
			"cut by an attacker, and the tunnel is aborted. With `accept` it is an "
			"end like any other, for old peers that never say it.",
	},
	{
		.name = "tickets",
		.value = "yes|no",
		.schema = BOOLEAN,
		.initial = "yes",
		OF_SIDE(tickets),
		.traits = OPTION_NEEDS_PROOF,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_BOOL,
		.summary = "whether sessions may be resumed",
		.text = "Whether a TLS session may be resumed by a ticket, which saves the "
			"signatures of a full handshake. Who resumes is judged by the "
			"trust, lists and rules of that moment, as in a full handshake. "
			"Early data (0-RTT) is never taken or sent.",
	},
	{
		.name = "ticket-lifetime",
		.value = "TIME",
		.schema = DURATION(MINUTES(1), DAYS(7)),
		.initial = "6h",
		.needs = "tickets",
		OF_SIDE(ticket_lifetime),
		.traits = OPTION_NEEDS_PROOF,
		.modes = 1 << MODE_OFFLOAD | 1 << MODE_BRIDGE,
		.sides = 1 << SIDE_ACCEPT,
		.field = FIELD_SECONDS,
		.summary = "how long a ticket can be used",
		.text = "How long a ticket can be used. RFC 8446 has seven days at most.",
	},
	{
		.name = "ticket-keys",
		.value = "FILE",
		.schema = TEXT,
		.otherwise = "random bytes, made at the start",
		.needs = "tickets",
		OF_SIDE(ticket_keys),
		.traits = OPTION_PATH | OPTION_NEEDS_PROOF,
		.modes = 1 << MODE_OFFLOAD | 1 << MODE_BRIDGE,
		.sides = 1 << SIDE_ACCEPT,
		.field = FIELD_TEXT,
		.sample = {NULL, "/etc/sallyport/ticket.key"},
		.summary = "file with the secret of tickets",
		.text = "File of 64 random bytes, made by `sallyport pki ticket-key FILE`, "
			"from which the keys of tickets are derived, so that sessions can "
			"be resumed after a restart and at every machine that has the same "
			"file. It is judged by its permissions as a private key is. A "
			"ticket is good for the section and the policy under which it was "
			"given only.",
	},
};

const struct option_table option_table_session = TABLE(rows);
