/* SPDX-License-Identifier: MIT */
#include "tunnel/option_table.h"

#include "tunnel/option_values.h"

#define MILLISECONDS(n) (n)
#define SECONDS(n)	((uint64_t)(n)*1000)
#define HOURS(n)	((uint64_t)(n)*3600 * 1000)
#define DAYS(n)		((uint64_t)(n)*24 * 3600 * 1000)
#define MEBIBYTES(n)	((uint64_t)(n) << 20)
#define TEBIBYTES(n)	((uint64_t)(n) << 40)

#define MODES_PLAIN (1 << MODE_ENCRYPT | 1 << MODE_OFFLOAD)
#define MODES_ALL   (MODES_PLAIN | 1 << MODE_BRIDGE)
#define SIDES_ALL   (1 << SIDE_ACCEPT | 1 << SIDE_CONNECT)

#define OF_PROGRAM(f) .level = OPTION_OF_PROGRAM, .offset = offsetof(struct config, f)
#define OF_SERVICE(f) .level = OPTION_OF_SERVICE, .offset = offsetof(struct service_config, f)
#define OF_SIDE(f)    .level = OPTION_OF_SIDE, .offset = offsetof(struct tls_config, f)

#define TEXT                        \
	{                           \
		.kind = SCHEMA_TEXT \
	}
#define LIST                        \
	{                           \
		.kind = SCHEMA_LIST \
	}
#define WORD(w)                                   \
	{                                         \
		.kind = SCHEMA_WORD, .words = (w) \
	}
#define BOOLEAN WORD(schema_boolean)
#define DURATION(from, to)                                                  \
	{                                                                   \
		.kind = SCHEMA_DURATION, .minimum = (from), .maximum = (to) \
	}
#define DURATION_OR_OFF(from, to)                                                          \
	{                                                                                  \
		.kind = SCHEMA_DURATION, .zero = "off", .minimum = (from), .maximum = (to) \
	}

const char *const option_modes[] = {"encrypt", "offload", "bridge", NULL};
static const char *const verifications[] = {"no", "optional", "yes", NULL};
static const char *const versions[] = {"1.2", "1.3", NULL};
static const char *const truncations[] = {"abort", "accept", NULL};
static const char *const permissions[] = {"off", "yes", NULL};
static const char *const levels[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const formats[] = {"text", "logfmt", "json", NULL};
static const char *const log_targets[] = {"stderr", "syslog", NULL};
static const char *const none_only[] = {"none", NULL};
static const char *const trust_words[] = {"system", "none", NULL};

/* In the order of the manual; what others depend on (mode, accept, connect, cert) comes first. */
const struct option option_table[] = {
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
			"runs that faces the network. Only a program that is started by root "
			"can do so; started by anybody else it refuses to run. Files are read "
			"and sockets are bound before, so this user needs no right to read the "
			"keys.",
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
		.name = "cert",
		.value = "FILE",
		.schema = TEXT,
		.words = none_only,
		.missing = "name the file with the certificate that this end shows to its peer",
		OF_SIDE(cert),
		.traits = OPTION_REQUIRED | OPTION_PAIRED | OPTION_PATH,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_TEXT,
		.sample = {"/etc/sallyport/app.crt", "/etc/sallyport/db.crt"},
		.summary = "PEM file with this end's certificate chain",
		.text = "PEM file with the certificate that this end shows to its "
			"peer, followed by the intermediate certificates, if there are any. On "
			"the side that connects, `none` may be written: the peer must then "
			"admit clients without a certificate. It is inherited together with "
			"`key`.",
	},
	{
		.name = "key",
		.value = "FILE",
		.schema = TEXT,
		.otherwise = "the file of cert",
		OF_SIDE(key),
		.traits = OPTION_PAIRED | OPTION_PATH | OPTION_NEEDS_CERT,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_TEXT,
		.sample = {"/etc/sallyport/app.key", "/etc/sallyport/db.key"},
		.summary = "PEM file with the private key of cert",
		.text = "PEM file with the private key of `cert`. The file is refused "
			"when others can read or write it, when its group can write it, or "
			"when its group can read it and its owner is not root. It is inherited "
			"together with `cert`: where one of both is written, neither is "
			"inherited.",
	},
	{
		.name = "key-permissions",
		.value = "yes|off",
		.schema = WORD(permissions),
		.initial = "yes",
		OF_SIDE(key_permissions),
		.traits = OPTION_NEEDS_CERT,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_BOOL,
		.summary = "refuse a key file that others can read",
		.text = "Whether the permissions of the key file are judged. `off` is "
			"for file systems that have none, and warns at every start.",
	},
	{
		.name = "ca",
		.value = "FILE",
		.schema = TEXT,
		.words = trust_words,
		.missing = "name the file with the CA certificates that vouch for the peer",
		OF_SIDE(ca),
		.traits = OPTION_REQUIRED | OPTION_PATH,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_TEXT,
		.sample = {"/etc/sallyport/ca.crt", "/etc/sallyport/ca.crt"},
		.summary =
			"CA certificates that vouch for the peer: a file, a directory, or system",
		.text = "The certificate authorities that vouch for the peer: a PEM "
			"file, a directory of PEM files, or `system` for those that the "
			"operating system trusts. With `system` on the side that accepts, "
			"anybody with a certificate of any public authority gets in. It may be "
			"left out or be `none` only with `verify = no`.",
	},
	{
		.name = "verify",
		.value = "yes|optional|no",
		.schema = WORD(verifications),
		.initial = "yes",
		OF_SIDE(verify),
		.traits = OPTION_PREFIXED,
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_ENUM,
		.summary = "whether the peer must prove who it is",
		.text = "Whether the peer must prove who it is. On the side that "
			"accepts, `yes` requires a certificate, `optional` takes clients "
			"without one but refuses a bad one, and `no` asks for none. On the "
			"side that connects, `yes` checks the server's certificate and its "
			"name, and `no` checks neither. Anything but `yes` warns at every "
			"start.",
	},
	{
		.name = "peer-name",
		.value = "NAME|IP",
		.schema = TEXT,
		.words = none_only,
		.check = check_peer_name,
		.otherwise = "the host of connect",
		OF_SIDE(peer_name),
		.modes = 1 << MODE_ENCRYPT | 1 << MODE_BRIDGE,
		.sides = 1 << SIDE_CONNECT,
		.field = FIELD_TEXT,
		.sample = {"db.example.net"},
		.summary = "name or IP address that the server's certificate must have",
		.text = "The name or IP address that must stand in the server's "
			"certificate. It must be written when `connect` is a UNIX socket. "
			"`none` accepts every name, and needs `verify = no`.",
	},
	{
		.name = "server-name",
		.value = "NAME",
		.schema = TEXT,
		.words = none_only,
		.check = check_server_name,
		.otherwise = "peer-name, unless that is an IP address or none",
		OF_SIDE(server_name),
		.modes = 1 << MODE_ENCRYPT | 1 << MODE_BRIDGE,
		.sides = 1 << SIDE_CONNECT,
		.field = FIELD_TEXT,
		.sample = {"db.example.net"},
		.summary = "name to ask the server for (SNI)",
		.text = "The name that the server is asked for in the handshake "
			"(SNI). With `none` it is asked for no name.",
	},
	{
		.name = "tls-min-version",
		.value = "VERSION",
		.schema = WORD(versions),
		.initial = "1.2",
		OF_SIDE(min_version),
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_ENUM,
		.summary = "oldest version of TLS: 1.2 or 1.3",
		.text = "The oldest version of TLS that is spoken.",
	},
	{
		.name = "tls-max-version",
		.value = "VERSION",
		.schema = WORD(versions),
		.initial = "1.3",
		OF_SIDE(max_version),
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_ENUM,
		.summary = "newest version of TLS: 1.2 or 1.3",
		.text = "The newest version of TLS that is spoken. It is preferred "
			"where the peer has it.",
	},
	{
		.name = "priority",
		.value = "STRING",
		.schema = TEXT,
		.initial = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
			   ":-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA"
			   ":-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"
			   ":-MAC-ALL:+AEAD"
			   ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1"
			   ":%SERVER_PRECEDENCE:%PROFILE_MEDIUM",
		OF_SIDE(priority),
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_TEXT,
		.summary = "GnuTLS priority string: ciphers, groups, profile",
		.text = "The ciphers, groups and signatures that are spoken, as a "
			"priority string of GnuTLS. The versions in it are replaced by "
			"`tls-min-version` and `tls-max-version`. The profile is MEDIUM unless "
			"the string sets one. The default leaves out everything without "
			"forward secrecy or authenticated encryption; a string of your own is "
			"your own risk.",
	},
	{
		.name = "handshake-timeout",
		.value = "TIME",
		.schema = DURATION(MILLISECONDS(100), HOURS(1)),
		.initial = "10s",
		OF_SIDE(handshake_timeout),
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_SECONDS,
		.summary = "how long a TLS handshake may take",
		.text = "How long the whole TLS handshake may take, however slowly "
			"its bytes come.",
	},
	{
		.name = "truncation",
		.value = "abort|accept",
		.schema = WORD(truncations),
		.initial = "abort",
		OF_SIDE(truncation),
		.modes = MODES_ALL,
		.sides = SIDES_ALL,
		.field = FIELD_ENUM,
		.summary = "what a TLS end without close_notify means",
		.text = "What it means when the peer ends the connection without "
			"saying so by TLS (close_notify). With `abort` the data may have been "
			"cut by an attacker, and the tunnel is aborted. With `accept` it is an "
			"end like any other, for old peers that never say it.",
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
			"tunnel is aborted. Whole seconds count.",
	},
};

const size_t option_table_count = ARRAY_SIZE(option_table);

_Static_assert(ARRAY_SIZE(option_table) <= OPTIONS_LIMIT, "arrays by row are too small");
