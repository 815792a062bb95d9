/* SPDX-License-Identifier: MIT */
#include "common/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/text.h"

/* What the child was doing when it failed. */
enum step { STEP_FDS, STEP_USER, STEP_PARENT, STEP_EXEC };

static const char *const step_words[] = {
	[STEP_FDS] = "hand over descriptors",
	[STEP_USER] = "become another user",
	[STEP_PARENT] = "stay with its parent",
	[STEP_EXEC] = "execute the program",
};

struct failure {
	enum step step;
	int error;
};

/* All that the child needs, made before the fork: afterwards only system calls are safe. */
struct child {
	const struct process_options *options;
	pid_t parent;
	int report;
	int moved[PROCESS_FDS_LIMIT]; /* its descriptors, out of the way of the numbers wanted */
	int above;		      /* all those numbers */
};

/*
 * Bring the descriptors to their numbers. All are first moved above every number that is wanted, so
 * that none is overwritten before it was copied; everything else from 3 on is closed by exec.
 */
static int
place_fds(struct child *child)
{
	const struct process_options *options = child->options;

	for (size_t i = 0; i < options->fd_count; i++) {
		child->moved[i] = fcntl(options->fds[i].from, F_DUPFD_CLOEXEC, child->above);
		if (child->moved[i] < 0)
			return -1;
	}
	int report = fcntl(child->report, F_DUPFD_CLOEXEC, child->above);
	if (report < 0)
		return -1;
	child->report = report;
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC))
		return -1;
	for (size_t i = 0; i < options->fd_count; i++) {
		if (dup2(child->moved[i], options->fds[i].to) < 0)
			return -1;
	}
	return 0;
}

static int
change_user(const struct process_user *user)
{
	if (!user)
		return 0;
	if (setgroups(0, NULL) || setresgid(user->gid, user->gid, user->gid))
		return -1;
	return setresuid(user->uid, user->uid, user->uid);
}

/* Die with the parent. After the change of the user, which would undo it. */
static int
follow_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return -1;
	if (getppid() == parent)
		return 0;
	errno = ESRCH; /* it ended before we asked for it */
	return -1;
}

static void
reset_signals(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &standard, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn static void
run_child(struct child *child)
{
	const struct process_options *options = child->options;
	struct failure failure = {.step = STEP_EXEC};

	if (place_fds(child)) {
		failure.step = STEP_FDS;
	} else if (change_user(options->user)) {
		failure.step = STEP_USER;
	} else if (follow_parent(child->parent)) {
		failure.step = STEP_PARENT;
	} else {
		reset_signals();
		execv(options->program ? options->program : "/proc/self/exe", options->arguments);
	}
	failure.error = errno;
	ssize_t written = write(child->report, &failure, sizeof(failure));
	_exit(written == (ssize_t)sizeof(failure) ? 126 : 127);
}

/* Fork with all signals blocked, so that no handler of ours runs in the child. */
static pid_t
fork_child(struct child *child)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid_t pid = fork();
	if (pid == 0)
		run_child(child);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return pid;
}

/* Wait until @pid has executed, or has said why it could not. */
static int
hear_from(pid_t pid, int report, struct diag *diag)
{
	struct failure failure;
	ssize_t got;

	do
		got = read(report, &failure, sizeof(failure));
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (got != (ssize_t)sizeof(failure))
		return diag_set(diag, "start a process: it gave no answer");
	return diag_set(
		diag, "start a process: %s: %s", step_words[failure.step], strerror(failure.error));
}

pid_t
process_start(const struct process_options *options, struct diag *diag)
{
	struct child child = {.options = options, .parent = getpid(), .above = 3};
	int report[2];

	assert(options->fd_count <= PROCESS_FDS_LIMIT);
	/* To the system, -1 means to stay what one is: root. */
	if (options->user && (options->user->uid == (uid_t)-1 || options->user->gid == (gid_t)-1))
		return diag_set(
			diag, "start a process: its user has no primary group: name a group");
	for (size_t i = 0; i < options->fd_count; i++) {
		if (options->fds[i].to >= child.above)
			child.above = options->fds[i].to + 1;
	}
	if (pipe2(report, O_CLOEXEC))
		return diag_set(diag, "start a process: pipe: %s", strerror(errno));
	child.report = report[1];
	pid_t pid = fork_child(&child);
	if (pid < 0)
		diag_set(diag, "start a process: fork: %s", strerror(errno));
	close(report[1]);
	if (pid > 0 && hear_from(pid, report[0], diag))
		pid = -1;
	close(report[0]);
	return pid;
}

int
process_become(const struct process_user *user, struct diag *diag)
{
	if (change_user(user) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0 &&
		prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
		return 0;
	return diag_set(diag, "become another user: %s", strerror(errno));
}

void
process_describe(int status, struct text *text)
{
	if (WIFEXITED(status)) {
		text_format(text, "exited with %d", WEXITSTATUS(status));
	} else if (WIFSIGNALED(status)) {
		const char *words = sigdescr_np(WTERMSIG(status));

		text_format(text, "was killed by signal %d (%s)", WTERMSIG(status),
			words ? words : "unknown");
	} else {
		text_format(text, "stopped or continued (status %#x)", (unsigned)status);
	}
}

int
process_raise_descriptors(struct diag *diag)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return diag_set(diag, "ask for the limit of descriptors: %s", strerror(errno));
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		return diag_set(diag, "raise the limit of descriptors: %s", strerror(errno));
	return 0;
}

/* Is @text a number that can be a user or group? The largest means "none" to the system. */
static bool
take_number(const char *text, unsigned *number)
{
	uint64_t value = 0;
	size_t length = strspn(text, "0123456789");

	if (length == 0 || length > 10 || text[length])
		return false;
	for (size_t i = 0; i < length; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	*number = (unsigned)value;
	return value < UINT32_MAX;
}

int
process_find_user(const char *name, struct process_user *user, struct diag *diag)
{
	unsigned number = 0;

	struct passwd *entry = getpwnam(name);
	if (!entry && take_number(name, &number)) {
		entry = getpwuid((uid_t)number);
		*user = (struct process_user){.uid = (uid_t)number, .gid = (gid_t)-1};
		if (!entry)
			return 0;
	}
	if (!entry)
		return diag_set(diag, "there is no user \"%s\"", name);
	*user = (struct process_user){.uid = entry->pw_uid, .gid = entry->pw_gid};
	return 0;
}

int
process_find_group(const char *name, gid_t *gid, struct diag *diag)
{
	unsigned number = 0;
	struct group *entry = getgrnam(name);
	if (entry) {
		*gid = entry->gr_gid;
		return 0;
	}
	if (!take_number(name, &number))
		return diag_set(diag, "there is no group \"%s\"", name);
	*gid = (gid_t)number;
	return 0;
}
