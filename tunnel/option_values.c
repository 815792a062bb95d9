/* SPDX-License-Identifier: MIT */
#include "tunnel/option_values.h"

#include <ctype.h>
#include <string.h>

#include "common/address.h"
#include "common/diag.h"
#include "common/schema.h"
#include "tunnel/pin.h"
#include "tunnel/rule.h"
#include "tunnel/sni.h"

enum {
	HOST_NAME_LIMIT = 253, /* RFC 1035 section 2.3.4, without the root's dot */
	ALPN_NAME_LIMIT = 31,  /* GnuTLS takes no more bytes ... */
	ALPN_COUNT_LIMIT = 8,  /* ... and no more names */
	PSK_IDENTITY_LIMIT = 127,
};

int
check_accept(const char *value, struct diag *diag)
{
	struct address address;

	if (address_parse(&address, value, true, diag) < 0)
		return diag_prefix(diag, "is not an address to listen on");
	return 0;
}

int
check_connect(const char *value, struct diag *diag)
{
	struct address address;

	if (address_parse(&address, value, false, diag) < 0)
		return diag_prefix(diag, "is not an address to connect to");
	return 0;
}

int
check_include(const char *value, struct diag *diag)
{
	size_t length = strlen(value);

	if (length < 5 || strcmp(value + length - 5, ".conf") != 0) {
		return diag_set(diag,
			"does not end in .conf, and only such files are read; write a pattern "
			"such as conf.d/*.conf");
	}
	return 0;
}

static bool
is_ip(const char *value)
{
	unsigned char ip[16];

	return address_ip_bytes(value, ip) > 0;
}

static bool
is_host_name(const char *value)
{
	size_t length = strlen(value);

	if (length > HOST_NAME_LIMIT || value[0] == '.' || value[0] == '-' || strstr(value, ".."))
		return false;
	for (const char *c = value; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
			return false;
	}
	return true;
}

int
check_peer_name(const char *value, struct diag *diag)
{
	if (is_ip(value) || is_host_name(value))
		return 0;
	return diag_set(diag,
		"is neither a host name nor an IP address; write one without a port, brackets or "
		"wildcards");
}

int
check_server_name(const char *value, struct diag *diag)
{
	if (is_ip(value)) {
		return diag_set(diag,
			"is an IP address, which SNI cannot carry; write a host name or none");
	}
	if (!is_host_name(value)) {
		return diag_set(
			diag, "is not a host name; write one without a port or wildcards, or none");
	}
	return 0;
}

/* Can clients ask for @pattern, or for names like it? */
static int
check_pattern(const char *pattern, struct diag *diag)
{
	if (is_ip(pattern))
		return diag_set(diag, "is an IP address, which SNI cannot carry");
	return sni_check(pattern, diag);
}

int
check_sni(const char *value, struct diag *diag)
{
	size_t length;

	for (const char *element; (element = schema_next(&value, &length));) {
		char pattern[SNI_PATTERN_MAX + 2] = "";

		memcpy(pattern, element, length < sizeof(pattern) ? length : sizeof(pattern) - 1);
		if (check_pattern(pattern, diag) < 0) {
			return diag_prefix(diag,
				"is not a list of names that clients ask for: \"%s\"", pattern);
		}
	}
	return 0;
}

/* Is the name of @length bytes at @name an element of the list before it? */
static bool
is_in_list_before(const char *list, const char *name, size_t length)
{
	size_t other_length;

	for (const char *other; (other = schema_next(&list, &other_length)) && other < name;) {
		if (other_length == length && memcmp(other, name, length) == 0)
			return true;
	}
	return false;
}

int
check_alpn(const char *value, struct diag *diag)
{
	const char *cursor = value;
	size_t length, count = 0;

	for (const char *name; (name = schema_next(&cursor, &length));) {
		if (length > ALPN_NAME_LIMIT) {
			return diag_set(diag,
				"has \"%.*s\", which is too long for the name of a protocol; "
				"use up to 31 characters",
				(int)length, name);
		}
		if (is_in_list_before(value, name, length)) {
			return diag_set(
				diag, "has \"%.*s\" twice; remove one of both", (int)length, name);
		}
		if (++count > ALPN_COUNT_LIMIT)
			return diag_set(diag, "has too many names; write up to eight");
	}
	return 0;
}

int
check_rule(const char *value, struct diag *diag)
{
	struct rule *rule = rule_new(value, diag);

	rule_free(rule);
	return rule ? 0 : -1;
}

int
check_pin(const char *value, struct diag *diag)
{
	struct pin pin;

	return pin_parse(&pin, value, diag);
}

int
check_psk_identity(const char *value, struct diag *diag)
{
	if (strlen(value) > PSK_IDENTITY_LIMIT || strchr(value, ':')) {
		return diag_set(diag,
			"is no identity of a pre-shared key; use up to 127 characters and no "
			"colon");
	}
	return 0;
}
