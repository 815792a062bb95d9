/* SPDX-License-Identifier: MIT */
#include "tunnel/pki_revoke.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"
#include "tunnel/command.h"
#include "tunnel/pki_arguments.h"
#include "tunnel/pki_crl.h"
#include "tunnel/pki_name.h"
#include "tunnel/pki_pair.h"
#include "tunnel/pki_print.h"
#include "tunnel/pki_store.h"

enum {
	DAY = 24 * 60 * 60,
	SKEW = 60 * 60, /* how far behind ours a peer's clock may be */
	LIST_DAYS = 30,
};

static void
tell(const struct pki_arguments *arguments, const struct pki_crl_made *made, time_t until)
{
	const char *directory = arguments->operands[0], *name = arguments->operands[1];

	if (name && made->was_on_it) {
		printf("%s had been revoked already; the list is made anew\n", name);
	} else if (name) {
		printf("%s is revoked\n", name);
	}
	printf("%s/ca.crl  the authority's list: \"crl\" of every peer; %u on it, good until ",
		directory, made->count);
	pki_print_time(until, stdout);
	printf("\nNext: give it to every peer, and before it expires: sallyport pki revoke %s\n",
		directory);
}

/* Make the list with whom @plan revokes, from the one that is there, and put it in its place. */
static int
make_list(const struct pki_arguments *arguments, const struct pki_crl_plan *plan, struct diag *diag)
{
	const char *directory = arguments->operands[0];
	struct pki_crl_made made = {.count = 0};
	gnutls_datum_t old;

	if (pki_store_load_list(directory, &old, diag) < 0)
		return -1;
	int ret = pki_crl_make(&made, plan, old.data ? &old : NULL, diag);
	if (ret == 0)
		ret = pki_store_save_list(directory, &made.pem, diag);
	if (ret == 0)
		tell(arguments, &made, plan->until);
	gnutls_free(made.pem.data);
	gnutls_free(old.data);
	return ret;
}

static int
list_anew(
	const struct pki_arguments *arguments, const struct pki_pair *authority, struct diag *diag)
{
	const char *directory = arguments->operands[0], *name = arguments->operands[1];
	time_t now = time(NULL);
	struct pki_crl_plan plan = {
		.authority = authority,
		.now = now,
		.from = now - SKEW,
		.until = now + (time_t)DAY * (arguments->days ? arguments->days : LIST_DAYS),
	};

	if (name) {
		plan.revoked = pki_store_load_certificate(directory, name, diag);
		if (!plan.revoked)
			return -1;
	}
	int ret = make_list(arguments, &plan, diag);
	if (plan.revoked)
		gnutls_x509_crt_deinit(plan.revoked);
	return ret;
}

int
pki_revoke(const struct pki_arguments *arguments, struct diag *diag)
{
	const char *directory = arguments->operands[0], *name = arguments->operands[1];
	struct pki_pair authority;

	if (name && pki_name_check_stem(name, diag) < 0)
		return EXIT_FAILED;
	int lock = pki_store_lock(directory, diag);
	if (lock < 0)
		return EXIT_FAILED;
	int ret = pki_store_load_authority(directory, &authority, diag);
	if (ret == 0) {
		ret = list_anew(arguments, &authority, diag);
		pki_pair_release(&authority);
	}
	(void)close(lock);
	return ret < 0 ? EXIT_FAILED : EXIT_ENDED;
}
