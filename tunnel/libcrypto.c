/* SPDX-License-Identifier: MIT */
#include "tunnel/libcrypto.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"

/* That of the headers with which this was built: a name stands for one binary interface. */
#define LIBRARY "libcrypto.so." OPENSSL_MSTR(OPENSSL_SHLIB_VERSION)

#define FIELD(name) #name, offsetof(struct libcrypto, name)

static const struct function {
	const char *name;
	size_t offset; /* of its field in struct libcrypto */
} functions[] = {
	{FIELD(CRYPTO_set_mem_functions)},
	{FIELD(ERR_clear_error)},
	{FIELD(ERR_peek_last_error)},
	{FIELD(ERR_reason_error_string)},
	{FIELD(EVP_PKCS82PKEY)},
	{FIELD(EVP_PKEY_CTX_free)},
	{FIELD(EVP_PKEY_CTX_new)},
	{FIELD(EVP_PKEY_CTX_set_rsa_padding)},
	{FIELD(EVP_PKEY_CTX_set_rsa_pss_saltlen)},
	{FIELD(EVP_PKEY_CTX_set_signature_md)},
	{FIELD(EVP_PKEY_free)},
	{FIELD(EVP_PKEY_get_base_id)},
	{FIELD(EVP_PKEY_get_bits)},
	{FIELD(EVP_PKEY_get_size)},
	{FIELD(EVP_PKEY_sign)},
	{FIELD(EVP_PKEY_sign_init)},
	{FIELD(EVP_get_digestbyname)},
	{FIELD(OPENSSL_init_crypto)},
	{FIELD(PKCS8_PRIV_KEY_INFO_free)},
	{FIELD(d2i_PKCS8_PRIV_KEY_INFO)},
};

_Static_assert(
	sizeof(struct libcrypto) == ARRAY_SIZE(functions) * sizeof(void *), "a field has no row");

static void *
allocate(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(size);
}

static void
discard(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

static void *
resize(void *memory, size_t size, const char *file, int line)
{
	size_t before = memory ? malloc_usable_size(memory) : 0;
	void *resized = size > 0 ? malloc(size) : NULL;

	if (resized && before > 0)
		memcpy(resized, memory, size < before ? size : before);
	if (resized || size == 0)
		discard(memory, file, line);
	return resized;
}

static int
find(void *library, const struct function *function, struct libcrypto *libcrypto, struct diag *diag)
{
	void *address = dlsym(library, function->name);

	if (!address)
		return diag_set(diag, LIBRARY " has no %s", function->name);
	/* C knows no way from an object to a function, POSIX does. */
	memcpy((char *)libcrypto + function->offset, &address, sizeof(address));
	return 0;
}

int
libcrypto_load(struct libcrypto *libcrypto, struct diag *diag)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (!library) {
		return diag_set(diag,
			"%s: install it, which RSA keys need in the key process, or write "
			"key-process = no",
			dlerror());
	}
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (find(library, &functions[i], libcrypto, diag) < 0)
			return -1;
	/* It is too late when this was done before, or a PKCS#11 module has used the library before us. */
	(void)libcrypto->CRYPTO_set_mem_functions(allocate, resize, discard);
	/* At exit a thread may be signing still, so nothing is taken away from under it. */
	if (libcrypto->OPENSSL_init_crypto(
		    OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL))
		return 0;
	return diag_set(diag, LIBRARY " does not begin to work");
}

int
libcrypto_explain(const struct libcrypto *libcrypto, const char *what, struct diag *diag)
{
	const char *words = libcrypto->ERR_reason_error_string(libcrypto->ERR_peek_last_error());

	libcrypto->ERR_clear_error();
	return diag_set(diag, "%s: libcrypto says: %s", what, words ? words : "nothing");
}
