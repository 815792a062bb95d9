/* SPDX-License-Identifier: MIT */
#include "tunnel/priority.h"

#include <gnutls/x509.h>
#include <string.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/config.h"
#include "tunnel/tls_words.h"

enum { PRIORITY_SIZE = 9 << 10 };

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

int
priority_load(const struct tls_config *config, gnutls_priority_t *priorities,
	unsigned *verify_flags, struct diag *diag)
{
	char priority[PRIORITY_SIZE];
	const char *position = priority;
	struct text text;

	text_init(&text, priority, sizeof(priority));
	text_add(&text, config->priority);
	add_versions(&text, config);
	if (text.cut)
		return diag_set(diag, "it is too long");
	int error = gnutls_priority_init(priorities, priority, &position);
	if (error == GNUTLS_E_INVALID_REQUEST) {
		return diag_set(diag,
			"GnuTLS does not understand it from position %td: \"%.*s\"; the words "
			"that it knows: gnutls-cli --list",
			position - priority + 1, (int)strcspn(position, ":"), position);
	}
	if (error)
		return diag_set(diag, "%s", tls_words(error).text);
	return read_profile(priority, verify_flags, diag);
}
