/* SPDX-License-Identifier: MIT */
#include "tunnel/expiry.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "common/text.h"
#include "tunnel/certificate.h"
#include "tunnel/config.h"
#include "tunnel/crl.h"
#include "tunnel/encoded.h"
#include "tunnel/ocsp.h"

enum { DAY = 24 * 60 * 60, WORDS_SIZE = 1024 };

/* Days that are left; a warning for each. */
static const int stages[] = {30, 7, 1, 0};

/* Where something was named. */
struct place {
	const struct service_config *service;
	const char *option, *path;
};

/* What of a file is dated. */
struct kind {
	const char *label; /* in PEM */
	int (*add)(struct expiry *expiry, const gnutls_datum_t *bytes, const struct place *place,
		unsigned number);
};

static struct expiry_entry *
find(const struct expiry *expiry, const uint8_t digest[32])
{
	for (size_t i = 0; i < expiry->count; i++)
		if (memcmp(expiry->entries[i].digest, digest, 32) == 0)
			return &expiry->entries[i];
	return NULL;
}

/* Add what @entry says without its words, which are made of @place, @what and @whose. */
static int
add(struct expiry *expiry, const struct expiry_entry *entry, const struct place *place,
	const char *what, const char *whose)
{
	struct expiry_entry *entries =
		reallocarray(expiry->entries, expiry->count + 1, sizeof(*entries));
	struct expiry_entry added = *entry;

	if (!entries)
		return -1;
	expiry->entries = entries;
	if (asprintf(&added.words, "service %s: %s: \"%s\": %s %s", place->service->name,
		    place->option, place->path, what, whose) < 0)
		return -1;
	entries[expiry->count++] = added;
	return 0;
}

static int
add_certificate(struct expiry *expiry, gnutls_x509_crt_t crt, const struct place *place)
{
	struct expiry_entry entry = {
		.since = gnutls_x509_crt_get_activation_time(crt),
		.until = gnutls_x509_crt_get_expiration_time(crt),
		.after = "peers refuse it",
	};
	size_t size = sizeof(entry.digest);
	char whose[CERTIFICATE_IDENTITY_SIZE];
	struct text text;

	if (entry.until == (time_t)-1 ||
		gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, entry.digest, &size) < 0 ||
		find(expiry, entry.digest))
		return 0;
	text_init(&text, whose, sizeof(whose));
	certificate_identity(crt, &text);
	return add(expiry, &entry, place, "the certificate of", whose);
}

/* What cannot be parsed was an error long before. */
static int
add_chain(struct expiry *expiry, const struct files *files, const struct place *place)
{
	const struct file *file = files_find(files, place->path);
	gnutls_x509_crt_t *chain = NULL;
	unsigned count = 0;
	int result = 0;

	if (!file)
		return 0;
	const gnutls_datum_t pem = {.data = file->data, .size = (unsigned)file->size};
	if (gnutls_x509_crt_list_import2(&chain, &count, &pem, GNUTLS_X509_FMT_PEM, 0) < 0)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		if (result == 0)
			result = add_certificate(expiry, chain[i], place);
		gnutls_x509_crt_deinit(chain[i]);
	}
	gnutls_free(chain);
	return result;
}

/* Store what @bytes are known by. Returns whether they are there for the first time. */
static bool
is_new(const struct expiry *expiry, const gnutls_datum_t *bytes, uint8_t digest[32])
{
	return gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes->data, bytes->size, digest) == 0 &&
		!find(expiry, digest);
}

static int
add_list(struct expiry *expiry, const gnutls_datum_t *bytes, const struct place *place,
	unsigned number)
{
	struct expiry_entry entry = {.after = "every connection that needs it is refused"};
	struct der der = {bytes->data, bytes->size};
	struct crl crl = {0};
	struct diag diag;
	int result = 0;

	(void)number;
	if (is_new(expiry, bytes, entry.digest) && crl_parse(&crl, &der, &diag) == 0) {
		entry.since = crl.this_update;
		entry.until = crl.next_update;
		entry.lifetime = difftime(crl.next_update, crl.this_update);
		result = add(expiry, &entry, place, "the revocation list of", crl.issuer_words);
	}
	crl_release(&crl);
	return result;
}

static int
add_staple(struct expiry *expiry, const gnutls_datum_t *bytes, const struct place *place,
	unsigned number)
{
	struct expiry_entry entry = {.slack = OCSP_SKEW, .after = "it is not stapled"};
	struct ocsp_dates dates;
	char whose[16];

	if (!is_new(expiry, bytes, entry.digest) || ocsp_read_dates(bytes, &dates))
		return 0;
	entry.since = dates.since;
	entry.until = dates.until;
	entry.lifetime = difftime(dates.until, dates.since);
	(void)snprintf(whose, sizeof(whose), "%u", number);
	return add(expiry, &entry, place, "OCSP response", whose);
}

static const struct kind lists = {"X509 CRL", add_list};
static const struct kind staples = {"OCSP RESPONSE", add_staple};

static int
add_all(struct expiry *expiry, const struct files *files, const struct place *place,
	const struct kind *kind)
{
	const struct file *file = place->path ? files_find(files, place->path) : NULL;
	unsigned number = 0;
	struct diag diag;
	int result = 0;

	if (!file)
		return 0;
	struct der rest = {file->data, file->size};
	gnutls_datum_t bytes = {0};
	while (result == 0 && encoded_take(&rest, kind->label, &bytes, &diag) > 0) {
		result = kind->add(expiry, &bytes, place, ++number);
		gnutls_free(bytes.data);
		bytes.data = NULL;
	}
	return result;
}

static int
add_side(struct expiry *expiry, const struct service_config *service, enum side side,
	const struct files *files)
{
	const struct tls_config *tls = &service->tls[side];
	const struct place crl = {service, "crl", tls->crl};
	const struct place staple = {service, "ocsp-response", tls->ocsp_response};

	for (size_t i = 0; i < tls->identity_count; i++) {
		const struct place cert = {service, "cert", tls->identities[i].cert};
		if (add_chain(expiry, files, &cert) < 0)
			return -1;
	}
	if (add_all(expiry, files, &staple, &staples) < 0)
		return -1;
	return add_all(expiry, files, &crl, &lists);
}

/* The number of stages that @entry has reached at @now. */
static unsigned
reached(const struct expiry_entry *entry, time_t now)
{
	double left = difftime(entry->until, now);
	unsigned count = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(stages); i++) {
		double due = (double)stages[i] * DAY;
		if (left < due && (entry->lifetime <= 0 || 2 * due <= entry->lifetime))
			count = i + 1;
	}
	return count;
}

static bool
is_early(const struct expiry_entry *entry, time_t now)
{
	return difftime(entry->since, now) > entry->slack;
}

static void
describe(const struct expiry_entry *entry, time_t now, struct text *text)
{
	bool early = is_early(entry, now);
	int days = (int)(difftime(entry->until, now) / DAY);
	char date[32];
	struct tm fields;

	if (!gmtime_r(early ? &entry->since : &entry->until, &fields) ||
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", &fields) == 0)
		date[0] = '\0';
	text_add(text, entry->words);
	if (early) {
		text_format(text, " is not valid before %s: %s; is the clock right?", date,
			entry->after);
	} else if (entry->until < now) {
		text_format(text, " has expired on %s: %s; replace it", date, entry->after);
	} else if (days < 1) {
		text_format(text, " expires in less than a day, on %s: replace it", date);
	} else {
		text_format(text, " expires in %d day%s, on %s: replace it in time", days,
			days == 1 ? "" : "s", date);
	}
}

void
expiry_release(struct expiry *expiry)
{
	for (size_t i = 0; i < expiry->count; i++)
		free(expiry->entries[i].words);
	free(expiry->entries);
	*expiry = (struct expiry){0};
}

int
expiry_set(struct expiry *expiry, const struct config *config, const struct files *files,
	struct diag *diag)
{
	struct expiry next = {0};

	for (size_t i = 0; i < 2 * config->service_count; i++) {
		if (add_side(&next, &config->services[i / 2], (enum side)(i % 2), files) == 0)
			continue;
		expiry_release(&next);
		return diag_set(diag, "out of memory");
	}
	for (size_t i = 0; i < next.count; i++) {
		const struct expiry_entry *before = find(expiry, next.entries[i].digest);
		/* What is bad now is said again. */
		if (before && before->told < ARRAY_SIZE(stages))
			next.entries[i].told = before->told;
	}
	expiry_release(expiry);
	*expiry = next;
	return 0;
}

void
expiry_tell(
	struct expiry *expiry, time_t now, void (*tell)(void *user, const char *words), void *user)
{
	char words[WORDS_SIZE];
	struct text text;

	for (size_t i = 0; i < expiry->count; i++) {
		struct expiry_entry *entry = &expiry->entries[i];
		bool early = is_early(entry, now);
		unsigned count = reached(entry, now);
		if (early ? entry->told_early : count <= entry->told)
			continue;
		if (early)
			entry->told_early = true;
		else
			entry->told = count;
		text_init(&text, words, sizeof(words));
		describe(entry, now, &text);
		tell(user, words);
	}
}

int
expiry_wait(const struct expiry *expiry, time_t now)
{
	double wait = expiry->count > 0 ? EXPIRY_INTERVAL : 0;

	for (size_t i = 0; i < expiry->count; i++) {
		double left = difftime(expiry->entries[i].until, now);
		if (left >= 0 && left + 1 < wait)
			wait = left + 1;
	}
	return (int)wait;
}
