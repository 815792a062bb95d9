/* SPDX-License-Identifier: MIT */
#include "tunnel/environment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/defs.h"

/* The last ones are for builds with sanitizers or coverage, and for an ordinary build mean nothing. */
static const char *const kept[] = {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH",
	"LOCALDOMAIN", "RES_OPTIONS", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
	"UBSAN_OPTIONS", "ASAN_SYMBOLIZER_PATH", "GCOV_PREFIX", "GCOV_PREFIX_STRIP",
	"LLVM_PROFILE_FILE"};

static bool
is_kept(const char *variable)
{
	size_t length = strcspn(variable, "=");

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (strlen(kept[i]) == length && memcmp(kept[i], variable, length) == 0)
			return true;
	return false;
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
