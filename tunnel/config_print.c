/* SPDX-License-Identifier: MIT */
/* The effective configuration, in its own syntax, and what is less safe in it than the default. */
#include "tunnel/config.h"

#include <string.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/effect.h"
#include "tunnel/resolved.h"

enum { NAME_SIZE = 80 };

static void
print_origin(const struct assignment *assignment, FILE *out)
{
	const struct subject *subject = &assignment->subject;

	if (subject->place.is_flags) {
		(void)fprintf(out, "# --%s\n", subject->option);
	} else {
		(void)fprintf(out, "# %s:%u\n", subject->place.file, subject->place.line);
	}
}

/* Write one option with all its values. */
static void
print_option(
	const char *name, const struct option *option, const struct assignment *picked, FILE *out)
{
	if (!picked && option->initial) {
		(void)fprintf(out, "# default\n%s = %s\n", name, option->initial);
	} else if (!picked) {
		(void)fprintf(out, "# default of %s: %s\n", name, option->otherwise);
	}
	for (; picked; picked = picked->again) {
		print_origin(picked, out);
		(void)fprintf(out, "%s = %s\n", name, picked->text);
	}
}

static void
print_of_service(
	const struct resolved *resolved, size_t index, size_t row, enum side side, FILE *out)
{
	const struct service_config *service = &resolved->services[index];
	const struct option *option = options_get(row);
	bool of_side = option->level == OPTION_OF_SIDE;
	bool has_prefix = of_side && service->mode == MODE_BRIDGE;
	const struct assignment *picked = resolved->picks[index].picked[row][side];
	char array[NAME_SIZE];
	struct text name;
	struct diag why;

	if (effect_check(service, &resolved->picks[index], option, side, &why) < 0)
		return;
	text_init(&name, array, sizeof(array));
	text_format(&name, "%s%s", has_prefix ? option_prefix(side) : "", option->name);
	if (!picked && option->traits & OPTION_REQUIRED) {
		(void)fprintf(out, "# default of %s: none is needed here\n", array);
	} else {
		print_option(array, option, picked, out);
	}
}

static void
print_service(const struct resolved *resolved, size_t index, FILE *out)
{
	const struct subject *subject = &resolved->picks[index].scope->subject;

	(void)fprintf(out, "\n[%s]\n", subject->service);
	for (size_t row = 0; row < options_count(); row++) {
		if (options_get(row)->level == OPTION_OF_PROGRAM)
			continue;
		print_of_service(resolved, index, row, SIDE_ACCEPT, out);
		if (options_get(row)->level == OPTION_OF_SIDE)
			print_of_service(resolved, index, row, SIDE_CONNECT, out);
	}
}

void
config_print(const struct config *config, FILE *out)
{
	const struct resolved *resolved = resolved_of(config);

	for (size_t row = 0; row < options_count(); row++) {
		const struct option *option = options_get(row);

		/* What was included is all here already. */
		if (option->level == OPTION_OF_PROGRAM && option->field != FIELD_NONE)
			print_option(option->name, option, resolved->picked[row], out);
	}
	for (size_t i = 0; i < config->service_count; i++)
		print_service(resolved, i, out);
}

/* Write a warning about the value that was picked for @name. */
static void
warn(const struct resolved *resolved, size_t index, const char *name, enum side side,
	const char *words, FILE *out)
{
	const struct assignment *assignment = picks_get(&resolved->picks[index], name, side);
	struct subject subject = assignment->subject;
	char array[DIAG_SIZE];
	struct text text;

	subject.service = resolved->services[index].name;
	text_init(&text, array, sizeof(array));
	subject_print(&subject, &text);
	(void)fprintf(out, "%s%s\n", array, words);
}

static void
warn_side(const struct resolved *resolved, size_t index, enum side side, FILE *out)
{
	static const char *const unverified[] = {
		"lets everybody in: clients are not asked for a certificate",
		"trusts every server: neither its certificate nor its name is checked",
	};
	const struct tls_config *tls = &resolved->services[index].tls[side];

	if (!tls->used)
		return;
	if (tls->verify == VERIFY_NO)
		warn(resolved, index, "verify", side, unverified[side], out);
	if (tls->verify == VERIFY_OPTIONAL) {
		warn(resolved, index, "verify", side, "lets clients in that show no certificate",
			out);
	}
	if (picks_get(&resolved->picks[index], "key-permissions", side) && !tls->key_permissions) {
		warn(resolved, index, "key-permissions", side,
			"leaves it open who else can read the private key", out);
	}
	if (tls->crl && tls->crl_missing == CRL_MISSING_ACCEPT) {
		warn(resolved, index, "crl-missing", side,
			"believes in every certificate whose issuer has no list", out);
	}
}

void
config_print_warnings(const struct config *config, FILE *out)
{
	const struct resolved *resolved = resolved_of(config);

	for (size_t i = 0; i < config->service_count; i++) {
		warn_side(resolved, i, SIDE_ACCEPT, out);
		warn_side(resolved, i, SIDE_CONNECT, out);
		if (config->services[i].allow_remote_plaintext) {
			warn(resolved, i, "allow-remote-plaintext", SIDE_ACCEPT,
				"lets plaintext leave this machine, where others can read and "
				"change it",
				out);
		}
	}
}
