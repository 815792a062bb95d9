/* SPDX-License-Identifier: MIT */
#include "tunnel/sharing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/resolved.h"

/* An address that a service accepts on, in the form that is equal for equal ones. */
struct accepted {
	char *text;
	size_t order; /* of the configuration: the later one is wrong */
	const struct assignment *assignment;
	size_t index; /* of the service */
};

/* A name that clients may ask a service for, or "default". */
struct claim {
	const char *pattern;
	size_t index;
};

/* What is being checked. */
struct checking {
	const struct resolved *resolved;
	struct complaints *complaints;
};

static int
compare_numbers(size_t a, size_t b)
{
	return a == b ? 0 : a < b ? -1 : 1;
}

static int
compare_accepted(const void *left, const void *right)
{
	const struct accepted *a = left, *b = right;
	int result = strcmp(a->text, b->text);

	return result ? result : compare_numbers(a->order, b->order);
}

static int
compare_claims(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int result = strcasecmp(a->pattern, b->pattern);

	return result ? result : compare_numbers(a->index, b->index);
}

/* Where service @index has its value of @option, or where its section begins. */
static struct subject
subject_of(const struct checking *checking, size_t index, const char *option)
{
	const struct picks *picks = &checking->resolved->picks[index];
	const struct assignment *assignment = picks_get(picks, option, SIDE_ACCEPT);
	struct subject subject = assignment ? assignment->subject : picks->scope->subject;

	subject.service = checking->resolved->services[index].name;
	subject.option = assignment ? subject.option : option;
	return subject;
}

/* Add the addresses of one service to @all, which has room. Returns how many there are then. */
static size_t
collect_accepted(const struct resolved *resolved, size_t index, struct accepted *all, size_t count)
{
	const struct assignment *assignment =
		picks_get(&resolved->picks[index], "accept", SIDE_ACCEPT);

	for (; assignment; assignment = assignment->again) {
		char array[ADDRESS_TEXT_SIZE];
		struct text text;
		struct address address;
		struct diag diag;

		if (address_parse(&address, assignment->subject.value, true, &diag) < 0)
			continue;
		text_init(&text, array, sizeof(array));
		address_print(&address, &text);
		all[count] = (struct accepted){
			.text = strdup(array),
			.order = count,
			.assignment = assignment,
			.index = index,
		};
		if (all[count].text)
			count++;
	}
	return count;
}

static bool
has_sni(const struct checking *checking, const struct accepted *accepted)
{
	return picks_get(&checking->resolved->picks[accepted->index], "sni", SIDE_ACCEPT);
}

static void
complain_taken(const struct checking *checking, const struct accepted *first,
	const struct accepted *second)
{
	const struct service_config *services = checking->resolved->services;
	const struct place *place = &first->assignment->subject.place;
	bool could_share = first->index != second->index &&
		services[first->index].tls[SIDE_ACCEPT].used &&
		services[second->index].tls[SIDE_ACCEPT].used;

	if (place->is_flags) {
		complaints_add(checking->complaints, &second->assignment->subject,
			"is given a second time; remove one of both");
	} else {
		complaints_add(checking->complaints, &second->assignment->subject,
			"is taken by service %s in %s:%u; give one of both another address%s",
			services[first->index].name, place->file, place->line,
			could_share ? ", or say in both with sni which names are theirs" : "");
	}
}

/* Is the field of @option the same in both services? */
static bool
is_same(const struct option *option, const struct service_config *a, const struct service_config *b)
{
	bool of_side = option->level == OPTION_OF_SIDE;
	const void *left = of_side ? (const void *)&a->tls[SIDE_ACCEPT] : (const void *)a;
	const void *right = of_side ? (const void *)&b->tls[SIDE_ACCEPT] : (const void *)b;

	left = (const char *)left + option->offset;
	right = (const char *)right + option->offset;
	if (option->field == FIELD_SECONDS)
		return *(const double *)left == *(const double *)right;
	if (option->field == FIELD_ENUM)
		return *(const unsigned *)left == *(const unsigned *)right;

	const char *text = *(const char *const *)left, *other = *(const char *const *)right;

	return text && other ? strcmp(text, other) == 0 : text == other;
}

/* What acts before it is known which of both a client is for; sockets' options where there are any. */
static void
check_common(const struct checking *checking, const struct accepted *first,
	const struct accepted *second)
{
	static const char *const names[] = {
		"socket-mode", "socket-owner", "socket-group", "keepalive", "handshake-timeout"};
	const struct service_config *services = checking->resolved->services;
	bool is_path = strncmp(first->text, "unix:/", 6) == 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct subject subject = subject_of(checking, second->index, names[i]);
		struct subject other = subject_of(checking, first->index, names[i]);
		enum side none;
		const struct option *option = options_find(names[i], &none);

		if ((option->traits & OPTION_NEEDS_PATH && !is_path) ||
			is_same(option, &services[first->index], &services[second->index]))
			continue;
		complaints_add(checking->complaints, &subject,
			"differs from that of service %s in %s:%u, which accepts on the same "
			"address; write the same in both",
			other.service, other.place.file, other.place.line);
	}
}

/* Add what clients may ask service @index for to @claims, or only count it. */
static size_t
collect_claims(const struct resolved *resolved, size_t index, struct claim *claims)
{
	const struct tls_config *tls = &resolved->services[index].tls[SIDE_ACCEPT];

	for (size_t i = 0; claims && i < tls->sni.count; i++)
		claims[i] = (struct claim){tls->sni.list[i], index};
	if (claims && tls->sni_is_default)
		claims[tls->sni.count] = (struct claim){"default", index};
	return tls->sni.count + tls->sni_is_default;
}

static void
complain_claimed(
	const struct checking *checking, const struct claim *first, const struct claim *second)
{
	struct subject subject = subject_of(checking, second->index, "sni");
	struct subject other = subject_of(checking, first->index, "sni");

	if (first->index == second->index) {
		complaints_add(checking->complaints, &subject,
			"has \"%s\" twice; remove one of both", second->pattern);
	} else {
		complaints_add(checking->complaints, &subject,
			"has \"%s\", which service %s in %s:%u has on the same address; remove it "
			"from one of both",
			second->pattern, other.service, other.place.file, other.place.line);
	}
}

/* No name belongs to two of the @count services that accept on one address. */
static void
check_claims(const struct checking *checking, const struct accepted *group, size_t count)
{
	size_t room = 0, number = 0;

	for (size_t i = 0; i < count; i++)
		room += collect_claims(checking->resolved, group[i].index, NULL);

	struct claim *claims = calloc(room + 1, sizeof(*claims));

	if (!claims)
		return;
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || group[i].index != group[i - 1].index) {
			number +=
				collect_claims(checking->resolved, group[i].index, claims + number);
		}
	}
	qsort(claims, number, sizeof(*claims), compare_claims);
	for (size_t i = 1; i < number; i++) {
		if (strcasecmp(claims[i - 1].pattern, claims[i].pattern) == 0)
			complain_claimed(checking, &claims[i - 1], &claims[i]);
	}
	free(claims);
}

/* Check the @count services in @group, which accept on one address. */
static void
check_group(const struct checking *checking, const struct accepted *group, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct accepted *before = &group[i - 1];

		if (group[i].index == before->index || !has_sni(checking, &group[i]) ||
			!has_sni(checking, before)) {
			complain_taken(checking, before, &group[i]);
		} else {
			check_common(checking, &group[0], &group[i]);
		}
	}
	check_claims(checking, group, count);
}

static void
check_groups(const struct checking *checking, const struct accepted *all, size_t count)
{
	for (size_t start = 0, end; start < count; start = end) {
		for (end = start + 1; end < count; end++) {
			if (strcmp(all[start].text, all[end].text) != 0)
				break;
		}
		check_group(checking, all + start, end - start);
	}
}

void
sharing_check(const struct resolved *resolved, struct complaints *complaints)
{
	const struct checking checking = {.resolved = resolved, .complaints = complaints};
	size_t room = 0, count = 0;

	/* Without memory fewer addresses were stored than were written. */
	if (resolved->arena.failed)
		return;
	for (size_t i = 0; i < resolved->config.service_count; i++)
		room += resolved->services[i].accept_count;

	struct accepted *all = calloc(room + 1, sizeof(*all));

	if (!all)
		return;
	for (size_t i = 0; i < resolved->config.service_count; i++)
		count = collect_accepted(resolved, i, all, count);
	qsort(all, count, sizeof(*all), compare_accepted);
	check_groups(&checking, all, count);
	for (size_t i = 0; i < count; i++)
		free(all[i].text);
	free(all);
}
