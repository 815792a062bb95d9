/* SPDX-License-Identifier: MIT */
/*
 * secrets.h - what one side shares with its peers beside certificates: pre-shared keys, and what lets a
 * session be resumed.
 */
#ifndef TUNNEL_SECRETS_H
#define TUNNEL_SECRETS_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "tunnel/config.h"
#include "tunnel/fingerprint.h"
#include "tunnel/ticket_key.h"

struct diag;
struct files;
struct psk_credentials;

/* Immutable once loaded. All zero: none. */
struct secrets {
	struct psk_credentials *psk;		/* NULL: no pre-shared keys */
	bool tickets;				/* sessions can be resumed */
	uint8_t ticket_key[TICKET_KEY_SIZE];	/* accepting */
	uint8_t ticket_owner[FINGERPRINT_SIZE]; /* connecting: see ticket_owner.h */
};

struct secrets_source {
	const struct files *files;
	const struct service_config *service;
	enum side side;
	const uint8_t *trust; /* fingerprint of the anchors; NULL: there are none */
};

/*
 * Load @secrets, which are all zero, from @source. Returns 0, or -1 with words and the option to blame in
 * @blamed; the caller releases @secrets in either case. Without `ticket-keys`, and without a secret that was
 * made for the program, an accepting side gives no tickets.
 */
MUST_USE int secrets_load(struct secrets *secrets, const struct secrets_source *source,
	const char **blamed, struct diag *diag);

/* Wipe and free everything. */
void secrets_release(struct secrets *secrets);

#endif
