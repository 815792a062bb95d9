/* SPDX-License-Identifier: MIT */
#include "tunnel/effect.h"

#include <string.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/proof.h"
#include "tunnel/resolved.h"

enum { WORDS_SIZE = 64 };

static const char *const side_names[] = {"accepts", "connects"};

static bool
has_unix_accept(const struct service_config *service, bool abstract)
{
	for (size_t i = 0; i < service->accept_count; i++) {
		if (service->accept[i].kind == ADDRESS_UNIX &&
			(service->accept[i].host[0] == '@') == abstract)
			return true;
	}
	return false;
}

/* Is it known what the service accepts on? */
static bool
knows_accept(const struct picks *picks)
{
	return picks_get(picks, "accept", SIDE_ACCEPT) &&
		!picks_are_spoilt(picks, "accept", SIDE_ACCEPT);
}

static int
check_mode(const struct service_config *service, const struct option *option, struct diag *why)
{
	char array[WORDS_SIZE];
	struct text text;

	if (option->modes & 1U << service->mode)
		return 0;
	text_init(&text, array, sizeof(array));
	for (unsigned mode = 0; mode <= MODE_BRIDGE; mode++) {
		if (option->modes & 1U << mode) {
			text_format(&text, "%s%s", text.length > 0 ? " and " : "",
				mode_name((enum mode)mode));
		}
	}
	return diag_set(why, "has no effect in mode %s, only in %s; remove it",
		mode_name(service->mode), array);
}

static int
check_side(const struct service_config *service, const struct option *option, enum side side,
	struct diag *why)
{
	if (!(option->sides & 1U << side)) {
		return diag_set(
			why, "has no effect on the side that %s; remove it", side_names[side]);
	}
	if (!service->tls[side].used) {
		return diag_set(why,
			"has no effect, because in mode %s the side that %s is plaintext; remove "
			"it",
			mode_name(service->mode), side_names[side]);
	}
	return 0;
}

/* Is any value of the option called @name on a PKCS#11 token? */
static bool
has_token(const struct picks *picks, const char *name, enum side side)
{
	const struct assignment *assignment = picks_get(picks, name, side);

	for (; assignment; assignment = assignment->again) {
		if (option_is_token(assignment->text))
			return true;
	}
	return false;
}

static int
check_accept_needs(const struct service_config *service, const struct picks *picks,
	const struct option *option, struct diag *why)
{
	if (!knows_accept(picks))
		return 0;
	if (option->traits & OPTION_NEEDS_PATH && !has_unix_accept(service, false))
		return diag_set(why, "has no effect without accept = unix:/path; remove it");
	if (option->traits & OPTION_NEEDS_ABSTRACT && !has_unix_accept(service, true))
		return diag_set(why, "has no effect without accept = unix:@name; remove it");
	return 0;
}

/* What this end has to show. */
static int
check_own_needs(
	const struct picks *picks, const struct option *option, enum side side, struct diag *why)
{
	bool has_none = picks_get(picks, "cert", side);

	if (option->traits & OPTION_NEEDS_CERT && !proof_is_shown(picks, side)) {
		return diag_set(why, "has no effect %s; remove it",
			has_none ? "with cert = none" : "without cert");
	}
	if (option->traits & OPTION_NEEDS_SECRET && !proof_is_shown(picks, side) &&
		!proof_by_psk(picks, side))
		return diag_set(why, "has no effect with cert = none; remove it");
	if (option->traits & OPTION_NEEDS_TOKEN && !has_token(picks, "cert", side) &&
		!has_token(picks, "key", side)) {
		return diag_set(why,
			"has no effect, because neither cert nor key is a pkcs11: URL; remove it");
	}
	return 0;
}

/* What the peer has to prove. */
static int
check_proof_needs(
	const struct picks *picks, const struct option *option, enum side side, struct diag *why)
{
	bool is_asked = proof_is_asked(picks, side);

	if (option->traits & OPTION_NEEDS_VERIFY && !is_asked) {
		return diag_set(why,
			"has no effect with verify = no, which believes nothing of what a peer "
			"says; remove one of both");
	}
	if (option->traits & OPTION_NEEDS_SHOWN && side == SIDE_ACCEPT && is_asked &&
		!proof_by_certificate(picks, side) && !proof_is_shown(picks, side)) {
		return diag_set(why,
			"has no effect without cert, because then only pre-shared keys let in; "
			"write cert, or remove it");
	}
	if (option->traits & OPTION_NEEDS_TRUST && !picks_get(picks, "ca", side) &&
		proof_by_psk(picks, side)) {
		return diag_set(why,
			"has no effect without ca, because then only pre-shared keys let in; "
			"write ca, which can be none, or remove it");
	}
	if (option->traits & OPTION_NEEDS_CHAIN && is_asked && !proof_by_chain(picks, side)) {
		return diag_set(why,
			"has no effect without a CA that vouches for the peer; remove it, or name "
			"one in ca");
	}
	if (option->traits & (OPTION_NEEDS_PROOF | OPTION_NEEDS_CHAIN | OPTION_NEEDS_TRUST) &&
		!proof_by_certificate(picks, side)) {
		return diag_set(
			why, "has no effect, because only pre-shared keys let in; remove it");
	}
	return 0;
}

/* What another option must be. */
static int
check_option_needs(
	const struct picks *picks, const struct option *option, enum side side, struct diag *why)
{
	enum side none;

	if (!option->needs)
		return 0;

	const struct assignment *needed = picks_get(picks, option->needs, side);

	if (needed && strcmp(needed->text, "no") == 0)
		return diag_set(why, "has no effect with %s = no; remove it", option->needs);
	if (!needed && !options_find(option->needs, &none)->initial)
		return diag_set(why, "has no effect without %s; remove it", option->needs);
	return 0;
}

int
effect_check_place(const struct service_config *service, const struct option *option,
	enum side side, struct diag *why)
{
	if (check_mode(service, option, why) < 0)
		return -1;
	return option->level == OPTION_OF_SIDE ? check_side(service, option, side, why) : 0;
}

int
effect_check(const struct service_config *service, const struct picks *picks,
	const struct option *option, enum side side, struct diag *why)
{
	if (effect_check_place(service, option, side, why) < 0 ||
		check_accept_needs(service, picks, option, why) < 0)
		return -1;
	if (option->level != OPTION_OF_SIDE)
		return 0;
	if (check_own_needs(picks, option, side, why) < 0 ||
		check_proof_needs(picks, option, side, why) < 0)
		return -1;
	return check_option_needs(picks, option, side, why);
}

/* Say why a key or certificate was passed over although it could have an effect. */
static void
explain_pair(const struct assignment *assignment, struct diag *why)
{
	bool is_key = strcmp(assignment->option->name, "key") == 0;

	(void)diag_set(why,
		"is not used, because %s is written elsewhere for that side; write %s%s and %s%s "
		"in the same place",
		is_key ? "the certificate" : "the key", option_prefix(assignment->side), "cert",
		option_prefix(assignment->side), "key");
}

/* Is there a side that could take its value from @assignment? If not, @why says why not. */
static bool
could_serve(const struct service_config *service, const struct picks *picks,
	const struct assignment *assignment, struct diag *why)
{
	bool of_side = assignment->option->level == OPTION_OF_SIDE;

	if (!of_side || assignment->side != SIDES) {
		return effect_check(service, picks, assignment->option,
			       of_side ? assignment->side : SIDE_ACCEPT, why) == 0;
	}
	for (unsigned side = 0; side < SIDES; side++) {
		if (service->tls[side].used &&
			effect_check(service, picks, assignment->option, (enum side)side, why) == 0)
			return true;
	}
	return false;
}

/* Say why nothing in the section takes its value from @assignment. */
static void
explain(const struct service_config *service, const struct picks *picks,
	const struct assignment *assignment, struct diag *why)
{
	const struct option *option = assignment->option;
	bool is_plain = assignment->side == SIDES;

	if (is_plain && option->traits & OPTION_PREFIXED && service->mode == MODE_BRIDGE) {
		(void)diag_set(why, "must say its side in a bridge; write accept-%s or connect-%s",
			option->name, option->name);
		return;
	}
	if (!could_serve(service, picks, assignment, why))
		return;
	if (option->traits & OPTION_PAIRED) {
		explain_pair(assignment, why);
	} else {
		(void)diag_set(why, "has no effect, because every side has its own; remove it");
	}
}

static void
complain_service(const struct service_config *service, const struct picks *picks,
	const struct assignment *assignment, struct complaints *complaints)
{
	struct diag why;

	for (; assignment; assignment = assignment->again) {
		if (assignment->is_used)
			continue;
		explain(service, picks, assignment, &why);
		complaints_add(complaints, &assignment->subject, "%s", why.text);
	}
}

static void
complain_program(const struct assignment *assignment, struct complaints *complaints)
{
	for (; assignment; assignment = assignment->again) {
		if (assignment->is_used)
			continue;
		complaints_add(complaints, &assignment->subject,
			"is a default that no service uses; remove it, or move it into the "
			"service it is for");
	}
}

void
effect_complain(const struct resolved *resolved, struct complaints *complaints)
{
	const struct config *config = &resolved->config;

	/* A service without a mode might have used what is left over. */
	for (size_t row = 0; row < options_count() * (SIDES + 1); row++) {
		if (config->service_count == resolved->statements.service_count) {
			complain_program(resolved->statements.program
						 .written[row / (SIDES + 1)][row % (SIDES + 1)],
				complaints);
		}
		for (size_t i = 0; i < config->service_count; i++) {
			complain_service(&config->services[i], &resolved->picks[i],
				resolved->picks[i]
					.scope->written[row / (SIDES + 1)][row % (SIDES + 1)],
				complaints);
		}
	}
}
