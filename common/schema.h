/* SPDX-License-Identifier: MIT */
/*
 * schema.h - what a configured value may look like, and what it means as a number.
 *
 * A schema is a row of const data: its kind, its bounds, its words. Whoever has it can read a value,
 * and describe to a reader of the manual or of an error what is allowed.
 */
#ifndef COMMON_SCHEMA_H
#define COMMON_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct diag;
struct text;

enum schema_kind {
	SCHEMA_TEXT,	 /* anything; has no number */
	SCHEMA_LIST,	 /* texts separated by commas; has no number */
	SCHEMA_WORD,	 /* one of @words; the number is its place, from 0 */
	SCHEMA_NUMBER,	 /* "8" */
	SCHEMA_DURATION, /* "1500ms", "10s", "5m", "1h", "2d"; the number is in milliseconds */
	SCHEMA_SIZE,	 /* "512B", "64KiB", "16MiB", "1GiB"; the number is in bytes */
	SCHEMA_MODE,	 /* "0600": permission bits in octal */
};

struct schema {
	enum schema_kind kind;
	const char *const *words;  /* SCHEMA_WORD: those allowed, NULL behind the last */
	const char *zero;	   /* the word that stands for 0, such as "off"; NULL: none */
	uint64_t minimum, maximum; /* of numbers, durations and sizes; 0 is not bounded by them */
};

/* "no" and "yes", whose numbers are false and true. */
extern const char *const schema_boolean[];

/*
 * Read @value as @schema says into @number. Returns 0, or -1 with words that go behind the quoted
 * value: what is wrong with it; the remedy.
 */
MUST_USE int schema_parse(
	const struct schema *schema, const char *value, uint64_t *number, struct diag *diag);

/* Write what is allowed, in words: "a duration from 100ms to 1h, or off". */
void schema_describe(const struct schema *schema, struct text *text);

/*
 * Find the next element of the comma-separated list at @cursor and move @cursor behind it. Returns
 * where it begins, without blanks round it, and its length; NULL behind the last one.
 */
const char *schema_next(const char **cursor, size_t *length);

#endif
