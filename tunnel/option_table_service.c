/* SPDX-License-Identifier: MIT */
/* Where a service takes its clients from and where it brings them, and how long that may take. */
#include "tunnel/option_row.h"

const char *const option_modes[] = {"encrypt", "offload", "bridge", NULL};

static const struct option rows[] = {
	{
		.name = "mode",
		.value = "MODE",
		.schema = WORD(option_modes),
		.missing = "write mode = encrypt, offload or bridge",
		OF_SERVICE(mode),
		.traits = OPTION_OWN | OPTION_REQUIRED | OPTION_FILE_ONLY,
		.modes = MODES_ALL,
		.field = FIELD_ENUM,
		.sample = {NULL, "offload"},
		.summary = "encrypt, offload or bridge",
		.text = "What the service does. `encrypt` takes plaintext and "
			"connects by TLS: it stands beside a client. `offload` takes TLS and "
			"connects in plaintext: it stands beside a server. `bridge` takes TLS "
			"and connects by TLS.",
	},
	{
		.name = "accept",
		.value = "ADDRESS",
		.schema = TEXT,
		.check = check_accept,
		.missing = "say where clients connect to, such as accept = 127.0.0.1:5432",
		OF_SERVICE(accept),
		.traits = OPTION_OWN | OPTION_REQUIRED | OPTION_REPEATED,
		.modes = MODES_ALL,
		.reload = RELOAD_AT_ONCE,
		.sample = {"127.0.0.1:5432", "*:15432"},
		.summary = "where clients connect to (can be repeated)",
		.text = "Where the service listens: `192.0.2.1:443`, "
			"`[2001:db8::1]:443`, `*:443` for every IPv4 and IPv6 address of the "
			"machine, `unix:/path` for a UNIX socket, or `unix:@name` for an "
			"abstract one. `localhost:443` is `127.0.0.1:443`. A plaintext address "
			"that other machines can reach needs "
			"`allow-remote-plaintext = yes`.",
	},
	{
		.name = "connect",
		.value = "ADDRESS",
		.schema = TEXT,
		.check = check_connect,
		.missing =
			"say where the service connects to, such as connect = db.example.net:15432",
		OF_SERVICE(connect),
		.traits = OPTION_OWN | OPTION_REQUIRED | OPTION_REPEATED,
		.modes = MODES_ALL,
		.sample = {"db.example.net:15432", "127.0.0.1:5432"},
		.summary =
			"where the service connects to, in order of preference (can be repeated)",
		.text = "Where the service connects to for every client: `host:port`, "
			"`[2001:db8::1]:port`, `unix:/path` or `unix:@name`. Written several "
			"times, the targets are tried in that order. A name is resolved while "
			"the program runs, and all its addresses are tried. A plaintext target "
			"on another machine needs `allow-remote-plaintext = yes`.",
	},
	{
		.name = "allow-remote-plaintext",
		.value = "yes|no",
		.schema = BOOLEAN,
		.initial = "no",
		OF_SERVICE(allow_remote_plaintext),
		.modes = MODES_PLAIN,
		.field = FIELD_BOOL,
		.summary = "let the plaintext side leave this machine",
		.text = "Whether the plaintext side may leave this machine. Without "
			"it, plaintext is carried over loopback addresses and UNIX sockets "
			"only, since anybody on the network could read and change it. With "
			"`yes` the program warns at every start.",
	},
	{
		.name = "socket-mode",
		.value = "MODE",
		.schema = {.kind = SCHEMA_MODE},
		.initial = "0600",
		OF_SERVICE(socket_mode),
		.traits = OPTION_NEEDS_PATH,
		.modes = MODES_ALL,
		.reload = RELOAD_AT_ONCE,
		.field = FIELD_ENUM,
		.summary = "permissions of the UNIX sockets in accept",
		.text = "The permissions of the UNIX sockets in `accept`, in octal. "
			"Who may write to the socket may connect.",
	},
	{
		.name = "socket-owner",
		.value = "USER",
		.schema = TEXT,
		.otherwise = "the user who starts the program",
		OF_SERVICE(socket_owner),
		.traits = OPTION_NEEDS_PATH,
		.modes = MODES_ALL,
		.reload = RELOAD_AT_ONCE,
		.field = FIELD_TEXT,
		.sample = {"postgres", "postgres"},
		.summary = "owner of the UNIX sockets in accept",
		.text = "Name or number of the user who owns the UNIX sockets in "
			"`accept`.",
	},
	{
		.name = "socket-group",
		.value = "GROUP",
		.schema = TEXT,
		.otherwise = "the group of whoever starts the program",
		OF_SERVICE(socket_group),
		.traits = OPTION_NEEDS_PATH,
		.modes = MODES_ALL,
		.reload = RELOAD_AT_ONCE,
		.field = FIELD_TEXT,
		.sample = {"postgres", "postgres"},
		.summary = "group of the UNIX sockets in accept",
		.text = "Name or number of the group of the UNIX sockets in `accept`.",
	},
	{
		.name = "socket-users",
		.value = "USER,...",
		.schema = LIST,
		.otherwise = "root and the program's own user",
		OF_SERVICE(socket_users),
		.traits = OPTION_NEEDS_ABSTRACT | OPTION_REPEATED,
		.modes = 1 << MODE_ENCRYPT,
		.sample = {"root,postgres"},
		.summary = "who may connect to an abstract UNIX socket in accept (can be "
			   "repeated)",
		.text = "Names or numbers of the users who may connect to an abstract "
			"UNIX socket in `accept`. Such a socket has no permissions, so the "
			"user of every client is asked from the kernel. The list replaces the "
			"default.",
	},
	{
		.name = "connect-timeout",
		.value = "TIME",
		.schema = DURATION(MILLISECONDS(100), HOURS(1)),
		.initial = "10s",
		OF_SERVICE(connect_timeout),
		.modes = MODES_ALL,
		.field = FIELD_SECONDS,
		.summary = "how long it may take to reach connect",
		.text = "How long it may take to reach any target in `connect`, all "
			"their addresses together, without the TLS handshake.",
	},
	{
		.name = "idle-timeout",
		.value = "TIME",
		.schema = DURATION_OR_OFF(MILLISECONDS(100), DAYS(30)),
		.initial = "off",
		OF_SERVICE(idle_timeout),
		.modes = MODES_ALL,
		.field = FIELD_SECONDS,
		.summary = "abort a tunnel that is silent this long",
		.text = "A tunnel that carries no data either way for this long is "
			"aborted.",
	},
	{
		.name = "half-close-timeout",
		.value = "TIME",
		.schema = DURATION_OR_OFF(MILLISECONDS(100), DAYS(30)),
		.initial = "1h",
		OF_SERVICE(half_close_timeout),
		.modes = MODES_ALL,
		.field = FIELD_SECONDS,
		.summary = "abort a half-closed tunnel that is silent this long",
		.text = "Once one side has ended and the other has not, this takes "
			"the place of `idle-timeout`. Data renews it, so an answer may take as "
			"long as it likes to arrive as long as it keeps coming.",
	},
	{
		.name = "keepalive",
		.value = "TIME",
		.schema = DURATION_OR_OFF(SECONDS(1), HOURS(9)),
		.initial = "60s",
		OF_SERVICE(keepalive),
		.modes = MODES_ALL,
		.field = FIELD_SECONDS,
		.summary = "probe a silent TCP connection after this long",
		.text = "After this long without data a TCP connection is probed, six "
			"times ten seconds apart; a peer that answers none is dead, and its "
			"tunnel is aborted. Whole seconds count. While data are on their way "
			"to it, the kernel repeats those instead, for some 15 minutes, or "
			"longer if the peer has paused before (net.ipv4.tcp_retries2). A peer "
			"that is there and only reads nothing may pause for as long as "
			"idle-timeout and half-close-timeout allow.",
	},
};

const struct option_table option_table_service = TABLE(rows);
