/* SPDX-License-Identifier: MIT */
/*
 * libcrypto.h - the few functions of OpenSSL's libcrypto that are used, loaded when they are needed.
 *
 * It is loaded and not linked, so that only a process which has an RSA key to sign with has it in its
 * memory: main and serve have not. It reads no configuration file, and so loads no engine and no other
 * module. Whatever it frees is wiped. Only builds with libcrypto have this.
 */
#ifndef TUNNEL_LIBCRYPTO_H
#define TUNNEL_LIBCRYPTO_H

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "common/defs.h"

struct diag;

/* Pointers to the functions whose names they have. */
struct libcrypto {
	__typeof__(CRYPTO_set_mem_functions) *CRYPTO_set_mem_functions;
	__typeof__(ERR_clear_error) *ERR_clear_error;
	__typeof__(ERR_peek_last_error) *ERR_peek_last_error;
	__typeof__(ERR_reason_error_string) *ERR_reason_error_string;
	__typeof__(EVP_PKCS82PKEY) *EVP_PKCS82PKEY;
	__typeof__(EVP_PKEY_CTX_free) *EVP_PKEY_CTX_free;
	__typeof__(EVP_PKEY_CTX_new) *EVP_PKEY_CTX_new;
	__typeof__(EVP_PKEY_CTX_set_rsa_padding) *EVP_PKEY_CTX_set_rsa_padding;
	__typeof__(EVP_PKEY_CTX_set_rsa_pss_saltlen) *EVP_PKEY_CTX_set_rsa_pss_saltlen;
	__typeof__(EVP_PKEY_CTX_set_signature_md) *EVP_PKEY_CTX_set_signature_md;
	__typeof__(EVP_PKEY_free) *EVP_PKEY_free;
	__typeof__(EVP_PKEY_get_base_id) *EVP_PKEY_get_base_id;
	__typeof__(EVP_PKEY_get_bits) *EVP_PKEY_get_bits;
	__typeof__(EVP_PKEY_get_size) *EVP_PKEY_get_size;
	__typeof__(EVP_PKEY_sign) *EVP_PKEY_sign;
	__typeof__(EVP_PKEY_sign_init) *EVP_PKEY_sign_init;
	__typeof__(EVP_get_digestbyname) *EVP_get_digestbyname;
	__typeof__(OPENSSL_init_crypto) *OPENSSL_init_crypto;
	__typeof__(PKCS8_PRIV_KEY_INFO_free) *PKCS8_PRIV_KEY_INFO_free;
	__typeof__(d2i_PKCS8_PRIV_KEY_INFO) *d2i_PKCS8_PRIV_KEY_INFO;
};

/* Load the library, which then stays, into @libcrypto. Returns 0, or -1 with words. */
MUST_USE int libcrypto_load(struct libcrypto *libcrypto, struct diag *diag);

/* Say as @what what it was that just failed in @libcrypto, in its own words. Returns -1. */
int libcrypto_explain(const struct libcrypto *libcrypto, const char *what, struct diag *diag);

#endif
