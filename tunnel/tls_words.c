/* SPDX-License-Identifier: MIT */
#include "tunnel/tls_words.h"

#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>

struct tls_words
tls_words(int error)
{
	const char *words = gnutls_strerror(error);
	size_t length = strlen(words);
	struct tls_words result;

	if (length > 0 && words[length - 1] == '.')
		length--;
	(void)snprintf(result.text, sizeof(result.text), "%.*s", (int)length, words);
	return result;
}

const char *
tls_alert_words(int alert)
{
	const char *words = gnutls_alert_get_name((gnutls_alert_description_t)alert);

	return words ? words : "one without a name";
}
