/* SPDX-License-Identifier: MIT */
#include "tunnel/command_pki.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"
#include "tunnel/command.h"
#include "tunnel/pki_arguments.h"
#include "tunnel/pki_pair.h"
#include "tunnel/pki_print.h"
#include "tunnel/pki_revoke.h"
#include "tunnel/pki_self.h"
#include "tunnel/pki_show.h"
#include "tunnel/pki_store.h"
#include "tunnel/pki_ticket_key.h"

enum {
	DAY = 24 * 60 * 60,
	SKEW = 60 * 60, /* how far behind ours a peer's clock may be on the first day */
	AUTHORITY_DAYS = 3650,
	LEAF_DAYS = 365,
};

struct subcommand {
	const char *name;
	const char *operands;
	size_t operand_count;
	enum pki_arguments_for options;
	const char *summary;
	const char *help;
	int (*run)(const struct pki_arguments *arguments, struct diag *diag);
};

static int
make_authority(const struct pki_arguments *arguments, struct diag *diag)
{
	const char *directory = arguments->operands[0];
	time_t now = time(NULL);
	const struct pki_pair_plan plan = {
		.common_name = arguments->name,
		.type = arguments->key_type,
		.from = now - SKEW,
		.until = now + (time_t)DAY * (arguments->days ? arguments->days : AUTHORITY_DAYS),
	};
	struct pki_pair pair;

	if (pki_store_check_free(directory, "ca", diag) < 0 ||
		pki_pair_make_authority(&pair, &plan, diag) < 0)
		return -1;
	int ret = pki_store_save(directory, "ca", &pair, diag);
	pki_pair_release(&pair);
	return ret;
}

static int
run_init(const struct pki_arguments *arguments, struct diag *diag)
{
	const char *directory = arguments->operands[0];
	bool made;

	if (pki_store_make(directory, &made, diag) < 0)
		return EXIT_FAILED;
	if (make_authority(arguments, diag) < 0) {
		if (made)
			(void)rmdir(directory);
		return EXIT_FAILED;
	}
	printf("%s/ca.crt  the authority's certificate: give it to every peer, as its \"ca\"\n"
	       "%s/ca.key  the authority's key: give it to nobody, keep it off the servers\n"
	       "Next: sallyport pki issue %s NAME\n",
		directory, directory, directory);
	return EXIT_ENDED;
}

/*
 * Put the period of a new certificate into @plan: within that of its @authority, since peers judge
 * both. Fewer days than were asked for in so many words would be a surprise a year later: refused.
 */
static int
plan_period(
	struct pki_pair_plan *plan, gnutls_x509_crt_t authority, unsigned days, struct diag *diag)
{
	time_t now = time(NULL);
	time_t first = gnutls_x509_crt_get_activation_time(authority);
	time_t last = gnutls_x509_crt_get_expiration_time(authority);

	if (first > now)
		return diag_set(diag, "the authority is not valid yet: is the clock right?");
	if (last <= now)
		return diag_set(diag, "the authority has expired: make a new one with pki init");
	plan->from = now - SKEW > first ? now - SKEW : first;
	plan->until = now + (time_t)DAY * (days ? days : LEAF_DAYS);
	if (plan->until <= last)
		return 0;
	if (days && plan->until - last >= DAY) {
		return diag_set(diag,
			"--days: the authority expires in %ld days, and no certificate outlives "
			"it: "
			"ask for fewer, or leave the option out",
			(long)((last - now) / DAY));
	}
	plan->until = last;
	fputs("The certificate is made to expire with its authority, ", stdout);
	pki_print_time(last, stdout);
	fputs(".\n", stdout);
	return 0;
}

/* A certificate without any name given is for the host that it is named after. */
static int
plan_names(struct pki_pair_plan *plan, const struct pki_arguments *arguments,
	struct pki_name *own_name, struct diag *diag)
{
	plan->names = arguments->names;
	plan->name_count = arguments->name_count;
	if (arguments->name_count > 0)
		return 0;
	plan->names = own_name;
	plan->name_count = 1;
	if (!pki_name_is_host(plan->common_name)) {
		return diag_set(diag,
			"\"%s\" is not a host name, and a certificate needs a name that peers can "
			"check: add --dns, --ip or --uri",
			plan->common_name);
	}
	return pki_name_parse(own_name, PKI_NAME_DNS, plan->common_name, diag);
}

static int
issue(const struct pki_arguments *arguments, const struct pki_pair *authority,
	struct pki_pair_plan *plan, struct diag *diag)
{
	struct pki_pair pair;

	if (plan_period(plan, authority->crt, arguments->days, diag) < 0 ||
		pki_pair_make_leaf(&pair, plan, authority, diag) < 0)
		return -1;
	int ret = pki_store_save(arguments->operands[0], plan->common_name, &pair, diag);
	pki_pair_release(&pair);
	return ret;
}

static int
run_issue(const struct pki_arguments *arguments, struct diag *diag)
{
	const char *directory = arguments->operands[0], *name = arguments->operands[1];
	struct pki_pair_plan plan = {.common_name = name, .type = arguments->key_type};
	struct pki_name own_name;
	struct pki_pair authority;

	if (pki_name_check_stem(name, diag) < 0 ||
		plan_names(&plan, arguments, &own_name, diag) < 0 ||
		pki_store_check_free(directory, name, diag) < 0 ||
		pki_store_load_authority(directory, &authority, diag) < 0)
		return EXIT_FAILED;
	int ret = issue(arguments, &authority, &plan, diag);
	pki_pair_release(&authority);
	if (ret < 0)
		return EXIT_FAILED;
	printf("%s/%s.crt  the certificate: \"cert\" of its owner\n"
	       "%s/%s.key  its key: \"key\" of its owner and nobody else's\n",
		directory, name, directory, name);
	return EXIT_ENDED;
}

static const struct subcommand subcommands[] = {
	{"init", "DIR", 1, PKI_FOR_INIT, "make a certificate authority",
		"Makes the directory DIR, if it is not there, and in it the certificate ca.crt\n"
		"and the private key ca.key of a new certificate authority. Overwrites nothing.\n",
		run_init},
	{"issue", "DIR NAME", 2, PKI_FOR_ISSUE, "make a certificate for one end of a tunnel",
		"Makes the certificate DIR/NAME.crt, good as a client's and as a server's, and "
		"its\n"
		"private key DIR/NAME.key, signed by the authority in DIR. Without --dns, --ip "
		"and\n"
		"--uri it is good for the host NAME. Overwrites nothing.\n",
		run_issue},
	{"revoke", "DIR [NAME]", 2, PKI_FOR_REVOKE,
		"revoke a certificate, or renew the list of them",
		"Makes the revocation list DIR/ca.crl of the authority in DIR anew, with all that\n"
		"were on it and the certificate DIR/NAME.crt. Without NAME the list is renewed, "
		"as\n"
		"it must be before it expires.\n",
		pki_revoke},
	{"self", "DIR NAME", 2, PKI_FOR_SELF, "make an identity that needs no authority",
		"Makes the certificate DIR/NAME.crt, signed with its own private key\n"
		"DIR/NAME.key, and prints the lines of the configuration for both ends: the other\n"
		"end knows this one by its pin. Overwrites nothing.\n",
		pki_self},
	{"show", "FILE|HOST:PORT", 1, PKI_FOR_SHOW, "show certificates and whether they verify",
		"Shows every certificate of a file, or connects to a server and shows its\n"
		"certificates and whether they verify. The options are for a server.\n",
		pki_show},
	{"ticket-key", "FILE", 1, PKI_FOR_TICKET_KEY, "make the secret of session tickets",
		"Writes 64 random bytes to FILE, or puts them in the place of those that are "
		"there.\n"
		"Accepting ends with the same file resume each other's sessions.\n",
		pki_ticket_key},
};

static const char exit_codes[] = "Exit codes: 0 done, 1 failed, 2 the command line is wrong.\n"
				 "The manual is sallyport-pki(1).\n";

static void
print_help(const struct subcommand *subcommand)
{
	printf("usage: sallyport pki %s [options] %s\n\n%s\n", subcommand->name,
		subcommand->operands, subcommand->help);
	pki_arguments_print_help(subcommand->options, stdout);
	printf("\n%s", exit_codes);
}

static void
print_overview(FILE *out)
{
	fputs("usage: sallyport pki SUBCOMMAND [options] ...\n\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++) {
		fprintf(out, "  %-10s %-15s %s\n", subcommands[i].name, subcommands[i].operands,
			subcommands[i].summary);
	}
	fprintf(out, "\nEach has --help. %s", exit_codes);
}

static const struct subcommand *
find_subcommand(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++) {
		if (strcmp(subcommands[i].name, name) == 0)
			return &subcommands[i];
	}
	return NULL;
}

static int
run(const struct subcommand *subcommand, char **argv)
{
	struct pki_arguments arguments;
	struct diag diag;
	int code = EXIT_USAGE;

	if (pki_arguments_parse(
		    &arguments, subcommand->options, subcommand->operand_count, argv, &diag) == 0) {
		if (arguments.help) {
			print_help(subcommand);
			return EXIT_ENDED;
		}
		code = subcommand->run(&arguments, &diag);
	}
	if (code != EXIT_ENDED)
		fprintf(stderr, "sallyport pki %s: %s\n", subcommand->name, diag.text);
	if (code == EXIT_USAGE)
		fprintf(stderr, "Try: sallyport pki %s --help\n", subcommand->name);
	return code;
}

int
command_pki(int argc, char **argv)
{
	const struct subcommand *subcommand;

	if (argc < 2) {
		print_overview(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0) {
		print_overview(stdout);
		return command_finish(EXIT_ENDED);
	}
	subcommand = find_subcommand(argv[1]);
	if (!subcommand) {
		fprintf(stderr,
			"sallyport pki: there is no sub-command \"%.100s\"\n"
			"Try: sallyport pki --help\n",
			argv[1]);
		return EXIT_USAGE;
	}
	return command_finish(run(subcommand, argv + 1));
}
