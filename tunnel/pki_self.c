/* SPDX-License-Identifier: MIT */
#include "tunnel/pki_self.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/certificate.h"
#include "tunnel/command.h"
#include "tunnel/pki_arguments.h"
#include "tunnel/pki_name.h"
#include "tunnel/pki_pair.h"
#include "tunnel/pki_store.h"

enum {
	DAY = 24 * 60 * 60,
	SKEW = 60 * 60,	  /* how far behind ours a peer's clock may be on the first day */
	SELF_DAYS = 3650, /* whoever renews it must change the pin at the other end */
};

/* The lines to paste; paths are complete, since a configuration may lie anywhere. */
static int
tell(const struct pki_arguments *arguments, const struct pki_pair *pair, struct diag *diag)
{
	const char *name = arguments->operands[1];
	char pin[CERTIFICATE_PIN_SIZE];
	struct text text;

	text_init(&text, pin, sizeof(pin));
	if (certificate_pin(pair->crt, &text) < 0)
		return diag_set(diag, "the pin of the certificate cannot be made");
	char *directory = realpath(arguments->operands[0], NULL);
	if (!directory)
		return diag_set(diag, "%s: %s", arguments->operands[0], strerror(errno));
	printf("%s/%s.crt  the certificate\n"
	       "%s/%s.key  its key: of its owner and nobody else's\n\n"
	       "# In the section of this end, with the pin of the other:\n"
	       "cert = %s/%s.crt\n"
	       "key = %s/%s.key\n"
	       "ca = none\n\n"
	       "# In the section of the other end:\n"
	       "ca = none\n"
	       "pin = %s\n",
		directory, name, directory, name, directory, name, directory, name, pin);
	free(directory);
	return 0;
}

static int
make(const struct pki_arguments *arguments, struct diag *diag)
{
	const char *directory = arguments->operands[0], *name = arguments->operands[1];
	time_t now = time(NULL);
	struct pki_name own_name;
	struct pki_pair_plan plan = {
		.common_name = name,
		.type = arguments->key_type,
		.from = now - SKEW,
		.until = now + (time_t)DAY * (arguments->days ? arguments->days : SELF_DAYS),
		.names = arguments->names,
		.name_count = arguments->name_count,
	};
	struct pki_pair pair;

	if (plan.name_count == 0 && pki_name_is_host(name)) {
		if (pki_name_parse(&own_name, PKI_NAME_DNS, name, diag) < 0)
			return -1;
		plan.names = &own_name;
		plan.name_count = 1;
	}
	if (pki_store_check_free(directory, name, diag) < 0 ||
		pki_pair_make_self(&pair, &plan, diag) < 0)
		return -1;
	int ret = pki_store_save(directory, name, &pair, diag);
	if (ret == 0)
		ret = tell(arguments, &pair, diag);
	pki_pair_release(&pair);
	return ret;
}

int
pki_self(const struct pki_arguments *arguments, struct diag *diag)
{
	const char *directory = arguments->operands[0];
	bool made;

	if (pki_name_check_stem(arguments->operands[1], diag) < 0 ||
		pki_store_make(directory, &made, diag) < 0)
		return EXIT_FAILED;
	if (make(arguments, diag) == 0)
		return EXIT_ENDED;
	if (made)
		(void)rmdir(directory);
	return EXIT_FAILED;
}
