/* SPDX-License-Identifier: MIT */
#include "tunnel/psk.h"

#include <stdlib.h>
#include <string.h>

#include "common/diag.h"

static const char blanks[] = " \t\r";

/* A piece of the text. */
struct span {
	const char *start;
	size_t length;
};

static int
compare(const void *a, const void *b)
{
	const struct psk_key *one = a, *other = b;

	return strcmp(one->identity, other->identity);
}

/* Without blanks at either end. */
static struct span
trim(struct span span)
{
	while (span.length > 0 && strchr(blanks, span.start[0])) {
		span.start++;
		span.length--;
	}
	while (span.length > 0 && strchr(blanks, span.start[span.length - 1]))
		span.length--;
	return span;
}

/* The next line of @rest, which is shortened by it. */
static struct span
next_line(struct span *rest)
{
	const char *end = memchr(rest->start, '\n', rest->length);
	struct span line = {rest->start, end ? (size_t)(end - rest->start) : rest->length};
	size_t taken = line.length + (end ? 1 : 0);

	rest->start += taken;
	rest->length -= taken;
	return line;
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int
parse_identity(struct psk_key *key, struct span span, struct diag *diag)
{
	if (span.length == 0)
		return diag_set(diag, "there is no identity before the colon");
	if (span.length > PSK_IDENTITY_MAX)
		return diag_set(diag, "the identity has %zu bytes; at most %d can be used",
			span.length, PSK_IDENTITY_MAX);
	if (memchr(span.start, '\0', span.length))
		return diag_set(diag, "there is a NUL in the identity");
	memcpy(key->identity, span.start, span.length);
	return 0;
}

static int
parse_bytes(struct psk_key *key, struct span span, struct diag *diag)
{
	if (span.length % 2 != 0)
		return diag_set(diag, "the key has an odd number of hexadecimal digits");
	if (span.length < (size_t)2 * PSK_KEY_MIN || span.length > (size_t)2 * PSK_KEY_MAX) {
		return diag_set(diag,
			"the key has %zu bytes; use %d to %d, such as those of: "
			"openssl rand -hex 32",
			span.length / 2, PSK_KEY_MIN, PSK_KEY_MAX);
	}
	for (size_t i = 0; i < span.length; i += 2) {
		int high = digit_value(span.start[i]), low = digit_value(span.start[i + 1]);

		if (high < 0 || low < 0)
			return diag_set(diag, "the key is not written in hexadecimal digits");
		key->bytes[i / 2] = (uint8_t)(high << 4 | low);
	}
	key->size = span.length / 2;
	return 0;
}

static int
parse_line(struct psk_key *key, struct span line, struct diag *diag)
{
	const char *colon = memchr(line.start, ':', line.length);

	if (!colon)
		return diag_set(diag, "there is no colon; write IDENTITY:HEXADECIMAL-KEY");
	size_t before = (size_t)(colon - line.start);
	if (parse_identity(key, trim((struct span){line.start, before}), diag))
		return -1;
	return parse_bytes(key, trim((struct span){colon + 1, line.length - before - 1}), diag);
}

/* How many keys there can be at most: for one allocation, of which no copy stays behind. */
static size_t
count_lines(struct span rest)
{
	size_t count = 0;

	while (rest.length > 0) {
		(void)next_line(&rest);
		count++;
	}
	return count;
}

static int
parse_lines(struct psk *psk, struct span rest, struct diag *diag)
{
	for (size_t number = 1; rest.length > 0; number++) {
		struct span line = trim(next_line(&rest));

		if (line.length == 0 || line.start[0] == '#')
			continue;
		if (parse_line(&psk->keys[psk->count++], line, diag))
			return diag_prefix(diag, "line %zu", number);
	}
	if (psk->count == 0)
		return diag_set(
			diag, "there is no key in it; write lines IDENTITY:HEXADECIMAL-KEY");
	return 0;
}

/* A line of that identity, other than the first. */
static size_t
second_line_of(const char *identity, struct span rest)
{
	size_t number = 0, seen = 0;

	while (seen < 2 && rest.length > 0) {
		struct span line = trim(next_line(&rest));
		const char *colon = memchr(line.start, ':', line.length);
		struct span found = trim((struct span){
			line.start, colon ? (size_t)(colon - line.start) : line.length});

		number++;
		if (found.length == strlen(identity) &&
			memcmp(found.start, identity, found.length) == 0)
			seen++;
	}
	return number;
}

static int
sort(struct psk *psk, struct span text, struct diag *diag)
{
	qsort(psk->keys, psk->count, sizeof(*psk->keys), compare);
	for (size_t i = 1; i < psk->count; i++) {
		const char *identity = psk->keys[i].identity;

		if (strcmp(psk->keys[i - 1].identity, identity) == 0)
			return diag_set(diag, "line %zu: the identity \"%s\" has a key already",
				second_line_of(identity, text), identity);
	}
	return 0;
}

int
psk_parse(struct psk *psk, const char *text, size_t size, struct diag *diag)
{
	const struct span all = {text, size};
	size_t lines = count_lines(all);

	if (lines > PSK_LIMIT)
		return diag_set(diag, "it has more than %d lines", PSK_LIMIT);
	psk->keys = calloc(lines + 1, sizeof(*psk->keys));
	if (!psk->keys)
		return diag_set(diag, "out of memory");
	if (parse_lines(psk, all, diag) == 0 && sort(psk, all, diag) == 0)
		return 0;
	psk_release(psk);
	return -1;
}

void
psk_release(struct psk *psk)
{
	if (psk->keys)
		explicit_bzero(psk->keys, psk->count * sizeof(*psk->keys));
	free(psk->keys);
	*psk = (struct psk){0};
}

const struct psk_key *
psk_find(const struct psk *psk, const void *identity, size_t length)
{
	struct psk_key wanted;

	if (psk->count == 0 || length == 0 || length > PSK_IDENTITY_MAX ||
		memchr(identity, '\0', length))
		return NULL;
	memcpy(wanted.identity, identity, length);
	wanted.identity[length] = '\0';
	return bsearch(&wanted, psk->keys, psk->count, sizeof(*psk->keys), compare);
}
