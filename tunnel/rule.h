/* SPDX-License-Identifier: MIT */
/*
 * rule.h - a line of `allow` or `deny`: conditions on who a peer is, all of which must hold.
 *
 *	dns:app.example.net, from:10.0.0.0/8
 *
 * A rule compares texts and bytes with facts about the peer and knows neither certificates nor
 * sessions. A condition holds if any fact of its kind fits. `\,` in a line is a comma, `\\` a
 * backslash, and any other backslash itself. Of issuer, serial, pin, psk and from there is one in a line.
 *
 *	cn: ou: o:	exactly the attribute of the subject
 *	dns:		ASCII case-insensitive; `*` stands for one whole label
 *	uri:		exactly; `*` for one path segment, a last `**` for one segment or more
 *	ip:		an address or CIDR prefix of an address in the certificate
 *	email:		exactly, but the domain case-insensitively
 *	issuer: 	the issuer as certificate_issuer() writes it
 *	serial: 	hexadecimal, colons allowed; only beside an issuer
 *	pin:sha256: 	the key, as certificate_pin() writes it
 *	psk:		the identity of a pre-shared key, exactly
 *	from:		an address or CIDR prefix of the client's address
 *	any		always
 */
#ifndef TUNNEL_RULE_H
#define TUNNEL_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct diag;
struct endpoint;

enum fact_kind {
	FACT_CN,
	FACT_OU,
	FACT_O,
	FACT_DNS,
	FACT_URI,
	FACT_IP, /* 4 or 16 bytes */
	FACT_EMAIL,
	FACT_SERIAL, /* big-endian, without leading zeros */
	FACT_ISSUER, /* printable, as certificate_issuer() writes it */
	FACT_PIN,    /* 32 bytes */
	FACT_PSK,
};

/* Something that the peer has proved, as the certificate has it: any bytes, a NUL included. */
struct fact {
	enum fact_kind kind;
	size_t size;
	const uint8_t *bytes;
};

/* What is known of a peer. */
struct facts {
	const struct fact *list;
	size_t count;
	/* The client's address; NULL: not known, no condition on it holds. */
	const struct endpoint *from;
};

struct rule;

/* Parse @text. The caller frees the result with rule_free(). NULL with words: what is wrong; the remedy. */
MUST_USE struct rule *rule_new(const char *text, struct diag *diag);

void rule_free(struct rule *rule);

/* Do all conditions of @rule hold? A fact with a NUL in it fits nothing but an address, a serial or a pin. */
bool rule_matches(const struct rule *rule, const struct facts *facts);

/* Has @rule a condition `from:`? Such a rule means something on the side that accepts only. */
bool rule_asks_for_address(const struct rule *rule);

#endif
