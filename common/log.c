/* SPDX-License-Identifier: MIT */
#include "common/log.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/text.h"

enum {
	QUEUE_SIZE = 1 << 20,
	PIECE = 4096,	   /* at most PIPE_BUF, so that lines of two processes do not mix */
	POLL_PERIOD = 100, /* milliseconds */
	PATIENCE = 20,	   /* such periods, once somebody waits for the queue */
	WORDS_SIZE = 1100, /* more than the format keeps, so that it sees the cut */
	HEADER_SIZE = 128,
};

/* Where a syslog daemon is, to find it again: the kernel forgets a peer that has gone. */
struct peer {
	struct sockaddr_un address;
	socklen_t length;
};

static const struct peer syslog = {
	.address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"},
	.length = sizeof(struct sockaddr_un),
};

/*
 * Two arrays take turns: callers append to one while the thread writes the other. A configuration
 * change waits in @next until the thread has taken everything that was queued before it.
 */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t wanted;	/* the thread has something to do */
	pthread_cond_t changed; /* a change of configuration has been carried out */
	pthread_t thread;
	bool running, stopping;
	struct log_settings settings;
	struct peer peer; /* of the sink, where it is syslog */
	const struct log_settings *next;
	unsigned serial; /* of the settings */
	char *filling, *writing;
	size_t filled;
	uint64_t lost;
	_Atomic int level;
	atomic_bool hurry; /* somebody waits: do not wait for the sink for ever */
} state = {
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.wanted = PTHREAD_COND_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
	.settings = {.level = LOG_LEVEL_INFO, .fd = STDERR_FILENO},
	.level = LOG_LEVEL_INFO,
};

/* One batch on its way to a sink. */
struct writer {
	const struct log_settings *settings;
	const struct peer *peer;
	bool hurry;   /* whether somebody waits or not */
	int patience; /* periods left to wait; used up, the rest of the batch is lost at once */
};

/* Wait until the sink takes bytes. Returns whether to try. */
static bool
wait_for_sink(struct writer *writer)
{
	struct pollfd asked = {.fd = writer->settings->fd, .events = POLLOUT};

	while (writer->patience > 0) {
		if (poll(&asked, 1, POLL_PERIOD) > 0)
			return true;
		if (writer->hurry || atomic_load(&state.hurry))
			writer->patience--;
	}
	return false;
}

/* Write once, without blocking where the kernel lets us say so: for files and pipes it was polled. */
static ssize_t
write_once(int fd, const char *bytes, size_t size)
{
	ssize_t put = send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	return put < 0 && errno == ENOTSOCK ? write(fd, bytes, size) : put;
}

static int
write_piece(struct writer *writer, const char *bytes, size_t size)
{
	while (size > 0) {
		if (!wait_for_sink(writer))
			return -1;
		ssize_t put = write_once(writer->settings->fd, bytes, size < PIECE ? size : PIECE);

		if (put < 0 && errno != EINTR && errno != EAGAIN)
			return -1;
		if (put > 0) {
			bytes += put;
			size -= (size_t)put;
		}
	}
	return 0;
}

/* The length of as many whole lines as a piece holds, at least one. Every line ends in a newline. */
static size_t
piece_length(const char *lines, size_t length)
{
	size_t end = length < PIECE ? length : PIECE;

	while (end > 0 && lines[end - 1] != '\n')
		end--;
	if (end > 0)
		return end;
	for (end = PIECE; lines[end] != '\n';)
		end++;
	return end + 1;
}

static uint64_t
count_lines(const char *lines, size_t length)
{
	uint64_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += lines[i] == '\n';
	return count;
}

/* Returns how many lines were lost. */
static uint64_t
write_bytes(struct writer *writer, const char *lines, size_t length)
{
	uint64_t lost = 0;

	while (length > 0) {
		size_t piece = piece_length(lines, length);

		if (write_piece(writer, lines, piece))
			lost += count_lines(lines, piece);
		lines += piece;
		length -= piece;
	}
	return lost;
}

/* A syslog daemon that was restarted has a new socket at the same place. */
static bool
connect_again(int fd, const struct peer *peer)
{
	bool was_lost = errno == ECONNREFUSED || errno == ENOTCONN || errno == ECONNRESET;

	return was_lost && connect(fd, (const struct sockaddr *)&peer->address, peer->length) == 0;
}

/* Returns how many lines were lost. */
static uint64_t
send_datagrams(struct writer *writer, const char *lines, size_t length)
{
	int fd = writer->settings->fd;
	uint64_t lost = 0;

	while (length > 0) {
		size_t line = (size_t)((const char *)memchr(lines, '\n', length) - lines);
		bool sent = false;

		while (!sent && wait_for_sink(writer)) {
			sent = send(fd, lines, line, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
			if (!sent && errno != EAGAIN && errno != EINTR &&
				!connect_again(fd, writer->peer))
				break;
		}
		lost += !sent;
		lines += line + 1;
		length -= line + 1;
	}
	return lost;
}

/* Write whole lines to the sink. Returns how many were lost. */
static uint64_t
write_lines(struct writer *writer, const char *lines, size_t length)
{
	if (writer->settings->sink == LOG_SINK_SYSLOG)
		return send_datagrams(writer, lines, length);
	return write_bytes(writer, lines, length);
}

/* "<30>Nov 21 12:00:00 sallyport[123]: " (RFC 3164 section 4.1), facility daemon. */
static void
add_syslog_header(const struct log_line *line, struct text *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const int severities[] = {3, 4, 5, 6, 7};
	struct tm tm;

	if (!localtime_r(&line->time.tv_sec, &tm))
		memset(&tm, 0, sizeof(tm));
	text_format(text,
		"<%d>%.3s %2d %02d:%02d:%02d %.32s[%ld]: ", 3 * 8 + severities[line->level],
		months + (size_t)tm.tm_mon * 3, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		program_invocation_short_name, (long)getpid());
}

/* Make the bytes of @line for a sink of @settings in @array. Returns their length. */
static size_t
format_line(struct log_line *line, const struct log_settings *settings, char *array)
{
	struct text header, text;

	text_init(&header, array, HEADER_SIZE);
	if (settings->sink == LOG_SINK_SYSLOG) {
		line->bare = true;
		add_syslog_header(line, &header);
	}
	text_init(&text, array + header.length, LOG_FORMAT_SIZE);
	log_format_line(line, settings->format, &text);
	return header.length + text.length;
}

/* Tell the sink how many lines it did not get. Returns how many that are now, 0 if it could be told. */
static uint64_t
report_lost(struct writer *writer, uint64_t lost)
{
	char array[HEADER_SIZE + LOG_FORMAT_SIZE];
	struct log_field field = {.key = "lost", .number = lost};
	struct log_line line = {.level = LOG_LEVEL_WARNING,
		.words = "lines of the log were lost because it could not be written, or not fast "
			 "enough",
		.fields = &field,
		.count = 1};

	(void)clock_gettime(CLOCK_REALTIME, &line.time);
	size_t length = format_line(&line, writer->settings, array);

	return write_lines(writer, array, length) ? lost : 0;
}

/* Write @length bytes of the thread's array to the sink of @settings; the mutex is free meanwhile. */
static void
write_batch(
	const struct log_settings *settings, const struct peer *peer, size_t length, uint64_t lost)
{
	struct writer writer = {.settings = settings, .peer = peer, .patience = PATIENCE};

	lost += write_lines(&writer, state.writing, length);
	if (lost > 0)
		lost = report_lost(&writer, lost);
	pthread_mutex_lock(&state.mutex);
	state.lost += lost;
	pthread_mutex_unlock(&state.mutex);
}

/* Install the settings that wait. The mutex is held. */
static void
install(const struct log_settings *settings)
{
	struct peer *peer = &state.peer;

	state.settings = *settings;
	peer->length = sizeof(peer->address);
	if (settings->sink == LOG_SINK_SYSLOG &&
		getpeername(settings->fd, (struct sockaddr *)&peer->address, &peer->length))
		*peer = syslog; /* it is away just now */
	state.serial++;
	atomic_store(&state.level, (int)settings->level);
}

/*
 * Take what is queued and write it. New settings are installed at the moment of taking, so they are
 * for later lines only, and reported when the old descriptor is done with. The mutex is held, but not
 * while writing.
 */
static void
work(void)
{
	struct log_settings settings = state.settings;
	struct peer peer = state.peer;
	size_t length = state.filled;
	uint64_t lost = state.lost;
	const struct log_settings *next = state.next;
	char *taken = state.filling;

	state.filling = state.writing;
	state.writing = taken;
	state.filled = 0;
	state.lost = 0;
	if (next)
		install(next);
	pthread_mutex_unlock(&state.mutex);
	write_batch(&settings, &peer, length, lost);
	pthread_mutex_lock(&state.mutex);
	if (next) {
		state.next = NULL;
		pthread_cond_broadcast(&state.changed);
	}
}

static void *
run(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&state.mutex);
	while (!state.stopping || state.filled > 0 || state.next) {
		if (state.filled > 0 || state.next)
			work();
		else
			pthread_cond_wait(&state.wanted, &state.mutex);
	}
	pthread_mutex_unlock(&state.mutex);
	return NULL;
}

/* Put a formatted line on the queue, or count it as lost. The mutex is held. */
static void
queue_line(const char *bytes, size_t length)
{
	if (length > QUEUE_SIZE - state.filled) {
		state.lost++;
		return;
	}
	memcpy(state.filling + state.filled, bytes, length);
	if (state.filled == 0)
		pthread_cond_signal(&state.wanted);
	state.filled += length;
}

/* Write to the sink without the thread. The mutex is held. */
static void
write_at_once(const char *lines, size_t length)
{
	struct writer writer = {.settings = &state.settings,
		.peer = &state.peer,
		.hurry = true,
		.patience = PATIENCE};

	(void)write_lines(&writer, lines, length);
}

/* Queue or write @line, formatted for the settings that hold at that moment. */
static void
put_line(struct log_line *line)
{
	char array[HEADER_SIZE + LOG_FORMAT_SIZE];
	size_t length = 0;
	unsigned serial;

	(void)clock_gettime(CLOCK_REALTIME, &line->time);
	pthread_mutex_lock(&state.mutex);
	do {
		struct log_settings settings = state.settings;

		serial = state.serial;
		pthread_mutex_unlock(&state.mutex);
		length = format_line(line, &settings, array);
		pthread_mutex_lock(&state.mutex);
	} while (serial != state.serial);
	if (state.running)
		queue_line(array, length);
	else
		write_at_once(array, length);
	pthread_mutex_unlock(&state.mutex);
}

void
log_configure(const struct log_settings *settings)
{
	tzset(); /* now, since later its file may be out of reach */
	pthread_mutex_lock(&state.mutex);
	if (state.running) {
		while (state.next)
			pthread_cond_wait(&state.changed, &state.mutex);
		state.next = settings;
		atomic_store(&state.hurry, true);
		pthread_cond_signal(&state.wanted);
		while (state.next == settings)
			pthread_cond_wait(&state.changed, &state.mutex);
		atomic_store(&state.hurry, false);
	} else {
		install(settings);
	}
	pthread_mutex_unlock(&state.mutex);
}

int
log_open_syslog(struct diag *diag)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return diag_set(diag, "socket: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)&syslog.address, syslog.length) == 0)
		return fd;
	diag_set(diag, "connect to \"%s\": %s; is a syslog daemon running?",
		syslog.address.sun_path, strerror(errno));
	close(fd);
	return -1;
}

/* Start the thread with all signals blocked: they are for whoever handles them. */
static int
start_thread(void)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int error = pthread_create(&state.thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!error)
		(void)pthread_setname_np(state.thread, "log");
	return error;
}

int
log_start(struct diag *diag)
{
	int error = ENOMEM;

	assert(!state.running);
	state.filling = malloc(QUEUE_SIZE);
	state.writing = malloc(QUEUE_SIZE);
	state.stopping = false;
	if (state.filling && state.writing)
		error = start_thread();
	if (error) {
		free(state.filling);
		free(state.writing);
		state.filling = state.writing = NULL;
		return diag_set(diag, "start the log's thread: %s", strerror(error));
	}
	pthread_mutex_lock(&state.mutex);
	state.running = true;
	pthread_mutex_unlock(&state.mutex);
	return 0;
}

void
log_stop(void)
{
	pthread_mutex_lock(&state.mutex);
	if (!state.running) {
		pthread_mutex_unlock(&state.mutex);
		return;
	}
	state.stopping = true;
	atomic_store(&state.hurry, true);
	pthread_cond_signal(&state.wanted);
	pthread_mutex_unlock(&state.mutex);
	pthread_join(state.thread, NULL);
	pthread_mutex_lock(&state.mutex);
	state.running = false;
	write_at_once(state.filling, state.filled); /* what came while the thread ended */
	state.filled = 0;
	free(state.filling);
	free(state.writing);
	state.filling = state.writing = NULL;
	pthread_mutex_unlock(&state.mutex);
	atomic_store(&state.hurry, false);
}

bool
log_is_on(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&state.level, memory_order_relaxed);
}

void
log_fields(enum log_level level, const char *words, const struct log_field *fields, size_t count)
{
	struct log_line line = {.level = level, .words = words, .fields = fields, .count = count};

	if (log_is_on(level))
		put_line(&line);
}

void
log_write(enum log_level level, const char *format, ...)
{
	char words[WORDS_SIZE];
	va_list args;

	if (!log_is_on(level))
		return;
	va_start(args, format);
	(void)vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	log_fields(level, words, NULL, 0);
}
