/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/defs.h"
#include "tests/unit/samples.h"
#include "tunnel/der.h"
#include "tunnel/ocsp.h"

enum { TODAY = SAMPLES_TIME + SAMPLES_DAY, END = SAMPLES_TIME + 7 * SAMPLES_DAY };

/* What the response @name says at @now about the leaf, which @issuer (NULL: nobody knows who) has signed. */
static enum ocsp_answer
ask(const char *name, const char *issuer, time_t now)
{
	gnutls_x509_crt_t crt = samples_get_certificate("leaf_crt");
	gnutls_x509_crt_t ca = issuer ? samples_get_certificate(issuer) : NULL;
	gnutls_datum_t der = samples_get(name);
	enum ocsp_answer ret = ocsp_read(&der, crt, ca, now);

	gnutls_free(der.data);
	gnutls_x509_crt_deinit(crt);
	if (ca)
		gnutls_x509_crt_deinit(ca);
	return ret;
}

static void
each_response_says_what_it_says(void **state)
{
	static const struct {
		const char *name;
		enum ocsp_answer answer;
	} cases[] = {
		{"ocsp_good", OCSP_GOOD},
		{"ocsp_delegated", OCSP_GOOD},
		{"ocsp_revoked", OCSP_REVOKED},
		{"ocsp_unknown", OCSP_UNKNOWN},
		{"ocsp_other", OCSP_OTHER},
		{"ocsp_must_staple", OCSP_OTHER},
		{"ocsp_critical", OCSP_MALFORMED},
		{"ocsp_try_later", OCSP_MALFORMED},
		{"crl_plain", OCSP_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (ask(cases[i].name, "ca_crt", TODAY) != cases[i].answer)
			fail_msg("%s", cases[i].name);
	}
}

static void
nobody_else_may_sign_it(void **state)
{
	static const char *const names[] = {"ocsp_by_twin", "ocsp_revoked_by_twin",
		"ocsp_by_bystander", "ocsp_by_leaf", "ocsp_by_impostor"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (ask(names[i], "ca_crt", TODAY) != OCSP_FORGED)
			fail_msg("%s", names[i]);
	}
	assert_int_equal(ask("ocsp_by_twin", NULL, TODAY), OCSP_GOOD);
}

static void
an_issuer_of_the_same_name_with_another_key_is_another(void **state)
{
	(void)state;
	assert_int_equal(ask("ocsp_other_issuer", "ca_crt", TODAY), OCSP_OTHER);
	assert_int_equal(ask("ocsp_good", "twin_crt", TODAY), OCSP_OTHER);
}

static void
a_changed_response_is_forged_or_malformed(void **state)
{
	gnutls_x509_crt_t crt = samples_get_certificate("leaf_crt");
	gnutls_x509_crt_t ca = samples_get_certificate("ca_crt");
	gnutls_datum_t der = samples_get("ocsp_good");
	const unsigned char *end =
		memmem(der.data, der.size, "\x2a\x86\x48\xce\x3d\x04\x03\x02", 8);

	(void)state;
	assert_non_null(end); /* of what is signed: the algorithm */
	for (unsigned i = 0; i < (size_t)(end - der.data); i++) {
		der.data[i] ^= 1;
		if (ocsp_read(&der, crt, ca, TODAY) == OCSP_GOOD)
			fail_msg("byte %u does not matter", i);
		der.data[i] ^= 1;
	}
	assert_int_equal(ocsp_read(&der, crt, ca, TODAY), OCSP_GOOD);
	gnutls_free(der.data);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_crt_deinit(ca);
}

static void
a_response_is_good_from_its_first_to_its_last_second(void **state)
{
	(void)state;
	assert_int_equal(ask("ocsp_good", "ca_crt", SAMPLES_TIME - OCSP_SKEW), OCSP_GOOD);
	assert_int_equal(ask("ocsp_good", "ca_crt", SAMPLES_TIME - OCSP_SKEW - 1), OCSP_EARLY);
	assert_int_equal(ask("ocsp_good", "ca_crt", END), OCSP_GOOD);
	assert_int_equal(ask("ocsp_good", "ca_crt", END + 1), OCSP_STALE);
}

static void
what_is_not_good_is_not_so_for_the_time(void **state)
{
	static const time_t times[] = {SAMPLES_TIME - SAMPLES_DAY, TODAY, END + 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		assert_int_equal(ask("ocsp_revoked", "ca_crt", times[i]), OCSP_REVOKED);
		assert_int_equal(ask("ocsp_unknown", "ca_crt", times[i]), OCSP_UNKNOWN);
		assert_int_equal(ask("ocsp_by_twin", "ca_crt", times[i]), OCSP_FORGED);
		assert_int_equal(ask("ocsp_other", "ca_crt", times[i]), OCSP_OTHER);
	}
}

static void
only_what_time_makes_of_the_good_is_untimely(void **state)
{
	(void)state;
	for (int i = OCSP_GOOD; i <= OCSP_RETIRED; i++)
		assert_int_equal(ocsp_is_untimely((enum ocsp_answer)i), i >= OCSP_STALE);
}

static void
whose_certificate_has_expired_may_sign_no_more(void **state)
{
	(void)state;
	assert_int_equal(ask("ocsp_by_retired", "ca_crt", TODAY), OCSP_RETIRED);
	assert_int_equal(ask("ocsp_by_retired", "ca_crt", END + 1), OCSP_STALE);
}

static void
the_dates_of_a_response_can_be_had_alone(void **state)
{
	gnutls_datum_t der = samples_get("ocsp_good"), endless = samples_get("ocsp_endless"),
		       error = samples_get("ocsp_try_later");
	struct ocsp_dates dates;

	(void)state;
	assert_int_equal(ocsp_read_dates(&der, &dates), 0);
	assert_true(dates.since == SAMPLES_TIME && dates.until == END);
	assert_int_equal(ocsp_judge_dates(&dates, SAMPLES_TIME - OCSP_SKEW - 1), OCSP_EARLY);
	assert_int_equal(ocsp_judge_dates(&dates, SAMPLES_TIME - OCSP_SKEW), OCSP_GOOD);
	assert_int_equal(ocsp_judge_dates(&dates, END), OCSP_GOOD);
	assert_int_equal(ocsp_judge_dates(&dates, END + 1), OCSP_STALE);
	assert_int_equal(ocsp_read_dates(&endless, &dates), 0);
	assert_true(dates.until == SAMPLES_TIME + OCSP_AGE);
	assert_int_equal(ocsp_read_dates(&error, &dates), -1);
	der.size--;
	assert_int_equal(ocsp_read_dates(&der, &dates), -1);
	gnutls_free(der.data);
	gnutls_free(endless.data);
	gnutls_free(error.data);
}

static void
a_response_that_names_no_end_grows_old_all_the_same(void **state)
{
	(void)state;
	assert_int_equal(ask("ocsp_endless", "ca_crt", SAMPLES_TIME + OCSP_AGE), OCSP_GOOD);
	assert_int_equal(ask("ocsp_endless", "ca_crt", SAMPLES_TIME + OCSP_AGE + 1), OCSP_STALE);
}

/* A response in its parts, which point into it. */
struct parts {
	struct der status, oid, names, answers, extensions, signature;
};

static void
take_apart(const gnutls_datum_t *response, struct parts *parts)
{
	struct der rest = {response->data, response->size}, tbs, skipped;

	assert_int_equal(der_take(&rest, DER_SEQUENCE, &rest), 0);
	assert_int_equal(der_take_whole(&rest, &parts->status), 0);
	assert_int_equal(der_take(&rest, DER_CONTEXT_0, &rest), 0);
	assert_int_equal(der_take(&rest, DER_SEQUENCE, &rest), 0);
	assert_int_equal(der_take_whole(&rest, &parts->oid), 0);
	assert_int_equal(der_take(&rest, DER_OCTET_STRING, &rest), 0);
	assert_int_equal(der_take(&rest, DER_SEQUENCE, &rest), 0);
	assert_int_equal(der_take(&rest, DER_SEQUENCE, &tbs), 0);
	parts->signature = rest;
	parts->names.at = tbs.at;
	assert_int_equal(der_take_whole(&tbs, &skipped), 0);
	assert_int_equal(der_take_whole(&tbs, &skipped), 0);
	parts->names.size = (size_t)(tbs.at - parts->names.at);
	assert_int_equal(der_take(&tbs, DER_SEQUENCE, &parts->answers), 0);
	parts->extensions = tbs;
}

struct bytes {
	uint8_t at[4096];
	size_t size;
};

static void
append(struct bytes *bytes, const struct der *der)
{
	assert_true(bytes->size + der->size <= sizeof(bytes->at));
	memcpy(bytes->at + bytes->size, der->at, der->size);
	bytes->size += der->size;
}

/* Make an element of what there is from @start on. */
static void
enclose(struct bytes *bytes, size_t start, enum der_tag tag)
{
	size_t size = bytes->size - start;
	const uint8_t small[] = {(uint8_t)tag, (uint8_t)size};
	const uint8_t medium[] = {(uint8_t)tag, 0x81, (uint8_t)size};
	const uint8_t large[] = {(uint8_t)tag, 0x82, (uint8_t)(size >> 8), (uint8_t)size};
	const struct der heads[] = {{small, 2}, {medium, 3}, {large, 4}};
	uint8_t content[sizeof(bytes->at)];

	memcpy(content, bytes->at + start, size);
	bytes->size = start;
	append(bytes, &heads[(size >= 128) + (size >= 256)]);
	append(bytes, &(struct der){content, size});
}

/* The response @name with the answers of @other behind its own. It is signed no more. */
static void
join(const char *name, const char *other, struct bytes *bytes)
{
	gnutls_datum_t first = samples_get(name), second = samples_get(other);
	struct parts parts, more;

	take_apart(&first, &parts);
	take_apart(&second, &more);
	bytes->size = 0;
	append(bytes, &parts.status);
	size_t body = bytes->size;
	append(bytes, &parts.oid);
	size_t basic = bytes->size;
	append(bytes, &parts.names);
	size_t answers = bytes->size;
	append(bytes, &parts.answers);
	append(bytes, &more.answers);
	enclose(bytes, answers, DER_SEQUENCE);
	append(bytes, &parts.extensions);
	enclose(bytes, basic, DER_SEQUENCE);
	append(bytes, &parts.signature);
	enclose(bytes, basic, DER_SEQUENCE);
	enclose(bytes, basic, DER_OCTET_STRING);
	enclose(bytes, body, DER_SEQUENCE);
	enclose(bytes, body, DER_CONTEXT_0);
	enclose(bytes, 0, DER_SEQUENCE);
	gnutls_free(first.data);
	gnutls_free(second.data);
}

static void
of_several_answers_all_must_be_good_and_the_time_comes_last(void **state)
{
	static const struct {
		const char *name, *other;
		time_t now;
		enum ocsp_answer answer;
	} cases[] = {
		{"ocsp_good", "ocsp_good", TODAY, OCSP_GOOD},
		{"ocsp_other", "ocsp_good", TODAY, OCSP_GOOD},
		{"ocsp_good", "ocsp_revoked", TODAY, OCSP_REVOKED},
		{"ocsp_unknown", "ocsp_good", TODAY, OCSP_UNKNOWN},
		{"ocsp_good", "ocsp_revoked", SAMPLES_TIME - SAMPLES_DAY, OCSP_REVOKED},
		{"ocsp_good", "ocsp_unknown", END + 1, OCSP_UNKNOWN},
		{"ocsp_good", "ocsp_endless", END + 1, OCSP_STALE},
		{"ocsp_endless", "ocsp_good", END + 1, OCSP_STALE},
	};
	gnutls_x509_crt_t crt = samples_get_certificate("leaf_crt");
	struct bytes bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		join(cases[i].name, cases[i].other, &bytes);
		const gnutls_datum_t der = {bytes.at, (unsigned)bytes.size};
		enum ocsp_answer answer = ocsp_read(&der, crt, NULL, cases[i].now);
		if (answer != cases[i].answer)
			fail_msg("case %zu: %s", i, ocsp_words(answer));
	}
	gnutls_x509_crt_deinit(crt);
}

static void
every_answer_has_words_of_its_own(void **state)
{
	(void)state;
	for (int i = OCSP_GOOD; i <= OCSP_RETIRED; i++) {
		const char *words = ocsp_words((enum ocsp_answer)i);

		assert_ptr_equal(strstr(words, "the OCSP response "), words);
		for (int j = OCSP_GOOD; j < i; j++)
			assert_string_not_equal(words, ocsp_words((enum ocsp_answer)j));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_response_says_what_it_says),
		cmocka_unit_test(nobody_else_may_sign_it),
		cmocka_unit_test(an_issuer_of_the_same_name_with_another_key_is_another),
		cmocka_unit_test(a_changed_response_is_forged_or_malformed),
		cmocka_unit_test(a_response_is_good_from_its_first_to_its_last_second),
		cmocka_unit_test(what_is_not_good_is_not_so_for_the_time),
		cmocka_unit_test(only_what_time_makes_of_the_good_is_untimely),
		cmocka_unit_test(whose_certificate_has_expired_may_sign_no_more),
		cmocka_unit_test(the_dates_of_a_response_can_be_had_alone),
		cmocka_unit_test(a_response_that_names_no_end_grows_old_all_the_same),
		cmocka_unit_test(of_several_answers_all_must_be_good_and_the_time_comes_last),
		cmocka_unit_test(every_answer_has_words_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
