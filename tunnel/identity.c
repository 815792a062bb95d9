/* SPDX-License-Identifier: MIT */
#include "tunnel/identity.h"

#include <stdio.h>

#include "tunnel/config.h"

char *
identity_key_name(const struct identity_config *identity)
{
	char *name;

	return asprintf(&name, "key:%s", identity->key) < 0 ? NULL : name;
}
