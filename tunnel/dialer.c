/* SPDX-License-Identifier: MIT */
#include "tunnel/dialer.h"

#include <stdlib.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/diag.h"
#include "common/list.h"
#include "common/log.h"
#include "tunnel/dns.h"
#include "tunnel/resolver.h"
#include "tunnel/service.h"

enum { FAILURES = 128 }; /* that are remembered; the oldest goes */

static const double failing_time = 10.0;

struct failure {
	struct endpoint endpoint;
	double until;
};

struct dialer {
	struct resolver *resolver;
	struct list checks;
	struct failure failures[FAILURES];
	size_t failure_count;
};

/* A name of a service that is resolved only to see whether it can be. */
struct check {
	struct list link;
	struct resolver_waiter waiter;
	struct service *service;
	const char *host;
};

/* Where @endpoint stands among the failures; their count if it does not. */
static size_t
find(const struct dialer *dialer, const struct endpoint *endpoint)
{
	size_t i = 0;

	while (i < dialer->failure_count &&
		!endpoint_is_equal(&dialer->failures[i].endpoint, endpoint))
		i++;
	return i;
}

/* Forget what is too old, and if that is not enough the oldest. */
static void
make_room(struct dialer *dialer)
{
	double now = clock_seconds();
	size_t kept = 0, oldest = 0;

	for (size_t i = 0; i < dialer->failure_count; i++) {
		if (dialer->failures[i].until > now)
			dialer->failures[kept++] = dialer->failures[i];
	}
	dialer->failure_count = kept;
	if (kept < FAILURES)
		return;
	for (size_t i = 1; i < kept; i++) {
		if (dialer->failures[i].until < dialer->failures[oldest].until)
			oldest = i;
	}
	dialer->failures[oldest] = dialer->failures[--dialer->failure_count];
}

static void
check_free(struct check *check)
{
	resolver_cancel(&check->waiter);
	list_remove(&check->link);
	service_unref(check->service);
	free(check);
}

static void
warn(const struct service *service, const char *host, const char *words)
{
	log_write(LOG_LEVEL_WARNING,
		"service %s: connect: \"%s\" cannot be resolved now: %s; it is tried again for "
		"each "
		"connection",
		service->config->name, host, words);
}

static void
on_checked(struct resolver_waiter *waiter, const struct resolver_answer *answer)
{
	struct check *check = container_of(waiter, struct check, waiter);

	if (answer->count == 0)
		warn(check->service, check->host, answer->words);
	check_free(check);
}

static void
check_name(struct dialer *dialer, struct service *service, const char *host)
{
	struct check *check = calloc(1, sizeof(*check));
	struct diag diag;

	if (!check) {
		warn(service, host, "out of memory");
		return;
	}
	check->service = service_ref(service);
	check->host = host;
	list_append(&dialer->checks, &check->link);
	resolver_waiter_init(&check->waiter, on_checked);
	if (resolver_lookup(dialer->resolver, host, &check->waiter, &diag) == 0)
		return;
	warn(service, host, diag.text);
	check_free(check);
}

struct dialer *
dialer_new_with(struct loop *loop, const struct dns_settings *settings, struct diag *diag)
{
	struct dialer *dialer = calloc(1, sizeof(*dialer));

	if (!dialer) {
		diag_set(diag, "out of memory");
		return NULL;
	}
	list_init(&dialer->checks);
	dialer->resolver = resolver_new(loop, settings, diag);
	if (!dialer->resolver) {
		free(dialer);
		return NULL;
	}
	return dialer;
}

struct dialer *
dialer_new(struct loop *loop, struct diag *diag)
{
	return dialer_new_with(loop, &(struct dns_settings){0}, diag);
}

void
dialer_free(struct dialer *dialer)
{
	struct list *link, *after;

	if (!dialer)
		return;
	list_for_each_safe (link, after, &dialer->checks)
		check_free(container_of(link, struct check, link));
	resolver_free(dialer->resolver);
	free(dialer);
}

struct resolver *
dialer_resolver(struct dialer *dialer)
{
	return dialer->resolver;
}

void
dialer_note_failure(struct dialer *dialer, const struct endpoint *endpoint)
{
	size_t i = find(dialer, endpoint);

	if (i == dialer->failure_count) {
		make_room(dialer);
		i = dialer->failure_count++;
	}
	dialer->failures[i] = (struct failure){*endpoint, clock_seconds() + failing_time};
}

void
dialer_note_success(struct dialer *dialer, const struct endpoint *endpoint)
{
	size_t i = find(dialer, endpoint);

	if (i < dialer->failure_count)
		dialer->failures[i] = dialer->failures[--dialer->failure_count];
}

bool
dialer_is_failing(const struct dialer *dialer, const struct endpoint *endpoint)
{
	size_t i = find(dialer, endpoint);

	return i < dialer->failure_count && clock_seconds() < dialer->failures[i].until;
}

void
dialer_check_names(struct dialer *dialer, struct service *service)
{
	const struct service_config *config = service->config;

	for (size_t i = 0; i < config->connect_count; i++) {
		if (config->connect[i].kind == ADDRESS_NAME)
			check_name(dialer, service, config->connect[i].host);
	}
}
