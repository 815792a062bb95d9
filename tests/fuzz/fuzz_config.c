/* SPDX-License-Identifier: MIT */
/* The texts of a configuration; a line of "%%" ends the main file and begins an included one. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
add_text(struct config_texts *texts, const char *name, const char *data, size_t size)
{
	char name_copy[16], *copy = malloc(size + 1);
	struct config_text text = {.name = name_copy, .data = copy, .size = size};
	struct diag diag;

	assert(copy);
	(void)snprintf(name_copy, sizeof(name_copy), "%s", name);
	memcpy(copy, data, size);
	if (config_texts_add(texts, &text, &diag) < 0)
		abort();
	free(copy);
}

/* Print what was accepted: it must be accepted again. */
static void
check_printed(const struct config *config, FILE *errors)
{
	char *printed = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&printed, &size);
	struct config_texts texts = {0};

	assert(out);
	config_print(config, out);
	config_print_warnings(config, errors);
	if (fclose(out) != 0)
		abort();
	add_text(&texts, "printed", printed, size);

	struct config *again = config_new(&texts, errors);

	if (!again || again->service_count != config->service_count)
		abort();
	config_unref(again);
	config_texts_release(&texts);
	free(printed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *start = (const char *)data;
	const char *mark = memmem(data, size, "\n%%\n", 4);
	size_t length = mark ? (size_t)(mark - start) + 1 : size;
	struct config_texts texts = {0};
	FILE *errors = fopen("/dev/null", "w");

	assert(errors);
	add_text(&texts, "main.conf", start, length);
	if (mark)
		add_text(&texts, "more.conf", mark + 4, size - length - 3);

	struct config *config = config_new(&texts, errors);

	if (config)
		check_printed(config, errors);
	config_unref(config);
	config_texts_release(&texts);
	(void)fclose(errors);
	return 0;
}
