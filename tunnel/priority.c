/* SPDX-License-Identifier: MIT */
#include "tunnel/priority.h"

#include <gnutls/x509.h>
#include <string.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/config.h"
#include "tunnel/options.h"
#include "tunnel/rawkey.h"
#include "tunnel/tls_words.h"

enum { PRIORITY_SIZE = 10 << 10 };

static const char profile_option[] = "%PROFILE_";

/* The versions from min to max as a piece of a priority string. */
static void
add_versions(struct text *text, const struct tls_config *config)
{
	text_add(text, ":-VERS-ALL");
	if (config->max_version >= TLS_VERSION_1_3)
		text_add(text, ":+VERS-TLS1.3");
	if (config->min_version <= TLS_VERSION_1_2)
		text_add(text, ":+VERS-TLS1.2");
}

/* What verification has to be told of the profile, since it does not look into the priorities. */
static int
read_profile(const char *priority, unsigned *verify_flags, struct diag *diag)
{
	const char *profile = priority, *next;
	char name[32];

	while ((next = strstr(profile, profile_option)))
		profile = next + strlen(profile_option);
	size_t length = strcspn(profile, ":");
	if (length >= sizeof(name))
		return diag_set(diag, "the profile has no known name");
	/* What is VERY_WEAK in a priority string is "Very weak" elsewhere. */
	for (size_t i = 0; i < length; i++)
		name[i] = profile[i] == '_' ? ' ' : profile[i];
	name[length] = '\0';
	gnutls_certificate_verification_profiles_t id =
		gnutls_certificate_verification_profile_get_id(name);
	if (id == GNUTLS_PROFILE_UNKNOWN)
		return diag_set(diag, "the profile \"%s\" is unknown", name);
	*verify_flags = GNUTLS_PROFILE_TO_VFLAGS(id);
	return 0;
}

/* What nobody has chosen, so that it may take up what a newer GnuTLS has. */
static const char *
default_priority(void)
{
	enum side side;

	return options_find("priority", &side)->initial;
}

/* The configured string, with the post-quantum group before the first one. */
static void
add_post_quantum(struct text *text, const char *priority)
{
	const char *groups = strstr(priority, ":+GROUP-");

	if (!groups) {
		text_add(text, priority);
		return;
	}
	text_format(text, "%.*s:+GROUP-" PRIORITY_POST_QUANTUM "%s", (int)(groups - priority),
		priority, groups);
}

/*
 * Exchanges of pre-shared keys come first: GnuTLS would not look at the keys of a client of TLS 1.2 while it
 * has a certificate of its own. Those without (EC)DHE are left out, and so is finite-field DHE, which is
 * slow enough to be a weapon.
 */
static void
add_psk(struct text *text, gnutls_priority_t priorities)
{
	const unsigned *list;
	int count = gnutls_priority_kx_list(priorities, &list);

	text_add(text, ":-KX-ALL:+ECDHE-PSK");
	for (int i = 0; i < count; i++) {
		const char *name = gnutls_kx_get_name((gnutls_kx_algorithm_t)list[i]);

		if (name && !strstr(name, "PSK"))
			text_format(text, ":+%s", name);
	}
}

static int
make(gnutls_priority_t *priorities, const char *priority, struct diag *diag)
{
	const char *position = priority;
	int error = gnutls_priority_init(priorities, priority, &position);

	if (error == GNUTLS_E_INVALID_REQUEST) {
		return diag_set(diag,
			"GnuTLS does not understand it from position %td: \"%.*s\"; the words "
			"that it knows: gnutls-cli --list",
			position - priority + 1, (int)strcspn(position, ":"), position);
	}
	return error ? diag_set(diag, "%s", tls_words(error).text) : 0;
}

bool
priority_has_post_quantum(void)
{
	return gnutls_group_get_id(PRIORITY_POST_QUANTUM) != GNUTLS_GROUP_INVALID;
}

void
priority_print(const struct tls_config *config, bool post_quantum, struct text *text)
{
	if (post_quantum && strcmp(config->priority, default_priority()) == 0)
		add_post_quantum(text, config->priority);
	else
		text_add(text, config->priority);
	add_versions(text, config);
	/* A certificate says until when it is good, and a raw key does not, so it comes second. */
	if (rawkey_is_wanted(config))
		text_add(text, ":+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK");
}

void
priority_print_groups(struct text *groups)
{
	const struct tls_config config = {.priority = default_priority(), .verify = VERIFY_NO};
	char priority[PRIORITY_SIZE];
	struct text text;
	gnutls_priority_t priorities;
	const unsigned *list;

	text_init(&text, priority, sizeof(priority));
	priority_print(&config, priority_has_post_quantum(), &text);
	if (gnutls_priority_init(&priorities, priority, NULL))
		return;
	int count = gnutls_priority_group_list(priorities, &list);
	for (int i = 0; i < count; i++)
		text_format(groups, "%s%s", i > 0 ? ", " : "",
			gnutls_group_get_name((gnutls_group_t)list[i]));
	gnutls_priority_deinit(priorities);
}

int
priority_load(const struct tls_config *config, gnutls_priority_t *priorities,
	unsigned *verify_flags, struct diag *diag)
{
	char priority[PRIORITY_SIZE];
	struct text text;

	text_init(&text, priority, sizeof(priority));
	priority_print(config, priority_has_post_quantum(), &text);
	if (text.cut)
		return diag_set(diag, "it is too long");
	if (make(priorities, priority, diag))
		return -1;
	if (config->psk) {
		add_psk(&text, *priorities);
		gnutls_priority_deinit(*priorities);
		*priorities = NULL;
		if (text.cut)
			return diag_set(diag, "it is too long");
		if (make(priorities, priority, diag))
			return -1;
	}
	return read_profile(priority, verify_flags, diag);
}
