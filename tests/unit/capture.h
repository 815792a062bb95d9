/* SPDX-License-Identifier: MIT */
/*
 * capture.h - run one of the program's commands and keep what it writes.
 */
#ifndef TESTS_UNIT_CAPTURE_H
#define TESTS_UNIT_CAPTURE_H

struct capture {
	int status;
	char out[1 << 17], err[1 << 13]; /* standard output and error */
};

extern struct capture capture;

/*
 * Run @command with the words of @line, a space between each two; the first is its name. What came of it
 * is in `capture` afterwards. Returns the exit status.
 */
int capture_run(int (*command)(int argc, char **argv), const char *line);

/* The same with a standard output that takes nothing. */
int capture_run_full(int (*command)(int argc, char **argv), const char *line);

/* Fail the test unless @words are in @text. */
void capture_expect(const char *text, const char *words);

#endif
