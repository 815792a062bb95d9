/* SPDX-License-Identifier: MIT */
#include "tunnel/token.h"

#include <gnutls/pkcs11.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/tls_words.h"

/* GnuTLS's user data are not constant, and neither it nor on_pin() changes them. */
union pin {
	const char *constant;
	void *opaque;
};

/* Never a PIN twice that was wrong once, nor one that could be the last before the token locks itself. */
static int
on_pin(void *opaque, int attempt, const char *url, const char *label, unsigned flags, char *pin,
	size_t size)
{
	const char *ours = opaque;

	(void)url;
	(void)label;
	if (!ours || attempt > 0 || flags & (GNUTLS_PIN_WRONG | GNUTLS_PIN_FINAL_TRY) ||
		strlen(ours) >= size)
		return GNUTLS_E_PKCS11_PIN_ERROR;
	memcpy(pin, ours, strlen(ours) + 1);
	return 0;
}

static int
explain(int error, const char *pin, struct diag *diag)
{
	switch (error) {
	case GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE:
	case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE:
		return diag_set(diag, "%s",
			pin ? "no token has it: \"p11tool --login --list-all\" says what is there"
			    : "no token has it, or shows it only to who has its PIN: write "
			      "pin-source; \"p11tool --list-all\" says what is there");
	case GNUTLS_E_PKCS11_PIN_ERROR:
		return diag_set(diag, "%s",
			pin ? "the token does not take the PIN, or the next wrong one would lock it"
			    : "the token asks for its PIN: write pin-source");
	case GNUTLS_E_PKCS11_PIN_LOCKED:
		return diag_set(diag, "the token is locked, after too many wrong PINs");
	default:
		return diag_set(diag, "%s", tls_words(error).text);
	}
}

int
token_check_url(const char *url, struct diag *diag)
{
	static const char *const refused[] = {"pin-value=", "pin-source=", "pinfile="};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		const char *found = strstr(url, refused[i]);
		if (!found || !strchr("?&;:", found[-1]))
			continue;
		return diag_set(diag,
			"%.*s does not belong into the URL: write the option pin-source",
			(int)strlen(refused[i]) - 1, refused[i]);
	}
	return 0;
}

int
token_certificates(const char *url, const char *pin, gnutls_x509_crt_t **crts, unsigned *count,
	struct diag *diag)
{
	union pin data = {.constant = pin};
	int error = gnutls_x509_crt_list_import_url(crts, count, url, on_pin, data.opaque, 0);

	return error < 0 ? explain(error, pin, diag) : 0;
}

int
token_key(const char *url, const char *pin, gnutls_privkey_t *key, struct diag *diag)
{
	union pin data = {.constant = pin};

	if (gnutls_privkey_init(key) < 0)
		return diag_set(diag, "out of memory");
	gnutls_privkey_set_pin_function(*key, on_pin, data.opaque);
	int error = gnutls_privkey_import_url(*key, url, 0);
	if (error == 0)
		return 0;
	gnutls_privkey_deinit(*key);
	*key = NULL;
	return explain(error, pin, diag);
}
