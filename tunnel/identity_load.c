/* SPDX-License-Identifier: MIT */
/* The half of serve: what main has read, as GnuTLS takes it. */
#include "tunnel/identity.h"

#include <gnutls/abstract.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/choice.h"
#include "tunnel/config.h"
#include "tunnel/lending.h"
#include "tunnel/rawkey.h"
#include "tunnel/signer.h"
#include "tunnel/spki.h"
#include "tunnel/tls_words.h"

/* GnuTLS takes the first that a peer can use, not the best. */
static const gnutls_pk_algorithm_t order[] = {
	GNUTLS_PK_EDDSA_ED25519,
	GNUTLS_PK_EDDSA_ED448,
	GNUTLS_PK_ECDSA,
};

struct loading {
	gnutls_certificate_credentials_t certificate;
	const struct identity_source *source;
	const char **blamed;
	bool raw; /* keys are loaded without their certificates too */
	bool slow;
};

/* One identity whose certificates were read; the key is made when it is its turn. */
struct candidate {
	const struct identity_config *identity;
	size_t rank; /* the lower, the better */
	struct spki public;
	gnutls_pcert_st *chain;
	unsigned count;
};

static void
release(struct candidate *candidates, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (unsigned j = 0; j < candidates[i].count; j++)
			gnutls_pcert_deinit(&candidates[i].chain[j]);
		gnutls_free(candidates[i].chain);
	}
	free(candidates);
}

/* The certificates in the order of a chain, without those that are not part of it. */
static int
read_chain(struct candidate *candidate, const struct file *file, struct diag *diag)
{
	const gnutls_datum_t pem = {.data = file->data, .size = (unsigned)file->size};
	gnutls_x509_crt_t *crts;
	unsigned count;
	int error = gnutls_x509_crt_list_import2(
		&crts, &count, &pem, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_SORT);

	if (error < 0) {
		return diag_set(diag,
			"%s; give the certificate and its intermediates as PEM or PKCS#12",
			tls_words(error).text);
	}
	candidate->chain = gnutls_calloc(count, sizeof(*candidate->chain));
	error = candidate->chain ? 0 : GNUTLS_E_MEMORY_ERROR;
	for (unsigned i = 0; i < count; i++) {
		if (error == 0)
			error = gnutls_pcert_import_x509(&candidate->chain[i], crts[i], 0);
		if (error == 0)
			candidate->count++;
		gnutls_x509_crt_deinit(crts[i]);
	}
	gnutls_free(crts);
	if (error == 0 && candidate->count > 0)
		return 0;
	(void)diag_set(diag, "%s", tls_words(error).text);
	return -1;
}

static int
prepare(struct candidate *candidate, const struct loading *loading, struct diag *diag)
{
	const struct file *file =
		files_get(loading->source->files, candidate->identity->cert, diag);

	*loading->blamed = "cert";
	if (!file || read_chain(candidate, file, diag) < 0 || !candidate->chain ||
		spki_describe(&candidate->public, candidate->chain[0].pubkey, diag) < 0)
		return -1;
	while (candidate->rank < ARRAY_SIZE(order) &&
		order[candidate->rank] != candidate->public.kind)
		candidate->rank++;
	return 0;
}

static int
import(gnutls_privkey_t key, const struct file *file, struct diag *diag)
{
	const gnutls_datum_t pem = {.data = file->data, .size = (unsigned)file->size};
	int error = gnutls_privkey_import_x509_raw(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);

	return error < 0 ? diag_set(diag, "%s; give the private key as PEM or PKCS#12",
				   tls_words(error).text)
			 : 0;
}

/* GnuTLS would sign to see whether both match; for a key at hand it is enough to compare. */
static int
compare(gnutls_privkey_t key, const struct candidate *candidate, struct diag *diag)
{
	struct spki own;

	if (spki_of_key(&own, key, diag) < 0)
		return -1;
	if (memcmp(own.id, candidate->public.id, SPKI_ID_SIZE) == 0)
		return 0;
	return diag_set(
		diag, "it does not belong to the certificate \"%s\"", candidate->identity->cert);
}

static int
make_local_key(const struct candidate *candidate, const struct loading *loading,
	gnutls_privkey_t *key, struct diag *diag)
{
	char *name = identity_key_name(candidate->identity);

	if (!name) {
		(void)diag_set(diag, "out of memory");
		return -1;
	}
	const struct file *file = files_get(loading->source->files, name, diag);
	free(name);
	if (!file)
		return -1;
	if (gnutls_privkey_init(key) < 0)
		return diag_set(diag, "out of memory");
	if (import(*key, file, diag) == 0 && compare(*key, candidate, diag) == 0)
		return 0;
	gnutls_privkey_deinit(*key);
	return -1;
}

static int
make_key(const struct candidate *candidate, struct loading *loading, gnutls_privkey_t *key,
	struct diag *diag)
{
	const struct identity_source *source = loading->source;
	const struct spki *public = &candidate->public;

	*loading->blamed = "key";
	if (lending_is_wanted(source->config, candidate->identity, public)) {
		loading->slow = true;
		return signer_key(source->signer, public, key, diag);
	}
	loading->slow |= candidate->rank == ARRAY_SIZE(order);
	return make_local_key(candidate, loading, key, diag);
}

typedef int load_step(struct candidate *candidate, struct loading *loading, struct diag *diag);

/* GnuTLS takes over the key, and what is in @chain, but not on failure. */
static int
add(const struct candidate *candidate, struct loading *loading, gnutls_pcert_st *chain,
	unsigned count, struct diag *diag)
{
	struct choice *choice = loading->source->choice;
	gnutls_privkey_t key;

	if (make_key(candidate, loading, &key, diag) < 0)
		return -1;
	if (choice && choice_add(choice, chain, count, key)) {
		gnutls_privkey_deinit(key);
		return diag_set(diag, "out of memory");
	}
	int error =
		gnutls_certificate_set_key(loading->certificate, NULL, 0, chain, (int)count, key);
	if (error < 0) {
		gnutls_privkey_deinit(key);
		return diag_set(diag, "%s", tls_words(error).text);
	}
	return 0;
}

static int
load(struct candidate *candidate, struct loading *loading, struct diag *diag)
{
	if (add(candidate, loading, candidate->chain, candidate->count, diag) < 0)
		return -1;
	candidate->count = 0;
	return 0;
}

/* After all certificates, which are preferred. */
static int
load_raw(struct candidate *candidate, struct loading *loading, struct diag *diag)
{
	gnutls_pcert_st raw;
	int error = rawkey_make(&raw, &candidate->chain[0]);

	if (error)
		return diag_set(diag, "%s", tls_words(error).text);
	if (add(candidate, loading, &raw, 1, diag) == 0)
		return 0;
	gnutls_pcert_deinit(&raw);
	return -1;
}

/* The best first. */
static int
load_as(load_step *step, struct candidate *candidates, size_t count, struct loading *loading,
	struct diag *diag)
{
	for (size_t rank = 0; rank <= ARRAY_SIZE(order); rank++) {
		for (size_t i = 0; i < count; i++)
			if (candidates[i].rank == rank && step(&candidates[i], loading, diag) < 0)
				return -1;
	}
	return 0;
}

static int
load_all(struct candidate *candidates, size_t count, struct loading *loading, struct diag *diag)
{
	for (size_t i = 0; i < count; i++)
		if (prepare(&candidates[i], loading, diag) < 0)
			return -1;
	if (load_as(load, candidates, count, loading, diag) < 0)
		return -1;
	return loading->raw ? load_as(load_raw, candidates, count, loading, diag) : 0;
}

int
identity_load(gnutls_certificate_credentials_t certificate, const struct identity_source *source,
	const struct tls_config *tls, bool *slow, const char **blamed, struct diag *diag)
{
	struct loading loading = {.certificate = certificate,
		.source = source,
		.blamed = blamed,
		.raw = rawkey_is_wanted(tls)};
	struct candidate *candidates = calloc(tls->identity_count + 1, sizeof(*candidates));

	*blamed = "cert";
	if (!candidates)
		return diag_set(diag, "out of memory");
	for (size_t i = 0; i < tls->identity_count; i++)
		candidates[i].identity = &tls->identities[i];
	/* Main has seen that they match, and of what is remote the key process has. */
	gnutls_certificate_set_flags(certificate, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	int result = load_all(candidates, tls->identity_count, &loading, diag);
	release(candidates, tls->identity_count);
	*slow = loading.slow;
	return result;
}
