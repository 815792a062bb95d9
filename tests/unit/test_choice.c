/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>
#include <time.h>

#include "common/diag.h"
#include "tests/unit/handshake.h"
#include "tests/unit/identities.h"
#include "tunnel/authorise.h"
#include "tunnel/choice.h"
#include "tunnel/credentials.h"
#include "tunnel/rawkey.h"

/* What a client can have. Those of the first authority come first. */
enum kind { ED25519, ECDSA, RSA, RAW, KINDS };

#define TLS_1_3 "NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define TLS_1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.2"

static struct pki_pair first, second, stranger, pairs[RAW];
static gnutls_pcert_st certificates[KINDS], issuer;
static gnutls_privkey_t keys[KINDS];

static void
make_leaf(enum kind kind, enum pki_pair_type type, const struct pki_pair *authority)
{
	const struct pki_pair_plan plan = {.common_name = "leaf",
		.type = type,
		.from = time(NULL) - 60,
		.until = time(NULL) + 3600};
	struct diag diag;

	assert_int_equal(pki_pair_make_leaf(&pairs[kind], &plan, authority, &diag), 0);
	assert_int_equal(gnutls_pcert_import_x509(&certificates[kind], pairs[kind].crt, 0), 0);
	assert_int_equal(gnutls_privkey_init(&keys[kind]), 0);
	assert_int_equal(gnutls_privkey_import_x509(keys[kind], pairs[kind].key, 0), 0);
}

static int
setup(void **state)
{
	(void)state;
	identities_make_authority(&first, "first");
	identities_make_authority(&second, "second");
	identities_make_authority(&stranger, "stranger");
	make_leaf(ED25519, PKI_PAIR_ED25519, &first);
	make_leaf(ECDSA, PKI_PAIR_ECDSA_P256, &first);
	make_leaf(RSA, PKI_PAIR_RSA_3072, &second);
	keys[RAW] = keys[ED25519];
	return rawkey_make(&certificates[RAW], &certificates[ED25519]) ||
		gnutls_pcert_import_x509(&issuer, second.crt, 0);
}

static int
teardown(void **state)
{
	(void)state;
	for (enum kind kind = ED25519; kind < RAW; kind++) {
		gnutls_privkey_deinit(keys[kind]);
		pki_pair_release(&pairs[kind]);
	}
	for (enum kind kind = ED25519; kind < KINDS; kind++)
		gnutls_pcert_deinit(&certificates[kind]);
	gnutls_pcert_deinit(&issuer);
	pki_pair_release(&first);
	pki_pair_release(&second);
	pki_pair_release(&stranger);
	return 0;
}

/* A server that asks, and names @named unless that is NULL. */
static gnutls_certificate_credentials_t
make_server(const struct pki_pair *named)
{
	gnutls_certificate_credentials_t server;

	assert_int_equal(gnutls_certificate_allocate_credentials(&server), 0);
	for (enum kind kind = ECDSA; kind <= RSA; kind++) {
		assert_int_equal(gnutls_certificate_set_x509_key(
					 server, &pairs[kind].crt, 1, pairs[kind].key),
			0);
	}
	if (named) {
		gnutls_x509_crt_t crt = named->crt;
		assert_int_equal(gnutls_certificate_set_x509_trust(server, &crt, 1), 1);
	}
	return server;
}

/* Which of its certificates did the client show? KINDS: none. */
static enum kind
shown(gnutls_session_t server)
{
	unsigned count;
	const gnutls_datum_t *peers = gnutls_certificate_get_peers(server, &count);

	for (enum kind kind = ED25519; peers && kind < KINDS; kind++) {
		const gnutls_datum_t *der = &certificates[kind].cert;

		if (peers->size == der->size && memcmp(peers->data, der->data, der->size) == 0)
			return kind;
	}
	assert_null(peers);
	return KINDS;
}

/* What a client with @choice, which is freed, shows to a server that names @named. */
static enum kind
meet(struct choice *choice, const char *priority, const struct pki_pair *named)
{
	const struct credentials credentials = {.choice = choice};
	struct judgement judgement = {.credentials = &credentials};
	gnutls_certificate_credentials_t client, server = make_server(named);
	struct handshake handshake;

	assert_int_equal(gnutls_certificate_allocate_credentials(&client), 0);
	choice_install(client);
	handshake_start(&handshake, priority, GNUTLS_ENABLE_RAWPK);
	gnutls_session_t *sessions = handshake.sessions;
	gnutls_session_set_ptr(sessions[HANDSHAKE_CLIENT], &judgement);
	gnutls_certificate_server_set_request(sessions[HANDSHAKE_SERVER], GNUTLS_CERT_REQUEST);
	assert_int_equal(
		gnutls_credentials_set(sessions[HANDSHAKE_CLIENT], GNUTLS_CRD_CERTIFICATE, client),
		0);
	assert_int_equal(
		gnutls_credentials_set(sessions[HANDSHAKE_SERVER], GNUTLS_CRD_CERTIFICATE, server),
		0);
	handshake_run(&handshake);
	assert_int_equal(handshake.results[HANDSHAKE_CLIENT], 0);
	assert_int_equal(handshake.results[HANDSHAKE_SERVER], 0);
	enum kind kind = shown(sessions[HANDSHAKE_SERVER]);
	handshake_end(&handshake);
	gnutls_certificate_free_credentials(client);
	gnutls_certificate_free_credentials(server);
	choice_free(choice);
	return kind;
}

/* A choice of those from @from until @until. */
static struct choice *
choice_of(enum kind from, enum kind until)
{
	struct choice *choice = choice_new();

	assert_non_null(choice);
	for (enum kind kind = from; kind <= until; kind++)
		assert_int_equal(choice_add(choice, &certificates[kind], 1, keys[kind]), 0);
	return choice;
}

static void
the_first_is_shown_when_none_is_named(void **state)
{
	(void)state;
	assert_int_equal(meet(choice_of(ED25519, RSA), TLS_1_3, NULL), ED25519);
	assert_int_equal(meet(choice_of(ECDSA, RSA), TLS_1_3, NULL), ECDSA);
	assert_int_equal(meet(choice_of(ED25519, RSA), TLS_1_2, NULL), ED25519);
}

static void
the_one_whose_issuer_is_named_comes_before_the_first(void **state)
{
	(void)state;
	assert_int_equal(meet(choice_of(ED25519, RSA), TLS_1_3, &second), RSA);
	assert_int_equal(meet(choice_of(ED25519, RSA), TLS_1_2, &second), RSA);
	assert_int_equal(meet(choice_of(ECDSA, RSA), TLS_1_3, &first), ECDSA);
}

static void
the_first_is_shown_when_only_others_are_named(void **state)
{
	(void)state;
	assert_int_equal(meet(choice_of(ED25519, RSA), TLS_1_3, &stranger), ED25519);
	assert_int_equal(meet(choice_of(RSA, RSA), TLS_1_2, &stranger), RSA);
}

static void
the_issuer_of_an_intermediate_counts_too(void **state)
{
	const gnutls_pcert_st chain[] = {certificates[ECDSA], issuer};
	struct choice *choice = choice_of(ED25519, ED25519);

	(void)state;
	assert_int_equal(choice_add(choice, chain, ARRAY_SIZE(chain), keys[ECDSA]), 0);
	assert_int_equal(meet(choice, TLS_1_3, &second), ECDSA);
}

static void
what_the_server_cannot_use_is_never_shown(void **state)
{
	static const char rsa[] = TLS_1_3 ":-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256";
	static const char ecdsa[] = TLS_1_3 ":-SIGN-ALL:+SIGN-ECDSA-SECP256R1-SHA256";
	static const char old_ecdsa[] = TLS_1_2 ":-SIGN-ALL:+SIGN-ECDSA-SHA256";
	static const char old_rsa[] = TLS_1_2 ":-SIGN-ALL:+SIGN-RSA-SHA256";

	(void)state;
	assert_int_equal(meet(choice_of(ED25519, RSA), rsa, &first), RSA);
	assert_int_equal(meet(choice_of(ED25519, RSA), ecdsa, &second), ECDSA);
	assert_int_equal(meet(choice_of(ED25519, RSA), old_rsa, &first), RSA);
	assert_int_equal(meet(choice_of(ED25519, RSA), old_ecdsa, &second), ECDSA);
	assert_int_equal(meet(choice_of(ED25519, ED25519), ecdsa, NULL), KINDS);
	assert_int_equal(meet(choice_new(), TLS_1_3, NULL), KINDS);
}

static void
a_raw_key_is_shown_only_where_raw_keys_are_agreed_on(void **state)
{
	static const char raw[] = TLS_1_3 ":-CTYPE-ALL:+CTYPE-SRV-X509:+CTYPE-CLI-RAWPK";

	(void)state;
	assert_int_equal(meet(choice_of(ED25519, RAW), raw, NULL), RAW);
	assert_int_equal(meet(choice_of(RAW, RAW), TLS_1_3, NULL), KINDS);
	assert_int_equal(meet(choice_of(ED25519, RSA), raw, NULL), KINDS);
	choice_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_is_shown_when_none_is_named),
		cmocka_unit_test(the_one_whose_issuer_is_named_comes_before_the_first),
		cmocka_unit_test(the_first_is_shown_when_only_others_are_named),
		cmocka_unit_test(the_issuer_of_an_intermediate_counts_too),
		cmocka_unit_test(what_the_server_cannot_use_is_never_shown),
		cmocka_unit_test(a_raw_key_is_shown_only_where_raw_keys_are_agreed_on),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
