/* SPDX-License-Identifier: MIT */
#include "tunnel/alpn.h"

#include <string.h>

int
alpn_set(gnutls_session_t session, const struct tls_config *config)
{
	gnutls_datum_t names[ALPN_NAMES_MAX];
	const struct texts *alpn = &config->alpn;
	unsigned count = 0;

	if (alpn->count == 0)
		return 0;
	for (; count < alpn->count && count < ALPN_NAMES_MAX; count++) {
		/* GnuTLS copies the bytes, but takes no constant ones. */
		union {
			const char *constant;
			unsigned char *taken;
		} name = {.constant = alpn->list[count]};
		names[count].data = name.taken;
		names[count].size = (unsigned)strlen(name.constant);
	}
	return gnutls_alpn_set_protocols(
		session, names, count, GNUTLS_ALPN_MANDATORY | GNUTLS_ALPN_SERVER_PRECEDENCE);
}

static bool
is_among(const struct texts *alpn, const gnutls_datum_t *selected)
{
	for (size_t i = 0; i < alpn->count; i++) {
		if (strlen(alpn->list[i]) == selected->size &&
			memcmp(alpn->list[i], selected->data, selected->size) == 0)
			return true;
	}
	return false;
}

struct verdict
alpn_judge(gnutls_session_t session, const struct tls_config *config)
{
	gnutls_datum_t selected;

	if (config->alpn.count == 0)
		return verdict_good;
	if (gnutls_alpn_get_selected_protocol(session, &selected))
		return verdict_bad(GNUTLS_A_NO_APPLICATION_PROTOCOL,
			"no protocol was selected (ALPN), but alpn is set");
	if (!is_among(&config->alpn, &selected))
		return verdict_bad(GNUTLS_A_NO_APPLICATION_PROTOCOL,
			"the selected protocol is not one of those in alpn");
	return verdict_good;
}
