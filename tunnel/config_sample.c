/* SPDX-License-Identifier: MIT */
/* What the table of options says, for --help and as a configuration to begin with. */
#include "tunnel/config.h"

#include <string.h>

#include "tunnel/options.h"
#include "tunnel/wrap.h"

enum { NAME_WIDTH = 36, DEFAULT_SHORT = 20 };

static void
print_flag(const struct option *option, FILE *out)
{
	char name[NAME_WIDTH + 1];
	(void)snprintf(name, sizeof(name), "--%s %s", option->name, option->value);

	(void)fprintf(out, "  %-*s %s", NAME_WIDTH - 2, name, option->summary);
	if (option->initial && strlen(option->initial) <= DEFAULT_SHORT)
		(void)fprintf(out, " [%s]", option->initial);
	(void)fputc('\n', out);
}

static void
print_flags(const char *title, enum option_level level, FILE *out)
{
	(void)fprintf(out, "%s\n", title);
	for (size_t i = 0; i < options_count(); i++) {
		const struct option *option = options_get(i);

		if (option->level == level && !(option->traits & OPTION_FILE_ONLY))
			print_flag(option, out);
	}
}

void
config_print_help(FILE *out)
{
	print_flags("Options of the service (defaults in brackets):", OPTION_OF_SERVICE, out);
	print_flags(
		"\nOptions of TLS (in a bridge also --accept-... and --connect-..., for one side):",
		OPTION_OF_SIDE, out);
	print_flags("\nOptions of the program:", OPTION_OF_PROGRAM, out);
}

/* Write the line of @option, as a comment unless the sample needs it. */
static void
print_assignment(const struct option *option, size_t section, FILE *out)
{
	const char *value = option->initial ? option->initial : option->sample[section];
	bool is_needed = option->traits & OPTION_REQUIRED || strcmp(option->name, "key") == 0;

	if (strcmp(option->name, "mode") == 0)
		value = mode_name((enum mode)section);
	if (value)
		(void)fprintf(out, "%s%s = %s\n", is_needed ? "" : "#", option->name, value);
}

/* Write the options of a section; only the first explains them. */
static void
print_section(enum mode mode, FILE *out)
{
	for (size_t i = 0; i < options_count(); i++) {
		const struct option *option = options_get(i);

		if (option->level == OPTION_OF_PROGRAM || !(option->modes & 1U << mode))
			continue;
		if (mode == MODE_ENCRYPT) {
			(void)fputc('\n', out);
			wrap_print(option->text, "# ", out);
		}
		print_assignment(option, mode, out);
	}
}

static void
print_program(FILE *out)
{
	for (size_t i = 0; i < options_count(); i++) {
		const struct option *option = options_get(i);

		if (option->level != OPTION_OF_PROGRAM)
			continue;
		(void)fputc('\n', out);
		wrap_print(option->text, "# ", out);
		print_assignment(option, 0, out);
	}
}

void
config_print_sample(FILE *out)
{
	wrap_print("A configuration of sallyport with every option. Lines that begin with `#` are "
		   "comments; an option that is commented out is shown with its default, or with "
		   "an example where it has none. sallyport.conf(5) says more. Try a changed file "
		   "with `sallyport check -c FILE`.",
		"# ", out);
	(void)fputs("#\n", out);
	wrap_print("The program's options come first. Options of services may be written here "
		   "too: then they are the defaults of all services.",
		"# ", out);
	print_program(out);
	(void)fputs(
		"\n# The end beside the client: plaintext comes in, TLS goes out.\n[orders-db]\n",
		out);
	print_section(MODE_ENCRYPT, out);
	(void)fputs("\n# The end beside the server: TLS comes in, plaintext goes "
		    "out.\n[orders-db-far-end]\n",
		out);
	print_section(MODE_OFFLOAD, out);
}
