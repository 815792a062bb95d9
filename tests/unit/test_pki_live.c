/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/address.h"
#include "common/diag.h"
#include "tests/unit/big_key.h"
#include "tests/unit/identities.h"
#include "tests/unit/loopback.h"
#include "tests/unit/tls_server.h"
#include "tunnel/peer_key.h"
#include "tunnel/pki_live.h"

#define TLS_1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.2"

static struct pki_pair authority, leaf, expired;
static struct tls_server server;
static struct pki_live live;
static struct address address;
static struct diag diag;

static int
setup_group(void **state)
{
	(void)state;
	identities_make_authority(&authority, "authority");
	identities_make_leaf(&leaf, &authority, "a.example", -1, 1);
	identities_make_leaf(&expired, &authority, "a.example", -3, -2);
	return 0;
}

static int
teardown_group(void **state)
{
	(void)state;
	pki_pair_release(&expired);
	pki_pair_release(&leaf);
	pki_pair_release(&authority);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	live = (struct pki_live){.fd = -1};
	diag.text[0] = '\0';
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pki_live_close(&live);
	tls_server_join(&server);
	return 0;
}

static void
point_to(const char *host, const struct sockaddr_in *where)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s:%u", host, (unsigned)ntohs(where->sin_port));
	assert_int_equal(address_parse(&address, text, false, &diag), 0);
}

static void
start(const struct tls_server_plan *plan)
{
	tls_server_start(&server, plan);
	point_to("127.0.0.1", &server.address);
}

/* Ask the server of @plan without a name and a certificate. */
static int
open_plainly(const struct tls_server_plan *plan)
{
	const struct pki_live_request request = {.address = &address};

	start(plan);
	return pki_live_open(&live, &request, &diag);
}

/* Open it with the certificate of @crt and the key of @key. */
static int
open_with(const struct pki_pair *crt, const struct pki_pair *key)
{
	gnutls_datum_t keys[2], certs[2];
	const struct pki_live_request request = {
		.address = &address, .cert = certs, .key = keys + 1};

	assert_int_equal(pki_pair_export(crt, &keys[0], &certs[0], &diag), 0);
	assert_int_equal(pki_pair_export(key, &keys[1], &certs[1], &diag), 0);
	int ret = pki_live_open(&live, &request, &diag);
	for (int i = 0; i < 2; i++) {
		gnutls_free(keys[i].data);
		gnutls_free(certs[i].data);
	}
	return ret;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
the_whole_chain_is_kept_as_the_server_sent_it(void **state)
{
	const struct tls_server_plan plan = {.leaf = &leaf, .issuer = &authority};

	(void)state;
	assert_int_equal(open_plainly(&plan), 0);
	assert_int_equal(live.chain_count, 2);
	assert_true(gnutls_x509_crt_equals(live.chain[0], leaf.crt));
	assert_true(gnutls_x509_crt_equals(live.chain[1], authority.crt));
	assert_int_equal(gnutls_protocol_get_version(live.session), GNUTLS_TLS1_3);
	assert_string_equal(diag.text, "");
}

static void
a_certificate_that_nobody_would_believe_is_accepted_to_be_shown(void **state)
{
	const struct tls_server_plan plan = {.leaf = &expired, .priority = TLS_1_2};

	(void)state;
	assert_int_equal(open_plainly(&plan), 0);
	assert_int_equal(live.chain_count, 1);
	assert_true(gnutls_x509_crt_equals(live.chain[0], expired.crt));
}

/* Ask a server that shows @shown and cannot sign by its @key. */
static int
open_to(struct big_key key, const gnutls_datum_t *shown, const char *priority)
{
	struct tls_server_plan plan = {
		.credentials = big_key_credentials(&key, shown, GNUTLS_CRT_X509),
		.priority = priority,
	};

	int ret = open_plainly(&plan);
	/* It waits for more than we say. */
	assert_int_equal(shutdown(live.fd, SHUT_RDWR), 0);
	tls_server_join(&server);
	gnutls_certificate_free_credentials(plan.credentials);
	return ret;
}

static int
open_to_big_key(struct big_key key, const char *priority)
{
	gnutls_datum_t shown = big_key_certificate(&key);
	int ret = open_to(key, &shown, priority);

	gnutls_free(shown.data);
	return ret;
}

/* GnuTLS notices late what is wrong with such a one, and keeps half of it. */
static gnutls_datum_t
certificate_with_a_malformed_name(void)
{
	unsigned char name[] = {0x30, 0x03, 0x82, 0x7f, 'a'};
	struct pki_pair malformed;
	gnutls_datum_t der;

	identities_make_leaf(&malformed, &authority, "a.example", -1, 1);
	assert_int_equal(gnutls_x509_crt_set_extension_by_oid(
				 malformed.crt, "2.5.29.17", name, sizeof(name), 0),
		0);
	assert_int_equal(gnutls_x509_crt_sign2(
				 malformed.crt, authority.crt, authority.key, GNUTLS_DIG_SHA256, 0),
		0);
	assert_int_equal(gnutls_x509_crt_export2(malformed.crt, GNUTLS_X509_FMT_DER, &der), 0);
	pki_pair_release(&malformed);
	return der;
}

static void
a_certificate_that_cannot_be_read_is_told_and_not_kept(void **state)
{
	static const struct {
		const char *priority, *words;
	} rows[] = {
		{NULL, "handshake: certificate 1 of the server cannot be read: "},
		{TLS_1_2, "handshake: Error in the certificate"}, /* GnuTLS has looked itself */
	};
	const struct big_key key = {2048, 24};
	gnutls_datum_t shown = certificate_with_a_malformed_name();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(open_to(key, &shown, rows[i].priority), -1);
		assert_ptr_equal(strstr(diag.text, rows[i].words), diag.text);
		assert_int_equal(live.chain_count, 0);
		pki_live_close(&live);
	}
	gnutls_free(shown.data);
}

static void
a_key_that_takes_long_is_shown_and_checks_no_signature(void **state)
{
	static const char *const priorities[] = {NULL, TLS_1_2};
	const struct big_key largest = {PEER_KEY_BITS, PEER_KEY_EXPONENT_BITS},
			     too_large = {PEER_KEY_BITS + 8, PEER_KEY_EXPONENT_BITS};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(priorities); i++) {
		assert_int_equal(open_to_big_key(too_large, priorities[i]), -1);
		assert_string_equal(diag.text,
			"handshake: the peer's key is beyond RSA of 8192 bits with an exponent of "
			"32");
		assert_int_equal(live.chain_count, 1);
		pki_live_close(&live);
		assert_int_equal(open_to_big_key(largest, priorities[i]), -1);
		assert_non_null(strstr(diag.text, "signature"));
		pki_live_close(&live);
	}
}

static void
nothing_is_sent_but_the_handshake_and_a_clean_end(void **state)
{
	const struct tls_server_plan plan = {.leaf = &leaf};

	(void)state;
	assert_int_equal(open_plainly(&plan), 0);
	pki_live_close(&live);
	tls_server_join(&server);
	assert_int_equal(server.handshake, 0);
	assert_int_equal(server.heard, 0);
	assert_true(server.ended);
}

static void
closing_leaves_nothing_and_may_be_repeated(void **state)
{
	const struct tls_server_plan plan = {.leaf = &leaf};

	(void)state;
	assert_int_equal(open_plainly(&plan), 0);
	int fd = live.fd;
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	pki_live_close(&live);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(live.fd, -1);
	assert_null(live.session);
	assert_null(live.credentials);
	assert_null(live.chain);
	assert_int_equal(live.chain_count, 0);
	pki_live_close(&live);
}

static void
the_server_hears_the_name_that_was_asked_for(void **state)
{
	const struct tls_server_plan plan = {.leaf = &leaf};
	const struct pki_live_request request = {
		.address = &address, .server_name = "other.example"};

	(void)state;
	start(&plan);
	assert_int_equal(pki_live_open(&live, &request, &diag), 0);
	pki_live_close(&live);
	tls_server_join(&server);
	assert_string_equal(server.name, "other.example");
}

static void
without_a_name_the_server_hears_none(void **state)
{
	const struct tls_server_plan plan = {.leaf = &leaf};
	const struct pki_live_request request = {.address = &address};

	(void)state;
	tls_server_start(&server, &plan);
	point_to("localhost", &server.address);
	assert_int_equal(address.kind, ADDRESS_NAME);
	assert_int_equal(pki_live_open(&live, &request, &diag), 0);
	pki_live_close(&live);
	tls_server_join(&server);
	assert_int_equal(server.handshake, 0);
	assert_string_equal(server.name, "");
}

static void
our_certificate_is_shown_to_who_asks_and_is_not_refused(void **state)
{
	const struct tls_server_plan plan = {.leaf = &leaf, .asks = GNUTLS_CERT_REQUIRE};

	(void)state;
	start(&plan);
	assert_int_equal(open_with(&leaf, &leaf), 0);
	assert_int_equal(pki_live_hear_refusal(&live, &diag), 0);
	pki_live_close(&live);
	tls_server_join(&server);
	assert_int_equal(server.chain_size, 1);
	assert_true(server.ended);
}

static void
a_refusal_of_tls_1_3_is_heard_behind_the_handshake(void **state)
{
	const struct tls_server_plan plan = {.leaf = &leaf, .asks = GNUTLS_CERT_REQUIRE};

	(void)state;
	assert_int_equal(open_plainly(&plan), 0);
	assert_int_equal(pki_live_hear_refusal(&live, &diag), -1);
	assert_string_equal(diag.text, "the server sent the alert \"Certificate is required\"");
	assert_int_equal(live.chain_count, 1);
}

static void
a_refusal_of_tls_1_2_breaks_the_handshake_and_the_chain_is_there(void **state)
{
	const struct tls_server_plan plan = {.leaf = &leaf,
		.issuer = &authority,
		.priority = TLS_1_2,
		.asks = GNUTLS_CERT_REQUIRE};

	(void)state;
	assert_int_equal(open_plainly(&plan), -1);
	assert_non_null(strstr(diag.text, "handshake: the server sent the alert \""));
	assert_int_equal(live.chain_count, 2);
	assert_true(gnutls_x509_crt_equals(live.chain[0], leaf.crt));
}

static void
nobody_waits_for_a_refusal_behind_the_deadline_of_everything(void **state)
{
	const struct tls_server_plan plan = {.leaf = &leaf};
	const int64_t whole = (int64_t)PKI_LIVE_SECONDS * 1000;

	(void)state;
	int64_t begin = now_ms();
	assert_int_equal(open_plainly(&plan), 0);
	assert_true(live.deadline >= begin + whole);
	assert_true(live.deadline <= now_ms() + whole);
	live.deadline = begin = now_ms();
	assert_int_equal(pki_live_hear_refusal(&live, &diag), 0);
	assert_true(now_ms() - begin < 500);
}

static void
an_answer_that_is_not_tls_is_told_as_such(void **state)
{
	const struct tls_server_plan plan = {.babble = "HTTP/1.1 400 Bad Request\r\n\r\n"};

	(void)state;
	assert_int_equal(open_plainly(&plan), -1);
	assert_string_equal(
		diag.text, "handshake: the server's answer is not TLS (is this a TLS port?)");
	assert_int_equal(live.chain_count, 0);
}

static void
a_connection_that_is_cut_is_told_as_such(void **state)
{
	const struct tls_server_plan plan = {.babble = ""};

	(void)state;
	assert_int_equal(open_plainly(&plan), -1);
	assert_string_equal(
		diag.text, "handshake: the server cut the connection without saying why");
	assert_int_equal(live.chain_count, 0);
}

static void
a_port_where_nobody_listens_is_an_error_of_connect(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost"};
	const struct pki_live_request request = {.address = &address};
	struct sockaddr_in where;
	int fd = loopback_bind(0, &where);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		point_to(hosts[i], &where);
		assert_int_equal(pki_live_open(&live, &request, &diag), -1);
		assert_string_equal(diag.text, "connect: Connection refused");
		assert_int_equal(live.fd, -1);
		pki_live_close(&live);
	}
	(void)close(fd);
}

static void
a_certificate_with_another_key_is_refused_before_the_handshake(void **state)
{
	const struct tls_server_plan plan = {.leaf = &leaf};

	(void)state;
	start(&plan);
	assert_int_equal(open_with(&leaf, &expired), -1);
	assert_non_null(strstr(diag.text, "certificate and key: "));
	pki_live_close(&live);
	tls_server_join(&server);
	assert_int_not_equal(server.handshake, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_whole_chain_is_kept_as_the_server_sent_it),
		TEST(a_certificate_that_nobody_would_believe_is_accepted_to_be_shown),
		TEST(a_certificate_that_cannot_be_read_is_told_and_not_kept),
		TEST(a_key_that_takes_long_is_shown_and_checks_no_signature),
		TEST(nothing_is_sent_but_the_handshake_and_a_clean_end),
		TEST(closing_leaves_nothing_and_may_be_repeated),
		TEST(the_server_hears_the_name_that_was_asked_for),
		TEST(without_a_name_the_server_hears_none),
		TEST(our_certificate_is_shown_to_who_asks_and_is_not_refused),
		TEST(a_refusal_of_tls_1_3_is_heard_behind_the_handshake),
		TEST(a_refusal_of_tls_1_2_breaks_the_handshake_and_the_chain_is_there),
		TEST(nobody_waits_for_a_refusal_behind_the_deadline_of_everything),
		TEST(an_answer_that_is_not_tls_is_told_as_such),
		TEST(a_connection_that_is_cut_is_told_as_such),
		TEST(a_port_where_nobody_listens_is_an_error_of_connect),
		TEST(a_certificate_with_another_key_is_refused_before_the_handshake),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
