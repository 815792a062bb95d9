/* SPDX-License-Identifier: MIT */
#include "tunnel/statements.h"

#include <ctype.h>
#include <string.h>

#include "common/arena.h"
#include "common/diag.h"
#include "common/inifile.h"

enum { SERVICES_LIMIT = 4096, SERVICE_NAME_LIMIT = 63 };

/* Where reading is. */
struct reading {
	struct statements *statements;
	struct arena *arena;
	struct complaints *complaints;
	struct place place;
	struct scope *scope; /* NULL: nothing may be written here */
	struct scope **last; /* where the next service is linked */
};

static struct subject
subject_here(const struct reading *reading, unsigned line)
{
	struct subject subject = {.place = reading->place};

	subject.place.line = line;
	if (reading->scope)
		subject.service = reading->scope->subject.service;
	return subject;
}

static void
on_error(void *user, unsigned line, const char *words)
{
	struct reading *reading = user;
	struct subject subject = subject_here(reading, line);

	complaints_add(reading->complaints, &subject, "%s", words);
}

static bool
is_service_name(const char *name)
{
	if (!isalnum((unsigned char)*name) || strlen(name) > SERVICE_NAME_LIMIT)
		return false;
	for (const char *c = name; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
			return false;
	}
	return true;
}

static const struct scope *
find_service(const struct statements *statements, const char *name)
{
	for (const struct scope *scope = statements->services; scope; scope = scope->next) {
		if (strcmp(scope->subject.service, name) == 0)
			return scope;
	}
	return NULL;
}

/* May a service be called @name? */
static bool
judge_name(struct reading *reading, const struct subject *subject, const char *name)
{
	if (!is_service_name(name)) {
		struct subject unnamed = {.place = subject->place, .value = name};

		complaints_add(reading->complaints, &unnamed,
			"is not a name for a service; use up to 63 letters, digits, '.', '_' and "
			"'-', a letter or digit first");
		return false;
	}
	if (reading->statements->service_count >= SERVICES_LIMIT) {
		complaints_add(reading->complaints, subject,
			"is one service too many; a program has at most 4096, start a second "
			"program");
		return false;
	}

	const struct scope *other = find_service(reading->statements, name);

	if (!other)
		return true;
	complaints_add(reading->complaints, subject,
		"the name is used already in %s:%u; give one of both services another name",
		other->subject.place.file, other->subject.place.line);
	return false;
}

/* Begin a section. One that cannot be used gets a scope too, so that its lines are checked. */
static void
on_section(void *user, unsigned line, const char *name)
{
	struct reading *reading = user;
	struct scope *scope = arena_alloc(reading->arena, 1, sizeof(*scope));
	char *service = arena_copy(reading->arena, name ? name : "");

	if (!scope || !service)
		return;
	scope->subject.place = reading->place;
	scope->subject.place.line = line;
	reading->scope = scope;
	reading->statements->has_sections = true;
	if (!name)
		return;
	if (is_service_name(service))
		scope->subject.service = service;
	if (!judge_name(reading, &scope->subject, service))
		return;
	*reading->last = scope;
	reading->last = &scope->next;
	reading->statements->service_count++;
}

static void
complain_unknown(struct reading *reading, struct subject *subject)
{
	char name[INIFILE_NAME_LIMIT + 1];
	const char *dashes = subject->place.is_flags ? "--" : "";

	subject->value = NULL;
	if (options_suggest(subject->option, name, sizeof(name))) {
		complaints_add(reading->complaints, subject, "is no option; did you mean %s%s?",
			dashes, name);
	} else {
		complaints_add(reading->complaints, subject, "is no option; %s lists all",
			*dashes ? "--help" : "sallyport.conf(5)");
	}
}

/* May @option be written in the current scope? */
static bool
is_in_place(struct reading *reading, const struct option *option, const struct subject *subject)
{
	struct complaints *complaints = reading->complaints;
	bool in_program = reading->scope == &reading->statements->program;

	if (!reading->scope) {
		complaints_add(complaints, subject,
			"stands before the first section, and included files hold sections only; "
			"move it into one, or into the main file");
	} else if (in_program && option->traits & OPTION_OWN) {
		complaints_add(complaints, subject,
			"stands before the first section, and services do not inherit it; move it "
			"into a section");
	} else if (!in_program && option->level == OPTION_OF_PROGRAM) {
		complaints_add(complaints, subject,
			"stands in a section, but is the program's; move it before the first "
			"section of the main file");
	} else {
		return true;
	}
	return false;
}

/* Put @assignment into its scope. False when it is there already and cannot be repeated. */
static bool
add_to_scope(struct reading *reading, struct assignment *assignment)
{
	size_t row = options_index(assignment->option);
	struct assignment **slot = &reading->scope->written[row][assignment->side];

	if (*slot && !(assignment->option->traits & OPTION_REPEATED)) {
		const struct place *first = &(*slot)->subject.place;

		if (first->is_flags) {
			complaints_add(reading->complaints, &assignment->subject,
				"is given a second time; remove one of both");
		} else {
			complaints_add(reading->complaints, &assignment->subject,
				"is a second value, after that in line %u; remove one of both",
				first->line);
		}
		return false;
	}
	while (*slot)
		slot = &(*slot)->again;
	*slot = assignment;
	return true;
}

/* Relative paths start at the directory of the file, on the command line at the working directory. */
static const char *
complete_path(struct arena *arena, const struct subject *subject)
{
	const char *slash = strrchr(subject->place.file, '/');

	if (subject->place.is_flags || subject->value[0] == '/' || !slash)
		return subject->value;
	return arena_format(arena, "%.*s%s", (int)(slash + 1 - subject->place.file),
		subject->place.file, subject->value);
}

static void
add_assignment(struct reading *reading, const struct option *option, enum side side,
	const struct subject *subject)
{
	struct assignment *assignment = arena_alloc(reading->arena, 1, sizeof(*assignment));
	struct diag diag;

	if (!assignment)
		return;
	assignment->option = option;
	assignment->side = side;
	assignment->subject = *subject;
	assignment->text = option_is_path(option, subject->value)
		? complete_path(reading->arena, subject)
		: subject->value;
	if (!add_to_scope(reading, assignment))
		return;
	assignment->is_valid =
		option_parse(option, subject->value, &assignment->number, &diag) == 0;
	if (!assignment->is_valid)
		complaints_add(reading->complaints, subject, "%s", diag.text);
}

static void
on_assignment(void *user, unsigned line, const char *name, const char *value)
{
	struct reading *reading = user;
	struct subject subject = subject_here(reading, line);
	enum side side;
	const struct option *option = options_find(name, &side);

	subject.option = arena_copy(reading->arena, name);
	subject.value = arena_copy(reading->arena, value);
	if (!subject.option || !subject.value)
		return;
	if (!option) {
		complain_unknown(reading, &subject);
	} else if (is_in_place(reading, option, &subject)) {
		add_assignment(reading, option, side, &subject);
	}
}

static void
read_text(struct reading *reading, const struct config_text *text, size_t number)
{
	static const struct inifile_handler handler = {on_section, on_assignment, on_error};
	char *name = arena_copy(reading->arena, text->name);

	if (!name)
		return;
	reading->place =
		(struct place){.file = name, .number = number, .is_flags = text->from_flags};
	reading->scope = number == 0 ? &reading->statements->program : NULL;
	if (number == 0)
		reading->statements->program.subject.place = reading->place;
	inifile_parse(text->data, text->size, &handler, reading);
}

void
statements_read(struct statements *statements, const struct config_texts *texts,
	struct arena *arena, struct complaints *complaints)
{
	struct reading reading = {
		.statements = statements,
		.arena = arena,
		.complaints = complaints,
		.last = &statements->services,
	};

	for (size_t i = 0; i < texts->count; i++)
		read_text(&reading, &texts->entries[i], i);
}
