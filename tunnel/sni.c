/* SPDX-License-Identifier: MIT */
#include "tunnel/sni.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"

enum { LABEL_MAX = 63 };

struct entry {
	char text[SNI_PATTERN_MAX + 1];
	size_t index;
};

struct sni {
	size_t count;
	struct entry entries[];
};

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The underscore is in no host name, but in names that are sent. */
static bool
is_label_character(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static int
check_label(const char *label, size_t length, struct diag *diag)
{
	if (length == 0)
		return diag_set(diag, "has an empty label: write names without a dot at the end");
	if (length > LABEL_MAX)
		return diag_set(diag, "has a label of more than %d characters", LABEL_MAX);
	for (size_t i = 0; i < length; i++) {
		if (label[i] == '*')
			return diag_set(diag, "has a star elsewhere than in \"*.\" at the start");
		if (!is_label_character(label[i])) {
			return diag_set(diag,
				"is no host name: it may have letters, digits, \"-\", \"_\" and "
				"dots; write other letters in their \"xn--\" form");
		}
	}
	return 0;
}

int
sni_check(const char *pattern, struct diag *diag)
{
	const char *label = pattern;

	if (strlen(pattern) > SNI_PATTERN_MAX)
		return diag_set(diag, "is longer than %d characters", SNI_PATTERN_MAX);
	if (strncmp(pattern, "*.", 2) == 0)
		label += 2;
	for (;;) {
		size_t length = strcspn(label, ".");
		if (check_label(label, length, diag) < 0)
			return -1;
		if (label[length] == '\0')
			return 0;
		label += length + 1;
	}
}

static void
set(struct entry *entry, const struct sni_pattern *pattern)
{
	size_t length = strnlen(pattern->text, SNI_PATTERN_MAX);

	for (size_t i = 0; i < length; i++) {
		char c = pattern->text[i];
		entry->text[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	entry->index = pattern->index;
}

static int
compare(const void *a, const void *b)
{
	const struct entry *first = a, *second = b;

	return strcmp(first->text, second->text);
}

struct sni *
sni_new(const struct sni_pattern *patterns, size_t count)
{
	struct sni *sni = calloc(1, sizeof(*sni) + count * sizeof(sni->entries[0]));

	if (!sni)
		return NULL;
	sni->count = count;
	for (size_t i = 0; i < count; i++)
		set(&sni->entries[i], &patterns[i]);
	qsort(sni->entries, count, sizeof(sni->entries[0]), compare);
	return sni;
}

void
sni_free(struct sni *sni)
{
	free(sni);
}

static size_t
find(const struct sni *sni, const struct entry *key)
{
	const struct entry *entry =
		bsearch(key, sni->entries, sni->count, sizeof(sni->entries[0]), compare);

	return entry ? entry->index : SNI_NONE;
}

size_t
sni_find(const struct sni *sni, const char *name)
{
	const char *rest = strchr(name, '.');
	struct entry key;

	if (strlen(name) > SNI_PATTERN_MAX)
		return SNI_NONE;
	memcpy(key.text, name, strlen(name) + 1);
	size_t index = find(sni, &key);
	if (index != SNI_NONE || !rest || rest == name)
		return index;
	/* The first label is at least one byte, so there is room for the star. */
	key.text[0] = '*';
	memmove(key.text + 1, rest, strlen(rest) + 1);
	return find(sni, &key);
}
