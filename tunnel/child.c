/* SPDX-License-Identifier: MIT */
#include "tunnel/child.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/message.h"
#include "common/process.h"

enum { NUMBER_SIZE = 16 };

int
child_start(struct child *child, enum child_role role, const struct process_user *user,
	struct diag *diag)
{
	char name[] = "sallyport", serve[] = "serve", keys[] = "keys";
	char uid[NUMBER_SIZE] = "", gid[NUMBER_SIZE] = "";
	char *arguments[] = {name, role == CHILD_SERVE ? serve : keys, NULL, NULL, NULL};
	int pair[2];

	if (role == CHILD_KEYS && user) {
		(void)snprintf(uid, sizeof(uid), "%u", (unsigned)user->uid);
		(void)snprintf(gid, sizeof(gid), "%u", (unsigned)user->gid);
		arguments[2] = uid;
		arguments[3] = gid;
		user = NULL;
	}

	if (message_pair(pair, diag) < 0)
		return -1;

	struct process_fd fd = {.from = pair[1], .to = CHILD_CHANNEL};
	struct process_options options = {
		.arguments = arguments, .fds = &fd, .fd_count = 1, .user = user};
	pid_t pid = process_start(&options, diag);
	(void)close(pair[1]);
	if (pid < 0) {
		(void)close(pair[0]);
		return -1;
	}
	*child = (struct child){.pid = pid, .channel = pair[0], .started = clock_seconds()};
	return 0;
}

bool
child_reap(struct child *child, int *status)
{
	if (child->pid == 0 || waitpid(child->pid, status, WNOHANG) != child->pid)
		return false;
	child_hang_up(child);
	child->pid = 0;
	return true;
}

void
child_hang_up(struct child *child)
{
	if (child->channel >= 0)
		(void)close(child->channel);
	child->channel = -1;
}

void
child_kill(const struct child *child)
{
	if (child->pid > 0)
		(void)kill(child->pid, SIGKILL);
}
