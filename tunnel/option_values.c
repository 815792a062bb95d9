/* SPDX-License-Identifier: MIT */
#include "tunnel/option_values.h"

#include <ctype.h>
#include <string.h>

#include "common/address.h"
#include "common/diag.h"

enum { HOST_NAME_LIMIT = 253 }; /* RFC 1035 section 2.3.4, without the root's dot */

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
