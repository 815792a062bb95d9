/* SPDX-License-Identifier: MIT */
/*
 * ticket_owner.h - whom the tickets of a connecting end belong to.
 *
 * A ticket that was got as somebody, from somebody who was believed for some reason, is good for nothing
 * else. So tickets are kept by a fingerprint over all of that. Contents count and not the names of
 * files, so a reload that changes nothing keeps them and one that does leaves them without an owner.
 */
#ifndef TUNNEL_TICKET_OWNER_H
#define TUNNEL_TICKET_OWNER_H

#include <stdint.h>

#include "tunnel/fingerprint.h"

struct files;
struct tls_config;

/*
 * The @digest of who we are and whom we believe by @config: certificates and other contents in @files,
 * the fingerprint @trust of the anchors (NULL: there are none), rules, pins, names and what is offered.
 */
void ticket_owner_digest(const struct tls_config *config, const struct files *files,
	const uint8_t *trust, uint8_t digest[FINGERPRINT_SIZE]);

/* The @key of the tickets of that @digest got from @target, where @name was expected (NULL: nobody). */
void ticket_owner_key(const uint8_t digest[FINGERPRINT_SIZE], const char *target, const char *name,
	uint8_t key[FINGERPRINT_SIZE]);

#endif
