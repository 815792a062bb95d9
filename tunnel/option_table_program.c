/* SPDX-License-Identifier: MIT */
/* What is the same for all services. */
#include "tunnel/option_row.h"

static const char *const levels[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const formats[] = {"text", "logfmt", "json", NULL};
static const char *const log_targets[] = {"stderr", "syslog", NULL};
static const char *const key_processes[] = {"no", "yes", "auto", NULL};

static const struct option rows[] = {
	{
		.name = "user",
		.value = "USER",
		.schema = TEXT,
		.otherwise = "the user who starts the program",
		OF_PROGRAM(user),
		.field = FIELD_TEXT,
		.reload = RELOAD_RESTART,
		.sample = {"sallyport"},
		.summary = "run as this user",
		.text = "Name or number of the user as whom the part of the program "
			"runs that faces the network, and the key process. Only a program that "
			"is started by root can do so; started by anybody else it refuses to "
			"run. Files are read and sockets are bound before, so this user needs "
			"no right to read the keys, but the right to use a PKCS#11 token.",
	},
	{
		.name = "group",
		.value = "GROUP",
		.schema = TEXT,
		.otherwise = "the first group of user",
		OF_PROGRAM(group),
		.field = FIELD_TEXT,
		.reload = RELOAD_RESTART,
		.sample = {"sallyport"},
		.summary = "run as this group",
		.text = "Name or number of the group as which that part runs.",
	},
	{
		.name = "include",
		.value = "PATTERN",
		.schema = TEXT,
		.check = check_include,
		.otherwise = "no other files",
		.level = OPTION_OF_PROGRAM,
		.traits = OPTION_REPEATED | OPTION_FILE_ONLY | OPTION_PATH,
		.reload = RELOAD_AT_ONCE,
		.sample = {"more.d/*.conf"},
		.summary = "read services from these files too",
		.text = "A file, or a pattern as the shell has them, of further files "
			"to read. Only names that end in `.conf` are taken, in alphabetical "
			"order. They hold sections only. A pattern may match nothing; a file "
			"that is named must exist. It stands in the main file before the first "
			"section.",
	},
	{
		.name = "workers",
		.value = "COUNT",
		.schema = {.kind = SCHEMA_NUMBER, .zero = "auto", .minimum = 1, .maximum = 256},
		.initial = "auto",
		OF_PROGRAM(workers),
		.field = FIELD_ENUM,
		.reload = RELOAD_RESTART,
		.summary = "threads that carry tunnels; auto is one for every core",
		.text = "How many threads carry tunnels. With `auto` it is one for "
			"every processor core that the program may use.",
	},
	{
		.name = "log-level",
		.value = "LEVEL",
		.schema = WORD(levels),
		.initial = "info",
		OF_PROGRAM(log_level),
		.field = FIELD_ENUM,
		.reload = RELOAD_AT_ONCE,
		.summary = "how much to log: error, warning, notice, info or debug",
		.text = "The least urgent lines that are logged. The line that every "
			"tunnel gets when it ends has the level `info`.",
	},
	{
		.name = "log-format",
		.value = "FORMAT",
		.schema = WORD(formats),
		.initial = "text",
		OF_PROGRAM(log_format),
		.field = FIELD_ENUM,
		.reload = RELOAD_AT_ONCE,
		.summary = "text for people, logfmt or json for programs",
		.text = "How a line is written: `text` for people, `logfmt` "
			"(key=value) or `json` (an object a line) for programs.",
	},
	{
		.name = "log-target",
		.value = "FILE",
		.schema = TEXT,
		.words = log_targets,
		.initial = "stderr",
		OF_PROGRAM(log_target),
		.traits = OPTION_PATH,
		.field = FIELD_TEXT,
		.reload = RELOAD_AT_ONCE,
		.summary = "stderr, syslog or a file",
		.text = "Where lines go: `stderr` for standard error, `syslog` for "
			"the system's log, or a file, which is appended to. The file is opened "
			"again on SIGUSR1, so that it can be rotated.",
	},
	{
		.name = "buffer-memory",
		.value = "SIZE",
		.schema = {.kind = SCHEMA_SIZE, .minimum = MEBIBYTES(16), .maximum = TEBIBYTES(1)},
		.initial = "512MiB",
		OF_PROGRAM(buffer_memory),
		.field = FIELD_SIZE,
		.reload = RELOAD_AT_ONCE,
		.summary = "most memory for data on its way, in all tunnels together",
		.text = "The most memory that data on its way may take, in all "
			"tunnels together. Once it is used up, tunnels wait for each other "
			"and go on in the smallest pieces. Idle tunnels take none.",
	},
	{
		.name = "drain-timeout",
		.value = "TIME",
		.schema = DURATION_OR_OFF(MILLISECONDS(100), DAYS(30)),
		.initial = "5m",
		OF_PROGRAM(drain_timeout),
		.field = FIELD_SECONDS,
		.reload = RELOAD_AT_ONCE,
		.summary = "how long tunnels may go on after SIGTERM; off: for ever",
		.text = "After SIGTERM or SIGINT nothing new is accepted, and running "
			"tunnels may go on this long before they are aborted. With `off` the "
			"program waits for ever. A second signal ends the waiting.",
	},
	{
		.name = "busy-wait",
		.value = "yes|no",
		.schema = BOOLEAN,
		.initial = "yes",
		OF_PROGRAM(busy_wait),
		.field = FIELD_BOOL,
		.reload = RELOAD_AT_ONCE,
		.summary = "stay awake for what comes within 100 us",
		.text = "Whether a thread that carries tunnels may stay awake when it has "
			"nothing to do, for at most 100 microseconds at a time. It does so while "
			"something has lately come within 30 microseconds on average, and between "
			"two looks it lets other programs run. Messages that go back and forth "
			"on one machine may then take half the time or less; what is waited for "
			"so costs up to 30 microseconds of CPU time more, on average, and a thread "
			"to which much comes may keep a core busy, and then stays on that core "
			"if there are as many `workers` as cores. Say `no` where CPU time matters "
			"more than latency, such as under a quota of a control group.",
	},
	{
		.name = "key-process",
		.value = "auto|yes|no",
		.schema = WORD(key_processes),
		.initial = "auto",
		OF_PROGRAM(key_process),
		.field = FIELD_ENUM,
		.summary = "keep private keys in a process of their own",
		.text = "Whether private keys live in a process of their own, which signs "
			"and does nothing else, so that the process which faces the network "
			"never has one in its memory. `auto` does so for the keys for which "
			"it costs little, or even saves time: RSA keys and those on a "
			"PKCS#11 token. With `no`, a handshake with an RSA key takes twice as "
			"long. Keys on a token can be used with `auto` and `yes` "
			"only. PRIVATE KEYS in sallyport.conf(5) says what it costs.",
	},
	{
		.name = "reload-on-change",
		.value = "yes|no",
		.schema = BOOLEAN,
		.initial = "no",
		OF_PROGRAM(reload_on_change),
		.field = FIELD_BOOL,
		.reload = RELOAD_AT_ONCE,
		.summary = "reload when a file that is used changes",
		.text = "Whether the program watches the directories of its configuration "
			"and of every file that is named in it, and reloads by itself when "
			"something changes, symbolic links included, as soon as writing has "
			"settled. A set of files that cannot be used is logged with the "
			"reason, and the old one stays.",
	},
};

const struct option_table option_table_program = TABLE(rows);
