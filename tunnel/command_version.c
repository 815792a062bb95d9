/* SPDX-License-Identifier: MIT */
#include "configured.h"

#include "tunnel/command_version.h"

#include <ares.h>
#include <ev.h>
#include <gnutls/gnutls.h>

#include "common/defs.h"
#include "common/text.h"
#include "tunnel/command.h"
#include "tunnel/priority.h"
#include "tunnel/vaes.h"

static const char *
yes_or_no(int yes)
{
	return yes ? "yes" : "no";
}

static const char *
ipsec_mb(void)
{
	return WITH_IPSEC_MB ? vaes_version() : "none";
}

void
command_version_line(struct text *text)
{
	text_format(text,
		"sallyport %s, GnuTLS %s, libev %d.%d, c-ares %s, inih %s, "
		"libcrypto %s, ipsec-mb %s",
		PACKAGE_VERSION, gnutls_check_version(NULL), ev_version_major(), ev_version_minor(),
		ares_version(NULL), INIH_VERSION, LIBCRYPTO_VERSION, ipsec_mb());
}

int
command_version(int argc, char **argv)
{
	char groups[256];
	struct text text;

	(void)argc;
	(void)argv;
	text_init(&text, groups, sizeof(groups));
	priority_print_groups(&text);
	(void)printf("sallyport %s\n\nlibraries:\n", PACKAGE_VERSION);
	(void)printf(
		"  GnuTLS     %s (built with %s)\n", gnutls_check_version(NULL), GNUTLS_VERSION);
	(void)printf("  libev      %d.%d\n", ev_version_major(), ev_version_minor());
	(void)printf("  c-ares     %s\n", ares_version(NULL));
	(void)printf(
		"  inih       %s (when built; it tells no version at run time)\n", INIH_VERSION);
	(void)printf("  libcrypto  %s (when built; the key process alone loads it, for RSA)\n",
		LIBCRYPTO_VERSION);
	(void)printf(
		"  ipsec-mb   %s (when built; serve alone loads it, for AES-GCM)\n", ipsec_mb());
	(void)printf("\nfeatures:\n");
	(void)printf("  post-quantum key exchange (X25519-MLKEM768)  %s\n",
		yes_or_no(priority_has_post_quantum()));
	(void)printf("  key exchange groups, first choice first      %s\n", groups);
	(void)printf("  AES-GCM by ipsec-mb (VAES, AVX-512)          %s\n",
		yes_or_no(WITH_IPSEC_MB && vaes_is_there()));
	(void)printf("  kernel TLS                                   no\n");
	(void)printf("  trust anchors of \"ca = system\"               %s\n", SYSTEM_TRUST_FILE);
	return command_finish(EXIT_ENDED);
}
