/* SPDX-License-Identifier: MIT */
#include "configured.h"

#include "tunnel/credentials.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/diag.h"
#include "common/files.h"
#include "common/text.h"
#include "tunnel/authorise.h"
#include "tunnel/tls_words.h"
#include "tunnel/trust.h"

enum { PRIORITY_SIZE = 9 << 10 };

static const char profile_option[] = "%PROFILE_";

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

/* The versions from min to max as a piece of a priority string. */
static void
add_versions(struct text *text, const struct tls_config *config)
{
	text_add(text, ":-VERS-ALL");
	if (config->max_version >= TLS_VERSION_1_3)
		text_add(text, ":+VERS-TLS1.3");
	if (config->min_version <= TLS_VERSION_1_2)
		text_add(text, ":+VERS-TLS1.2");
}

/* What verification has to be told of the profile, since it does not look into the priorities. */
static int
read_profile(struct credentials *credentials, const char *priority, struct diag *diag)
{
	const char *profile = priority, *next;
	char name[32];

	while ((next = strstr(profile, profile_option)))
		profile = next + strlen(profile_option);
	size_t length = strcspn(profile, ":");
	if (length >= sizeof(name))
		return diag_set(diag, "the profile has no known name");
	/* What is VERY_WEAK in a priority string is "Very weak" elsewhere. */
	for (size_t i = 0; i < length; i++)
		name[i] = profile[i] == '_' ? ' ' : profile[i];
	name[length] = '\0';
	gnutls_certificate_verification_profiles_t id =
		gnutls_certificate_verification_profile_get_id(name);
	if (id == GNUTLS_PROFILE_UNKNOWN)
		return diag_set(diag, "the profile \"%s\" is unknown", name);
	credentials->verify_flags = GNUTLS_PROFILE_TO_VFLAGS(id);
	return 0;
}

static int
load_priority(struct credentials *credentials, struct diag *diag)
{
	const struct tls_config *config = credentials->config;
	char priority[PRIORITY_SIZE];
	const char *position = priority;
	struct text text;

	text_init(&text, priority, sizeof(priority));
	text_add(&text, config->priority);
	add_versions(&text, config);
	if (text.cut)
		return diag_set(diag, "it is too long");
	int error = gnutls_priority_init(&credentials->priority, priority, &position);
	if (error == GNUTLS_E_INVALID_REQUEST) {
		return diag_set(diag,
			"GnuTLS does not understand it from position %td: \"%.*s\"; the words "
			"that it knows: gnutls-cli --list",
			position - priority + 1, (int)strcspn(position, ":"), position);
	}
	if (error)
		return diag_set(diag, "%s", tls_words(error).text);
	return read_profile(credentials, priority, diag);
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
	return load_priority(credentials, diag);
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

/* The name for the SNI: the configured one, or that of the peer unless it is an address. */
static const char *
server_name(const struct tls_config *config, const char *peer_name)
{
	unsigned char ip[16];

	if (config->server_name_is_none)
		return NULL;
	if (config->server_name)
		return config->server_name;
	if (!peer_name || address_ip_bytes(peer_name, ip) > 0)
		return NULL;
	return peer_name;
}

static unsigned
session_flags(enum side side)
{
	const unsigned both = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS;

	if (side == SIDE_ACCEPT)
		return both | GNUTLS_SERVER;
	return both | GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT | GNUTLS_KEY_SHARE_TOP;
}

static gnutls_certificate_request_t
certificate_request(enum verify verify)
{
	switch (verify) {
	case VERIFY_NO:
		return GNUTLS_CERT_IGNORE;
	case VERIFY_OPTIONAL:
		return GNUTLS_CERT_REQUEST;
	case VERIFY_YES:
		break;
	}
	return GNUTLS_CERT_REQUIRE;
}

int
credentials_session(struct credentials *credentials, const char *name, gnutls_session_t *session,
	struct diag *diag)
{
	const char *sni = NULL;
	int error = gnutls_init(session, session_flags(credentials->side));

	if (error) {
		*session = NULL;
		return diag_set(diag, "TLS session: %s", tls_words(error).text);
	}
	if (credentials->side == SIDE_ACCEPT) {
		gnutls_certificate_server_set_request(
			*session, certificate_request(credentials->config->verify));
	} else {
		sni = server_name(credentials->config, name);
	}
	error = gnutls_priority_set(*session, credentials->priority);
	if (!error)
		error = gnutls_credentials_set(
			*session, GNUTLS_CRD_CERTIFICATE, credentials->certificate);
	if (!error && sni)
		error = gnutls_server_name_set(*session, GNUTLS_NAME_DNS, sni, strlen(sni));
	if (!error)
		return 0;
	gnutls_deinit(*session);
	*session = NULL;
	return diag_set(diag, "TLS session: %s", tls_words(error).text);
}
