/* SPDX-License-Identifier: MIT */
#include "tunnel/rawkey.h"

#include "tunnel/config.h"

bool
rawkey_is_wanted(const struct tls_config *config)
{
	return config->verify != VERIFY_NO && !config->ca && !config->ca_is_system &&
		config->pins.count > 0;
}

int
rawkey_make(gnutls_pcert_st *raw, const gnutls_pcert_st *certificate)
{
	gnutls_datum_t spki;
	int error = gnutls_pubkey_export2(certificate->pubkey, GNUTLS_X509_FMT_DER, &spki);

	if (error)
		return error;
	error = gnutls_pcert_import_rawpk_raw(raw, &spki, GNUTLS_X509_FMT_DER, 0, 0);
	gnutls_free(spki.data);
	return error;
}
