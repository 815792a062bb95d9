/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "common/address.h"
#include "common/diag.h"
#include "tunnel/match.h"

/* Every pattern of @list, which ends in NULL, is refused with @words. */
static void
assert_refused(int (*judge)(const char *pattern, struct diag *diag), const char *const *list,
	const char *words)
{
	for (; *list; list++) {
		struct diag diag = {""};

		if (judge(*list, &diag) != -1)
			fail_msg("\"%s\" was taken", *list);
		if (!strstr(diag.text, words))
			fail_msg("\"%s\": %s", *list, diag.text);
	}
}

static void
assert_taken(int (*judge)(const char *pattern, struct diag *diag), const char *const *list)
{
	for (; *list; list++) {
		struct diag diag = {""};

		if (judge(*list, &diag) != 0)
			fail_msg("\"%s\": %s", *list, diag.text);
		assert_string_equal(diag.text, "");
	}
}

static bool
fits_dns(const char *pattern, const char *name)
{
	return match_dns(pattern, (const uint8_t *)name, strlen(name));
}

static bool
fits_uri(const char *pattern, const char *name)
{
	return match_uri(pattern, (const uint8_t *)name, strlen(name));
}

static bool
fits_email(const char *pattern, const char *name)
{
	return match_email(pattern, (const uint8_t *)name, strlen(name));
}

static void
a_host_name_or_whole_labels_of_wildcards_make_a_dns_pattern(void **state)
{
	static const char *const good[] = {"app.example.net", "A-1.Example.NET", "localhost",
		"*.example.net", "app.*.example.net", "*.*.example.net", "xn--bcher-kva.example",
		"_tls.example.net", "1.example.net", NULL};

	(void)state;
	assert_taken(match_check_dns, good);
}

static void
what_no_dns_name_can_fit_is_refused_with_its_remedy(void **state)
{
	static const char *const inner[] = {
		"a*.example.net", "*a.net", "**.net", "a.b*c.net", NULL};
	static const char *const empty[] = {"", ".example.net", "a..net", NULL};
	static const char *const dots[] = {"example.net.", "*.", ".", NULL};
	static const char *const bad[] = {"a b.net", "-a.net", "a-.net", "a.net:443", "a/b",
		"a_23456789012345678901234567890123456789012345678901234567890123.net", NULL};
	static const char *const idn[] = {"b\xc3\xbc"
					  "cher.example",
		NULL};
	static const char *const numbers[] = {"192.0.2.1", "a.1", NULL};
	char long_name[256 + 1];
	const char *const longest[] = {long_name, NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(long_name); i++)
		long_name[i] = i % 2 ? '.' : 'a';
	long_name[255] = '\0';
	assert_refused(match_check_dns, inner, "inside a label");
	assert_refused(match_check_dns, empty, "has an empty label");
	assert_refused(match_check_dns, dots, "ends in a dot");
	assert_refused(match_check_dns, bad, "is not a host name");
	assert_refused(match_check_dns, idn, "xn--");
	assert_refused(match_check_dns, numbers, "goes with ip:");
	assert_refused(match_check_dns, longest, "at most 253");
	long_name[253] = '\0';
	const char *const fitting[] = {long_name, NULL};
	assert_taken(match_check_dns, fitting);
}

static void
dns_names_are_compared_in_either_case_and_whole(void **state)
{
	(void)state;
	assert_true(fits_dns("App.Example.net", "aPP.example.NET"));
	assert_false(fits_dns("app.example.net", "app.example.ne"));
	assert_false(fits_dns("app.example.net", "app.example.nett"));
	assert_false(fits_dns("app.example.net", "xapp.example.net"));
	assert_false(fits_dns("app.example.net", "app.example.net."));
	assert_false(fits_dns("app.example.net", ""));
	/* No bit but that of case, and of letters alone. */
	assert_false(fits_dns("a-b.net",
		"a\x0d"
		"b.net"));
	assert_false(fits_dns("a_b.net",
		"a\x7f"
		"b.net"));
}

static void
a_wildcard_of_a_rule_is_one_label_that_is_not_empty(void **state)
{
	(void)state;
	assert_true(fits_dns("*.example.net", "app.example.net"));
	assert_true(fits_dns("db.*.net", "db.example.net"));
	assert_true(fits_dns("db.*", "db.net"));
	assert_false(fits_dns("*.example.net", "a.b.example.net"));
	assert_false(fits_dns("*.example.net", "example.net"));
	assert_false(fits_dns("*.example.net", ".example.net"));
	assert_false(fits_dns("db.*", "db."));
	assert_false(fits_dns("db.*", "db"));
	assert_false(fits_dns("*.example.net", "app.example.net.evil.org"));
}

static void
a_wildcard_of_a_certificate_is_only_itself(void **state)
{
	(void)state;
	assert_false(fits_dns("app.example.net", "*.example.net"));
	assert_false(fits_dns("app.example.net", "a*.example.net"));
	assert_true(fits_dns("*.example.net", "*.example.net"));
	assert_false(fits_uri("spiffe://example.net/a", "spiffe://example.net/*"));
	assert_false(fits_uri("spiffe://example.net/a/b", "spiffe://example.net/**"));
}

static void
a_name_with_a_nul_fits_nothing(void **state)
{
	static const uint8_t dns[] = "app\0.example.net", uri[] = "s://a/b\0c", last[] = "app";

	(void)state;
	assert_false(match_dns("*.example.net", dns, sizeof(dns) - 1));
	assert_false(match_dns("app", last, sizeof(last)));
	assert_false(match_uri("s://a/*", uri, sizeof(uri) - 1));
	assert_false(match_uri("s://a/**", uri, sizeof(uri) - 1));
	assert_false(match_text("app", last, sizeof(last)));
	assert_false(match_email("a@b", (const uint8_t *)"a@b", 4));
}

static void
a_uri_pattern_has_wildcards_for_whole_segments_of_its_path_alone(void **state)
{
	static const char *const good[] = {"spiffe://example.net/orders/*",
		"spiffe://example.net/**", "spiffe://example.net/*/db", "urn:a:b", "urn:a/*",
		"spiffe://example.net", "https://e.net/a?b", NULL};
	static const char *const schemeless[] = {
		"", "example.net/a", "://a", "spiffe:", "1a://b", "/a/*", "*", "*://a", NULL};
	static const char *const authority[] = {"spiffe://*", "spiffe://*/a", "spiffe://*.net/a",
		"spiffe://e.*", "urn:*", "spiffe://**", NULL};
	static const char *const inner[] = {
		"s://a/b*", "s://a/*b", "s://a/b*c", "s://a/***", "s://a/b**", "s://a/*?x", NULL};
	static const char *const early[] = {"s://a/**/b", "s://a/**/", "s://a/*/**/**", NULL};
	static const char *const blank[] = {"s://a/b c", "s://a/\xc3\xb6", NULL};

	(void)state;
	assert_taken(match_check_uri, good);
	assert_refused(match_check_uri, schemeless, "is not a URI");
	assert_refused(match_check_uri, authority, "in scheme or authority");
	assert_refused(match_check_uri, inner, "inside a segment");
	assert_refused(match_check_uri, early, "not the last segment");
	assert_refused(match_check_uri, blank, "percent-encoded");
}

static void
a_uri_is_compared_exactly(void **state)
{
	(void)state;
	assert_true(fits_uri("spiffe://example.net/db", "spiffe://example.net/db"));
	assert_false(fits_uri("spiffe://example.net/db", "spiffe://example.net/DB"));
	assert_false(fits_uri("spiffe://example.net/db", "SPIFFE://example.net/db"));
	assert_false(fits_uri("spiffe://example.net/db", "spiffe://example.net/db/"));
	assert_false(fits_uri("spiffe://example.net/db", "spiffe://example.net/d"));
	assert_false(fits_uri("spiffe://example.net/db", "spiffe://example.net/d%62"));
	assert_false(fits_uri("spiffe://example.net/db", ""));
}

static void
a_star_is_one_segment_and_two_are_the_rest(void **state)
{
	(void)state;
	assert_true(fits_uri("s://a/o/*", "s://a/o/x"));
	assert_true(fits_uri("s://a/*/db", "s://a/x/db"));
	assert_false(fits_uri("s://a/o/*", "s://a/o/"));
	assert_false(fits_uri("s://a/o/*", "s://a/o"));
	assert_false(fits_uri("s://a/o/*", "s://a/o/x/y"));
	assert_false(fits_uri("s://a/o/*", "s://a/o/x/"));
	assert_false(fits_uri("s://a/*/db", "s://a//db"));
	assert_true(fits_uri("s://a/o/**", "s://a/o/x"));
	assert_true(fits_uri("s://a/o/**", "s://a/o/x/y/z"));
	assert_true(fits_uri("s://a/*/**", "s://a/o/x"));
	assert_false(fits_uri("s://a/o/**", "s://a/o/"));
	assert_false(fits_uri("s://a/o/**", "s://a/o"));
	assert_false(fits_uri("s://a/o/**", "s://a/o//x"));
	assert_false(fits_uri("s://a/o/**", "s://a/ox/y"));
}

static void
the_host_alone_of_a_mailbox_is_compared_in_either_case(void **state)
{
	static const char *const good[] = {"ops@example.net", "\"a@b c\"@Example.net", NULL};
	static const char *const bad[] = {"", "example.net", "@example.net", "a@", "a@*.net",
		"*@example.net", "a@b@c.net.", NULL};
	static const char *const foreign[] = {"\xc3\xb6@example.net", NULL};

	(void)state;
	assert_taken(match_check_email, good);
	assert_refused(match_check_email, bad, "is not a mail address");
	assert_refused(match_check_email, foreign, "is not ASCII");
	assert_true(fits_email("Ops@Example.net", "Ops@eXample.NET"));
	assert_false(fits_email("Ops@example.net", "ops@example.net"));
	assert_false(fits_email("ops@example.net", "ops@example.ne"));
	assert_false(fits_email("ops@example.net", "opsaexample.net"));
	assert_false(fits_email("ops@example.net", "ops@example.nex"));
}

static void
an_issuer_is_written_as_certificates_are_compared(void **state)
{
	static const char *const good[] = {"CN=CA", "CN=a,O=b", "CN=J\\C3\\B6rg,O=Example\\, Inc.",
		"CN=a+OU=b,1.2.3=#0c01", "CN=a=b", NULL};
	static const char *const bad[] = {
		"", "CA", "CN=a, O=b", "CN=a,", "CN=a,b", "=a", "/CN=a", "CN = a", NULL};
	static const char *const foreign[] = {"CN=J\xc3\xb6rg", NULL};

	(void)state;
	assert_taken(match_check_issuer, good);
	assert_refused(match_check_issuer, bad, "is not a distinguished name");
	assert_refused(match_check_issuer, foreign, "\\C3\\B6");
}

static int
check_prefix(const char *text, struct diag *diag)
{
	struct match_prefix prefix;

	return match_prefix_parse(&prefix, text, diag);
}

static void
a_prefix_is_whole_and_has_no_bits_behind_it(void **state)
{
	static const char *const good[] = {"192.0.2.1", "10.0.0.0/8", "0.0.0.0/0", "::/0",
		"::1/128", "2001:db8::/32", "192.0.2.128/25", "192.0.2.1/32", NULL};
	static const char *const bad[] = {"", "/8", "10", "10.0.0", "example.net", "[::1]",
		"192.0.2.1:80", "fe80::1%eth0", "010.0.0.1", " 10.0.0.0/8", NULL};
	static const char *const lengths[] = {"10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/08",
		"10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "::/4294967296",
		NULL};
	static const char *const host_bits[] = {"10.0.0.1/8", "192.0.2.1/31", NULL};

	(void)state;
	assert_taken(check_prefix, good);
	assert_refused(check_prefix, bad, "is not an IP address");
	assert_refused(check_prefix, lengths, "length of a prefix");
	assert_refused(check_prefix, host_bits, "behind its prefix; write 1");
	assert_refused(check_prefix, (const char *const[]){"2001:db8::1/32", NULL},
		"write 2001:db8::/32 ");
}

/* Has the prefix @text the address @ip, as a certificate has it? */
static bool
prefix_has(const char *text, const char *ip)
{
	struct match_prefix prefix;
	struct diag diag;
	uint8_t bytes[16];
	unsigned size = address_ip_bytes(ip, bytes);

	assert_int_not_equal(size, 0);
	assert_int_equal(match_prefix_parse(&prefix, text, &diag), 0);
	return match_prefix_has(&prefix, bytes, size);
}

static void
a_prefix_has_what_begins_with_its_bits(void **state)
{
	(void)state;
	assert_true(prefix_has("10.0.0.0/8", "10.255.255.255"));
	assert_false(prefix_has("10.0.0.0/8", "11.0.0.0"));
	assert_true(prefix_has("192.0.2.128/25", "192.0.2.128"));
	assert_false(prefix_has("192.0.2.128/25", "192.0.2.127"));
	assert_true(prefix_has("192.0.2.1", "192.0.2.1"));
	assert_false(prefix_has("192.0.2.1", "192.0.2.0"));
	assert_true(prefix_has("0.0.0.0/0", "255.0.0.0"));
	assert_false(prefix_has("0.0.0.0/0", "::"));
	assert_false(prefix_has("::/0", "10.0.0.0"));
	assert_true(prefix_has("2001:db8::/33", "2001:db8:7fff::"));
	assert_false(prefix_has("2001:db8::/33", "2001:db8:8000::"));
	assert_true(prefix_has("::1", "::1"));
	assert_false(prefix_has("::1", "::2"));
	/* A certificate with an IPv4-mapped address has no IPv4 address. */
	assert_false(prefix_has("192.0.2.1", "::ffff:192.0.2.1"));
}

static bool
prefix_has_endpoint(const char *text, const char *ip)
{
	struct endpoint endpoint = {.length = sizeof(endpoint.v6)};
	struct match_prefix prefix;
	struct diag diag;

	assert_int_equal(match_prefix_parse(&prefix, text, &diag), 0);
	if (inet_pton(AF_INET, ip, &endpoint.v4.sin_addr) == 1)
		endpoint.v4.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, ip, &endpoint.v6.sin6_addr) == 1)
		endpoint.v6.sin6_family = AF_INET6;
	else
		endpoint.local.sun_family = AF_UNIX;
	return match_prefix_has_endpoint(&prefix, &endpoint);
}

static void
a_mapped_client_is_an_ipv4_client(void **state)
{
	struct match_prefix prefix;
	struct diag diag;

	(void)state;
	assert_true(prefix_has_endpoint("10.0.0.0/8", "10.1.2.3"));
	assert_true(prefix_has_endpoint("10.0.0.0/8", "::ffff:10.1.2.3"));
	assert_false(prefix_has_endpoint("10.0.0.0/8", "::ffff:11.1.2.3"));
	assert_false(prefix_has_endpoint("::/0", "::ffff:10.1.2.3"));
	assert_true(prefix_has_endpoint("2001:db8::/32", "2001:db8::7"));
	assert_false(prefix_has_endpoint("2001:db8::/32", "2001:db9::7"));
	assert_false(prefix_has_endpoint("0.0.0.0/0", "/run/socket"));
	assert_false(prefix_has_endpoint("::/0", "/run/socket"));
	assert_int_equal(match_prefix_parse(&prefix, "::ffff:10.0.0.0/104", &diag), 0);
	assert_true(match_prefix_is_mapped(&prefix));
	assert_int_equal(match_prefix_parse(&prefix, "::ffff:0:0/96", &diag), 0);
	assert_true(match_prefix_is_mapped(&prefix));
	assert_int_equal(match_prefix_parse(&prefix, "::/96", &diag), 0);
	assert_false(match_prefix_is_mapped(&prefix));
	assert_int_equal(match_prefix_parse(&prefix, "::ffff:0:0/95", &diag), -1);
	assert_int_equal(match_prefix_parse(&prefix, "10.0.0.0/8", &diag), 0);
	assert_false(match_prefix_is_mapped(&prefix));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_name_or_whole_labels_of_wildcards_make_a_dns_pattern),
		cmocka_unit_test(what_no_dns_name_can_fit_is_refused_with_its_remedy),
		cmocka_unit_test(dns_names_are_compared_in_either_case_and_whole),
		cmocka_unit_test(a_wildcard_of_a_rule_is_one_label_that_is_not_empty),
		cmocka_unit_test(a_wildcard_of_a_certificate_is_only_itself),
		cmocka_unit_test(a_name_with_a_nul_fits_nothing),
		cmocka_unit_test(a_uri_pattern_has_wildcards_for_whole_segments_of_its_path_alone),
		cmocka_unit_test(a_uri_is_compared_exactly),
		cmocka_unit_test(a_star_is_one_segment_and_two_are_the_rest),
		cmocka_unit_test(the_host_alone_of_a_mailbox_is_compared_in_either_case),
		cmocka_unit_test(an_issuer_is_written_as_certificates_are_compared),
		cmocka_unit_test(a_prefix_is_whole_and_has_no_bits_behind_it),
		cmocka_unit_test(a_prefix_has_what_begins_with_its_bits),
		cmocka_unit_test(a_mapped_client_is_an_ipv4_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
