/* SPDX-License-Identifier: MIT */
#include "configured.h"

#include "tunnel/credentials.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/authorise.h"
#include "tunnel/priority.h"
#include "tunnel/tls_words.h"
#include "tunnel/trust.h"

/* The contents of the file that @option names. */
static const struct file *
contents(const struct files *files, const char *path, struct diag *diag)
{
	const struct file *file = files_find(files, path);

	if (!file)
		diag_set(diag, "the file was not read");
	return file;
}

/* Parse certificate and key on their own first, so that the words say which of them is bad. */
static int
check_certificate(const gnutls_datum_t *pem, struct diag *diag)
{
	gnutls_x509_crt_t *crts = NULL;
	unsigned count = 0;
	int error = gnutls_x509_crt_list_import2(&crts, &count, pem, GNUTLS_X509_FMT_PEM, 0);

	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crt_deinit(crts[i]);
	gnutls_free(crts);
	if (error < 0)
		return diag_set(diag, "%s; give the certificate and its intermediates as PEM",
			tls_words(error).text);
	return 0;
}

static int
check_key(const gnutls_datum_t *pem, struct diag *diag)
{
	gnutls_x509_privkey_t key;

	if (gnutls_x509_privkey_init(&key))
		return diag_set(diag, "out of memory");
	int error = gnutls_x509_privkey_import2(key, pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	gnutls_x509_privkey_deinit(key);
	if (error == GNUTLS_E_DECRYPTION_FAILED)
		return diag_set(diag, "the key is encrypted; give it without a password");
	if (error)
		return diag_set(diag, "%s; give the private key as PEM", tls_words(error).text);
	return 0;
}

/* Load certificate and key. The option to blame for a failure is stored in @blamed. */
static int
load_identity(struct credentials *credentials, const struct files *files, const char **blamed,
	struct diag *diag)
{
	const struct tls_config *config = credentials->config;

	*blamed = "cert";
	if (!config->cert)
		return 0;
	const struct file *cert = contents(files, config->cert, diag);
	if (!cert)
		return -1;
	const gnutls_datum_t cert_pem = {.data = cert->data, .size = (unsigned)cert->size};
	if (check_certificate(&cert_pem, diag))
		return -1;

	*blamed = "key";
	const struct file *key = contents(files, config->key, diag);
	if (!key)
		return -1;
	const gnutls_datum_t key_pem = {.data = key->data, .size = (unsigned)key->size};
	if (check_key(&key_pem, diag))
		return -1;
	int error = gnutls_certificate_set_x509_key_mem2(
		credentials->certificate, &cert_pem, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (error == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		return diag_set(diag, "it does not belong to the certificate \"%s\"", config->cert);
	if (error < 0)
		return diag_set(diag, "%s", tls_words(error).text);
	return 0;
}

static int
load_trust(
	struct credentials *credentials, const struct credentials_source *source, struct diag *diag)
{
	const struct tls_config *config = credentials->config;

	if (config->verify == VERIFY_NO)
		return 0;
	const struct file *file = contents(
		source->files, config->ca_is_system ? SYSTEM_TRUST_FILE : config->ca, diag);
	if (!file)
		return -1;
	credentials->trust = trust_get(source->trusts, file, diag);
	return credentials->trust ? 0 : -1;
}

/* Fill @credentials. The option to blame for a failure is stored in @blamed. */
static int
load(struct credentials *credentials, const struct credentials_source *source, const char **blamed,
	struct diag *diag)
{
	*blamed = "cert";
	if (gnutls_certificate_allocate_credentials(&credentials->certificate))
		return diag_set(diag, "out of memory");
	if (load_identity(credentials, source->files, blamed, diag))
		return -1;
	*blamed = "ca";
	if (load_trust(credentials, source, diag))
		return -1;
	gnutls_certificate_set_verify_function(credentials->certificate, authorise_callback);
	*blamed = "priority";
	return priority_load(
		credentials->config, &credentials->priority, &credentials->verify_flags, diag);
}

struct credentials *
credentials_new(const struct credentials_source *source, const struct service_config *service,
	enum side side, struct diag *diag)
{
	struct credentials *credentials = calloc(1, sizeof(*credentials));
	const char *blamed;

	if (!credentials) {
		diag_set(diag, "service %s: out of memory", service->name);
		return NULL;
	}
	credentials->side = side;
	credentials->config = &service->tls[side];
	credentials->configuration = config_ref(source->config);
	credentials->references = 1;
	credentials->peer_name_wanted = side == SIDE_CONNECT &&
		credentials->config->verify != VERIFY_NO && !credentials->config->peer_name_is_none;
	if (load(credentials, source, &blamed, diag) == 0)
		return credentials;
	config_blame(source->config, service, side, blamed, diag);
	credentials_unref(credentials);
	return NULL;
}

struct credentials *
credentials_ref(struct credentials *credentials)
{
	atomic_fetch_add(&credentials->references, 1);
	return credentials;
}

void
credentials_unref(struct credentials *credentials)
{
	if (!credentials || atomic_fetch_sub(&credentials->references, 1) > 1)
		return;
	if (credentials->certificate)
		gnutls_certificate_free_credentials(credentials->certificate);
	if (credentials->priority)
		gnutls_priority_deinit(credentials->priority);
	trust_unref(credentials->trust);
	config_unref(credentials->configuration);
	free(credentials);
}
