/* SPDX-License-Identifier: MIT */
/* Every error that a configuration can have: the texts, and all that is said about them. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/config.h"

/* Six good lines each, that a row adds to. */
#define REST	"cert = c\nca = a\n"
#define ENCRYPT "[a]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = h:2\n" REST
#define OFFLOAD "[a]\nmode = offload\naccept = *:1\nconnect = 127.0.0.1:2\n" REST
#define BRIDGE	"[a]\nmode = bridge\naccept = *:1\nconnect = h:2\n" REST

struct row {
	const char *claim;
	const char *main, *included; /* texts called m and i */
	const char *errors;
};

static const struct row rows[] = {
	{
		.claim = "a configuration without a service is an error",
		.main = "workers = 2\n",
		.errors = "m: there is no service; write a section for one, such as [orders-db], "
			  "or an include\n",
	},
	{
		.claim = "an unknown option is named, with what was meant",
		.main = ENCRYPT "idle-timout = 1s\n"
				"zzzzzz = 1\n",
		.errors = "m:7: service a: idle-timout: is no option; did you mean idle-timeout?\n"
			  "m:8: service a: zzzzzz: is no option; sallyport.conf(5) lists all\n",
	},
	{
		.claim = "only options of TLS take a prefix",
		.main = "acept-verify = yes\n" ENCRYPT "accept-keepalive = 1s\n",
		.errors = "m:1: acept-verify: is no option; did you mean accept-verify?\n"
			  "m:8: service a: accept-keepalive: is no option; sallyport.conf(5) lists "
			  "all\n",
	},
	{
		.claim = "a single value is written once",
		.main = ENCRYPT "ca = d\n",
		.errors = "m:7: service a: ca: \"d\" is a second value, after that in line 6; "
			  "remove one of both\n",
	},
	{
		.claim = "the program's options stay out of sections",
		.main = ENCRYPT "log-level = debug\n"
				"include = x.conf\n",
		.errors = "m:7: service a: log-level: \"debug\" stands in a section, but is the "
			  "program's; move it before the first section of the main file\n"
			  "m:8: service a: include: \"x.conf\" stands in a section, but is the "
			  "program's; move it before the first section of the main file\n",
	},
	{
		.claim = "mode and accept are not inherited",
		.main = "mode = encrypt\n"
			"accept = *:1\n" ENCRYPT,
		.errors = "m:1: mode: \"encrypt\" stands before the first section, and services do "
			  "not inherit it; move it into a section\n"
			  "m:2: accept: \"*:1\" stands before the first section, and services do "
			  "not inherit it; move it into a section\n",
	},
	{
		.claim = "a default that has no effect anywhere is an error",
		.main = "peer-name = x\n" OFFLOAD,
		.errors = "m:1: peer-name: \"x\" is a default that no service uses; remove it, or "
			  "move it into the service it is for\n",
	},
	{
		.claim = "a default that every service replaces is an error",
		.main = "idle-timeout = 1s\n" ENCRYPT "idle-timeout = 2s\n",
		.errors = "m:1: idle-timeout: \"1s\" is a default that no service uses; remove it, "
			  "or move it into the service it is for\n",
	},
	{
		.claim = "a default for a plaintext side is an error",
		.main = "accept-truncation = abort\n" ENCRYPT,
		.errors = "m:1: accept-truncation: \"abort\" is a default that no service uses; "
			  "remove it, or move it into the service it is for\n",
	},
	{
		.claim = "what is required must be there",
		.main = "[a]\n"
			"[b]\n"
			"mode = encrypt\n"
			"[c]\n"
			"mode = bridge\n",
		.errors = "m:1: service a: mode: is missing; write mode = encrypt, offload or "
			  "bridge\n"
			  "m:2: service b: accept: is missing; say where clients connect to, such "
			  "as accept = 127.0.0.1:5432\n"
			  "m:2: service b: connect: is missing; say where the service connects to, "
			  "such as connect = db.example.net:15432\n"
			  "m:2: service b: cert: is missing; name the file with the certificate "
			  "that this end shows to its peer\n"
			  "m:2: service b: ca: is missing; name the file with the CA certificates "
			  "that vouch for the peer\n"
			  "m:4: service c: accept: is missing; say where clients connect to, such "
			  "as accept = 127.0.0.1:5432\n"
			  "m:4: service c: connect: is missing; say where the service connects to, "
			  "such as connect = db.example.net:15432\n"
			  "m:4: service c: accept-cert: is missing; name the file with the "
			  "certificate that this end shows to its peer\n"
			  "m:4: service c: connect-cert: is missing; name the file with the "
			  "certificate that this end shows to its peer\n"
			  "m:4: service c: accept-ca: is missing; name the file with the CA "
			  "certificates that vouch for the peer\n"
			  "m:4: service c: connect-ca: is missing; name the file with the CA "
			  "certificates that vouch for the peer\n",
	},
	{
		.claim = "without a mode nothing else is judged",
		.main = "[a]\n"
			"mode = encryt\n",
		.errors = "m:2: service a: mode: \"encryt\" is not known here; write encrypt, "
			  "offload or bridge\n",
	},
	{
		.claim = "service names are plain",
		.main = "[a b]\n"
			"[-a]\n"
			"[]\n",
		.errors = "m:1: \"a b\" is not a name for a service; use up to 63 letters, digits, "
			  "'.', '_' and '-', a letter or digit first\n"
			  "m:2: \"-a\" is not a name for a service; use up to 63 letters, digits, "
			  "'.', '_' and '-', a letter or digit first\n"
			  "m:3: \"\" is not a name for a service; use up to 63 letters, digits, "
			  "'.', '_' and '-', a letter or digit first\n",
	},
	{
		.claim = "words are those of the table",
		.main = ENCRYPT "truncation = yes\n"
				"allow-remote-plaintext = true\n"
				"key-permissions = no\n"
				"verify = maybe\n"
				"tls-min-version = 1.1\n",
		.errors = "m:7: service a: truncation: \"yes\" is not known here; write abort or "
			  "accept\n"
			  "m:8: service a: allow-remote-plaintext: \"true\" is not known here; "
			  "write no or yes\n"
			  "m:9: service a: key-permissions: \"no\" is not known here; write off or "
			  "yes\n"
			  "m:10: service a: verify: \"maybe\" is not known here; write no, "
			  "optional or yes\n"
			  "m:11: service a: tls-min-version: \"1.1\" is not known here; write 1.2 "
			  "or 1.3\n",
	},
	{
		.claim = "numbers have units and bounds",
		.main = "workers = 0\n"
			"buffer-memory = 1MiB\n"
			"drain-timeout = 5\n"
			"log-level = loud\n"
			"log-format = xml\n" ENCRYPT "idle-timeout = 1 s\n"
			"connect-timeout = off\n"
			"handshake-timeout = 2h\n"
			"half-close-timeout = x\n"
			"keepalive = 10h\n",
		.errors = "m:1: workers: \"0\" is out of bounds; write a number from 1 to 256, or "
			  "auto\n"
			  "m:2: buffer-memory: \"1MiB\" is out of bounds; write a size from 16MiB "
			  "to 1024GiB\n"
			  "m:3: drain-timeout: \"5\" has no unit; write a duration from 100ms to "
			  "30d, or off\n"
			  "m:4: log-level: \"loud\" is not known here; write error, warning, "
			  "notice, info or debug\n"
			  "m:5: log-format: \"xml\" is not known here; write text, logfmt or json\n"
			  "m:12: service a: idle-timeout: \"1 s\" does not end in a known unit; "
			  "write a duration from 100ms to 30d, or off\n"
			  "m:13: service a: connect-timeout: \"off\" is not a number that can be "
			  "used; write a duration from 100ms to 1h\n"
			  "m:14: service a: handshake-timeout: \"2h\" is out of bounds; write a "
			  "duration from 100ms to 1h\n"
			  "m:15: service a: half-close-timeout: \"x\" is not a number that can be "
			  "used; write a duration from 100ms to 30d, or off\n"
			  "m:16: service a: keepalive: \"10h\" is out of bounds; write a duration "
			  "from 1s to 9h, or off\n",
	},
	{
		.claim = "huge numbers are out of bounds",
		.main = "buffer-memory = 99999999999999999999GiB\n"
			"workers = 257\n" ENCRYPT,
		.errors = "m:1: buffer-memory: \"99999999999999999999GiB\" is not a number that "
			  "can be used; write a size from 16MiB to 1024GiB\n"
			  "m:2: workers: \"257\" is out of bounds; write a number from 1 to 256, "
			  "or auto\n",
	},
	{
		.claim = "addresses must be addresses",
		.main = "[a]\n"
			"mode = encrypt\n"
			"accept = 127.0.0.1\n"
			"connect = *:2\n"
			"cert = c\n"
			"ca = a\n",
		.errors = "m:3: service a: accept: \"127.0.0.1\" is not an address to listen on: "
			  "the port is missing: expected HOST:PORT, [IPV6]:PORT, *:PORT, "
			  "unix:/PATH or unix:@NAME\n"
			  "m:4: service a: connect: \"*:2\" is not an address to connect to: \"*\" "
			  "can be listened on, but not connected to\n",
	},
	{
		.claim = "socket options need their sockets",
		.main = ENCRYPT "socket-mode = 0600\n"
				"socket-owner = x\n"
				"socket-group = x\n"
				"socket-users = x\n",
		.errors = "m:7: service a: socket-mode: \"0600\" has no effect without accept = "
			  "unix:/path; remove it\n"
			  "m:8: service a: socket-owner: \"x\" has no effect without accept = "
			  "unix:/path; remove it\n"
			  "m:9: service a: socket-group: \"x\" has no effect without accept = "
			  "unix:/path; remove it\n"
			  "m:10: service a: socket-users: \"x\" has no effect without accept = "
			  "unix:@name; remove it\n",
	},
	{
		.claim = "socket values are checked",
		.main = ENCRYPT "accept = unix:/x\n"
				"accept = unix:@x\n"
				"socket-mode = 999\n"
				"socket-users = a,,b\n",
		.errors = "m:9: service a: socket-mode: \"999\" is not a file mode; write a file "
			  "mode in octal, such as 0660\n"
			  "m:10: service a: socket-users: \"a,,b\" has an empty element; write one "
			  "or more, separated by commas\n",
	},
	{
		.claim = "only plaintext listeners judge users",
		.main = OFFLOAD "accept = unix:@x\n"
				"socket-users = root\n",
		.errors = "m:8: service a: socket-users: \"root\" has no effect in mode offload, "
			  "only in encrypt; remove it\n",
	},
	{
		.claim = "the prefix of a plaintext side has no effect",
		.main = ENCRYPT "accept-cert = c\n",
		.errors = "m:7: service a: accept-cert: \"c\" has no effect, because in mode "
			  "encrypt the side that accepts is plaintext; remove it\n",
	},
	{
		.claim = "the side that accepts has no peer name",
		.main = BRIDGE "accept-peer-name = x\n",
		.errors = "m:7: service a: accept-peer-name: \"x\" has no effect on the side that "
			  "accepts; remove it\n",
	},
	{
		.claim = "offload has no server name",
		.main = OFFLOAD "server-name = x\n",
		.errors = "m:7: service a: server-name: \"x\" has no effect in mode offload, only "
			  "in encrypt and bridge; remove it\n",
	},
	{
		.claim = "a bridge has no plaintext",
		.main = BRIDGE "allow-remote-plaintext = yes\n",
		.errors = "m:7: service a: allow-remote-plaintext: \"yes\" has no effect in mode "
			  "bridge, only in encrypt and offload; remove it\n",
	},
	{
		.claim = "verify says its side in a bridge",
		.main = BRIDGE "verify = no\n",
		.errors = "m:7: service a: verify: \"no\" must say its side in a bridge; write "
			  "accept-verify or connect-verify\n",
	},
	{
		.claim = "a plain default of verify is not for a bridge",
		.main = "verify = no\n" BRIDGE,
		.errors = "m:1: verify: \"no\" is a default that no service uses; remove it, or "
			  "move it into the service it is for\n",
	},
	{
		.claim = "a plain option beside both prefixed ones has no effect",
		.main = BRIDGE "idle-timeout = 1s\n"
			       "priority = x\n"
			       "accept-priority = y\n"
			       "connect-priority = z\n",
		.errors = "m:8: service a: priority: \"x\" has no effect, because every side has "
			  "its own; remove it\n",
	},
	{
		.claim = "a prefixed key does not take a plain certificate",
		.main = BRIDGE "accept-key = k\n",
		.errors = "m:7: service a: accept-key: \"k\" has no certificate beside it, and "
			  "both are inherited only together; write accept-cert in the same place\n",
	},
	{
		.claim = "a key does not take an inherited certificate",
		.main = "cert = d\n"
			"key = e\n"
			"[a]\n"
			"mode = offload\n"
			"accept = *:1\n"
			"connect = 127.0.0.1:2\n"
			"ca = a\n"
			"key = k\n",
		.errors = "m:1: cert: \"d\" is a default that no service uses; remove it, or move "
			  "it into the service it is for\n"
			  "m:2: key: \"e\" is a default that no service uses; remove it, or move "
			  "it into the service it is for\n"
			  "m:8: service a: key: \"k\" has no certificate beside it, and both are "
			  "inherited only together; write cert in the same place\n",
	},
	{
		.claim = "a server needs a certificate",
		.main = "[a]\n"
			"mode = offload\n"
			"accept = *:1\n"
			"connect = 127.0.0.1:2\n"
			"cert = none\n"
			"ca = a\n",
		.errors = "m:5: service a: cert: \"none\" is not possible on the side that "
			  "accepts, where a server needs a certificate or psk; name its file\n",
	},
	{
		.claim = "without a certificate there is no key",
		.main = "[a]\n"
			"mode = encrypt\n"
			"accept = 127.0.0.1:1\n"
			"connect = h:2\n"
			"cert = none\n"
			"ca = a\n"
			"key = k\n"
			"key-permissions = off\n",
		.errors = "m:7: service a: key: \"k\" has no effect with cert = none; remove it\n"
			  "m:8: service a: key-permissions: \"off\" has no effect with cert = "
			  "none; remove it\n",
	},
	{
		.claim = "without a CA nothing is verified",
		.main = "[a]\n"
			"mode = encrypt\n"
			"accept = 127.0.0.1:1\n"
			"connect = h:2\n"
			"cert = c\n"
			"ca = none\n",
		.errors =
			"m:6: service a: ca: \"none\" would leave nothing to verify the peer by, "
			"since there is neither pin nor psk; write one of them, or name a file, a "
			"directory or system\n",
	},
	{
		.claim = "a server is verified or not",
		.main = ENCRYPT "verify = optional\n",
		.errors = "m:7: service a: verify: \"optional\" is for the side that accepts, a "
			  "server always has a certificate; write yes or no\n",
	},
	{
		.claim = "verified servers have names",
		.main = ENCRYPT "peer-name = none\n",
		.errors =
			"m:7: service a: peer-name: \"none\" would trust every server that the "
			"CA vouches for; name the one that is meant, or say with allow or pin who "
			"may answer, or write verify = no\n",
	},
	{
		.claim = "a UNIX target has no name of its own",
		.main = ENCRYPT "connect = unix:/x\n",
		.errors = "m:1: service a: peer-name: is missing, and the UNIX socket in connect "
			  "has no host to take it from; name the host that must stand in the "
			  "server's certificate\n",
	},
	{
		.claim = "names are names",
		.main = ENCRYPT "peer-name = a:1\n"
				"server-name = 10.0.0.1\n",
		.errors = "m:7: service a: peer-name: \"a:1\" is neither a host name nor an IP "
			  "address; write one without a port, brackets or wildcards\n"
			  "m:8: service a: server-name: \"10.0.0.1\" is an IP address, which SNI "
			  "cannot carry; write a host name or none\n",
	},
	{
		.claim = "SNI has no wildcards",
		.main = ENCRYPT "server-name = *.x\n",
		.errors = "m:7: service a: server-name: \"*.x\" is not a host name; write one "
			  "without a port or wildcards, or none\n",
	},
	{
		.claim = "versions must be in order",
		.main = ENCRYPT "tls-min-version = 1.3\n"
				"tls-max-version = 1.2\n",
		.errors = "m:8: service a: tls-max-version: \"1.2\" leaves no version, because "
			  "tls-min-version is above tls-max-version; change one of both\n",
	},
	{
		.claim = "versions are compared across levels",
		.main = "tls-min-version = 1.3\n" OFFLOAD "tls-max-version = 1.2\n",
		.errors = "m:8: service a: tls-max-version: \"1.2\" leaves no version, because "
			  "tls-min-version is above tls-max-version; change one of both\n",
	},
	{
		.claim = "plaintext from elsewhere must be allowed",
		.main = "[a]\n"
			"mode = encrypt\n"
			"accept = *:1\n"
			"connect = h:2\n"
			"cert = c\n"
			"ca = a\n",
		.errors = "m:3: service a: accept: \"*:1\" takes plaintext from other machines; "
			  "write an address of this machine, such as 127.0.0.1, or "
			  "allow-remote-plaintext = yes\n",
	},
	{
		.claim = "plaintext to elsewhere must be allowed",
		.main = "[a]\n"
			"mode = offload\n"
			"accept = *:1\n"
			"connect = h:2\n"
			"cert = c\n"
			"ca = a\n",
		.errors = "m:4: service a: connect: \"h:2\" may send plaintext to another machine; "
			  "write an address of this machine, such as 127.0.0.1, or "
			  "allow-remote-plaintext = yes\n",
	},
	{
		.claim = "two services cannot listen on one address",
		.main = ENCRYPT "[b]\n"
				"mode = offload\n"
				"accept = 127.0.0.1:1\n"
				"connect = 127.0.0.1:2\n"
				"cert = c\n"
				"ca = a\n",
		.errors = "m:9: service b: accept: \"127.0.0.1:1\" is taken by service a in m:3; "
			  "give one of both another address\n",
	},
	{
		.claim = "nor one service twice",
		.main = OFFLOAD "accept = *:1\n",
		.errors = "m:7: service a: accept: \"*:1\" is taken by service a in m:3; give one "
			  "of both another address\n",
	},
	{
		.claim = "lines that are not understood are all told",
		.main = "x\n"
			"[a\n"
			"[b] c\n"
			"= 1\n"
			"a b = 1\n"
			"user =\n"
			"x:y = 2\n"
			"\x01"
			"\n",
		.errors =
			"m:1: the line has no '='; write option = value, or '#' before a comment\n"
			"m:2: the section's name is not ended; write ']' behind it\n"
			"m:3: there is text behind ']'; move it to a line of its own\n"
			"m:4: there is no name in front of '='; write option = value\n"
			"m:5: the line does not begin with a name and '='; write option = value\n"
			"m:6: there is no value behind '='; write one, or remove the line\n"
			"m:7: the line does not begin with a name and '='; write option = value\n"
			"m:8: the line holds a control character; remove it\n",
	},
	{
		.claim = "a name is used once in all files",
		.main = ENCRYPT,
		.included = "[a]\n"
			    "mode = encrypt\n"
			    "accept = 127.0.0.13\n"
			    "connect = h:2\n"
			    "cert = c\n"
			    "ca = a\n",
		.errors = "i:1: service a: the name is used already in m:1; give one of both "
			  "services another name\n"
			  "i:3: service a: accept: \"127.0.0.13\" is not an address to listen on: "
			  "the port is missing: expected HOST:PORT, [IPV6]:PORT, *:PORT, "
			  "unix:/PATH or unix:@NAME\n",
	},
	{
		.claim = "included files hold sections only",
		.main = ENCRYPT,
		.included = "user = x\n"
			    "\n"
			    "[b]\n"
			    "mode = encrypt\n",
		.errors = "i:1: user: \"x\" stands before the first section, and included files "
			  "hold sections only; move it into one, or into the main file\n"
			  "i:3: service b: accept: is missing; say where clients connect to, such "
			  "as accept = 127.0.0.1:5432\n"
			  "i:3: service b: connect: is missing; say where the service connects to, "
			  "such as connect = db.example.net:15432\n"
			  "i:3: service b: cert: is missing; name the file with the certificate "
			  "that this end shows to its peer\n"
			  "i:3: service b: ca: is missing; name the file with the CA certificates "
			  "that vouch for the peer\n",
	},
	{
		.claim = "only .conf files are included",
		.main = "include = conf.d/*\n" ENCRYPT,
		.errors = "m:1: include: \"conf.d/*\" does not end in .conf, and only such files "
			  "are read; write a pattern such as conf.d/*.conf\n",
	},
};

static void
add_text(struct config_texts *texts, const char *name, const char *data)
{
	char name_copy[8], *data_copy = strdup(data);
	struct config_text text = {.name = name_copy, .data = data_copy, .size = strlen(data)};
	struct diag diag;

	(void)snprintf(name_copy, sizeof(name_copy), "%s", name);
	assert_int_equal(config_texts_add(texts, &text, &diag), 0);
	free(data_copy);
}

static void
every_error_is_told_with_its_place_and_remedy(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config_texts texts = {0};
		char *errors = NULL;
		size_t size;
		FILE *out = open_memstream(&errors, &size);

		assert_non_null(out);
		print_message("%s\n", rows[i].claim);
		add_text(&texts, "m", rows[i].main);
		if (rows[i].included)
			add_text(&texts, "i", rows[i].included);
		assert_null(config_new(&texts, out));
		assert_int_equal(fclose(out), 0);
		assert_string_equal(errors, rows[i].errors);
		free(errors);
		config_texts_release(&texts);
	}
}

static void
too_many_errors_are_counted(void **state)
{
	enum { LINES = 1500 };
	struct config_texts texts = {0};
	char *data = calloc(LINES, 2), *errors = NULL;
	size_t size;
	FILE *out = open_memstream(&errors, &size);

	(void)state;
	assert_non_null(out);
	for (size_t i = 0; i < LINES; i++)
		memcpy(data + 2 * i, i + 1 < LINES ? "x\n" : "x", i + 1 < LINES ? 2 : 1);
	add_text(&texts, "m", data);
	assert_null(config_new(&texts, out));
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(errors, "\n501 more errors are not shown\n"));
	free(errors);
	free(data);
	config_texts_release(&texts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_is_told_with_its_place_and_remedy),
		cmocka_unit_test(too_many_errors_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
