/* SPDX-License-Identifier: MIT */
/*
 * offer.h - a generation that serve has made ready: services and listeners, not running yet.
 *
 * Everything that can be wrong with a generation shows while its offer is made; what is made can be
 * taken by the workers without a further failure, or thrown away without a trace.
 */
#ifndef TUNNEL_OFFER_H
#define TUNNEL_OFFER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/defs.h"
#include "common/list.h"

struct config;
struct service;
struct signer;

/* Descriptors of listening sockets that have arrived; -1 where one was taken. All zero is empty. */
struct offer_sockets {
	int *fds;
	size_t count;
};

struct offer {
	struct config *config;
	struct service **services; /* config->service_count */
	struct list *listeners;	   /* one list a worker */
	unsigned workers;
	size_t sockets; /* over all workers */
};

/*
 * Make an offer of the @size bytes of a generation and of its @sockets, which are empty afterwards in
 * any case. Its services sign through @signer where they have no key (service.h). Every error is written
 * to @errors, a line each. The caller frees the result with offer_free(). NULL if there was any error.
 */
MUST_USE struct offer *offer_new(const uint8_t *bytes, size_t size, struct offer_sockets *sockets,
	struct signer *signer, FILE *errors);

/* Free what nobody took. offer_free(NULL) does nothing. */
void offer_free(struct offer *offer);

/* Add @fd, taking it over in any case. Returns 0, or -1 without memory. */
MUST_USE int offer_sockets_add(struct offer_sockets *sockets, int fd);

/* Close those that were not taken. */
void offer_sockets_release(struct offer_sockets *sockets);

#endif
