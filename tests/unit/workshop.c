/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/workshop.h"

#include <stdio.h>

#include "common/diag.h"
#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tunnel/pki_store.h"

/* What is run at the moment: a command of capture.h has no arguments of its own. */
static struct {
	int (*run)(const struct pki_arguments *arguments, struct diag *diag);
	const struct pki_arguments *arguments;
} task;

void
workshop_save(const char *stem, const struct pki_pair *pair)
{
	struct diag diag;

	if (pki_store_save(scratch.directory, stem, pair, &diag) < 0)
		fail_msg("%s", diag.text);
}

static int
do_task(int argc, char **argv)
{
	struct diag diag = {.text = ""};

	(void)argc;
	(void)argv;
	int status = task.run(task.arguments, &diag);
	fputs(diag.text, stderr);
	return status;
}

int
workshop_run(int (*run)(const struct pki_arguments *arguments, struct diag *diag),
	const struct pki_arguments *arguments)
{
	task.run = run;
	task.arguments = arguments;
	return capture_run(do_task, "pki");
}
