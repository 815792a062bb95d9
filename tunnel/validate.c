/* SPDX-License-Identifier: MIT */
#include "tunnel/validate.h"

#include <stdio.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/proof.h"
#include "tunnel/resolved.h"
#include "tunnel/sharing.h"
#include "tunnel/validate_side.h"

enum { NAME_SIZE = 80 };

/* What is being checked. */
struct checking {
	const struct service_config *service;
	const struct picks *picks;
	struct complaints *complaints;
};

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

/* Peers prove nothing, or have a pre-shared key. */
static bool
can_do_without_ca(const struct checking *checking, enum side side)
{
	return !proof_is_asked(checking->picks, side) || proof_by_psk(checking->picks, side);
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
	if (strcmp(option->name, "ca") == 0 && can_do_without_ca(checking, side))
		return;
	if (strcmp(option->name, "cert") == 0 && proof_by_psk(checking->picks, side))
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
	check_plaintext(checking);
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
		for (unsigned side = 0; side < SIDES; side++) {
			if (checking.service->tls[side].used)
				validate_side(resolved, i, (enum side)side, complaints);
		}
	}
	sharing_check(resolved, complaints);
}
