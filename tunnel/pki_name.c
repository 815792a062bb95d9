/* SPDX-License-Identifier: MIT */
#include "tunnel/pki_name.h"

#include <string.h>

#include "common/address.h"
#include "common/diag.h"

enum { LABEL_LIMIT = 63, HOST_LIMIT = 253 };

static const char digits[] = "0123456789";
static const char alphanumeric[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char label_characters[] =
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";
static const char stem_characters[] =
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._@";
static const char scheme_characters[] =
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-.";

static bool
is_printable(const char *text, char lowest)
{
	for (; *text; text++) {
		if (*text < lowest || *text > '~')
			return false;
	}
	return true;
}

static bool
is_label(const char *label, size_t length)
{
	if (length == 0 || length > LABEL_LIMIT || label[0] == '-' || label[length - 1] == '-')
		return false;
	return strspn(label, label_characters) >= length;
}

static int
parse_dns(struct pki_name *name, struct diag *diag)
{
	bool has_wildcard = strncmp(name->text, "*.", 2) == 0;
	const char *host = name->text + (has_wildcard ? 2 : 0);

	if (!pki_name_is_host(host) || (has_wildcard && !strchr(host, '.'))) {
		return diag_set(diag, "\"%.300s\" is not a host name (an address goes with --ip)",
			name->text);
	}
	return 0;
}

static int
parse_ip(struct pki_name *name, struct diag *diag)
{
	name->ip_size = address_ip_bytes(name->text, name->ip);
	if (name->ip_size == 0) {
		return diag_set(diag,
			"\"%.300s\" is not an IP address (a host name goes with --dns)",
			name->text);
	}
	return 0;
}

static int
parse_uri(struct pki_name *name, struct diag *diag)
{
	size_t scheme = strspn(name->text, scheme_characters);
	bool begins_well =
		scheme > 0 && !strchr(digits, name->text[0]) && strchr(alphanumeric, name->text[0]);

	if (!begins_well || name->text[scheme] != ':' || !name->text[scheme + 1]) {
		return diag_set(diag,
			"\"%.300s\" is not a URI: it needs a scheme, as in spiffe://example.net/db",
			name->text);
	}
	return 0;
}

bool
pki_name_is_host(const char *text)
{
	const char *label = text;
	size_t length;

	if (strlen(text) > HOST_LIMIT)
		return false;
	while (length = strcspn(label, "."), is_label(label, length) && label[length] == '.')
		label += length + 1;
	return is_label(label, length) && strspn(label, digits) < length;
}

int
pki_name_parse(struct pki_name *name, enum pki_name_kind kind, const char *text, struct diag *diag)
{
	static int (*const parsers[])(struct pki_name *, struct diag *) = {
		[PKI_NAME_DNS] = parse_dns,
		[PKI_NAME_IP] = parse_ip,
		[PKI_NAME_URI] = parse_uri,
	};

	if (strlen(text) > PKI_NAME_LIMIT)
		return diag_set(diag, "a name has at most %d characters", PKI_NAME_LIMIT);
	if (!is_printable(text, '!')) {
		return diag_set(diag,
			"a name has neither spaces nor control nor other than ASCII characters "
			"(write the host name in its xn-- form, the URI percent-encoded)");
	}
	*name = (struct pki_name){.kind = kind, .text = text};
	return parsers[kind](name, diag);
}

int
pki_name_check_stem(const char *text, struct diag *diag)
{
	size_t length = strlen(text);

	if (length == 0 || length > PKI_NAME_STEM_LIMIT || strspn(text, stem_characters) < length ||
		!strchr(alphanumeric, text[0])) {
		return diag_set(diag,
			"the name of a certificate, which names its files too, is 1 to %d letters, "
			"digits, '.', '_', '-' and '@', and begins with a letter or digit "
			"(what peers see is set with --dns, --ip and --uri)",
			PKI_NAME_STEM_LIMIT);
	}
	if (strcmp(text, "ca") == 0)
		return diag_set(diag, "\"ca\" names the authority's own files: take another name");
	return 0;
}

int
pki_name_check_common(const char *text, struct diag *diag)
{
	size_t length = strlen(text);

	if (length == 0 || length > PKI_NAME_STEM_LIMIT || !is_printable(text, ' ')) {
		return diag_set(diag, "a common name is 1 to %d printable ASCII characters",
			PKI_NAME_STEM_LIMIT);
	}
	return 0;
}
