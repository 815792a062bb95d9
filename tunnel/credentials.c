/* SPDX-License-Identifier: MIT */
#include "configured.h"

#include "tunnel/credentials.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/authorise.h"
#include "tunnel/choice.h"
#include "tunnel/identity.h"
#include "tunnel/priority.h"
#include "tunnel/revocation.h"
#include "tunnel/staple.h"
#include "tunnel/trust.h"
#include "tunnel/verified.h"

static int
load_identities(struct credentials *credentials, const struct credentials_source *source,
	const char **blamed, struct diag *diag)
{
	if (credentials->side == SIDE_CONNECT) {
		credentials->choice = choice_new();
		if (!credentials->choice)
			return diag_set(diag, "out of memory");
		choice_install(credentials->certificate);
	}
	const struct identity_source identities = {
		.config = source->config,
		.files = source->files,
		.choice = credentials->choice,
		.signer = source->signer,
	};

	return identity_load(credentials->certificate, &identities, credentials->config,
		&credentials->slow, blamed, diag);
}

/* Must the peer's certificate come from an authority? Else a pin, a PSK or nothing stands for that. */
static bool
wants_chain(const struct tls_config *config)
{
	return config->verify != VERIFY_NO && (config->ca || config->ca_is_system);
}

static int
load_trust(
	struct credentials *credentials, const struct credentials_source *source, struct diag *diag)
{
	const struct tls_config *config = credentials->config;

	if (!wants_chain(config))
		return 0;
	const struct file *file = files_get(
		source->files, config->ca_is_system ? SYSTEM_TRUST_FILE : config->ca, diag);
	if (!file)
		return -1;
	credentials->trust = trust_get(source->trusts, file, diag);
	if (!credentials->trust)
		return -1;
	if (!config->remember_chains)
		return 0;
	credentials->verified = verified_new();
	return credentials->verified ? 0 : diag_set(diag, "out of memory");
}

static int
load_revocation(
	struct credentials *credentials, const struct credentials_source *source, struct diag *diag)
{
	if (!credentials->config->crl)
		return 0;
	const struct file *file = files_get(source->files, credentials->config->crl, diag);
	if (!file)
		return -1;
	credentials->revocation = revocation_get(source->revocations, file, diag);
	return credentials->revocation ? 0 : -1;
}

static int
load_secrets(struct credentials *credentials, const struct credentials_source *source,
	const struct service_config *service, const char **blamed, struct diag *diag)
{
	const struct secrets_source secrets = {
		.files = source->files,
		.service = service,
		.side = credentials->side,
		.trust = credentials->trust ? credentials->trust->fingerprint : NULL,
	};

	return secrets_load(&credentials->secrets, &secrets, blamed, diag);
}

static int
load_staple(
	struct credentials *credentials, const struct credentials_source *source, struct diag *diag)
{
	if (!credentials->config->ocsp_response)
		return 0;
	const struct file *file =
		files_get(source->files, credentials->config->ocsp_response, diag);
	return file ? staple_load(credentials->certificate, file, diag) : -1;
}

/* Fill @credentials. The option to blame for a failure is stored in @blamed. */
static int
load(struct credentials *credentials, const struct credentials_source *source, const char **blamed,
	struct diag *diag)
{
	*blamed = "cert";
	if (gnutls_certificate_allocate_credentials(&credentials->certificate))
		return diag_set(diag, "out of memory");
	if (load_identities(credentials, source, blamed, diag))
		return -1;
	*blamed = "ocsp-response";
	if (load_staple(credentials, source, diag))
		return -1;
	*blamed = "ca";
	if (load_trust(credentials, source, diag))
		return -1;
	*blamed = "crl";
	if (load_revocation(credentials, source, diag))
		return -1;
	if (policy_load(&credentials->policy, credentials->config, blamed, diag))
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
	credentials->peer_name_wanted = side == SIDE_CONNECT && wants_chain(credentials->config) &&
		!credentials->config->peer_name_is_none;
	if (load(credentials, source, &blamed, diag) == 0 &&
		load_secrets(credentials, source, service, &blamed, diag) == 0)
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
	choice_free(credentials->choice);
	policy_release(&credentials->policy);
	secrets_release(&credentials->secrets);
	revocation_unref(credentials->revocation);
	verified_free(credentials->verified);
	trust_unref(credentials->trust);
	config_unref(credentials->configuration);
	free(credentials);
}
