/* SPDX-License-Identifier: MIT */
#include "tunnel/secrets.h"

#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/psk_credentials.h"
#include "tunnel/ticket_owner.h"

static const struct tls_config *
config_of(const struct secrets_source *source)
{
	return &source->service->tls[source->side];
}

static int
load_psk(struct secrets *secrets, const struct secrets_source *source, const char **blamed,
	struct diag *diag)
{
	const struct tls_config *config = config_of(source);

	*blamed = "psk";
	if (!config->psk)
		return 0;
	const struct file *file = files_get(source->files, config->psk, diag);
	if (!file)
		return -1;
	secrets->psk = psk_credentials_new(source->side, file, config->psk_identity, blamed, diag);
	return secrets->psk ? 0 : -1;
}

/* Who proves himself by a pre-shared key again each time has nothing to resume. */
static bool
is_psk_only(const struct tls_config *config)
{
	return config->psk && !config->ca && !config->ca_is_system && config->pins.count == 0;
}

/* The secret that keys of tickets are derived from into @master. Returns 0, or -1 with words. */
static int
find_master(const struct secrets_source *source, const struct file **master, struct diag *diag)
{
	const char *path = config_of(source)->ticket_keys;

	if (!path) {
		*master = files_find(source->files, TICKET_MASTER_FILE);
		return 0;
	}
	*master = files_get(source->files, path, diag);
	if (!*master)
		return -1;
	if ((*master)->size == TICKET_KEY_SIZE)
		return 0;
	return diag_set(diag,
		"it has %zu bytes instead of %d; make it by: sallyport pki ticket-key",
		(*master)->size, TICKET_KEY_SIZE);
}

static void
digest_psk(const struct secrets_source *source, uint8_t digest[FINGERPRINT_SIZE])
{
	const struct file *file = files_find(source->files, config_of(source)->psk);
	struct fingerprint fingerprint;

	fingerprint_start(&fingerprint);
	fingerprint_add(&fingerprint, file->data, file->size);
	fingerprint_end(&fingerprint, digest);
}

static int
derive_ticket_key(struct secrets *secrets, const struct secrets_source *source, struct diag *diag)
{
	uint8_t psk[FINGERPRINT_SIZE];
	struct ticket_content content = {
		.service = source->service->name,
		.mode = source->service->mode,
		.config = config_of(source),
		.trust = source->trust,
		.psk = secrets->psk ? psk : NULL,
	};
	const struct file *master;

	if (find_master(source, &master, diag))
		return -1;
	if (!master)
		return 0;
	if (secrets->psk)
		digest_psk(source, psk);
	if (ticket_key_derive(master->data, master->size, &content, secrets->ticket_key))
		return diag_set(diag, "no key of tickets can be derived from it");
	secrets->tickets = true;
	return 0;
}

int
secrets_load(struct secrets *secrets, const struct secrets_source *source, const char **blamed,
	struct diag *diag)
{
	const struct tls_config *config = config_of(source);

	if (load_psk(secrets, source, blamed, diag))
		return -1;
	*blamed = "ticket-keys";
	if (!config->tickets || is_psk_only(config))
		return 0;
	if (source->side == SIDE_ACCEPT)
		return derive_ticket_key(secrets, source, diag);
	ticket_owner_digest(config, source->files, source->trust, secrets->ticket_owner);
	secrets->tickets = true;
	return 0;
}

void
secrets_release(struct secrets *secrets)
{
	psk_credentials_free(secrets->psk);
	explicit_bzero(secrets, sizeof(*secrets));
}
