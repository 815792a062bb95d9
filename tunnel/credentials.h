/* SPDX-License-Identifier: MIT */
/*
 * credentials.h - who we are and whom we believe, on one TLS side of a service.
 *
 * Certificate, key, trust anchors, versions and priorities, checked as a whole when they are made and
 * immutable afterwards. Counted, since GnuTLS's own credentials are not: each session keeps them.
 */
#ifndef TUNNEL_CREDENTIALS_H
#define TUNNEL_CREDENTIALS_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "common/defs.h"
#include "tunnel/config.h"
#include "tunnel/policy.h"
#include "tunnel/secrets.h"

struct choice;
struct diag;
struct files;
struct revocation;
struct revocations;
struct signer;
struct trust;
struct trusts;
struct verified;

struct credentials {
	enum side side;
	const struct tls_config *config; /* of the configuration, which is kept with them */
	struct trust *trust;		 /* NULL where verify is no, and for ca = none */
	struct verified *verified;	 /* what was found good by @trust; NULL: not remembered */
	struct revocation *revocation;	 /* NULL: no lists are looked into */
	struct policy policy;
	struct secrets secrets;
	struct choice *choice; /* connecting */
	unsigned verify_flags; /* the profile, as GnuTLS's verification takes it */
	bool peer_name_wanted; /* connecting: the name must match */
	bool slow;	       /* a signature may take so long that a loop must not wait for it */
	/* the rest is private to credentials.c */
	gnutls_certificate_credentials_t certificate;
	gnutls_priority_t priority;
	struct config *configuration;
	_Atomic unsigned references;
};

/* What the credentials of one configuration are made from. */
struct credentials_source {
	struct config *config;
	const struct files *files;
	struct trusts *trusts;
	struct revocations *revocations;
	struct signer *signer; /* NULL: there is no key process */
};

/*
 * Make the credentials of @side of @service from @source, whose configuration they keep. On failure
 * NULL and words that begin with `FILE:LINE: service NAME: option: …`.
 */
MUST_USE struct credentials *credentials_new(const struct credentials_source *source,
	const struct service_config *service, enum side side, struct diag *diag);

/* Counted, from any thread. credentials_unref(NULL) does nothing. */
struct credentials *credentials_ref(struct credentials *credentials);
void credentials_unref(struct credentials *credentials);

#endif
