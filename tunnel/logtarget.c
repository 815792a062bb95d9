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

	return fd >= 0 ? fd : diag_set(diag, "log-target: open %s: %s", path, strerror(errno));
}

static int
open_stderr(struct diag *diag)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

	return fd >= 0 ? fd : diag_set(diag, "log-target: standard error: %s", strerror(errno));
}

int
logtarget_open(struct logtarget *target, const struct config *config, struct diag *diag)
{
	*target = (struct logtarget){
		.settings = {.level = config->log_level,
			.format = config->log_format,
			.sink = LOG_SINK_LINES},
		.elsewhere = strcmp(config->log_target, "stderr") != 0,
	};
	if (strcmp(config->log_target, "syslog") == 0) {
		target->settings.sink = LOG_SINK_SYSLOG;
		target->fd = log_open_syslog(diag);
		if (target->fd < 0)
			return diag_prefix(diag, "log-target: syslog");
	} else if (!target->elsewhere) {
		target->fd = open_stderr(diag);
	} else {
		target->fd = open_file(config->log_target, diag);
	}
	target->settings.fd = target->fd;
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
