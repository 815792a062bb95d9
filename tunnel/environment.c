/* SPDX-License-Identifier: MIT */
#include "tunnel/environment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/defs.h"

/* Where PKCS#11 modules find their tokens: without these they would find others, or none. */
static const char *const modules[] = {"SOFTHSM2_CONF", "OPENSC_CONF", "TPM2_PKCS11_STORE",
	"YUBIHSM_PKCS11_CONF", "P11_KIT_SERVER_ADDRESS"};

/* The last ones are for builds with sanitizers or coverage, and for an ordinary build mean nothing. */
static const char *const kept[] = {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH",
	"LOCALDOMAIN", "RES_OPTIONS", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
	"UBSAN_OPTIONS", "ASAN_SYMBOLIZER_PATH", "GCOV_PREFIX", "GCOV_PREFIX_STRIP",
	"LLVM_PROFILE_FILE"};

static bool
is_among(const char *variable, const char *const *names, size_t count)
{
	size_t length = strcspn(variable, "=");

	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == length && memcmp(names[i], variable, length) == 0)
			return true;
	return false;
}

static bool
is_kept(const char *variable)
{
	return is_among(variable, kept, ARRAY_SIZE(kept)) ||
		is_among(variable, modules, ARRAY_SIZE(modules));
}

void
environment_clean(void)
{
	size_t left = 0;

	for (size_t i = 0; environ && environ[i]; i++)
		if (is_kept(environ[i]))
			environ[left++] = environ[i];
	if (environ)
		environ[left] = NULL;
}
