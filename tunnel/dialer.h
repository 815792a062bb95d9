/* SPDX-License-Identifier: MIT */
/*
 * dialer.h - what a worker remembers for connecting out: names that were resolved, addresses that failed.
 */
#ifndef TUNNEL_DIALER_H
#define TUNNEL_DIALER_H

#include <stdbool.h>

#include "common/defs.h"

struct diag;
struct dns_settings;
struct endpoint;
struct loop;
struct resolver;
struct service;

struct dialer;

/* Make the dialer of @loop, which it borrows until dialer_free(). NULL with words. */
MUST_USE struct dialer *dialer_new(struct loop *loop, struct diag *diag);

/* The same with a name service of its own, for tests. */
MUST_USE struct dialer *dialer_new_with(
	struct loop *loop, const struct dns_settings *settings, struct diag *diag);

/* Free it; every dial must have ended, checks of names are forgotten. dialer_free(NULL) does nothing. */
void dialer_free(struct dialer *dialer);

/* Its resolver. */
struct resolver *dialer_resolver(struct dialer *dialer);

/* Note that @endpoint failed: for 10 seconds it goes last. */
void dialer_note_failure(struct dialer *dialer, const struct endpoint *endpoint);

/* Note that @endpoint works. */
void dialer_note_success(struct dialer *dialer, const struct endpoint *endpoint);

/* Has @endpoint failed within the last 10 seconds? */
bool dialer_is_failing(const struct dialer *dialer, const struct endpoint *endpoint);

/*
 * Resolve the names that @service connects to, and log a warning for each that cannot be resolved now.
 * Keeps @service meanwhile.
 */
void dialer_check_names(struct dialer *dialer, struct service *service);

#endif
