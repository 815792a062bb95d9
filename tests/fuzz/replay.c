/* SPDX-License-Identifier: MIT */
/*
 * replay.c - run a fuzz target over files that are there, without a fuzzer.
 *
 * Every file of the directories that are named is one input; without arguments the directory is the
 * target's own, $srcdir/tests/fuzz/corpus/<what> of fuzz_<what>. What is wrong shows as a crash.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20, PATH_SIZE = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input has just its size, so that a sanitizer sees a read behind it. */
static int
run_file(const char *path)
{
	static uint8_t bytes[INPUT_MAX];
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		return -1;
	}
	size_t size = fread(bytes, 1, sizeof(bytes), file);
	(void)fclose(file);
	uint8_t *input = malloc(size ? size : 1);
	if (!input) {
		perror(path);
		return -1;
	}
	memcpy(input, bytes, size);
	(void)printf("%s\n", path);
	(void)fflush(stdout);
	(void)LLVMFuzzerTestOneInput(input, size);
	free(input);
	return 0;
}

/* Returns how many files there were, or -1. */
static int
run_directory(const char *directory)
{
	struct dirent **names;
	int count = scandir(directory, &names, NULL, alphasort);
	int done = 0;

	if (count < 0) {
		perror(directory);
		return -1;
	}
	for (int i = 0; i < count; i++) {
		char path[PATH_SIZE];

		(void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]->d_name);
		if (done >= 0 && names[i]->d_name[0] != '.')
			done = run_file(path) < 0 ? -1 : done + 1;
		free(names[i]);
	}
	free(names);
	return done;
}

/* The corpus that belongs to the program called @name. */
static int
run_own(const char *name)
{
	const char *srcdir = getenv("srcdir");
	const char *what = strstr(name, "fuzz_");
	char path[PATH_SIZE];

	if (!what)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
		what + strlen("fuzz_"));
	return run_directory(path);
}

int
main(int argc, char **argv)
{
	int done = argc > 1 ? 0 : run_own(argv[0]);

	for (int i = 1; i < argc && done >= 0; i++) {
		int more = run_directory(argv[i]);
		done = more < 0 ? -1 : done + more;
	}
	if (done == 0)
		(void)fprintf(stderr, "%s: the corpus is empty\n", argv[0]);
	return done > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
