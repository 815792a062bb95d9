/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/diag.h"
#include "common/text.h"

#define LABEL_63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define NAME_253                               \
	LABEL_63 "." LABEL_63 "." LABEL_63 "." \
		 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"
#define PATH_107 "/" LABEL_63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq"

static const struct {
	const char *text, *printed;
	enum address_kind kind;
	bool listening, local;
} good[] = {
	{"db.example.net:15432", "db.example.net:15432", ADDRESS_NAME, false, false},
	{"DB.Example.NET:1", "db.example.net:1", ADDRESS_NAME, false, false},
	{"localhost:80", "localhost:80", ADDRESS_NAME, false, true},
	{"LocalHost:80", "127.0.0.1:80", ADDRESS_IP, true, true},
	{"LocalHost:80", "localhost:80", ADDRESS_NAME, false, true},
	{"localhost.example.net:80", "localhost.example.net:80", ADDRESS_NAME, false, false},
	{"my_host-1:65535", "my_host-1:65535", ADDRESS_NAME, false, false},
	{"1and1.example:80", "1and1.example:80", ADDRESS_NAME, false, false},
	{NAME_253 ":80", NAME_253 ":80", ADDRESS_NAME, false, false},
	{"192.0.2.1:443", "192.0.2.1:443", ADDRESS_IP, true, false},
	{"192.0.2.1:00443", "192.0.2.1:443", ADDRESS_IP, true, false},
	{"127.0.0.1:443", "127.0.0.1:443", ADDRESS_IP, false, true},
	{"127.255.255.254:443", "127.255.255.254:443", ADDRESS_IP, false, true},
	{"128.0.0.1:443", "128.0.0.1:443", ADDRESS_IP, false, false},
	{"126.255.255.255:443", "126.255.255.255:443", ADDRESS_IP, false, false},
	{"0.0.0.0:443", "0.0.0.0:443", ADDRESS_IP, true, false},
	{"[::]:443", "[::]:443", ADDRESS_IP, true, false},
	{"[::1]:443", "[::1]:443", ADDRESS_IP, true, true},
	{"[0:0:0:0:0:0:0:1]:443", "[::1]:443", ADDRESS_IP, false, true},
	{"[2001:DB8:0::1]:443", "[2001:db8::1]:443", ADDRESS_IP, true, false},
	{"[::ffff:127.0.0.9]:443", "[::ffff:127.0.0.9]:443", ADDRESS_IP, false, true},
	{"[::ffff:192.0.2.1]:443", "[::ffff:192.0.2.1]:443", ADDRESS_IP, false, false},
	{"[::127.0.0.1]:443", "[::127.0.0.1]:443", ADDRESS_IP, false, false},
	{"*:443", "*:443", ADDRESS_ANY, true, false},
	{"unix:/run/a.sock", "unix:/run/a.sock", ADDRESS_UNIX, true, true},
	{"unix://run///a.sock", "unix:/run/a.sock", ADDRESS_UNIX, false, true},
	{"unix:/with space=\"x\"", "unix:/with space=\"x\"", ADDRESS_UNIX, false, true},
	{"unix:@name", "unix:@name", ADDRESS_UNIX, true, true},
	{"unix:@a//b", "unix:@a//b", ADDRESS_UNIX, false, true},
	{"unix:" PATH_107, "unix:" PATH_107, ADDRESS_UNIX, true, true},
	{"unix:@" PATH_107, "unix:@" PATH_107, ADDRESS_UNIX, true, true},
};

static const struct {
	const char *text;
	bool listening;
	const char *words; /* that the error has */
} bad[] = {
	{"", false, "port is missing"},
	{"Unix:64", false, "unix:/PATH"},
	{"host", false, "port is missing"},
	{"host:", false, "from 1 to 65535"},
	{"host:0", false, "from 1 to 65535"},
	{"host:00000", false, "from 1 to 65535"},
	{"host:65536", false, "from 1 to 65535"},
	{"host:4294967297", false, "from 1 to 65535"},
	{"host:+1", false, "from 1 to 65535"},
	{"host: 1", false, "from 1 to 65535"},
	{"host:1 ", false, "from 1 to 65535"},
	{"host:http", false, "from 1 to 65535"},
	{":80", false, "host is missing"},
	{"*:443", false, "not connected to"},
	{"0.0.0.0:443", false, "not connected to"},
	{"[::]:443", false, "not connected to"},
	{"[0::0]:443", false, "not connected to"},
	{"[::ffff:0.0.0.0]:443", false, "not connected to"},
	{"localhost.example.net:443", true, "not another name"},
	{"*.example.net:443", true, "character"},
	{"ho st:443", false, "character"},
	{"h\xc3\xb6st:443", false, "character"},
	{"user@host:443", false, "character"},
	{"http://host:443", false, "more than one \":\""},
	{"::1:443", false, "[ADDRESS]:PORT"},
	{"[::1]", false, "[ADDRESS]:PORT"},
	{"[::1", false, "[ADDRESS]:PORT"},
	{"[::1]443", false, "[ADDRESS]:PORT"},
	{"[]:443", false, "no IPv6 address"},
	{"[127.0.0.1]:443", false, "no IPv6 address"},
	{"[host]:443", false, "no IPv6 address"},
	{"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1", false,
		"no IPv6 address"},
	{"[fe80::1%eth0]:443", false, "zone"},
	{"[::1]:0", false, "from 1 to 65535"},
	{"127.1:443", false, "looks like an IPv4"},
	{"256.0.0.1:443", false, "looks like an IPv4"},
	{"2130706433:443", false, "looks like an IPv4"},
	{"0x7f000001:443", false, "looks like an IPv4"},
	{"127.0.0.0x1:443", false, "looks like an IPv4"},
	{"host.:443", false, "ends in a dot"},
	{".:443", false, "ends in a dot"},
	{".host:443", false, "part"},
	{"a..b:443", false, "part"},
	{"-a:443", false, "part"},
	{"a-.b:443", false, "part"},
	{"a" LABEL_63 ":443", false, "part"},
	{"a" NAME_253 ":443", false, "longer than 253"},
	{"unix:", true, "unix:@NAME"},
	{"unix:relative", true, "from the root"},
	{"unix:/", true, "missing"},
	{"unix:///", true, "missing"},
	{"unix:@", true, "missing"},
	{"unix:/dir/", true, "missing"},
	{"unix:/a\nb", true, "control characters"},
	{"unix:@a\x7f", true, "control characters"},
	{"unix:" PATH_107 "x", true, "longer than 107"},
	{"unix:@" PATH_107 "x", true, "longer than 107"},
	{"UNIX:/a", true, "from 1 to 65535"},
};

static void
a_good_text_is_parsed_and_printed_in_its_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct address address, again;
		struct diag diag;
		char array[ADDRESS_TEXT_SIZE];
		struct text text;

		if (address_parse(&address, good[i].text, good[i].listening, &diag))
			fail_msg("%s: %s", good[i].text, diag.text);
		assert_int_equal(address.kind, good[i].kind);
		assert_true(address_is_local(&address) == good[i].local);
		text_init(&text, array, sizeof(array));
		address_print(&address, &text);
		assert_string_equal(array, good[i].printed);
		assert_int_equal(address_parse(&again, array, good[i].listening, &diag), 0);
		assert_memory_equal(&address, &again, sizeof(address));
	}
}

static void
a_bad_text_is_refused_in_words_and_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct address address, before;
		struct diag diag = {""};

		memset(&address, 0x55, sizeof(address));
		before = address;
		if (address_parse(&address, bad[i].text, bad[i].listening, &diag) != -1)
			fail_msg("%s was taken", bad[i].text);
		if (!strstr(diag.text, bad[i].words))
			fail_msg("%s: %s", bad[i].text, diag.text);
		assert_memory_equal(&address, &before, sizeof(address));
	}
}

static struct endpoint
endpoint_of(const char *text)
{
	struct address address;
	struct endpoint endpoint;
	struct diag diag;

	if (address_parse(&address, text, true, &diag))
		fail_msg("%s: %s", text, diag.text);
	address_endpoint(&address, &endpoint);
	return endpoint;
}

static void
an_endpoint_prints_what_it_was_made_of(void **state)
{
	static const struct {
		const char *text, *printed;
	} rows[] = {
		{"192.0.2.1:443", "192.0.2.1:443"},
		{"[2001:db8::1]:443", "[2001:db8::1]:443"},
		{"[::ffff:192.0.2.1]:443", "192.0.2.1:443"},
		{"*:443", "[::]:443"},
		{"unix:/a \"b\"", "unix:/a \\\"b\\\""},
		{"unix:@name", "unix:@name"},
		{"unix:" PATH_107, "unix:" PATH_107},
		{"unix:@" PATH_107, "unix:@" PATH_107},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct endpoint endpoint = endpoint_of(rows[i].text);
		char array[ADDRESS_TEXT_SIZE];
		struct text text;

		text_init(&text, array, sizeof(array));
		endpoint_print(&endpoint, &text);
		assert_string_equal(array, rows[i].printed);
	}
}

static void
a_packed_endpoint_is_the_same_again(void **state)
{
	static const char *const texts[] = {"192.0.2.1:443", "[2001:db8::1]:443", "unix:/a",
		"unix:@name", "unix:" PATH_107, "unix:@" PATH_107};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct endpoint endpoint = endpoint_of(texts[i]);
		struct packed_endpoint *packed = endpoint_pack(&endpoint);

		assert_non_null(packed);
		assert_int_equal(packed->length, endpoint.length);
		struct endpoint again = endpoint_unpack(packed);
		assert_int_equal(again.length, endpoint.length);
		assert_memory_equal(&again.local, &endpoint.local, endpoint.length);
		free(packed);
	}
}

static void
a_length_beyond_the_address_is_not_packed(void **state)
{
	struct endpoint endpoint = {.length = sizeof(endpoint.local) + 1};

	(void)state;
	endpoint.local.sun_family = AF_UNIX;
	struct packed_endpoint *packed = endpoint_pack(&endpoint);
	assert_non_null(packed);
	assert_int_equal(packed->length, sizeof(endpoint.local));
	free(packed);
}

static void
an_endpoint_from_the_kernel_may_have_no_name_or_a_hostile_one(void **state)
{
	struct endpoint unnamed = {.length = sizeof(sa_family_t)}, hostile = {0}, unknown = {0};
	char array[ADDRESS_TEXT_SIZE];
	struct text text;

	(void)state;
	unnamed.local.sun_family = AF_UNIX;
	text_init(&text, array, sizeof(array));
	endpoint_print(&unnamed, &text);
	assert_string_equal(array, "unix:");

	memset(&hostile, 0xff, sizeof(hostile));
	hostile.length = sizeof(hostile.local) + 100;
	hostile.local.sun_family = AF_UNIX;
	text_init(&text, array, sizeof(array));
	endpoint_print(&hostile, &text);
	assert_false(text.cut);
	assert_int_equal(text.length, 5 + 4 * sizeof(hostile.local.sun_path));

	unknown.any.sa_family = AF_NETLINK;
	text_init(&text, array, sizeof(array));
	endpoint_print(&unknown, &text);
	assert_string_equal(array, "unknown");
	assert_false(endpoint_is_local(&unknown));
	assert_false(endpoint_is_equal(&unknown, &unknown));
}

static void
endpoints_are_equal_by_address_and_port(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{"192.0.2.1:1", "192.0.2.1:1", true},
		{"192.0.2.1:1", "192.0.2.1:2", false},
		{"192.0.2.1:1", "192.0.2.2:1", false},
		{"192.0.2.1:1", "[::ffff:192.0.2.1]:1", true},
		{"[2001:db8::1]:1", "[2001:db8::1]:1", true},
		{"[2001:db8::1]:1", "[2001:db8::2]:1", false},
		{"[2001:db8::1]:1", "[2001:db8::1]:2", false},
		{"[::1]:1", "127.0.0.1:1", false},
		{"unix:/a", "unix:/a", true},
		{"unix:/a", "unix:/ab", false},
		{"unix:/a", "unix:@a", false},
		{"unix:@a", "unix:@a", true},
		{"unix:@a", "unix:@ab", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct endpoint a = endpoint_of(rows[i].a), b = endpoint_of(rows[i].b);

		if (endpoint_is_equal(&a, &b) != rows[i].equal ||
			endpoint_is_equal(&b, &a) != rows[i].equal)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
	}
}

static void
addresses_are_equal_by_what_was_written_and_port(void **state)
{
	const struct address address = {.kind = ADDRESS_IP, .port = 1, .host = "192.0.2.1"};
	struct address other = address;

	(void)state;
	assert_true(address_is_equal(&address, &other));
	other.port = 2;
	assert_false(address_is_equal(&address, &other));
	other = address;
	other.host[8] = '2';
	assert_false(address_is_equal(&address, &other));
	other = address;
	other.kind = ADDRESS_NAME;
	assert_false(address_is_equal(&address, &other));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_text_is_parsed_and_printed_in_its_one_form),
		cmocka_unit_test(a_bad_text_is_refused_in_words_and_changes_nothing),
		cmocka_unit_test(an_endpoint_prints_what_it_was_made_of),
		cmocka_unit_test(a_packed_endpoint_is_the_same_again),
		cmocka_unit_test(a_length_beyond_the_address_is_not_packed),
		cmocka_unit_test(an_endpoint_from_the_kernel_may_have_no_name_or_a_hostile_one),
		cmocka_unit_test(endpoints_are_equal_by_address_and_port),
		cmocka_unit_test(addresses_are_equal_by_what_was_written_and_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
