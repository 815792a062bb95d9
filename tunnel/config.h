/* SPDX-License-Identifier: MIT */
/*
 * config.h - the configuration as the program uses it, made from texts without opening a file.
 *
 * The texts are gathered by config_gather() (which reads the main file and what it includes) or come
 * from the command line; config_new() turns them into one immutable, counted struct with every
 * default and inheritance resolved. The rows of options.c say what each option is; no other file
 * knows an option's name, default or bounds.
 */
#ifndef TUNNEL_CONFIG_H
#define TUNNEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/address.h"
#include "common/defs.h"
#include "common/log.h"

struct diag;
struct files;

enum mode { MODE_ENCRYPT, MODE_OFFLOAD, MODE_BRIDGE };

/* The two sides of a service: where clients come in, and where it connects to. */
enum side { SIDE_ACCEPT, SIDE_CONNECT, SIDES };

enum verify { VERIFY_NO, VERIFY_OPTIONAL, VERIFY_YES };

enum tls_version { TLS_VERSION_1_2, TLS_VERSION_1_3 };

enum truncation { TRUNCATION_ABORT, TRUNCATION_ACCEPT };

enum crl_missing { CRL_MISSING_REFUSE, CRL_MISSING_ACCEPT };

enum ocsp { OCSP_OFF, OCSP_CHECK, OCSP_REQUIRE };

enum key_process { KEY_PROCESS_NO, KEY_PROCESS_YES, KEY_PROCESS_AUTO };

/* Texts in the order in which they were written, each whole. */
struct texts {
	const char *const *list;
	size_t count;
};

/* A certificate chain and its key: paths, or URLs of PKCS#11. */
struct identity_config {
	const char *cert;
	const char *key; /* defaults to cert */
};

/*
 * The options of one side that speaks TLS. Paths are complete, strings never NULL unless said.
 *
 * @priority is a GnuTLS priority string that always names a profile. The versions in it do not count:
 * whoever uses it appends ":-VERS-ALL" and ":+VERS-TLS1.x" for each from @min_version to @max_version.
 */
struct tls_config {
	const struct identity_config *identities;
	size_t identity_count;	   /* 0: "none" */
	const char *password_file; /* of encrypted keys; NULL: there is none */
	const char *pin_source;	   /* of PKCS#11 tokens; NULL: there is none */
	const char *ca; /* file or directory; NULL: ca_is_system, or nothing to verify by */
	struct texts allow, deny;  /* rules, see rule.h */
	struct texts pins;	   /* see pin.h */
	struct texts alpn;	   /* names of protocols, preferred first; none: not negotiated */
	struct texts sni;	   /* accept side: patterns, without "default"; see sni.h */
	const char *crl;	   /* file or directory; NULL: revocation is not checked by lists */
	const char *ocsp_response; /* accept side: file to staple; NULL: nothing is stapled */
	const char *ticket_keys;   /* accept side: file of 64 bytes; NULL: made at start */
	const char *psk;	   /* file of identities and keys; NULL: no PSK */
	const char *psk_identity;  /* connect side, with psk: which one is ours */
	const char *peer_name; /* connect side; NULL: the host of the very target that is dialled */
	const char *server_name; /* connect side; NULL: the peer name, unless IP or none */
	const char *priority;
	double handshake_timeout; /* seconds */
	double ticket_lifetime;	  /* accept side: seconds */
	enum verify verify;	  /* NO: ca may be NULL without ca_is_system */
	enum tls_version min_version, max_version;
	enum truncation truncation;
	enum crl_missing crl_missing;
	enum ocsp ocsp;	     /* connect side */
	bool tickets;	     /* sessions may be resumed */
	bool sni_is_default; /* accept side: takes unknown and absent names */
	bool used;	     /* false: this side is plaintext, and the rest is zero */
	bool ca_is_system;
	bool peer_name_is_none;	  /* no name is wanted; only with VERIFY_NO, a rule or a pin */
	bool server_name_is_none; /* no name is sent */
	bool key_permissions;	  /* false: "off", the mode of the key file is not looked at */
	bool remember_chains;	  /* what verified is not verified anew for a while */
};

/* One section. Seconds are 0 where the option is off. */
struct service_config {
	const char *name;
	enum mode mode;
	const struct address *accept;
	size_t accept_count; /* at least one; never a name */
	const struct address *connect;
	size_t connect_count; /* at least one, in order of preference */
	struct tls_config tls[SIDES];
	bool allow_remote_plaintext;
	double connect_timeout, idle_timeout, half_close_timeout;
	double keepalive;
	unsigned socket_mode;	  /* of UNIX listeners */
	const char *socket_owner; /* user name or number, NULL: as created */
	const char *socket_group;
	const char *const *socket_users; /* who may connect to an abstract plaintext listener ... */
	size_t socket_users_count;	 /* ... 0: root and the program's own user */
};

struct config {
	const char *user, *group; /* NULL: unchanged */
	unsigned workers;	  /* 0: one a core */
	enum log_level log_level;
	enum log_format log_format;
	const char *log_target; /* "stderr", "syslog" or a complete path */
	uint64_t buffer_memory; /* bytes */
	double drain_timeout;	/* seconds; 0: off, wait for ever */
	bool busy_wait;
	enum key_process key_process;
	bool reload_on_change;
	const struct service_config *services;
	size_t service_count; /* at least one */
};

/* Where the text of a configuration came from. */
struct config_text {
	char *name; /* path of the file, as messages name it */
	char *data; /* NUL-terminated */
	size_t size;
	bool from_flags; /* made of command line flags: messages name "--option" instead of a line */
};

/* All texts of a configuration; the main file first, then those included, in order. */
struct config_texts {
	struct config_text *entries;
	size_t count;
};

/* Release everything in @texts, which may be all zero. */
void config_texts_release(struct config_texts *texts);

/* Append copies as one more text. Returns 0, or -1 with words (memory). */
MUST_USE int config_texts_add(
	struct config_texts *texts, const struct config_text *text, struct diag *diag);

/*
 * Read the main file @path and what it includes into @texts. Every error is written to @errors, a
 * line each, `FILE:LINE: …`. Returns 0, or -1 if there was any; @texts then has what could be read, so
 * that config_new() can tell the errors in it too.
 */
MUST_USE int config_gather(struct config_texts *texts, const char *path, FILE *errors);

/*
 * Call @visit with @user and the complete path of each file or pattern that the main file, the first of
 * @texts, includes.
 */
void config_visit_includes(
	const struct config_texts *texts, void (*visit)(void *user, const char *path), void *user);

/*
 * Make the text of one service of @mode out of command line flags `--option value` (or
 * `--option=value`), service options and program options alike. Relative paths start at the working
 * directory. The service is called like its mode. Errors and result as config_gather().
 */
MUST_USE int config_from_flags(
	struct config_texts *texts, enum mode mode, int argc, char **argv, FILE *errors);

/*
 * Build the configuration of @texts. Every error of every text is written to @errors, a line each,
 * with its remedy. The caller drops the result with config_unref(). NULL if there was any error.
 */
MUST_USE struct config *config_new(const struct config_texts *texts, FILE *errors);

/* Counted, from any thread. config_unref(NULL) does nothing. */
struct config *config_ref(struct config *config);
void config_unref(struct config *config);

/*
 * Read every file that @config names (certificates, keys judged by their modes, trust anchors, the
 * system's too, under the path SYSTEM_TRUST_FILE) into @files, and look up the users and groups that it
 * names. Errors as above. Returns 0, or -1 if there was any.
 */
MUST_USE int config_read_files(const struct config *config, struct files *files, FILE *errors);

/*
 * Put `FILE:LINE: service NAME: OPTION: "VALUE": ` in front of the words of @diag, for an error that
 * only showed when the value of @option (on @side, where it is an option of a TLS side) was used.
 */
void config_blame(const struct config *config, const struct service_config *service, enum side side,
	const char *option, struct diag *diag);

/*
 * The same for the value @nth, from 0, of an option that can be written several times. Where there are no
 * keys the certificate is blamed, in whose file they are.
 */
void config_blame_nth(const struct config *config, const struct service_config *service,
	enum side side, const char *option, size_t nth, struct diag *diag);

/* The same for @option of the program. Does nothing where it was not written. */
void config_blame_program(const struct config *config, const char *option, struct diag *diag);

/*
 * Write a line for everything that is less safe than the default (verify, key-permissions, crl-missing,
 * allow-remote-plaintext), in the form of the errors.
 */
void config_print_warnings(const struct config *config, FILE *out);

/*
 * Write the effective value of every option, behind a comment that says where it came from, so that what
 * is written can be loaded again.
 */
void config_print(const struct config *config, FILE *out);

/*
 * What the table of options knows, for the documents that are compared with it: the `--help` of the
 * service modes, the marked part of sallyport.conf(5) in mdoc, and conf.d/sample.conf.
 */
void config_print_help(FILE *out);
void config_print_manual(FILE *out);
void config_print_sample(FILE *out);

#endif
