/* SPDX-License-Identifier: MIT */
/* The texts of a configuration: the main file and those that it includes. */
#include "tunnel/config.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "common/inifile.h"
#include "tunnel/complaint.h"
#include "tunnel/option_values.h"

/* Gathering, while the main file is read for its includes. */
struct gathering {
	struct config_texts *texts;
	const char *main;
	struct complaints complaints;
	bool in_section;
	/* What is done about an include, whose path is complete. */
	void (*include)(
		struct gathering *gathering, const char *path, const struct subject *subject);
	void (*visit)(void *user, const char *path);
	void *user;
};

void
config_texts_release(struct config_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++) {
		free(texts->entries[i].name);
		free(texts->entries[i].data);
	}
	free(texts->entries);
	*texts = (struct config_texts){0};
}

int
config_texts_add(struct config_texts *texts, const struct config_text *text, struct diag *diag)
{
	struct config_text *entries =
		realloc(texts->entries, (texts->count + 1) * sizeof(*entries));
	struct config_text copy = {.size = text->size, .from_flags = text->from_flags};

	if (entries)
		texts->entries = entries;
	copy.name = strdup(text->name);
	copy.data = malloc(text->size + 1);
	if (!entries || !copy.name || !copy.data) {
		free(copy.name);
		free(copy.data);
		return diag_set(diag, "there is not enough memory for %s", text->name);
	}
	memcpy(copy.data, text->data, text->size);
	copy.data[text->size] = '\0';
	texts->entries[texts->count++] = copy;
	return 0;
}

static int
read_text(struct config_texts *texts, const char *path, struct diag *diag)
{
	struct files files = {0};
	int result = files_read(&files, path, diag);

	if (result == 0) {
		struct config_text text = {
			.name = files.entries[0].path,
			.data = (char *)files.entries[0].data,
			.size = files.entries[0].size,
		};

		result = config_texts_add(texts, &text, diag);
	}
	files_release(&files);
	return result;
}

static bool
was_read(const struct config_texts *texts, const char *path)
{
	for (size_t i = 0; i < texts->count; i++) {
		if (strcmp(texts->entries[i].name, path) == 0)
			return true;
	}
	return false;
}

static void
read_included(struct gathering *gathering, const glob_t *found, const struct subject *subject)
{
	struct diag diag;

	for (size_t i = 0; i < found->gl_pathc; i++) {
		if (was_read(gathering->texts, found->gl_pathv[i]))
			continue;
		if (read_text(gathering->texts, found->gl_pathv[i], &diag) < 0) {
			complaints_add(
				&gathering->complaints, subject, "cannot be read: %s", diag.text);
		}
	}
}

static bool
is_pattern(const char *path)
{
	return strpbrk(path, "*?[") != NULL;
}

/* Read what @path, complete, names or matches. */
static void
include(struct gathering *gathering, const char *path, const struct subject *subject)
{
	glob_t found = {0};
	int result = glob(path, 0, NULL, &found);

	if (result == 0) {
		read_included(gathering, &found, subject);
	} else if (result != GLOB_NOMATCH) {
		complaints_add(&gathering->complaints, subject,
			"cannot be searched; make its directory readable for whoever starts the "
			"program");
	} else if (!is_pattern(path)) {
		complaints_add(&gathering->complaints, subject,
			"does not exist; make the file, or write a pattern, which may match "
			"nothing");
	}
	globfree(&found);
}

static void
on_section(void *user, unsigned line, const char *name)
{
	struct gathering *gathering = user;

	(void)line;
	(void)name;
	gathering->in_section = true;
}

/* The complete form of what the main file @main calls @value, which the caller frees. NULL without memory. */
static char *
complete(const char *main, const char *value)
{
	const char *slash = strrchr(main, '/');
	char *path = NULL;

	if (value[0] == '/' || !slash)
		return strdup(value);
	if (asprintf(&path, "%.*s%s", (int)(slash + 1 - main), main, value) < 0)
		return NULL;
	return path;
}

/* A misplaced or misspelt include is complained about with the other options. */
static void
on_assignment(void *user, unsigned line, const char *name, const char *value)
{
	struct gathering *gathering = user;
	struct subject subject = {
		.place = {.file = gathering->main, .line = line},
		.option = name,
		.value = value,
	};
	struct diag diag;

	if (gathering->in_section || strcmp(name, "include") != 0 ||
		check_include(value, &diag) < 0)
		return;
	char *path = complete(gathering->main, value);
	if (path)
		gathering->include(gathering, path, &subject);
	else
		complaints_add(&gathering->complaints, &subject, "there is not enough memory");
	free(path);
}

/* So is a line that is not understood. */
static void
on_error(void *user, unsigned line, const char *words)
{
	(void)user;
	(void)line;
	(void)words;
}

static const struct inifile_handler handler = {on_section, on_assignment, on_error};

int
config_gather(struct config_texts *texts, const char *path, FILE *errors)
{
	struct gathering gathering = {.texts = texts, .main = path, .include = include};
	struct diag diag;

	if (read_text(texts, path, &diag) < 0) {
		(void)fprintf(errors, "the configuration cannot be read: %s\n", diag.text);
		return -1;
	}
	complaints_init(&gathering.complaints, errors);
	inifile_parse(texts->entries[0].data, texts->entries[0].size, &handler, &gathering);
	return complaints_tell(&gathering.complaints) > 0 ? -1 : 0;
}

static void
visit_include(struct gathering *gathering, const char *path, const struct subject *subject)
{
	(void)subject;
	gathering->visit(gathering->user, path);
}

void
config_visit_includes(
	const struct config_texts *texts, void (*visit)(void *user, const char *path), void *user)
{
	const struct config_text *text = &texts->entries[0];
	struct gathering gathering = {
		.main = text->name, .include = visit_include, .visit = visit, .user = user};

	inifile_parse(text->data, text->size, &handler, &gathering);
}
