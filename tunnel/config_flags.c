/* SPDX-License-Identifier: MIT */
/* The text of one service made of command line flags. */
#include "tunnel/config.h"

#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/inifile.h"
#include "tunnel/complaint.h"
#include "tunnel/options.h"

/* Flags, while the text is made of them. */
struct flags {
	FILE *program, *service; /* the two parts of the text */
	struct complaints complaints;
};

/* One flag with its value. */
struct flag {
	char name[INIFILE_NAME_LIMIT + 1];
	const char *value; /* NULL: none was given */
};

static void
complain(struct flags *flags, const char *name, const char *words)
{
	struct subject subject = {.place.is_flags = true, .option = name};

	complaints_add(&flags->complaints, &subject, "%s", words);
}

/* Take "--name value" or "--name=value" at @index of @argv. Returns how many arguments it was. */
static int
take_flag(struct flag *flag, int argc, char **argv, int index)
{
	const char *name = argv[index] + 2;
	const char *sign = strchr(name, '=');
	size_t length = sign ? (size_t)(sign - name) : strlen(name);

	if (length > INIFILE_NAME_LIMIT)
		length = INIFILE_NAME_LIMIT;
	memcpy(flag->name, name, length);
	flag->name[length] = '\0';
	flag->value = sign ? sign + 1 : NULL;
	if (sign || index + 1 >= argc || strncmp(argv[index + 1], "--", 2) == 0)
		return 1;
	flag->value = argv[index + 1];
	return 2;
}

static bool
is_one_line(const char *value)
{
	for (const char *c = value; *c; c++) {
		if ((*c > '\0' && *c < ' ' && *c != '\t') || *c == '\177')
			return false;
	}
	return true;
}

/* Write the line of @flag. Its value is judged with all others when the text is read. */
static void
write_flag(struct flags *flags, const struct flag *flag)
{
	enum side side;
	const struct option *option = options_find(flag->name, &side);
	char name[INIFILE_NAME_LIMIT + 1];

	if (!option && options_suggest(flag->name, name, sizeof(name))) {
		struct subject subject = {.place.is_flags = true, .option = flag->name};

		complaints_add(
			&flags->complaints, &subject, "is no option; did you mean --%s?", name);
	} else if (!option) {
		complain(flags, flag->name, "is no option; --help lists all");
	} else if (option->traits & OPTION_FILE_ONLY) {
		complain(flags, flag->name, "is not a flag; write it into a configuration file");
	} else if (!flag->value || flag->value[strspn(flag->value, " \t")] == '\0') {
		complain(flags, flag->name, "has no value; write one behind it");
	} else if (!is_one_line(flag->value)) {
		complain(flags, flag->name, "has a control character in its value; remove it");
	} else if (strlen(flag->name) + strlen(flag->value) + 3 > INIFILE_LINE_LIMIT) {
		complain(flags, flag->name, "has a value longer than 8 KiB; shorten it");
	} else {
		FILE *part = option->level == OPTION_OF_PROGRAM ? flags->program : flags->service;

		(void)fprintf(part, "%s = %s\n", flag->name, flag->value);
	}
}

static void
write_flags(struct flags *flags, int argc, char **argv)
{
	for (int i = 0; i < argc;) {
		struct flag flag;

		if (strncmp(argv[i], "--", 2) == 0 && argv[i][2] != '\0') {
			i += take_flag(&flag, argc, argv, i);
			write_flag(flags, &flag);
			continue;
		}

		struct subject subject = {.place.is_flags = true, .value = argv[i++]};

		complaints_add(
			&flags->complaints, &subject, "is not expected here; write --option value");
	}
}

/* Append the text of both parts. */
static int
add_parts(struct config_texts *texts, const char *program, const char *service, struct diag *diag)
{
	struct config_text text = {.from_flags = true};
	char name[] = "command line";
	int length = asprintf(&text.data, "%s%s", program, service);

	if (length < 0)
		return diag_set(diag, "there is not enough memory");
	text.name = name;
	text.size = (size_t)length;

	int result = config_texts_add(texts, &text, diag);

	free(text.data);
	return result;
}

/* Close the part @file. -1 when it could not be written as a whole. */
static int
close_part(FILE *file, struct diag *diag)
{
	if (file && !ferror(file) && fclose(file) == 0)
		return 0;
	return diag_set(diag, "there is not enough memory");
}

int
config_from_flags(struct config_texts *texts, enum mode mode, int argc, char **argv, FILE *errors)
{
	char *program = NULL, *service = NULL;
	size_t program_size, service_size;
	struct flags flags = {
		.program = open_memstream(&program, &program_size),
		.service = open_memstream(&service, &service_size),
	};
	struct diag diag;

	complaints_init(&flags.complaints, errors);
	if (flags.program && flags.service) {
		(void)fprintf(flags.service, "[%s]\nmode = %s\n", mode_name(mode), mode_name(mode));
		write_flags(&flags, argc, argv);
	}

	int result = close_part(flags.program, &diag);

	if (close_part(flags.service, &diag) < 0)
		result = -1;
	if (result == 0)
		result = add_parts(texts, program, service, &diag);
	if (result < 0) {
		complaints_add(&flags.complaints, &(struct subject){.place.is_flags = true}, "%s",
			diag.text);
	}
	free(program);
	free(service);
	return complaints_tell(&flags.complaints) > 0 ? -1 : 0;
}
