/* SPDX-License-Identifier: MIT */
/*
 * process.h - execute this program anew in a process that has only what it is given.
 *
 * The child has the descriptors 0, 1, 2 and those named, default signals, none blocked, and may have
 * another user. It is killed when the thread that started it ends, so it does not outlive its parent.
 */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/defs.h"

struct diag;
struct text;

enum { PROCESS_FDS_LIMIT = 16 };

/* The child's descriptor @to is the same as ours @from. */
struct process_fd {
	int from, to;
};

/* Who a process is: without supplementary groups. */
struct process_user {
	uid_t uid;
	gid_t gid;
};

struct process_options {
	const char *program;	      /* NULL: this binary, even if its file was replaced */
	char *const *arguments;	      /* NULL at the end; the first is the program's name */
	const struct process_fd *fds; /* at most PROCESS_FDS_LIMIT, each @to once */
	size_t fd_count;
	const struct process_user *user; /* NULL: stay who we are; needs root */
};

/*
 * Start a process. Returns its id, which the caller must wait for, or -1 with words. Whatever fails up
 * to and including the exec is an error here, and no child is left then.
 */
MUST_USE pid_t process_start(const struct process_options *options, struct diag *diag);

/*
 * Become @user, for good; needs root. Others of that user can look into this process only if prctl() says
 * so afterwards, which an exec would. Returns 0, or -1 with words.
 */
MUST_USE int process_become(const struct process_user *user, struct diag *diag);

/* Write what wait() said: "exited with 1", "was killed by signal 11 (Segmentation fault)". */
void process_describe(int status, struct text *text);

/* Allow as many open descriptors as this process may allow itself. Returns 0, or -1 with words. */
MUST_USE int process_raise_descriptors(struct diag *diag);

/*
 * Find the user @name, a name or a number, with the primary group. A number that no user has leaves
 * the group (gid_t)-1. Returns 0, or -1 with words.
 */
MUST_USE int process_find_user(const char *name, struct process_user *user, struct diag *diag);

/* Find the group @name, a name or a number. Returns 0, or -1 with words. */
MUST_USE int process_find_group(const char *name, gid_t *gid, struct diag *diag);

#endif
