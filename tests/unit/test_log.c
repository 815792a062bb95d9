/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/log.h"

enum { TEXT_SIZE = 4 << 20 };

/* A pipe whose reading end does not block, so that what was not written is seen at once. */
static void
open_pipe(int fds[2])
{
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
}

/* All that is in the pipe now. The caller frees the result with free(). */
static char *
drain(int fd)
{
	char *text = malloc(TEXT_SIZE);
	size_t length = 0;
	ssize_t got;

	assert_non_null(text);
	while ((got = read(fd, text + length, TEXT_SIZE - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	return text;
}

static void
use(enum log_level level, enum log_sink sink, int fd)
{
	log_configure(&(struct log_settings){
		.level = level, .format = LOG_FORMAT_LOGFMT, .sink = sink, .fd = fd});
}

static void
start(void)
{
	struct diag diag;

	assert_int_equal(log_start(&diag), 0);
}

static double
now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static unsigned
count_lines(const char *text)
{
	unsigned count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

/*
 * How many threads named "log" this process has, and which signals one of them blocks. A sanitizer has
 * threads of its own.
 */
static int
count_log_threads(unsigned long long *blocked)
{
	DIR *directory = opendir("/proc/self/task");
	char path[300], line[256];
	int count = 0;

	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory));) {
		(void)snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
		FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
		bool ours = false;

		while (file && fgets(line, sizeof(line), file)) {
			ours = ours || strcmp(line, "Name:\tlog\n") == 0;
			if (!ours || strncmp(line, "SigBlk:\t", 8) != 0)
				continue;
			*blocked = strtoull(line + 8, NULL, 16);
			count++;
		}
		if (file)
			(void)fclose(file);
	}
	closedir(directory);
	return count;
}

/* The kernel lists a thread for a moment after it was joined. */
static void
await_log_threads(int count, unsigned long long *blocked)
{
	for (int i = 0; i < 1000 && count_log_threads(blocked) != count; i++)
		(void)usleep(1000);
	assert_int_equal(count_log_threads(blocked), count);
}

static void
without_the_thread_a_line_is_written_at_once(void **state)
{
	int fds[2];

	(void)state;
	open_pipe(fds);
	use(LOG_LEVEL_INFO, LOG_SINK_LINES, fds[1]);
	log_write(LOG_LEVEL_INFO, "number %d", 1);
	char *text = drain(fds[0]);
	assert_non_null(strstr(text, " level=info message=\"number 1\"\n"));
	free(text);
	close(fds[0]);
	close(fds[1]);
}

static void
what_is_less_urgent_than_the_level_is_not_written(void **state)
{
	int fds[2];

	(void)state;
	open_pipe(fds);
	use(LOG_LEVEL_WARNING, LOG_SINK_LINES, fds[1]);
	assert_true(log_is_on(LOG_LEVEL_WARNING));
	assert_false(log_is_on(LOG_LEVEL_NOTICE));
	log_write(LOG_LEVEL_NOTICE, "no");
	log_fields(LOG_LEVEL_DEBUG, "no", NULL, 0);
	log_write(LOG_LEVEL_ERROR, "yes");
	char *text = drain(fds[0]);
	assert_int_equal(count_lines(text), 1);
	assert_non_null(strstr(text, "yes"));
	free(text);
	close(fds[0]);
	close(fds[1]);
}

static void
stopping_writes_what_is_queued_and_ends_the_thread(void **state)
{
	int fds[2];
	unsigned long long blocked;

	(void)state;
	open_pipe(fds);
	use(LOG_LEVEL_INFO, LOG_SINK_LINES, fds[1]);
	start();
	await_log_threads(1, &blocked);
	for (int i = 0; i < 100; i++)
		log_write(LOG_LEVEL_INFO, "line %d", i);
	log_stop();
	await_log_threads(0, &blocked);
	char *text = drain(fds[0]);
	assert_int_equal(count_lines(text), 100);
	assert_non_null(strstr(text, "line 99"));
	free(text);
	log_stop();
	log_write(LOG_LEVEL_INFO, "after");
	text = drain(fds[0]);
	assert_non_null(strstr(text, "after"));
	free(text);
	close(fds[0]);
	close(fds[1]);
}

static void *
write_many(void *name)
{
	for (int i = 0; i < 2000; i++)
		log_fields(LOG_LEVEL_INFO, name,
			&(struct log_field){.key = "number", .number = (uint64_t)i}, 1);
	return NULL;
}

static void
lines_of_many_threads_come_whole_and_each_in_order(void **state)
{
	static char names[4][2] = {"a", "b", "c", "d"};
	pthread_t threads[4];
	int next[4] = {0};
	char path[] = "/tmp/test_log.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC | O_APPEND);

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	use(LOG_LEVEL_INFO, LOG_SINK_LINES, fd);
	start();
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, names[i]), 0);
	for (int i = 0; i < 100; i++)
		use(LOG_LEVEL_INFO, LOG_SINK_LINES, fd);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	log_stop();
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	char *text = drain(fd);
	for (char *line = text; *line; line = strchr(line, '\n') + 1) {
		/* time=… level=info message="a" number=0 */
		const char *name = strstr(line, " level=info message=\""), *number;

		assert_non_null(name);
		name += strlen(" level=info message=\"");
		assert_in_range(*name, 'a', 'd');
		number = name + strlen("a\" number=");
		assert_int_equal(strtol(number, NULL, 10), next[*name - 'a']++);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(next[i], 2000);
	free(text);
	close(fd);
}

/* How many lines the reports of @text say were lost. */
static unsigned long
sum_of_lost(const char *text, unsigned *reports)
{
	unsigned long sum = 0;

	*reports = 0;
	for (; (text = strstr(text, " lost=")); text++, ++*reports)
		sum += strtoul(text + strlen(" lost="), NULL, 10);
	return sum;
}

static void
a_full_queue_makes_nobody_wait_and_the_lost_lines_are_counted(void **state)
{
	enum { LINES = 20000 };
	unsigned long lost = 0, seen = 0;
	unsigned reports;
	int fds[2];

	(void)state;
	open_pipe(fds);
	use(LOG_LEVEL_INFO, LOG_SINK_LINES, fds[1]);
	start();
	double before = now();
	for (int i = 0; i < LINES; i++)
		log_write(LOG_LEVEL_INFO, "%0200d", i);
	assert_true(now() - before < 2);
	char *text = calloc(1, TEXT_SIZE);
	assert_non_null(text);
	while (seen + lost < LINES && now() - before < 10) {
		char *more = drain(fds[0]);

		memcpy(text + strlen(text), more, strlen(more) + 1);
		free(more);
		lost = sum_of_lost(text, &reports);
		seen = count_lines(text) - reports;
		(void)usleep(1000);
	}
	assert_true(lost > 0);
	assert_int_equal(seen + lost, LINES);
	assert_non_null(strstr(text, " level=warning message=\"lines of the log were lost"));
	free(text);
	log_stop();
	close(fds[0]);
	close(fds[1]);
}

static void
a_change_writes_the_queue_to_the_old_descriptor_first(void **state)
{
	int old[2], new[2];

	(void)state;
	open_pipe(old);
	open_pipe(new);
	use(LOG_LEVEL_INFO, LOG_SINK_LINES, old[1]);
	start();
	for (int i = 0; i < 50; i++)
		log_write(LOG_LEVEL_INFO, "before %d", i);
	use(LOG_LEVEL_INFO, LOG_SINK_LINES, new[1]);
	close(old[1]);
	log_write(LOG_LEVEL_INFO, "after");
	log_stop();
	char *text = drain(old[0]);
	assert_int_equal(count_lines(text), 50);
	free(text);
	text = drain(new[0]);
	assert_int_equal(count_lines(text), 1);
	assert_non_null(strstr(text, "after"));
	free(text);
	close(old[0]);
	close(new[0]);
	close(new[1]);
}

static void
a_sink_that_takes_nothing_delays_a_change_for_seconds_only(void **state)
{
	int stuck[2], new[2];

	(void)state;
	open_pipe(stuck);
	open_pipe(new);
	use(LOG_LEVEL_INFO, LOG_SINK_LINES, stuck[1]);
	start();
	for (int i = 0; i < 1000; i++)
		log_write(LOG_LEVEL_INFO, "%0500d", i);
	double before = now();
	use(LOG_LEVEL_INFO, LOG_SINK_LINES, new[1]);
	assert_true(now() - before < 5);
	log_write(LOG_LEVEL_INFO, "goes on");
	log_stop();
	char *text = drain(new[0]);
	assert_non_null(strstr(text, "goes on"));
	assert_non_null(strstr(text, " lost="));
	free(text);
	close(stuck[0]);
	close(stuck[1]);
	close(new[0]);
	close(new[1]);
}

static void
a_sink_that_fails_kills_nobody(void **state)
{
	int fds[2], good[2];

	(void)state;
	open_pipe(fds);
	open_pipe(good);
	use(LOG_LEVEL_INFO, LOG_SINK_LINES, fds[1]);
	start();
	close(fds[0]);
	log_write(LOG_LEVEL_INFO, "nobody reads this");
	use(LOG_LEVEL_INFO, LOG_SINK_LINES, good[1]);
	log_write(LOG_LEVEL_INFO, "but this");
	log_stop();
	char *text = drain(good[0]);
	assert_non_null(strstr(text, "but this"));
	assert_non_null(strstr(text, " lost=1"));
	free(text);
	close(fds[1]);
	close(good[0]);
	close(good[1]);
}

static void
the_thread_has_all_signals_blocked(void **state)
{
	unsigned long long blocked = 0;

	(void)state;
	start();
	await_log_threads(1, &blocked);
	log_stop();
	/* SIGKILL and SIGSTOP cannot be blocked; the C library keeps 32 and 33, a sanitizer one. */
	for (int number = 1; number < 32; number++) {
		if (number != SIGKILL && number != SIGSTOP)
			assert_true(blocked >> (number - 1) & 1);
	}
}

/* A syslog daemon's socket, bound to @path anew. */
static int
listen_as_syslog(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)unlink(path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void
expect_datagram(int fd, const char *start, const char *end)
{
	char datagram[1024];
	ssize_t got = recv(fd, datagram, sizeof(datagram) - 1, 0);

	assert_true(got > 0);
	datagram[got] = '\0';
	if (strncmp(datagram, start, strlen(start)) != 0)
		fail_msg("%s", datagram);
	assert_string_equal(datagram + (size_t)got - strlen(end), end);
}

static void
syslog_gets_a_datagram_a_line_and_may_be_restarted(void **state)
{
	char directory[] = "/tmp/test_log.XXXXXX", path[64], end[64];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_true(fd >= 0);
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/log", directory);
	memcpy(address.sun_path, path, sizeof(path));
	int daemon = listen_as_syslog(path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	log_configure(&(struct log_settings){
		.level = LOG_LEVEL_DEBUG, .sink = LOG_SINK_SYSLOG, .fd = fd});
	start();
	log_write(LOG_LEVEL_ERROR, "one");
	log_write(LOG_LEVEL_DEBUG, "two");
	(void)snprintf(end, sizeof(end), "%s[%ld]: error one", program_invocation_short_name,
		(long)getpid());
	expect_datagram(daemon, "<27>", end);
	expect_datagram(daemon, "<31>", ": debug two");
	close(daemon);
	daemon = listen_as_syslog(path);
	log_write(LOG_LEVEL_INFO, "three");
	log_stop();
	expect_datagram(daemon, "<30>", ": info three");
	close(daemon);
	unlink(path);
	log_write(LOG_LEVEL_INFO, "lost while it is away");
	daemon = listen_as_syslog(path);
	log_write(LOG_LEVEL_INFO, "four");
	expect_datagram(daemon, "<30>", ": info four");
	close(daemon);
	close(fd);
	unlink(path);
	rmdir(directory);
}

static int
restore(void **state)
{
	(void)state;
	use(LOG_LEVEL_INFO, LOG_SINK_LINES, STDERR_FILENO);
	return 0;
}

#define TEST(claim) cmocka_unit_test_teardown(claim, restore)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_the_thread_a_line_is_written_at_once),
		TEST(what_is_less_urgent_than_the_level_is_not_written),
		TEST(stopping_writes_what_is_queued_and_ends_the_thread),
		TEST(lines_of_many_threads_come_whole_and_each_in_order),
		TEST(a_full_queue_makes_nobody_wait_and_the_lost_lines_are_counted),
		TEST(a_change_writes_the_queue_to_the_old_descriptor_first),
		TEST(a_sink_that_takes_nothing_delays_a_change_for_seconds_only),
		TEST(a_sink_that_fails_kills_nobody),
		TEST(the_thread_has_all_signals_blocked),
		TEST(syslog_gets_a_datagram_a_line_and_may_be_restarted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
