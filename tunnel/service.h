/* SPDX-License-Identifier: MIT */
/*
 * service.h - one service as it runs: its configuration, credentials and counters.
 *
 * Immutable but for the counters, and counted: a reload makes new ones, and running tunnels keep the
 * one with which they began.
 */
#ifndef TUNNEL_SERVICE_H
#define TUNNEL_SERVICE_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include "common/defs.h"
#include "tunnel/config.h"

struct credentials;
struct files;
struct signer;

struct service_counters {
	_Atomic uint64_t accepted, probes, refused, failed, ended;
};

struct service {
	const struct service_config *config;
	struct credentials *credentials[SIDES]; /* NULL on a plaintext side */
	struct service_counters counters;
	struct config *configuration;
	_Atomic unsigned references;
};

/*
 * Make all services of @config, with the keys and certificates in @files, into @services, which has room
 * for @config->service_count; they share what they can, such as trust anchors. Keys that are not
 * there sign through @signer; NULL: never. Keeps both. Returns
 * 0, or -1 after writing every error to @errors, a line each, `FILE:LINE: service NAME: …`; then
 * nothing is kept. The caller drops each with service_unref().
 */
MUST_USE int services_new(struct config *config, const struct files *files, struct signer *signer,
	struct service **services, FILE *errors);

/* Counted, from any thread. service_unref(NULL) does nothing. */
struct service *service_ref(struct service *service);
void service_unref(struct service *service);

#endif
