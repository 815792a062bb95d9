/* SPDX-License-Identifier: MIT */
#include "tunnel/pki_arguments.h"

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/diag.h"

enum {
	ALL = PKI_FOR_INIT | PKI_FOR_ISSUE | PKI_FOR_SHOW | PKI_FOR_REVOKE | PKI_FOR_SELF |
		PKI_FOR_TICKET_KEY
};

struct option {
	const char *name;
	const char *value; /* what to call it; NULL for an option without */
	unsigned commands; /* enum pki_arguments_for */
	bool repeats;
	const char *help; /* a line, or two with "\n" between */
	int (*set)(struct pki_arguments *arguments, const char *value, struct diag *diag);
};

static int
set_help(struct pki_arguments *arguments, const char *value, struct diag *diag)
{
	(void)value, (void)diag;
	arguments->help = true;
	return 0;
}

static int
set_name(struct pki_arguments *arguments, const char *value, struct diag *diag)
{
	arguments->name = value;
	return pki_name_check_common(value, diag);
}

static int
set_days(struct pki_arguments *arguments, const char *value, struct diag *diag)
{
	size_t length = strlen(value);
	unsigned long days = 0;

	if (length > 0 && length < 10 && strspn(value, "0123456789") == length)
		days = strtoul(value, NULL, 10);
	if (days < 1 || days > PKI_ARGUMENTS_DAYS) {
		return diag_set(diag, "\"%.100s\" is not a number of days from 1 to %d", value,
			PKI_ARGUMENTS_DAYS);
	}
	arguments->days = (unsigned)days;
	return 0;
}

static int
set_key_type(struct pki_arguments *arguments, const char *value, struct diag *diag)
{
	for (int i = 0; i < PKI_PAIR_TYPES; i++) {
		if (strcmp(pki_pair_type_name((enum pki_pair_type)i), value) == 0) {
			arguments->key_type = (enum pki_pair_type)i;
			return 0;
		}
	}
	return diag_set(diag, "\"%.100s\" is not one of ecdsa-p256, ed25519, rsa-3072", value);
}

static int
add_name(struct pki_arguments *arguments, enum pki_name_kind kind, const char *value,
	struct diag *diag)
{
	if (arguments->name_count == PKI_ARGUMENTS_NAMES)
		return diag_set(diag, "a certificate takes at most %d names", PKI_ARGUMENTS_NAMES);
	return pki_name_parse(&arguments->names[arguments->name_count++], kind, value, diag);
}

static int
add_dns(struct pki_arguments *arguments, const char *value, struct diag *diag)
{
	return add_name(arguments, PKI_NAME_DNS, value, diag);
}

static int
add_ip(struct pki_arguments *arguments, const char *value, struct diag *diag)
{
	return add_name(arguments, PKI_NAME_IP, value, diag);
}

static int
add_uri(struct pki_arguments *arguments, const char *value, struct diag *diag)
{
	return add_name(arguments, PKI_NAME_URI, value, diag);
}

static int
set_ca(struct pki_arguments *arguments, const char *value, struct diag *diag)
{
	(void)diag;
	arguments->ca = value;
	return 0;
}

static int
set_cert(struct pki_arguments *arguments, const char *value, struct diag *diag)
{
	(void)diag;
	arguments->cert = value;
	return 0;
}

static int
set_key(struct pki_arguments *arguments, const char *value, struct diag *diag)
{
	(void)diag;
	arguments->key = value;
	return 0;
}

static int
set_server_name(struct pki_arguments *arguments, const char *value, struct diag *diag)
{
	arguments->server_name = value;
	if (!pki_name_is_host(value)) /* "none" is one */
		return diag_set(diag, "\"%.300s\" is neither a host name nor none", value);
	return 0;
}

static int
set_peer_name(struct pki_arguments *arguments, const char *value, struct diag *diag)
{
	unsigned char ip[16];

	arguments->peer_name = value;
	if (pki_name_is_host(value) || address_ip_bytes(value, ip) > 0)
		return 0;
	return diag_set(
		diag, "\"%.300s\" is neither a host name nor an IP address nor none", value);
}

static const struct option options[] = {
	{"name", "CN", PKI_FOR_INIT, false,
		"common name of the authority\n"
		"(default: \"sallyport CA\" and a number of its own)",
		set_name},
	{"dns", "NAME", PKI_FOR_ISSUE | PKI_FOR_SELF, true,
		"host name that the certificate is good for, may begin\nwith \"*.\"; repeats",
		add_dns},
	{"ip", "ADDRESS", PKI_FOR_ISSUE | PKI_FOR_SELF, true,
		"IP address that the certificate is good for; repeats", add_ip},
	{"uri", "URI", PKI_FOR_ISSUE | PKI_FOR_SELF, true,
		"URI that the certificate is good for, as\nspiffe://example.net/orders; repeats",
		add_uri},
	{"days", "N", PKI_FOR_INIT | PKI_FOR_SELF, false, "days until it expires (default: 3650)",
		set_days},
	{"days", "N", PKI_FOR_ISSUE, false,
		"days until it expires (default: 365, or fewer if the\nauthority expires earlier)",
		set_days},
	{"days", "N", PKI_FOR_REVOKE, false,
		"days until the list must have been made anew\n(default: 30)", set_days},
	{"key-type", "TYPE", PKI_FOR_INIT | PKI_FOR_ISSUE | PKI_FOR_SELF, false,
		"ecdsa-p256 (default), ed25519 or rsa-3072", set_key_type},
	{"ca", "FILE", PKI_FOR_SHOW, false, "trust anchors to judge by (default: the system's)",
		set_ca},
	{"cert", "FILE", PKI_FOR_SHOW, false,
		"certificate chain to show to a server that asks for one", set_cert},
	{"key", "FILE", PKI_FOR_SHOW, false, "its private key (default: the --cert file)", set_key},
	{"peer-name", "NAME|IP|none", PKI_FOR_SHOW, false,
		"name that the certificate must be good for\n(default: the HOST)", set_peer_name},
	{"server-name", "NAME|none", PKI_FOR_SHOW, false,
		"name to ask the server for, by SNI\n(default: the peer name, if it is a host "
		"name)",
		set_server_name},
	{"help", NULL, ALL, false, "show this", set_help},
};

/* Does @argument ask for @option, as "--name" or "--name=value"? */
static bool
matches(const struct option *option, const char *argument)
{
	size_t length = strlen(option->name);

	return strncmp(argument + 2, option->name, length) == 0 &&
		(argument[2 + length] == '\0' || argument[2 + length] == '=');
}

static const struct option *
find_option(enum pki_arguments_for command, const char *argument)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if ((options[i].commands & command) && matches(&options[i], argument))
			return &options[i];
	}
	return NULL;
}

/* Take the option at *@argv, and its value from there or from the next one. */
static int
take_option(struct pki_arguments *arguments, const struct option *option, char ***argv,
	struct diag *diag)
{
	const char *value = strchr(**argv, '=');

	if (value) {
		value++;
	} else if (option->value) {
		value = *++*argv;
	}
	if (!value && option->value)
		return diag_set(diag, "--%s needs a value: %s", option->name, option->value);
	if (value && !option->value)
		return diag_set(diag, "--%s takes no value", option->name);
	if (option->set(arguments, value, diag) < 0)
		return diag_prefix(diag, "--%s", option->name);
	return 0;
}

static int
take_operand(struct pki_arguments *arguments, size_t *count, size_t wanted, const char *operand,
	struct diag *diag)
{
	if (*count == wanted)
		return diag_set(diag, "\"%.300s\" is one operand too many", operand);
	if (!*operand)
		return diag_set(diag, "an operand is empty");
	arguments->operands[(*count)++] = operand;
	return 0;
}

static int
take_argument(struct pki_arguments *arguments, enum pki_arguments_for command, unsigned *seen,
	char ***argv, struct diag *diag)
{
	const struct option *option = NULL;

	if (strncmp(**argv, "--", 2) == 0)
		option = find_option(command, **argv);
	if (!option)
		return diag_set(diag, "there is no option \"%.300s\"", **argv);
	unsigned bit = 1U << (option - options);
	if ((*seen & bit) && !option->repeats)
		return diag_set(diag, "--%s was given twice", option->name);
	*seen |= bit;
	return take_option(arguments, option, argv, diag);
}

int
pki_arguments_parse(struct pki_arguments *arguments, enum pki_arguments_for command,
	size_t operands, char **argv, struct diag *diag)
{
	size_t count = 0;
	unsigned seen = 0;
	bool options_over = false;

	*arguments = (struct pki_arguments){.key_type = PKI_PAIR_ECDSA_P256};
	for (argv++; *argv; argv++) {
		bool is_option = !options_over && (*argv)[0] == '-' && (*argv)[1];
		int ret = 0;

		if (is_option && strcmp(*argv, "--") == 0) {
			options_over = true;
		} else if (is_option) {
			ret = take_argument(arguments, command, &seen, &argv, diag);
		} else {
			ret = take_operand(arguments, &count, operands, *argv, diag);
		}
		if (ret < 0)
			return -1;
	}
	if (command & PKI_FOR_REVOKE)
		count++;
	if (count < operands && !arguments->help)
		return diag_set(diag, "an operand is missing");
	return 0;
}

/* Write @help, its second line below its first. */
static void
print_lines(const char *help, FILE *out)
{
	const char *end = strchr(help, '\n');

	if (!end) {
		fprintf(out, "%s\n", help);
	} else {
		fprintf(out, "%.*s\n%29s%s\n", (int)(end - help), help, "", end + 1);
	}
}

void
pki_arguments_print_help(enum pki_arguments_for command, FILE *out)
{
	char head[40];

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const char *value = options[i].value ? options[i].value : "";

		if (!(options[i].commands & command))
			continue;
		(void)snprintf(head, sizeof(head), "--%s %s", options[i].name, value);
		fprintf(out, "  %-26s ", head);
		print_lines(options[i].help, out);
	}
}
