/* SPDX-License-Identifier: MIT */
#include "tunnel/service.h"

#include <stdlib.h>

#include "common/diag.h"
#include "tunnel/credentials.h"
#include "tunnel/revocation.h"
#include "tunnel/trust.h"

/* Make both sides' credentials; every error is written. Returns 0 or -1. */
static int
load_credentials(struct service *service, const struct credentials_source *source, FILE *errors)
{
	int result = 0;

	for (enum side side = SIDE_ACCEPT; side < SIDES; side++) {
		struct diag diag;

		if (!service->config->tls[side].used)
			continue;
		service->credentials[side] = credentials_new(source, service->config, side, &diag);
		if (service->credentials[side])
			continue;
		(void)fprintf(errors, "%s\n", diag.text);
		result = -1;
	}
	return result;
}

static struct service *
service_new(
	const struct credentials_source *source, const struct service_config *config, FILE *errors)
{
	struct service *service = calloc(1, sizeof(*service));

	if (!service) {
		(void)fprintf(errors, "service %s: out of memory\n", config->name);
		return NULL;
	}
	service->config = config;
	service->configuration = config_ref(source->config);
	service->references = 1;
	if (load_credentials(service, source, errors) == 0)
		return service;
	service_unref(service);
	return NULL;
}

int
services_new(struct config *config, const struct files *files, struct signer *signer,
	struct service **services, FILE *errors)
{
	struct trusts trusts = {0};
	struct revocations revocations = {0};
	const struct credentials_source source = {config, files, &trusts, &revocations, signer};
	int result = 0;

	for (size_t i = 0; i < config->service_count; i++) {
		services[i] = service_new(&source, &config->services[i], errors);
		if (!services[i])
			result = -1;
	}
	revocations_release(&revocations);
	trusts_release(&trusts);
	if (result == 0)
		return 0;
	for (size_t i = 0; i < config->service_count; i++)
		service_unref(services[i]);
	return -1;
}

struct service *
service_ref(struct service *service)
{
	atomic_fetch_add(&service->references, 1);
	return service;
}

void
service_unref(struct service *service)
{
	if (!service || atomic_fetch_sub(&service->references, 1) > 1)
		return;
	for (enum side side = SIDE_ACCEPT; side < SIDES; side++)
		credentials_unref(service->credentials[side]);
	config_unref(service->configuration);
	free(service);
}
