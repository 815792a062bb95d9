/* SPDX-License-Identifier: MIT */
#include "tests/unit/capture.h"

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WORDS = 32 };

struct capture capture;

/* Put @fd in the place of @stream's descriptor, which is returned. Takes over @fd. */
static int
divert(FILE *stream, int fd)
{
	int saved = fcntl(fileno(stream), F_DUPFD_CLOEXEC, 10);

	assert_true(fd >= 0 && saved >= 0);
	assert_true(dup2(fd, fileno(stream)) >= 0);
	(void)close(fd);
	return saved;
}

/* Put @saved back, and read into @array what was written meanwhile. */
static void
restore(FILE *stream, int saved, char *array, size_t size)
{
	(void)fflush(stream);
	clearerr(stream);
	ssize_t got = pread(fileno(stream), array, size - 1, 0);
	(void)dup2(saved, fileno(stream));
	(void)close(saved);
	assert_true(got < (ssize_t)size - 1);
	array[got > 0 ? got : 0] = '\0';
}

static int
split(char *copy, char **argv)
{
	char *rest = NULL;
	int argc = 0;

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(argc < WORDS);
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	return argc;
}

static int
run(int (*command)(int argc, char **argv), const char *line, int out)
{
	char copy[4096], *argv[WORDS + 1];

	assert_true(strlen(line) < sizeof(copy));
	memcpy(copy, line, strlen(line) + 1);
	int argc = split(copy, argv);

	(void)fflush(NULL);
	int saved_out = divert(stdout, out);
	int saved_err = divert(stderr, memfd_create("err", MFD_CLOEXEC));
	optind = 0; /* another command line */
	capture.status = command(argc, argv);
	restore(stdout, saved_out, capture.out, sizeof(capture.out));
	restore(stderr, saved_err, capture.err, sizeof(capture.err));
	return capture.status;
}

int
capture_run(int (*command)(int argc, char **argv), const char *line)
{
	return run(command, line, memfd_create("out", MFD_CLOEXEC));
}

int
capture_run_full(int (*command)(int argc, char **argv), const char *line)
{
	return run(command, line, open("/dev/full", O_WRONLY | O_CLOEXEC));
}

void
capture_expect(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("\"%s\" is not in:\n%s", words, text);
}
