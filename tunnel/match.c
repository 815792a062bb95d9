/* SPDX-License-Identifier: MIT */
#include "tunnel/match.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/address.h"
#include "common/diag.h"

enum { LABEL_LIMIT = 63, NAME_LIMIT = 253 }; /* RFC 1035 section 2.3.4 */

enum { MAPPED_BITS = 96 }; /* of ::ffff:0:0/96, RFC 4291 section 2.5.5.2 */

#define DIGITS	"0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static const char label_characters[] = DIGITS LETTERS "-_";
static const char scheme_characters[] = DIGITS LETTERS "+-.";
static const char attribute_characters[] = DIGITS LETTERS "-.";

/* ASCII alone: what a locale thinks does not matter to names. */
static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool
is_same_letters(const char *a, const uint8_t *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (lower((uint8_t)a[i]) != lower(b[i]))
			return false;
	}
	return true;
}

static bool
is_ascii(const char *text, char lowest)
{
	for (; *text; text++) {
		if (*text < lowest || *text > '~')
			return false;
	}
	return true;
}

static int
check_label(const char *label, size_t length, struct diag *diag)
{
	if (length == 0)
		return diag_set(diag, "has an empty label; leave out the dot too much");
	if (length == 1 && label[0] == '*')
		return 0;
	if (memchr(label, '*', length)) {
		return diag_set(diag,
			"has a \"*\" inside a label, but it stands for a whole one; write "
			"*.example.net, or a line for each name");
	}
	if (length > LABEL_LIMIT || label[0] == '-' || label[length - 1] == '-' ||
		strspn(label, label_characters) < length) {
		return diag_set(diag,
			"is not a host name; write labels of at most %d letters, digits and "
			"inner hyphens, without a port",
			LABEL_LIMIT);
	}
	return 0;
}

static int
check_last_label(const char *label, struct diag *diag)
{
	if (strspn(label, DIGITS) < strlen(label))
		return 0;
	return diag_set(
		diag, "is not a host name, which never ends in a number; an address goes with ip:");
}

int
match_check_dns(const char *pattern, struct diag *diag)
{
	size_t length = strlen(pattern);
	const char *label = pattern;

	if (!is_ascii(pattern, ' '))
		return diag_set(diag, "is not ASCII; write the name in its xn-- form");
	if (length > NAME_LIMIT) {
		return diag_set(diag,
			"is longer than a host name can be; write at most %d characters",
			NAME_LIMIT);
	}
	if (length > 0 && pattern[length - 1] == '.')
		return diag_set(diag, "ends in a dot, as no certificate does; leave it out");
	for (;;) {
		length = strcspn(label, ".");
		if (check_label(label, length, diag) < 0)
			return -1;
		if (!label[length])
			return check_last_label(label, diag);
		label += length + 1;
	}
}

/* Where the path of @uri begins, whose scheme is @scheme long. */
static const char *
path_of(const char *uri, size_t scheme)
{
	const char *path = uri + scheme + 1;

	return strncmp(path, "//", 2) == 0 ? path + 2 + strcspn(path + 2, "/?#") : path;
}

/* Check the wildcard that @star begins, in the path that begins at @path. */
static int
check_star(const char *path, const char *star, struct diag *diag)
{
	size_t length = strspn(star, "*");

	if (star <= path) {
		return diag_set(diag,
			"has a \"*\" in scheme or authority; write those in full, and \"*\" for "
			"segments of the path alone");
	}
	if (length > 2 || star[-1] != '/' || (star[length] && star[length] != '/')) {
		return diag_set(diag,
			"has a \"*\" inside a segment, but it stands for a whole one; write "
			"/*/ or a last /**");
	}
	if (length == 2 && star[length])
		return diag_set(
			diag, "has a \"**\" that is not the last segment; write \"*\" for each");
	return 0;
}

int
match_check_uri(const char *pattern, struct diag *diag)
{
	size_t scheme = strspn(pattern, scheme_characters);

	if (!is_ascii(pattern, '!')) {
		return diag_set(diag,
			"has a blank or what is not ASCII, as no URI does; write it "
			"percent-encoded, as the certificate has it");
	}
	if (scheme == 0 || !strchr(LETTERS, pattern[0]) || pattern[scheme] != ':' ||
		!pattern[scheme + 1]) {
		return diag_set(diag,
			"is not a URI; write it with its scheme, as in "
			"uri:spiffe://example.net/orders/*");
	}
	for (const char *star = strchr(pattern, '*'); star; star = strchr(star, '*')) {
		if (check_star(path_of(pattern, scheme), star, diag) < 0)
			return -1;
		star += strspn(star, "*");
	}
	return 0;
}

int
match_check_email(const char *pattern, struct diag *diag)
{
	const char *at = strrchr(pattern, '@');
	struct diag why;

	if (!is_ascii(pattern, ' ')) {
		return diag_set(diag,
			"is not ASCII, as addresses in certificates are; write the domain in its "
			"xn-- form");
	}
	if (!at || at == pattern || strchr(pattern, '*') || match_check_dns(at + 1, &why) < 0) {
		return diag_set(diag,
			"is not a mail address; write LOCAL@HOST in full (there are no wildcards)");
	}
	return 0;
}

/* Does @text begin with the type of an attribute and "="? */
static bool
begins_attribute(const char *text)
{
	size_t length = strspn(text, attribute_characters);

	return length > 0 && text[length] == '=';
}

int
match_check_issuer(const char *pattern, struct diag *diag)
{
	if (!is_ascii(pattern, ' ')) {
		return diag_set(diag,
			"is not ASCII; write the issuer as \"pki show\" prints it, with \\C3\\B6 "
			"for what is not");
	}
	bool good = begins_attribute(pattern);
	for (const char *c = pattern; *c && good; c++) {
		if (*c == '\\' && c[1])
			c++;
		else if (*c == ',' || *c == '+')
			good = begins_attribute(c + 1);
	}
	if (good)
		return 0;
	return diag_set(diag,
		"is not a distinguished name as certificates are compared; write what \"pki show\" "
		"prints, with a backslash before each comma and backslash");
}

/* How many bits the text behind the "/" says, or -1. */
static int
parse_bits(const char *text, unsigned most)
{
	size_t length = strlen(text);
	unsigned bits = 0;

	if (length == 0 || length > 3 || strspn(text, DIGITS) < length ||
		(length > 1 && text[0] == '0'))
		return -1;
	for (; *text; text++)
		bits = bits * 10 + (unsigned)(*text - '0');
	return bits <= most ? (int)bits : -1;
}

/* Clear what is behind the prefix. Returns whether anything was set there. */
static bool
clear_host_bits(struct match_prefix *prefix)
{
	bool any = false;

	for (unsigned i = prefix->bits; i < prefix->size * 8; i++) {
		uint8_t bit = (uint8_t)(0x80 >> i % 8);

		any = any || (prefix->bytes[i / 8] & bit);
		prefix->bytes[i / 8] &= (uint8_t)~bit;
	}
	return any;
}

static int
refuse_host_bits(const struct match_prefix *network, struct diag *diag)
{
	char array[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(
		network->size == 4 ? AF_INET : AF_INET6, network->bytes, array, sizeof(array));
	return diag_set(diag,
		"has bits set behind its prefix; write %s/%u for the network, or the address "
		"without \"/\"",
		array, network->bits);
}

int
match_prefix_parse(struct match_prefix *prefix, const char *text, struct diag *diag)
{
	struct match_prefix parsed = {.size = 0};
	size_t length = strcspn(text, "/");
	char address[INET6_ADDRSTRLEN];

	if (length < sizeof(address)) {
		memcpy(address, text, length);
		address[length] = '\0';
		parsed.size = address_ip_bytes(address, parsed.bytes);
	}
	if (parsed.size == 0) {
		return diag_set(diag,
			"is not an IP address; write one such as 192.0.2.1 or 2001:db8::/32, "
			"without port, brackets or zone");
	}
	int bits = text[length] ? parse_bits(text + length + 1, parsed.size * 8)
				: (int)parsed.size * 8;
	if (bits < 0) {
		return diag_set(diag,
			"does not end in the length of a prefix; write a number from 0 to %u",
			parsed.size * 8);
	}
	parsed.bits = (unsigned)bits;
	if (clear_host_bits(&parsed))
		return refuse_host_bits(&parsed, diag);
	*prefix = parsed;
	return 0;
}

bool
match_text(const char *pattern, const uint8_t *name, size_t size)
{
	return size > 0 && strlen(pattern) == size && memcmp(pattern, name, size) == 0;
}

/* How many bytes of @name there are before @separator. */
static size_t
piece(const uint8_t *name, size_t size, char separator)
{
	const uint8_t *end = size > 0 ? memchr(name, separator, size) : NULL;

	return end ? (size_t)(end - name) : size;
}

static bool
has_nul(const uint8_t *name, size_t size)
{
	return size > 0 && memchr(name, '\0', size);
}

bool
match_dns(const char *pattern, const uint8_t *name, size_t size)
{
	size_t taken = 0;

	if (has_nul(name, size))
		return false;
	for (; *pattern && taken < size; pattern++) {
		size_t length = *pattern == '*' ? piece(name + taken, size - taken, '.') : 1;

		if (length == 0 ||
			(*pattern != '*' && lower((uint8_t)*pattern) != lower(name[taken])))
			return false;
		taken += length;
	}
	return !*pattern && taken == size;
}

bool
match_uri(const char *pattern, const uint8_t *name, size_t size)
{
	size_t taken = 0;

	if (has_nul(name, size))
		return false;
	for (; *pattern && taken < size; pattern++) {
		size_t length = *pattern == '*' ? piece(name + taken, size - taken, '/') : 1;

		if (length == 0 || (*pattern != '*' && (uint8_t)*pattern != name[taken]))
			return false;
		if (strcmp(pattern, "**") == 0)
			return true;
		taken += length;
	}
	return !*pattern && taken == size;
}

bool
match_email(const char *pattern, const uint8_t *name, size_t size)
{
	size_t local = (size_t)(strrchr(pattern, '@') - pattern);

	/* The host behind it has no "@", so that this one is the last in the name too. */
	return strlen(pattern) == size && memcmp(pattern, name, local + 1) == 0 &&
		is_same_letters(pattern + local, name + local, size - local);
}

bool
match_prefix_has(const struct match_prefix *prefix, const uint8_t *address, size_t size)
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;

	if (size != prefix->size || memcmp(prefix->bytes, address, whole) != 0)
		return false;
	return rest == 0 || (prefix->bytes[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool
match_prefix_has_endpoint(const struct match_prefix *prefix, const struct endpoint *endpoint)
{
	const struct in6_addr *v6 = &endpoint->v6.sin6_addr;

	switch (endpoint->any.sa_family) {
	case AF_INET:
		return match_prefix_has(prefix, (const uint8_t *)&endpoint->v4.sin_addr, 4);
	case AF_INET6:
		return IN6_IS_ADDR_V4MAPPED(v6)
			? match_prefix_has(prefix, &v6->s6_addr[MAPPED_BITS / 8], 4)
			: match_prefix_has(prefix, v6->s6_addr, 16);
	default:
		return false;
	}
}

bool
match_prefix_is_mapped(const struct match_prefix *prefix)
{
	struct in6_addr address;

	if (prefix->size != sizeof(address) || prefix->bits < MAPPED_BITS)
		return false;
	memcpy(&address, prefix->bytes, sizeof(address));
	return IN6_IS_ADDR_V4MAPPED(&address);
}
