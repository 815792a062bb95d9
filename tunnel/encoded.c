/* SPDX-License-Identifier: MIT */
#include "tunnel/encoded.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/tls_words.h"

enum { MARK_SIZE = 64 };

static const char blanks[] = " \t\r\n";
static const char base64[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n";

static void
skip(struct der *rest, size_t size)
{
	rest->at += size;
	rest->size -= size;
}

static void
skip_blanks(struct der *rest)
{
	while (rest->size > 0 && *rest->at && strchr(blanks, *rest->at))
		skip(rest, 1);
}

static bool
begins_with(const struct der *rest, const char *mark)
{
	return rest->size >= strlen(mark) && memcmp(rest->at, mark, strlen(mark)) == 0;
}

/* How many of the bytes of @rest are of base64. */
static size_t
base64_size(const struct der *rest)
{
	size_t size = 0;

	while (size < rest->size && rest->at[size] && strchr(base64, rest->at[size]))
		size++;
	return size;
}

/* What is in a block must be base64 to its end: GnuTLS stops quietly at what is not. */
static int
take_pem(struct der *rest, const char *begin, const char *label, gnutls_datum_t *der,
	struct diag *diag)
{
	struct der behind = *rest;
	char end[MARK_SIZE];

	(void)snprintf(end, sizeof(end), "-----END %s-----", label);
	skip(&behind, strlen(begin));
	skip(&behind, base64_size(&behind));
	if (!begins_with(&behind, end))
		return diag_set(diag, "the PEM is not whole, or not base64 up to \"%s\"", end);
	skip(&behind, strlen(end));

	const gnutls_datum_t pem = {
		(unsigned char *)(uintptr_t)rest->at, (unsigned)(rest->size - behind.size)};
	int error = gnutls_pem_base64_decode2(label, &pem, der);
	if (error)
		return diag_set(diag, "%s", tls_words(error).text);
	skip_blanks(&behind);
	*rest = behind;
	return 1;
}

static int
take_der(struct der *rest, gnutls_datum_t *der, struct diag *diag)
{
	struct der element;

	if (der_take_whole(rest, &element))
		return diag_set(diag, "the DER is not whole");
	der->data = gnutls_malloc(element.size);
	if (!der->data)
		return diag_set(diag, "out of memory");
	memcpy(der->data, element.at, element.size);
	der->size = (unsigned)element.size;
	skip_blanks(rest);
	return 1;
}

int
encoded_take(struct der *rest, const char *label, gnutls_datum_t *der, struct diag *diag)
{
	char begin[MARK_SIZE];

	skip_blanks(rest);
	if (rest->size == 0)
		return 0;
	(void)snprintf(begin, sizeof(begin), "-----BEGIN %s-----", label);
	if (begins_with(rest, begin))
		return take_pem(rest, begin, label, der, diag);
	if (der_is(rest, DER_SEQUENCE))
		return take_der(rest, der, diag);
	return diag_set(diag,
		"this is neither PEM (%s) nor DER, and nothing else may stand in the file", begin);
}
