/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <signal.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/signals.h"

static void
signals_wait_until_they_are_asked_for(void **state)
{
	struct diag diag;
	int fd = signals_take(&diag);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(signals_next(fd), 0);
	assert_int_equal(raise(SIGHUP), 0);
	assert_int_equal(raise(SIGTERM), 0);
	int first = signals_next(fd), second = signals_next(fd);
	assert_int_equal(first + second, SIGHUP + SIGTERM);
	assert_int_not_equal(first, second);
	assert_int_equal(signals_next(fd), 0);
	close(fd);
}

static void
a_broken_pipe_kills_nobody(void **state)
{
	struct diag diag;
	int fd = signals_take(&diag), ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	assert_int_equal(write(ends[1], "x", 1), -1);
	close(ends[1]);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_wait_until_they_are_asked_for),
		cmocka_unit_test(a_broken_pipe_kills_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
