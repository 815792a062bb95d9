/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/diag.h"
#include "tunnel/rule.h"

#define PIN "pin:sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static const uint8_t pin_bytes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
	18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

#define FACT(kind, text)                                        \
	{                                                       \
		kind, sizeof(text) - 1, (const uint8_t *)(text) \
	}

/* A peer with two of most kinds. */
static const struct fact list[] = {
	FACT(FACT_CN, "first"),
	FACT(FACT_CN, "a, b\\c"),
	FACT(FACT_CN, "nul\0led"),
	FACT(FACT_OU, "Web"),
	FACT(FACT_OU, "Orders"),
	FACT(FACT_O, "Example"),
	FACT(FACT_DNS, "app.example.net"),
	FACT(FACT_DNS, "*.wild.net"),
	FACT(FACT_URI, "spiffe://example.net/orders/db"),
	FACT(FACT_IP, "\xc0\x00\x02\x01"),
	FACT(FACT_EMAIL, "ops@example.net"),
	FACT(FACT_SERIAL, "\x0a\x1b\x2c"),
	FACT(FACT_ISSUER, "CN=J\\C3\\B6rg,O=Example\\, Inc."),
	{FACT_PIN, sizeof(pin_bytes), pin_bytes},
};

static struct endpoint client = {.length = sizeof(client.v4)};

static const struct facts facts = {list, ARRAY_SIZE(list), &client};

static int
set_client(void **state)
{
	(void)state;
	client.v4.sin_family = AF_INET;
	return inet_pton(AF_INET, "10.1.2.3", &client.v4.sin_addr) == 1 ? 0 : -1;
}

/* Is @text a rule that holds for @whom? */
static bool
holds_for(const char *text, const struct facts *whom)
{
	struct diag diag = {""};
	struct rule *rule = rule_new(text, &diag);

	if (!rule)
		fail_msg("\"%s\": %s", text, diag.text);
	assert_string_equal(diag.text, "");
	bool holds = rule_matches(rule, whom);
	rule_free(rule);
	return holds;
}

static bool
holds(const char *text)
{
	return holds_for(text, &facts);
}

static void
assert_refused(const char *text, const char *words)
{
	struct diag diag = {""};
	struct rule *rule = rule_new(text, &diag);

	if (rule)
		fail_msg("\"%s\" was taken", text);
	if (!strstr(diag.text, words))
		fail_msg("\"%s\": %s", text, diag.text);
}

static void
each_kind_fits_its_own_facts_and_any_of_them(void **state)
{
	static const char *const good[] = {"cn:first", "ou:Web", "ou:Orders", "o:Example",
		"dns:APP.example.net", "dns:*.example.net", "dns:*.wild.net",
		"uri:spiffe://example.net/orders/*", "uri:spiffe://example.net/**", "ip:192.0.2.1",
		"ip:192.0.2.0/24", "email:ops@EXAMPLE.net", PIN, "from:10.0.0.0/8", "from:10.1.2.3",
		"any", " any ", "issuer:CN=J\\C3\\B6rg\\,O=Example\\\\\\, Inc."};
	static const char *const bad[] = {"cn:First", "cn:Web", "ou:first", "o:Orders",
		"ou:Example", "dns:first", "dns:db.wild.net", "uri:spiffe://example.net/orders",
		"ip:192.0.2.2", "ip:10.1.2.3", "email:Ops@example.net", "from:192.0.2.1",
		"psk:first", "issuer:CN=first",
		"pin:sha256:AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "cn:nul",
		"dns:app.example.net, ou:None"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (!holds(good[i]))
			fail_msg("\"%s\" does not hold", good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (holds(bad[i]))
			fail_msg("\"%s\" holds", bad[i]);
	}
}

static void
all_conditions_of_a_line_must_hold(void **state)
{
	(void)state;
	assert_true(holds("dns:app.example.net, from:10.0.0.0/8,o:Example"));
	assert_false(holds("dns:app.example.net, from:11.0.0.0/8"));
	assert_false(holds("from:11.0.0.0/8, dns:app.example.net"));
	assert_true(holds("ou:Web,ou:Orders"));
	assert_false(holds("any, o:Other"));
}

static void
an_escaped_comma_or_backslash_is_one(void **state)
{
	(void)state;
	assert_true(holds("cn:a\\, b\\\\c"));
	assert_true(holds("cn:a\\, b\\c , from:10.0.0.0/8"));
	assert_false(holds("cn:a\\,b\\\\c"));
	assert_refused("cn:a, b", "write KIND:VALUE, as in dns:app.example.net, and \"\\,\"");
}

static void
an_escaped_character_at_the_end_is_kept(void **state)
{
	const struct fact edge[] = {FACT(FACT_CN, "a\\"), FACT(FACT_O, "b,")};
	const struct facts whom = {edge, ARRAY_SIZE(edge), NULL};

	(void)state;
	assert_true(holds_for("cn:a\\\\", &whom));
	assert_true(holds_for("cn:a\\\\ , o:b\\,", &whom));
}

static void
nothing_holds_for_nobody_but_any(void **state)
{
	const struct facts nobody = {NULL, 0, NULL};

	(void)state;
	assert_true(holds_for("any", &nobody));
	assert_false(holds_for("from:0.0.0.0/0", &nobody));
	assert_false(holds_for("from:::/0", &nobody));
	assert_false(holds_for("cn:a", &nobody));
	assert_false(holds_for("psk:a", &nobody));
	assert_false(holds_for("serial:00,issuer:CN=a", &nobody));
}

static void
a_serial_number_is_compared_as_a_number(void **state)
{
	const struct fact zero[] = {{FACT_SERIAL, 0, NULL}, FACT(FACT_ISSUER, "CN=a")};
	const struct facts whom = {zero, ARRAY_SIZE(zero), NULL};
	static const char *const good[] = {
		"0A1B2C", "a1b2c", "0a:1b:2c", "00:0A:1B:2C", "000a1b2c"};
	static const char *const bad[] = {"0a1b2d", "0a1b", "0a1b2c00", "0", "a10b2c"};
	char text[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		(void)snprintf(text, sizeof(text),
			"serial:%s, issuer:CN=J\\C3\\B6rg\\,O=Example\\\\\\, Inc.", good[i]);
		assert_true(holds(text));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		(void)snprintf(text, sizeof(text),
			"issuer:CN=J\\C3\\B6rg\\,O=Example\\\\\\, Inc.,serial:%s", bad[i]);
		assert_false(holds(text));
	}
	assert_true(holds_for("serial:00, issuer:CN=a", &whom));
	assert_false(holds_for("serial:01, issuer:CN=a", &whom));
	assert_false(holds_for("serial:00, issuer:CN=b", &whom));
}

static void
a_pre_shared_key_has_its_identity(void **state)
{
	const struct fact psk[] = {FACT(FACT_PSK, "pump 7")};
	const struct facts whom = {psk, 1, &client};

	(void)state;
	assert_true(holds_for("psk:pump 7", &whom));
	assert_true(holds_for("psk:pump 7, from:10.0.0.0/8", &whom));
	assert_false(holds_for("psk:pump", &whom));
	assert_false(holds_for("psk:PUMP 7", &whom));
}

static void
facts_of_another_size_are_no_pin_and_no_address(void **state)
{
	const struct fact odd[] = {{FACT_PIN, 31, pin_bytes}, {FACT_IP, 8, pin_bytes},
		{FACT_IP, 0, NULL}, {FACT_CN, 0, NULL}};
	const struct facts whom = {odd, ARRAY_SIZE(odd), NULL};

	(void)state;
	assert_false(holds_for(PIN, &whom));
	assert_false(holds_for("ip:0.1.2.3", &whom));
	assert_false(holds_for("ip:0.0.0.0/0", &whom));
	assert_false(holds_for("ip:::/0", &whom));
	assert_false(holds_for("cn:a", &whom));
}

static void
what_is_no_rule_is_refused_with_its_remedy(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "is empty; write"},
		{"  ", "is empty; write"},
		{",", "no condition before or behind a comma"},
		{"any,", "no condition before or behind a comma"},
		{"any, ,any", "no condition before or behind a comma"},
		{"example.net", "\"example.net\" is no condition; write KIND:VALUE"},
		{"dnss:a", "\"dnss:a\": \"dnss\" is no kind of condition; did you mean \"dns\"?"},
		{"CN:a", "did you mean \"cn\"?"},
		{"mail:a@b", "did you mean \"email\"?"},
		{"certificate:a", "write cn, ou, o, dns, uri, ip, email, serial, issuer, pin, psk"},
		{":a", "is no kind of condition"},
		{"cn:", "\"cn:\": has no value"},
		{"from", "\"from\": has no value"},
		{"cn: a", "has a blank behind its colon"},
		{"any:", "has no value; write \"any\" alone"},
		{"any:a", "write \"any\" alone"},
		{"cn:a\tb", "has a control character"},
		{"cn:a\x7f", "has a control character"},
		{"cn:a, dns:b.", "\"dns:b.\": ends in a dot"},
		{"dns:a*b.net", "inside a label"},
		{"uri:spiffe://a/**/b", "not the last segment"},
		{"ip:10.0.0.1/8",
			"\"ip:10.0.0.1/8\": has bits set behind its prefix; write 10.0.0.0/8"},
		{"from:10.0.0.1/8", "write 10.0.0.0/8"},
		{"from:::ffff:10.0.0.0/104", "write the IPv4 address or network"},
		{"email:a", "is not a mail address"},
		{"issuer:Example", "is not a distinguished name"},
		{"pin:sha256:AA==", "is not the base64"},
		{"pin:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "begins with \"sha256:\""},
		{"serial:0x12, issuer:CN=a", "without 0x"},
		{"serial:1:2, issuer:CN=a", "is not a serial number"},
		{"serial:01:, issuer:CN=a", "is not a serial number"},
		{"serial::01, issuer:CN=a", "is not a serial number"},
		{"serial:zz, issuer:CN=a", "is not a serial number"},
		{"serial:-1, issuer:CN=a", "is not a serial number"},
		{"serial:01", "without \"issuer:\""},
		{"serial:01, cn:a", "without \"issuer:\""},
		{"from:10.0.0.0/8, from:10.0.0.0/8", "\"from:\" is there twice"},
		{"issuer:CN=a, issuer:CN=b", "\"issuer:\" is there twice"},
		{"psk:a, psk:b", "\"psk:\" is there twice"},
		{"issuer:CN=a, serial:1, serial:2", "\"serial:\" is there twice"},
		{PIN ", cn:a, " PIN, "\"pin:\" is there twice"},
		{"psk:a, cn:b", "beside conditions on a certificate"},
		{PIN ", psk:a", "beside conditions on a certificate"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].text, cases[i].words);
}

static void
a_rule_on_the_address_says_so(void **state)
{
	struct diag diag;
	struct rule *with = rule_new("any, from:10.0.0.0/8", &diag),
		    *without = rule_new("any", &diag);

	(void)state;
	assert_true(rule_asks_for_address(with));
	assert_false(rule_asks_for_address(without));
	rule_free(with);
	rule_free(without);
	rule_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_fits_its_own_facts_and_any_of_them),
		cmocka_unit_test(all_conditions_of_a_line_must_hold),
		cmocka_unit_test(an_escaped_comma_or_backslash_is_one),
		cmocka_unit_test(an_escaped_character_at_the_end_is_kept),
		cmocka_unit_test(nothing_holds_for_nobody_but_any),
		cmocka_unit_test(a_serial_number_is_compared_as_a_number),
		cmocka_unit_test(a_pre_shared_key_has_its_identity),
		cmocka_unit_test(facts_of_another_size_are_no_pin_and_no_address),
		cmocka_unit_test(what_is_no_rule_is_refused_with_its_remedy),
		cmocka_unit_test(a_rule_on_the_address_says_so),
	};

	return cmocka_run_group_tests(tests, set_client, NULL);
}
