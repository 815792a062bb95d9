/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <string.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/pki_arguments.h"

static struct diag diag;
static struct pki_arguments arguments;

/* Parse @line, whose words are separated by one space each, as that of `pki issue`. */
static int
parse(const char *line)
{
	static char copy[4096];
	static char *argv[200];
	size_t count = 0;

	assert_true(strlen(line) < sizeof(copy));
	memcpy(copy, line, strlen(line) + 1);
	for (char *word = copy; word; count++) {
		argv[count] = word;
		word = strchr(word, ' ');
		if (word)
			*word++ = '\0';
	}
	argv[count] = NULL;
	diag.text[0] = '\0';
	return pki_arguments_parse(&arguments, PKI_FOR_ISSUE, 2, argv, &diag);
}

static void
options_stand_anywhere_and_in_both_forms(void **state)
{
	(void)state;
	assert_int_equal(parse("issue --days=7 dir --dns a.b name --key-type ed25519 --ip ::1"), 0);
	assert_string_equal(arguments.operands[0], "dir");
	assert_string_equal(arguments.operands[1], "name");
	assert_int_equal(arguments.days, 7);
	assert_int_equal(arguments.key_type, PKI_PAIR_ED25519);
	assert_int_equal(arguments.name_count, 2);
	assert_int_equal(arguments.names[0].kind, PKI_NAME_DNS);
	assert_int_equal(arguments.names[1].kind, PKI_NAME_IP);
}

static void
what_was_not_given_is_the_default(void **state)
{
	(void)state;
	assert_int_equal(parse("issue dir name"), 0);
	assert_int_equal(arguments.key_type, PKI_PAIR_ECDSA_P256);
	assert_int_equal(arguments.days, 0);
	assert_int_equal(arguments.name_count, 0);
	assert_false(arguments.help);
}

static void
two_dashes_end_the_options(void **state)
{
	(void)state;
	assert_int_equal(parse("issue -- --dir --help"), 0);
	assert_string_equal(arguments.operands[0], "--dir");
	assert_false(arguments.help);
}

static void
help_needs_no_operands(void **state)
{
	(void)state;
	assert_int_equal(parse("issue --help"), 0);
	assert_true(arguments.help);
}

static void
what_is_not_understood_is_refused_with_words(void **state)
{
	static const struct {
		const char *line, *words;
	} rows[] = {
		{"issue dir", "an operand is missing"},
		{"issue dir name more", "\"more\" is one operand too many"},
		{"issue dir ", "an operand is empty"},
		{"issue dir name --bogus", "there is no option \"--bogus\""},
		{"issue dir name -d 3", "there is no option \"-d\""},
		{"issue dir name --daysx 3", "there is no option \"--daysx\""},
		{"issue dir name --ca x", "there is no option \"--ca\""},
		{"issue dir name --days", "--days needs a value: N"},
		{"issue dir name --help=x", "--help takes no value"},
		{"issue dir name --days 1 --days 2", "--days was given twice"},
		{"issue dir name --days 0",
			"--days: \"0\" is not a number of days from 1 to 36500"},
		{"issue dir name --days 36501",
			"--days: \"36501\" is not a number of days from 1 to 36500"},
		{"issue dir name --days 1x",
			"--days: \"1x\" is not a number of days from 1 to 36500"},
		{"issue dir name --days -1",
			"--days: \"-1\" is not a number of days from 1 to 36500"},
		{"issue dir name --days 99999999999999999999",
			"--days: \"99999999999999999999\" is not a number of days from 1 to "
			"36500"},
		{"issue dir name --key-type rsa",
			"--key-type: \"rsa\" is not one of ecdsa-p256, ed25519, rsa-3072"},
		{"issue dir name --dns a_b",
			"--dns: \"a_b\" is not a host name (an address goes with --ip)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(parse(rows[i].line), -1);
		assert_string_equal(diag.text, rows[i].words);
	}
}

static void
names_are_bounded(void **state)
{
	char array[4096];
	struct text line;

	(void)state;
	text_init(&line, array, sizeof(array));
	text_add(&line, "issue dir name");
	for (int i = 0; i < PKI_ARGUMENTS_NAMES; i++) {
		text_add(&line, " --dns=a");
	}
	assert_int_equal(parse(array), 0);
	assert_int_equal(arguments.name_count, PKI_ARGUMENTS_NAMES);
	text_add(&line, " --dns=a");
	assert_int_equal(parse(array), -1);
	assert_string_equal(diag.text, "--dns: a certificate takes at most 64 names");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_anywhere_and_in_both_forms),
		cmocka_unit_test(what_was_not_given_is_the_default),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(help_needs_no_operands),
		cmocka_unit_test(what_is_not_understood_is_refused_with_words),
		cmocka_unit_test(names_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
