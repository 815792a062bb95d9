/* SPDX-License-Identifier: MIT */
#include "tunnel/group.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "tunnel/service.h"
#include "tunnel/sni.h"

static const struct tls_config *
config_of(const struct service *service)
{
	return &service->config->tls[SIDE_ACCEPT];
}

static struct sni *
make_names(const struct group *group)
{
	struct sni_pattern *patterns;
	size_t count = 0, room = 1;

	for (size_t i = 0; i < group->count; i++)
		room += config_of(group->services[i])->sni.count;
	patterns = calloc(room, sizeof(*patterns));
	if (!patterns)
		return NULL;
	for (size_t i = 0; i < group->count; i++) {
		const struct texts *texts = &config_of(group->services[i])->sni;
		for (size_t j = 0; j < texts->count; j++)
			patterns[count++] = (struct sni_pattern){texts->list[j], i};
	}
	struct sni *names = sni_new(patterns, count);
	free(patterns);
	return names;
}

struct group *
group_new(struct service *const *services, size_t count)
{
	struct group *group = calloc(1, sizeof(*group));

	if (!group)
		return NULL;
	group->references = 1;
	group->services = calloc(count, sizeof(struct service *));
	if (!group->services)
		goto fail;
	for (; group->count < count; group->count++) {
		struct service *service = service_ref(services[group->count]);
		group->services[group->count] = service;
		if (config_of(service)->sni_is_default || config_of(service)->sni.count == 0)
			group->fallback = service;
	}
	group->names = make_names(group);
	if (group->names)
		return group;
fail:
	group_unref(group);
	return NULL;
}

struct group *
group_ref(struct group *group)
{
	atomic_fetch_add(&group->references, 1);
	return group;
}

void
group_unref(struct group *group)
{
	if (!group || atomic_fetch_sub(&group->references, 1) > 1)
		return;
	for (size_t i = 0; i < group->count; i++)
		service_unref(group->services[i]);
	free(group->services);
	sni_free(group->names);
	free(group);
}

struct service *
group_choose(const struct group *group, const char *name)
{
	size_t index = sni_find(group->names, name);

	return index == SNI_NONE ? group->fallback : group->services[index];
}

struct service *
group_main(const struct group *group)
{
	return group->fallback ? group->fallback : group->services[0];
}
