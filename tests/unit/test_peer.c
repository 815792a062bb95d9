/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/diag.h"
#include "common/text.h"
#include "tunnel/certificate.h"
#include "tunnel/peer.h"
#include "tunnel/pin.h"

/*
 * Certificates are written byte by byte, since no library makes the strange ones; nothing here looks at
 * a signature.
 */
enum { DER_SIZE = 1 << 18 };

enum {
	TAG_INTEGER = 0x02,
	TAG_BITS = 0x03,
	TAG_OCTETS = 0x04,
	TAG_UTF8 = 0x0c,
	TAG_PRINTABLE = 0x13,
	TAG_TELETEX = 0x14,
	TAG_IA5 = 0x16,
	TAG_TIME = 0x17,
	TAG_UNIVERSAL = 0x1c,
	TAG_BMP = 0x1e,
	TAG_SEQUENCE = 0x30,
	TAG_SET = 0x31,
	TAG_EMAIL = 0x81,
	TAG_DNS = 0x82,
	TAG_URI = 0x86,
	TAG_IP = 0x87,
	TAG_VERSION = 0xa0,
	TAG_EXTENSIONS = 0xa3,
};

struct der {
	size_t size;
	uint8_t bytes[DER_SIZE];
};

struct fixture {
	const char *serial;
	size_t serial_size;
	struct der subject, issuer, names, more_extensions;
	struct der tbs, whole, part, deeper;
	gnutls_x509_crt_t crt;
	struct peer peer;
};

static const uint8_t algorithm[] = {0x30, 5, 6, 3, 0x2b, 0x65, 0x70}; /* Ed25519 */

static const uint8_t extension_oid[] = {6, 3, 0x55, 0x1d, 0x11};

/* The third octets of the attributes' OIDs, 2.5.4.N. */
enum { TYPE_CN = 3, TYPE_O = 10, TYPE_OU = 11, TYPE_TITLE = 12 };

static void
put(struct der *der, const void *bytes, size_t size)
{
	assert_true(size <= DER_SIZE - der->size);
	memcpy(der->bytes + der->size, bytes, size);
	der->size += size;
}

static void
put_value(struct der *der, uint8_t tag, const void *bytes, size_t size)
{
	const uint8_t head[] = {
		tag, 0x83, (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};
	const uint8_t middle[] = {tag, 0x82, (uint8_t)(size >> 8), (uint8_t)size};
	const uint8_t small[] = {tag, 0x81, (uint8_t)size};
	const uint8_t least[] = {tag, (uint8_t)size};

	if (size > 0xffff)
		put(der, head, sizeof(head));
	else if (size > 0xff)
		put(der, middle, sizeof(middle));
	else if (size > 0x7f)
		put(der, small, sizeof(small));
	else
		put(der, least, sizeof(least));
	put(der, bytes, size);
}

static void
put_nested(struct der *der, uint8_t tag, const struct der *content)
{
	put_value(der, tag, content->bytes, content->size);
}

/* Add an attribute to a set, which the caller adds to a name. */
static void
put_attribute(struct fixture *fixture, struct der *set, uint8_t type, uint8_t tag,
	const char *value, size_t size)
{
	const uint8_t oid[] = {6, 3, 0x55, 4, type};
	struct der *pair = &fixture->deeper;

	pair->size = 0;
	put(pair, oid, sizeof(oid));
	put_value(pair, tag, value, size);
	put_nested(set, TAG_SEQUENCE, pair);
}

/* Add a part with one attribute to @name. */
static void
add_part(struct fixture *fixture, struct der *name, uint8_t type, uint8_t tag, const char *value,
	size_t size)
{
	fixture->part.size = 0;
	put_attribute(fixture, &fixture->part, type, tag, value, size);
	put_nested(name, TAG_SET, &fixture->part);
}

/* Add the extension of alternative names, with those that @names has, to @extensions. */
static void
put_names(struct fixture *fixture, struct der *extensions, const struct der *names)
{
	fixture->part.size = fixture->deeper.size = 0;
	put_nested(&fixture->part, TAG_SEQUENCE, names);
	put(&fixture->deeper, extension_oid, sizeof(extension_oid));
	put_nested(&fixture->deeper, TAG_OCTETS, &fixture->part);
	put_nested(extensions, TAG_SEQUENCE, &fixture->deeper);
}

static void
put_key(struct der *der)
{
	static const uint8_t bits[] = {TAG_BITS, 33, 0};
	uint8_t info[sizeof(algorithm) + sizeof(bits) + 32];

	memset(info, 0x42, sizeof(info));
	memcpy(info, algorithm, sizeof(algorithm));
	memcpy(info + sizeof(algorithm), bits, sizeof(bits));
	put_value(der, TAG_SEQUENCE, info, sizeof(info));
}

static void
put_validity(struct fixture *fixture)
{
	fixture->part.size = 0;
	put_value(&fixture->part, TAG_TIME, "200101000000Z", 13);
	put_value(&fixture->part, TAG_TIME, "490101000000Z", 13);
	put_nested(&fixture->tbs, TAG_SEQUENCE, &fixture->part);
}

static void
put_extensions(struct fixture *fixture)
{
	struct der *extensions = &fixture->more_extensions;

	if (fixture->names.size > 0)
		put_names(fixture, extensions, &fixture->names);
	if (extensions->size == 0)
		return;
	fixture->part.size = 0;
	put_nested(&fixture->part, TAG_SEQUENCE, extensions);
	put_nested(&fixture->tbs, TAG_EXTENSIONS, &fixture->part);
}

/* Make the certificate. Returns what GnuTLS says about it. */
static int
make(struct fixture *fixture)
{
	struct der *tbs = &fixture->tbs;
	const uint8_t signature[65] = {0};

	put_value(tbs, TAG_VERSION, "\x02\x01\x02", 3);
	put_value(tbs, TAG_INTEGER, fixture->serial, fixture->serial_size);
	put(tbs, algorithm, sizeof(algorithm));
	put_nested(tbs, TAG_SEQUENCE, &fixture->issuer);
	put_validity(fixture);
	put_nested(tbs, TAG_SEQUENCE, &fixture->subject);
	put_key(tbs);
	put_extensions(fixture);
	fixture->part.size = 0;
	put_nested(&fixture->part, TAG_SEQUENCE, tbs);
	put(&fixture->part, algorithm, sizeof(algorithm));
	put_value(&fixture->part, TAG_BITS, signature, sizeof(signature));
	put_nested(&fixture->whole, TAG_SEQUENCE, &fixture->part);
	const gnutls_datum_t der = {fixture->whole.bytes, (unsigned)fixture->whole.size};
	return gnutls_x509_crt_import(fixture->crt, &der, GNUTLS_X509_FMT_DER);
}

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->serial = "\x01";
	fixture->serial_size = 1;
	assert_int_equal(gnutls_x509_crt_init(&fixture->crt), 0);
	peer_init(&fixture->peer, NULL);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	peer_release(&fixture->peer);
	gnutls_x509_crt_deinit(fixture->crt);
	free(fixture);
	return 0;
}

static void
gather(struct fixture *fixture)
{
	assert_int_equal(make(fixture), 0);
	assert_int_equal(peer_add_certificate(&fixture->peer, fixture->crt), 0);
}

/* The fact number @index of @kind. */
static const struct fact *
find(const struct fixture *fixture, enum fact_kind kind, size_t index)
{
	const struct facts *facts = &fixture->peer.facts;

	for (size_t i = 0; i < facts->count; i++) {
		if (facts->list[i].kind == kind && index-- == 0)
			return &facts->list[i];
	}
	return NULL;
}

static void
assert_fact(const struct fixture *fixture, enum fact_kind kind, size_t index, const char *bytes,
	size_t size)
{
	const struct fact *fact = find(fixture, kind, index);

	assert_non_null(fact);
	assert_int_equal(fact->size, size);
	assert_memory_equal(fact->bytes, bytes, size);
}

static bool
holds(const struct fixture *fixture, const char *text)
{
	struct diag diag = {""};
	struct rule *rule = rule_new(text, &diag);

	if (!rule)
		fail_msg("\"%s\": %s", text, diag.text);
	bool held = rule_matches(rule, &fixture->peer.facts);
	rule_free(rule);
	return held;
}

static void
every_occurrence_of_a_name_in_the_subject_is_a_fact(void **state)
{
	struct fixture *fixture = *state;

	add_part(fixture, &fixture->subject, TYPE_O, TAG_PRINTABLE, "Example, Inc.", 13);
	add_part(fixture, &fixture->subject, TYPE_OU, TAG_UTF8, "Web", 3);
	add_part(fixture, &fixture->subject, TYPE_TITLE, TAG_UTF8, "Boss", 4);
	fixture->part.size = 0;
	put_attribute(fixture, &fixture->part, TYPE_OU, TAG_UTF8, "Orders", 6);
	put_attribute(fixture, &fixture->part, TYPE_CN, TAG_UTF8, "J\xc3\xb6rg", 5);
	put_nested(&fixture->subject, TAG_SET, &fixture->part);
	add_part(fixture, &fixture->subject, TYPE_CN, TAG_TELETEX, "#2 \"x\"", 6);
	gather(fixture);
	assert_fact(fixture, FACT_O, 0, "Example, Inc.", 13);
	assert_fact(fixture, FACT_OU, 0, "Web", 3);
	assert_fact(fixture, FACT_OU, 1, "Orders", 6);
	assert_fact(fixture, FACT_CN, 0, "J\xc3\xb6rg", 5);
	assert_fact(fixture, FACT_CN, 1, "#2 \"x\"", 6);
	assert_null(find(fixture, FACT_CN, 2));
	assert_null(find(fixture, FACT_OU, 2));
	assert_true(holds(fixture, "cn:J\xc3\xb6rg, ou:Orders, ou:Web, o:Example\\, Inc."));
}

static void
a_wide_name_is_the_same_name(void **state)
{
	struct fixture *fixture = *state;

	add_part(fixture, &fixture->subject, TYPE_CN, TAG_BMP, "\0a\0\xf6\x20\xac", 6);
	add_part(fixture, &fixture->subject, TYPE_OU, TAG_UNIVERSAL, "\0\0\0b\0\x01\xf6\0", 8);
	add_part(fixture, &fixture->subject, TYPE_O, TAG_BMP, "\0c\0\0\0d", 6);
	gather(fixture);
	assert_fact(fixture, FACT_CN, 0, "a\xc3\xb6\xe2\x82\xac", 6);
	assert_fact(fixture, FACT_OU, 0, "b\xf0\x9f\x98\x80", 5);
	assert_fact(fixture, FACT_O, 0, "c\0d", 3);
	assert_false(holds(fixture, "o:c"));
}

static void
a_wide_name_of_half_characters_refuses_the_peer(void **state)
{
	struct fixture *fixture = *state;

	add_part(fixture, &fixture->subject, TYPE_CN, TAG_BMP, "\0a\0", 3);
	assert_int_equal(make(fixture), 0);
	assert_int_equal(peer_add_certificate(&fixture->peer, fixture->crt), -1);
}

static void
a_wide_name_of_impossible_characters_refuses_the_peer(void **state)
{
	struct fixture *fixture = *state;

	add_part(fixture, &fixture->subject, TYPE_CN, TAG_UNIVERSAL, "\0\x11\0\0", 4);
	assert_int_equal(make(fixture), 0);
	assert_int_equal(peer_add_certificate(&fixture->peer, fixture->crt), -1);
}

static void
alternative_names_are_their_bytes(void **state)
{
	struct fixture *fixture = *state;

	put_value(&fixture->names, TAG_DNS, "app.example.net", 15);
	put_value(&fixture->names, TAG_DNS, "evil\0.example.net", 17);
	put_value(&fixture->names, TAG_DNS, "*.wild.net", 10);
	put_value(&fixture->names, TAG_URI, "spiffe://example.net/a%20b", 26);
	put_value(&fixture->names, TAG_IP, "\xc0\x00\x02\x01", 4);
	put_value(&fixture->names, TAG_IP, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	put_value(&fixture->names, TAG_EMAIL, "ops@example.net", 15);
	gather(fixture);
	assert_fact(fixture, FACT_DNS, 0, "app.example.net", 15);
	assert_fact(fixture, FACT_DNS, 1, "evil\0.example.net", 17);
	assert_fact(fixture, FACT_DNS, 2, "*.wild.net", 10);
	assert_fact(fixture, FACT_URI, 0, "spiffe://example.net/a%20b", 26);
	assert_fact(fixture, FACT_IP, 0, "\xc0\x00\x02\x01", 4);
	assert_fact(fixture, FACT_IP, 1, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	assert_fact(fixture, FACT_EMAIL, 0, "ops@example.net", 15);
	assert_false(holds(fixture, "dns:evil"));
	assert_true(holds(fixture, "dns:*.example.net, ip:192.0.2.0/24, ip:2001:db8::/32"));
}

static void
a_common_name_is_no_host_name(void **state)
{
	struct fixture *fixture = *state;

	add_part(fixture, &fixture->subject, TYPE_CN, TAG_UTF8, "app.example.net", 15);
	gather(fixture);
	assert_null(find(fixture, FACT_DNS, 0));
	assert_false(holds(fixture, "dns:app.example.net"));
	assert_true(holds(fixture, "cn:app.example.net"));
}

static void
a_certificate_without_names_has_its_number_and_key(void **state)
{
	struct fixture *fixture = *state;

	gather(fixture);
	assert_int_equal(fixture->peer.facts.count, 3);
	assert_fact(fixture, FACT_SERIAL, 0, "\x01", 1);
	assert_fact(fixture, FACT_ISSUER, 0, "", 0);
	assert_int_equal(find(fixture, FACT_PIN, 0)->size, PIN_SIZE);
}

/* Whether GnuTLS refuses it or we do, what cannot be read is not overlooked. */
static void
names_that_cannot_be_read_refuse_the_peer(void **state)
{
	struct fixture *fixture = *state;

	put(&fixture->names, "\x82\x7f\x61", 3);
	if (make(fixture) == 0)
		assert_int_equal(peer_add_certificate(&fixture->peer, fixture->crt), -1);
}

/* The same for what stands in the second extension. */
static void
a_second_extension_of_names_refuses_the_peer(void **state)
{
	struct fixture *fixture = *state;

	put_value(&fixture->names, TAG_DNS, "b.example.net", 13);
	put_names(fixture, &fixture->more_extensions, &fixture->names);
	if (make(fixture) == 0)
		assert_int_equal(peer_add_certificate(&fixture->peer, fixture->crt), -1);
}

static void
a_serial_number_has_no_leading_zeros(void **state)
{
	struct fixture *fixture = *state;

	fixture->serial = "\x00\x9a\x01";
	fixture->serial_size = 3;
	add_part(fixture, &fixture->issuer, TYPE_CN, TAG_UTF8, "CA, the", 7);
	gather(fixture);
	assert_fact(fixture, FACT_SERIAL, 0, "\x9a\x01", 2);
	assert_fact(fixture, FACT_ISSUER, 0, "CN=CA\\, the", 11);
	assert_true(holds(fixture, "issuer:CN=CA\\\\\\, the, serial:9A:01"));
	assert_false(holds(fixture, "issuer:CN=CA\\\\\\, the, serial:9A:02"));
}

static void
a_key_has_one_pin_however_it_comes(void **state)
{
	struct fixture *fixture = *state;
	struct der *info = &fixture->part;
	char condition[CERTIFICATE_PIN_SIZE + 4];
	struct text text;

	gather(fixture);
	text_init(&text, condition, sizeof(condition));
	text_add(&text, "pin:");
	assert_int_equal(certificate_pin(fixture->crt, &text), 0);
	assert_true(holds(fixture, condition));
	peer_release(&fixture->peer);
	assert_false(holds(fixture, condition));

	info->size = 0;
	put_key(info);
	gnutls_datum_t der = {info->bytes, (unsigned)info->size};
	assert_int_equal(peer_add_key(&fixture->peer, &der), 0);
	assert_int_equal(fixture->peer.facts.count, 1);
	assert_true(holds(fixture, condition));
	der.size--;
	assert_int_equal(peer_add_key(&fixture->peer, &der), -1);
}

static void
the_holder_of_a_pre_shared_key_has_its_identity_and_address_alone(void **state)
{
	struct fixture *fixture = *state;
	struct endpoint from = {.v4 = {.sin_family = AF_INET}};

	peer_init(&fixture->peer, &from);
	assert_int_equal(peer_add_psk(&fixture->peer, "pump 7"), 0);
	assert_int_equal(fixture->peer.facts.count, 1);
	assert_true(holds(fixture, "psk:pump 7, from:0.0.0.0/8"));
	assert_false(holds(fixture, "cn:pump 7"));
}

static void
more_names_than_there_is_room_for_refuse_the_peer(void **state)
{
	struct fixture *fixture = *state;

	/* Serial number, issuer and pin take the last three places. */
	for (int i = 0; i < PEER_FACTS_LIMIT - 3; i++)
		put_value(&fixture->names, TAG_DNS, "a.example.net", 13);
	gather(fixture);
	assert_int_equal(fixture->peer.facts.count, PEER_FACTS_LIMIT);
	assert_fact(fixture, FACT_DNS, PEER_FACTS_LIMIT - 4, "a.example.net", 13);
	assert_int_equal(peer_add_psk(&fixture->peer, ""), -1);
	assert_int_equal(fixture->peer.facts.count, PEER_FACTS_LIMIT);
}

static void
larger_names_than_there_is_room_for_refuse_the_peer(void **state)
{
	static char name[PEER_BYTES_LIMIT + 1];
	struct fixture *fixture = *state;

	memset(name, 'a', sizeof(name) - 1);
	assert_int_equal(peer_add_psk(&fixture->peer, name), 0);
	assert_int_equal(peer_add_psk(&fixture->peer, "a"), -1);
	assert_int_equal(peer_add_psk(&fixture->peer, ""), 0);
	peer_release(&fixture->peer);
	put_value(&fixture->names, TAG_DNS, name, PEER_BYTES_LIMIT - 32);
	assert_int_equal(make(fixture), 0);
	assert_int_equal(peer_add_certificate(&fixture->peer, fixture->crt), -1);
}

/* What would be cut is not compared. */
static void
an_issuer_too_long_to_compare_refuses_the_peer(void **state)
{
	struct fixture *fixture = *state;
	static char name[200];

	memset(name, 'a', sizeof(name));
	for (int i = 0; i < CERTIFICATE_NAME_SIZE / 200 + 1; i++)
		add_part(fixture, &fixture->issuer, TYPE_CN, TAG_UTF8, name, sizeof(name));
	assert_int_equal(make(fixture), 0);
	assert_int_equal(peer_add_certificate(&fixture->peer, fixture->crt), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_occurrence_of_a_name_in_the_subject_is_a_fact),
		TEST(a_wide_name_is_the_same_name),
		TEST(a_wide_name_of_half_characters_refuses_the_peer),
		TEST(a_wide_name_of_impossible_characters_refuses_the_peer),
		TEST(alternative_names_are_their_bytes),
		TEST(a_common_name_is_no_host_name),
		TEST(a_certificate_without_names_has_its_number_and_key),
		TEST(names_that_cannot_be_read_refuse_the_peer),
		TEST(a_second_extension_of_names_refuses_the_peer),
		TEST(a_serial_number_has_no_leading_zeros),
		TEST(a_key_has_one_pin_however_it_comes),
		TEST(the_holder_of_a_pre_shared_key_has_its_identity_and_address_alone),
		TEST(more_names_than_there_is_room_for_refuse_the_peer),
		TEST(larger_names_than_there_is_room_for_refuse_the_peer),
		TEST(an_issuer_too_long_to_compare_refuses_the_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
