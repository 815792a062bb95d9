/* SPDX-License-Identifier: MIT */
#include "tunnel/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/resolved.h"

enum { NAME_SIZE = 80 };

/* What is being checked. */
struct checking {
	const struct service_config *service;
	const struct picks *picks;
	struct complaints *complaints;
};

/* An address that a service accepts on, in the form that is equal for equal ones. */
struct accepted {
	char *text;
	size_t order; /* of the configuration: the later one is wrong */
	const struct assignment *assignment;
	const char *service;
};

/*
 * The subject of a complaint about the option called @name: where its value was written, or where the
 * section begins, always with the name of this service.
 */
static struct subject
subject_of(const struct checking *checking, const char *name, enum side side)
{
	const struct assignment *assignment = picks_get(checking->picks, name, side);
	struct subject subject = checking->picks->scope->subject;

	if (assignment) {
		subject = assignment->subject;
	} else {
		subject.option = name;
	}
	subject.service = checking->service->name;
	return subject;
}

/* Is the value that was picked for @name the text @value? */
static bool
is_written(const struct checking *checking, const char *name, enum side side, const char *value)
{
	const struct assignment *assignment = picks_get(checking->picks, name, side);

	return assignment && strcmp(assignment->subject.value, value) == 0;
}

static bool
is_unverified(const struct checking *checking, enum side side)
{
	return checking->service->tls[side].verify == VERIFY_NO &&
		!picks_are_spoilt(checking->picks, "verify", side);
}

/* Complain about a key that took the certificate's place away and has none beside it. */
static void
complain_lone_key(const struct checking *checking, enum side side)
{
	const struct assignment *key = picks_get(checking->picks, "key", side);
	struct subject subject = key->subject;

	subject.service = checking->service->name;
	complaints_add(checking->complaints, &subject,
		"has no certificate beside it, and both are inherited only together; write %scert "
		"in the same place",
		option_prefix(key->side));
}

/* Complain about a required option that was not written; @side is SIDES for those without sides. */
static void
check_required(const struct checking *checking, const struct option *option, enum side side)
{
	char name[NAME_SIZE];
	struct subject subject = checking->picks->scope->subject;
	bool says_side = side != SIDES && checking->service->mode == MODE_BRIDGE;

	if (picks_get(checking->picks, option->name, side))
		return;
	if (strcmp(option->name, "ca") == 0 && is_unverified(checking, side))
		return;
	if (strcmp(option->name, "cert") == 0 && picks_get(checking->picks, "key", side)) {
		complain_lone_key(checking, side);
		return;
	}
	(void)snprintf(
		name, sizeof(name), "%s%s", says_side ? option_prefix(side) : "", option->name);
	subject.option = name;
	complaints_add(checking->complaints, &subject, "is missing; %s", option->missing);
}

static void
check_all_required(const struct checking *checking)
{
	for (size_t i = 0; i < options_count(); i++) {
		const struct option *option = options_get(i);

		if (!(option->traits & OPTION_REQUIRED))
			continue;
		if (option->level == OPTION_OF_SERVICE)
			check_required(checking, option, SIDES);
		for (unsigned side = 0; option->level == OPTION_OF_SIDE && side < SIDES; side++) {
			if (checking->service->tls[side].used)
				check_required(checking, option, (enum side)side);
		}
	}
}

static void
check_identity(const struct checking *checking, enum side side)
{
	if (side == SIDE_ACCEPT && is_written(checking, "cert", side, "none")) {
		struct subject subject = subject_of(checking, "cert", side);

		complaints_add(checking->complaints, &subject,
			"is not possible on the side that accepts, where a server needs a "
			"certificate; name its file");
	}
	if (is_written(checking, "ca", side, "none") && !is_unverified(checking, side)) {
		struct subject subject = subject_of(checking, "ca", side);

		complaints_add(checking->complaints, &subject,
			"would leave nothing to verify the peer by, since this version knows "
			"neither pins nor pre-shared keys; name a file, a directory or system");
	}
	if (side == SIDE_CONNECT && is_written(checking, "verify", side, "optional")) {
		struct subject subject = subject_of(checking, "verify", side);

		complaints_add(checking->complaints, &subject,
			"is for the side that accepts, a server always has a certificate; write "
			"yes or no");
	}
}

static bool
connects_to_unix(const struct service_config *service)
{
	for (size_t i = 0; i < service->connect_count; i++) {
		if (service->connect[i].kind == ADDRESS_UNIX)
			return true;
	}
	return false;
}

/* Is it known which name the server must have? */
static void
check_peer_name_given(const struct checking *checking)
{
	struct subject subject = subject_of(checking, "peer-name", SIDE_CONNECT);

	if (is_unverified(checking, SIDE_CONNECT))
		return;
	if (checking->service->tls[SIDE_CONNECT].peer_name_is_none) {
		complaints_add(checking->complaints, &subject,
			"would trust every server that the CA vouches for; name the one that is "
			"meant, or write verify = no");
	} else if (!subject.value && connects_to_unix(checking->service)) {
		complaints_add(checking->complaints, &subject,
			"is missing, and the UNIX socket in connect has no host to take it from; "
			"name the host that must stand in the server's certificate");
	}
}

static void
check_versions(const struct checking *checking, enum side side)
{
	const struct tls_config *tls = &checking->service->tls[side];
	bool max_is_written = picks_get(checking->picks, "tls-max-version", side);
	const char *name = max_is_written ? "tls-max-version" : "tls-min-version";

	if (tls->min_version <= tls->max_version)
		return;

	struct subject subject = subject_of(checking, name, side);

	complaints_add(checking->complaints, &subject,
		"leaves no version, because tls-min-version is above tls-max-version; change one "
		"of both");
}

/* Plaintext that leaves the machine must be asked for. */
static void
check_plaintext(const struct checking *checking)
{
	bool accepts = checking->service->mode == MODE_ENCRYPT;
	const char *name = accepts ? "accept" : "connect";
	const struct assignment *assignment = picks_get(checking->picks, name, SIDE_ACCEPT);
	struct address address;
	struct diag diag;

	if (checking->service->mode == MODE_BRIDGE || checking->service->allow_remote_plaintext ||
		picks_are_spoilt(checking->picks, "allow-remote-plaintext", SIDE_ACCEPT))
		return;
	for (; assignment; assignment = assignment->again) {
		if (address_parse(&address, assignment->subject.value, accepts, &diag) < 0 ||
			address_is_local(&address))
			continue;
		complaints_add(checking->complaints, &assignment->subject,
			"%s; write an address of this machine, such as 127.0.0.1, or "
			"allow-remote-plaintext = yes",
			accepts ? "takes plaintext from other machines"
				: "may send plaintext to another machine");
	}
}

static void
check_service(const struct checking *checking)
{
	check_all_required(checking);
	for (unsigned side = 0; side < SIDES; side++) {
		if (!checking->service->tls[side].used)
			continue;
		check_identity(checking, (enum side)side);
		check_versions(checking, (enum side)side);
	}
	if (checking->service->tls[SIDE_CONNECT].used)
		check_peer_name_given(checking);
	check_plaintext(checking);
}

static int
compare_accepted(const void *left, const void *right)
{
	const struct accepted *a = left, *b = right;
	int result = strcmp(a->text, b->text);

	if (result != 0)
		return result;
	return a->order < b->order ? -1 : 1;
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
			.service = resolved->services[index].name,
		};
		if (all[count].text)
			count++;
	}
	return count;
}

static void
complain_equal(
	const struct accepted *first, const struct accepted *second, struct complaints *complaints)
{
	const struct place *place = &first->assignment->subject.place;

	if (place->is_flags) {
		complaints_add(complaints, &second->assignment->subject,
			"is given a second time; remove one of both");
	} else {
		complaints_add(complaints, &second->assignment->subject,
			"is taken by service %s in %s:%u; give one of both another address",
			first->service, place->file, place->line);
	}
}

/* No two services, nor one twice, can listen on one address. */
static void
check_accepted(const struct resolved *resolved, struct complaints *complaints)
{
	size_t room = 0, count = 0;

	for (size_t i = 0; i < resolved->config.service_count; i++)
		room += resolved->services[i].accept_count;

	struct accepted *all = calloc(room + 1, sizeof(*all));

	if (!all)
		return;
	for (size_t i = 0; i < resolved->config.service_count; i++)
		count = collect_accepted(resolved, i, all, count);
	qsort(all, count, sizeof(*all), compare_accepted);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(all[i - 1].text, all[i].text) == 0)
			complain_equal(&all[i - 1], &all[i], complaints);
	}
	for (size_t i = 0; i < count; i++)
		free(all[i].text);
	free(all);
}

void
validate(const struct resolved *resolved, struct complaints *complaints)
{
	if (!resolved->statements.has_sections) {
		complaints_add(complaints, &resolved->statements.program.subject,
			"there is no service; write a section for one, such as [orders-db], or an "
			"include");
	}
	for (size_t i = 0; i < resolved->config.service_count; i++) {
		struct checking checking = {
			.service = &resolved->services[i],
			.picks = &resolved->picks[i],
			.complaints = complaints,
		};

		check_service(&checking);
	}
	check_accepted(resolved, complaints);
}
