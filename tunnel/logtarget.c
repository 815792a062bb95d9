/* SPDX-License-Identifier: MIT */
#include "tunnel/logtarget.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/diag.h"
#include "tunnel/config.h"

static int
open_file(const char *path, struct diag *diag)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);

	if (fd >= 0)
		return fd;
	return diag_set(diag,
		"open: %s; name a file that can be written, in a directory that exists",
		strerror(errno));
}

static int
open_stderr(struct diag *diag)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

	return fd >= 0 ? fd : diag_set(diag, "standard error: %s", strerror(errno));
}

static int
open_target(const struct logtarget *target, const char *name, struct diag *diag)
{
	if (!target->elsewhere)
		return open_stderr(diag);
	if (target->settings.sink == LOG_SINK_SYSLOG)
		return log_open_syslog(diag);
	return open_file(name, diag);
}

int
logtarget_open(struct logtarget *target, const struct config *config, struct diag *diag)
{
	bool syslog = strcmp(config->log_target, "syslog") == 0;

	*target = (struct logtarget){
		.settings = {.level = config->log_level,
			.format = config->log_format,
			.sink = syslog ? LOG_SINK_SYSLOG : LOG_SINK_LINES},
		.elsewhere = strcmp(config->log_target, "stderr") != 0,
	};
	target->fd = open_target(target, config->log_target, diag);
	target->settings.fd = target->fd;
	if (target->fd < 0)
		config_blame_program(config, "log-target", diag);
	return target->fd < 0 ? -1 : 0;
}

void
logtarget_replace(struct logtarget *present, struct logtarget *next)
{
	log_configure(&next->settings);
	logtarget_close(present);
	*present = *next;
	next->fd = -1;
}

void
logtarget_close(struct logtarget *target)
{
	if (target->fd >= 0)
		(void)close(target->fd);
	target->fd = -1;
}

void
logtarget_end(struct logtarget *present)
{
	struct log_settings settings = present->settings;

	if (present->fd < 0)
		return;
	settings.sink = LOG_SINK_LINES;
	settings.fd = STDERR_FILENO;
	log_configure(&settings);
	logtarget_close(present);
}
