/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/naming.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/diag.h"

struct naming naming;

struct dns_settings
naming_start(void)
{
	struct dns_settings settings = {
		.resolv_conf = naming.files.resolv_conf, .hosts_of_environment = true};
	struct diag diag;

	naming = (struct naming){.budget.limit = 1 << 20};
	assert_int_equal(loop_init(&naming.loop, &naming.budget, &diag), 0);
	name_server_start(&naming.first, naming.loop.ev, "127.0.0.1", &settings.port);
	name_server_start(&naming.second, naming.loop.ev, "127.0.0.2", &settings.port);
	naming.second.v4[3] = 2;
	name_files_make(&naming.files, "198.51.100.7 listed\n");
	return settings;
}

void
naming_stop(void)
{
	name_server_stop(&naming.first);
	name_server_stop(&naming.second);
	loop_release(&naming.loop);
	name_files_remove(&naming.files);
}

bool
naming_is(const struct endpoint *endpoint, const char *ip)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, ip, &v4) == 1) {
		return endpoint->any.sa_family == AF_INET &&
			endpoint->length == sizeof(endpoint->v4) && endpoint->v4.sin_port == 0 &&
			memcmp(&endpoint->v4.sin_addr, &v4, sizeof(v4)) == 0;
	}
	assert_int_equal(inet_pton(AF_INET6, ip, &v6), 1);
	return endpoint->any.sa_family == AF_INET6 && endpoint->length == sizeof(endpoint->v6) &&
		endpoint->v6.sin6_port == 0 &&
		memcmp(&endpoint->v6.sin6_addr, &v6, sizeof(v6)) == 0;
}

bool
naming_has(const struct endpoint *endpoints, size_t count, const char *ip)
{
	for (size_t i = 0; i < count; i++) {
		if (naming_is(&endpoints[i], ip))
			return true;
	}
	return false;
}
