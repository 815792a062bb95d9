/* SPDX-License-Identifier: MIT */
/*
 * fuzz_rule.c - lines of rules, and facts that a peer may bring.
 *
 * The first line is the rule; behind it come the 16 bytes of a client's address and facts, each a byte of
 * kind, a byte of size, and its bytes. Every error has words. Who proves more never stops fitting, and
 * names with a NUL add nothing.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/diag.h"
#include "tunnel/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FACTS_MAX = 64, ADDRESS_SIZE = 16 };

/* Take facts of the bytes up to @end. Each is in memory of its own size, so that a read behind it is seen. */
static size_t
take_facts(struct fact *list, const uint8_t *at, const uint8_t *end)
{
	size_t count = 0;

	while (count < FACTS_MAX && end - at >= 2) {
		size_t left = (size_t)(end - at) - 2, size = at[1] < left ? at[1] : left;
		uint8_t *copy = malloc(size + (size == 0));

		assert(copy);
		memcpy(copy, at + 2, size);
		list[count++] = (struct fact){(enum fact_kind)(at[0] % (FACT_PSK + 1)), size, copy};
		at += 2 + size;
	}
	return count;
}

static bool
is_name_with_nul(const struct fact *fact)
{
	return fact->kind != FACT_IP && fact->kind != FACT_SERIAL && fact->kind != FACT_PIN &&
		memchr(fact->bytes, '\0', fact->size);
}

static void
try_facts(const struct rule *rule, const struct facts *facts)
{
	struct facts some = *facts, nobody = {NULL, 0, NULL};
	struct fact good[FACTS_MAX];
	struct facts without = {good, 0, facts->from};
	bool holds = rule_matches(rule, facts);

	some.count /= 2;
	assert(!rule_matches(rule, &some) || holds);
	assert(!rule_matches(rule, &nobody) || holds);
	some = *facts;
	some.from = NULL;
	assert(rule_asks_for_address(rule) ? !rule_matches(rule, &some)
					   : rule_matches(rule, &some) == holds);
	for (size_t i = 0; i < facts->count; i++) {
		if (!is_name_with_nul(&facts->list[i]))
			good[without.count++] = facts->list[i];
	}
	assert(rule_matches(rule, &without) == holds);
}

static void
try_rule(const char *text, const struct facts *facts)
{
	struct diag diag = {""};
	struct rule *rule = rule_new(text, &diag);

	assert(!rule == (diag.text[0] != '\0'));
	if (rule)
		try_facts(rule, facts);
	rule_free(rule);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line_end = size > 0 ? memchr(data, '\n', size) : NULL, *end = data + size;
	size_t length = line_end ? (size_t)(line_end - data) : size;
	struct endpoint from = {.length = sizeof(from.v6)};
	struct fact list[FACTS_MAX];
	struct facts facts = {list, 0, &from};
	char *text = calloc(1, length + 1);

	assert(text);
	if (length > 0)
		memcpy(text, data, length);
	from.v6.sin6_family = AF_INET6;
	if (line_end && end - line_end > ADDRESS_SIZE) {
		memcpy(&from.v6.sin6_addr, line_end + 1, ADDRESS_SIZE);
		facts.count = take_facts(list, line_end + 1 + ADDRESS_SIZE, end);
	}
	try_rule(text, &facts);
	for (size_t i = 0; i < facts.count; i++)
		free((void *)(uintptr_t)list[i].bytes);
	free(text);
	return 0;
}
