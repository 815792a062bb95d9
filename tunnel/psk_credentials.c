/* SPDX-License-Identifier: MIT */
#include "tunnel/psk_credentials.h"

#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/authorise.h"
#include "tunnel/credentials.h"
#include "tunnel/psk.h"
#include "tunnel/tls_words.h"

struct psk_credentials {
	struct psk psk; /* accepting */
	gnutls_psk_server_credentials_t server;
	gnutls_psk_client_credentials_t client;
};

/* What GnuTLS takes for an identity that does not exist: it invents a key. */
enum { KEY_FOUND = 0, KEY_INVENTED = 1 };

/* A client has named @identity. */
static int
on_identity(gnutls_session_t session, const gnutls_datum_t *identity, gnutls_datum_t *key)
{
	struct judgement *judgement = gnutls_session_get_ptr(session);
	const struct psk *psk = &judgement->credentials->secrets.psk->psk;
	const struct psk_key *found = psk_find(psk, identity->data, identity->size);

	judgement->psk = found ? PSK_NAMED : PSK_UNKNOWN;
	if (!found)
		return KEY_INVENTED;
	key->data = gnutls_malloc(found->size);
	if (!key->data)
		return GNUTLS_E_MEMORY_ERROR;
	memcpy(key->data, found->bytes, found->size);
	key->size = (unsigned)found->size;
	return KEY_FOUND;
}

static int
make_server(struct psk_credentials *credentials, struct diag *diag)
{
	int error = gnutls_psk_allocate_server_credentials(&credentials->server);

	if (error)
		return diag_set(diag, "%s", tls_words(error).text);
	gnutls_psk_set_server_credentials_function2(credentials->server, on_identity);
	return 0;
}

/* Keep one key, and forget the others. */
static int
make_client(struct psk_credentials *credentials, const char *identity, struct diag *diag)
{
	const struct psk_key *key = psk_find(&credentials->psk, identity, strlen(identity));

	if (!key)
		return diag_set(diag, "there is no key of that identity in the file of psk");
	const gnutls_datum_t datum = {
		.data = (unsigned char *)(uintptr_t)key->bytes, .size = (unsigned)key->size};
	int error = gnutls_psk_allocate_client_credentials(&credentials->client);
	if (!error)
		error = gnutls_psk_set_client_credentials(
			credentials->client, key->identity, &datum, GNUTLS_PSK_KEY_RAW);
	psk_release(&credentials->psk);
	return error ? diag_set(diag, "%s", tls_words(error).text) : 0;
}

struct psk_credentials *
psk_credentials_new(enum side side, const struct file *file, const char *identity,
	const char **blamed, struct diag *diag)
{
	struct psk_credentials *credentials = calloc(1, sizeof(*credentials));

	*blamed = "psk";
	if (!credentials) {
		diag_set(diag, "out of memory");
		return NULL;
	}
	if (psk_parse(&credentials->psk, (const char *)file->data, file->size, diag))
		goto fail;
	if (side == SIDE_CONNECT)
		*blamed = "psk-identity";
	if (side == SIDE_CONNECT ? make_client(credentials, identity, diag)
				 : make_server(credentials, diag))
		goto fail;
	return credentials;
fail:
	psk_credentials_free(credentials);
	return NULL;
}

void
psk_credentials_free(struct psk_credentials *credentials)
{
	if (!credentials)
		return;
	if (credentials->server)
		gnutls_psk_free_server_credentials(credentials->server);
	if (credentials->client)
		gnutls_psk_free_client_credentials(credentials->client);
	psk_release(&credentials->psk);
	free(credentials);
}

int
psk_credentials_set(const struct psk_credentials *credentials, gnutls_session_t session)
{
	if (credentials->client)
		return gnutls_credentials_set(session, GNUTLS_CRD_PSK, credentials->client);
	return gnutls_credentials_set(session, GNUTLS_CRD_PSK, credentials->server);
}
