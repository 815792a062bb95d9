/* SPDX-License-Identifier: MIT */
#include "tunnel/asked_name.h"

#include <strings.h>

bool
asked_name_is(gnutls_session_t session, const char *name)
{
	char asked[256] = "";
	size_t size = sizeof(asked);
	unsigned type = GNUTLS_NAME_DNS;
	int error = gnutls_server_name_get(session, asked, &size, &type, 0);

	if (error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return name[0] == '\0';
	return error == 0 && type == GNUTLS_NAME_DNS && strcasecmp(asked, name) == 0;
}
