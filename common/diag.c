/* SPDX-License-Identifier: MIT */
#include "common/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
diag_set(struct diag *diag, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(diag->text, sizeof(diag->text), format, args);
	va_end(args);
	return -1;
}

int
diag_prefix(struct diag *diag, const char *format, ...)
{
	struct diag inner = *diag;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(diag->text, sizeof(diag->text), format, args);
	va_end(args);

	size_t length = strlen(diag->text);
	(void)snprintf(diag->text + length, sizeof(diag->text) - length, ": %s", inner.text);
	return -1;
}
