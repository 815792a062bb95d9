/* SPDX-License-Identifier: MIT */
#include "configured.h"

#include "tunnel/command_version.h"

#include <ares.h>
#include <ev.h>
#include <gnutls/gnutls.h>

#include "common/defs.h"
#include "common/text.h"
#include "tunnel/command.h"

static const char *
yes_or_no(int yes)
{
	return yes ? "yes" : "no";
}

void
command_version_line(struct text *text)
{
	text_format(text, "sallyport %s, GnuTLS %s, libev %d.%d, c-ares %s, inih %s",
		PACKAGE_VERSION, gnutls_check_version(NULL), ev_version_major(), ev_version_minor(),
		ares_version(NULL), INIH_VERSION);
}

int
command_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	(void)printf("sallyport %s\n\nlibraries:\n", PACKAGE_VERSION);
	(void)printf("  GnuTLS  %s (built with %s)\n", gnutls_check_version(NULL), GNUTLS_VERSION);
	(void)printf("  libev   %d.%d\n", ev_version_major(), ev_version_minor());
	(void)printf("  c-ares  %s\n", ares_version(NULL));
	(void)printf("  inih    %s (when built; it tells no version at run time)\n", INIH_VERSION);
	(void)printf("\nfeatures:\n");
	(void)printf("  post-quantum key exchange (X25519-MLKEM768)  %s\n",
		yes_or_no(gnutls_group_get_id("X25519-MLKEM768") != GNUTLS_GROUP_INVALID));
	(void)printf("  kernel TLS                                   no\n");
	(void)printf("  trust anchors of \"ca = system\"               %s\n", SYSTEM_TRUST_FILE);
	return fflush(stdout) == 0 ? EXIT_ENDED : EXIT_FAILED;
}
