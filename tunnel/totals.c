/* SPDX-License-Identifier: MIT */
#include "tunnel/totals.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tunnel/service.h"

struct total {
	char *name;
	uint64_t accepted, refused, failed, probes;
};

static struct total *
sum_of(struct totals *totals, const char *name)
{
	for (size_t i = 0; i < totals->sum_count; i++)
		if (strcmp(totals->sums[i].name, name) == 0)
			return &totals->sums[i];
	return NULL;
}

static int
add_sum(struct totals *totals, const char *name)
{
	struct total *grown = realloc(totals->sums, (totals->sum_count + 1) * sizeof(*grown));

	if (!grown)
		return -1;
	totals->sums = grown;
	grown[totals->sum_count] = (struct total){.name = strdup(name)};
	if (!grown[totals->sum_count].name)
		return -1;
	totals->sum_count++;
	return 0;
}

static void
let_go(struct totals *totals, struct service *service)
{
	struct total *sum = sum_of(totals, service->config->name);

	sum->accepted += service->counters.accepted;
	sum->refused += service->counters.refused;
	sum->failed += service->counters.failed;
	sum->probes += service->counters.probes;
	service_unref(service);
}

int
totals_add(struct totals *totals, struct service *service)
{
	if (!sum_of(totals, service->config->name) && add_sum(totals, service->config->name) < 0)
		return -1;
	struct service **grown =
		realloc(totals->kept, (totals->kept_count + 1) * sizeof(struct service *));
	if (!grown)
		return -1;
	totals->kept = grown;
	grown[totals->kept_count++] = service_ref(service);
	return 0;
}

void
totals_collect(struct totals *totals)
{
	size_t left = 0;

	for (size_t i = 0; i < totals->kept_count; i++) {
		if (atomic_load(&totals->kept[i]->references) == 1)
			let_go(totals, totals->kept[i]);
		else
			totals->kept[left++] = totals->kept[i];
	}
	totals->kept_count = left;
}

static void
log_sum(const struct total *sum)
{
	const struct log_field fields[] = {
		{.key = "service", .text = sum->name},
		{.key = "accepted", .number = sum->accepted},
		{.key = "refused", .number = sum->refused},
		{.key = "failed", .number = sum->failed},
		{.key = "probes", .number = sum->probes},
	};

	log_fields(LOG_LEVEL_NOTICE, "totals", fields, ARRAY_SIZE(fields));
}

void
totals_finish(struct totals *totals)
{
	for (size_t i = 0; i < totals->kept_count; i++)
		let_go(totals, totals->kept[i]);
	for (size_t i = 0; i < totals->sum_count; i++) {
		log_sum(&totals->sums[i]);
		free(totals->sums[i].name);
	}
	free(totals->kept);
	free(totals->sums);
	*totals = (struct totals){0};
}
