/* SPDX-License-Identifier: MIT */
/*
 * options.h - the one table of everything that can be configured.
 *
 * A row is all there is to know about an option; parser, defaults, bounds, inheritance, the command
 * line, the manual, the sample and the printed configuration walk the rows. What only holds between
 * several options is in validate.c.
 */
#ifndef TUNNEL_OPTIONS_H
#define TUNNEL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "common/schema.h"
#include "tunnel/config.h"

struct diag;

/* What has a value of its own. */
enum option_level {
	OPTION_OF_PROGRAM,
	OPTION_OF_SERVICE,
	OPTION_OF_SIDE, /* each side of a service that speaks TLS */
};

/* What is particular about an option. */
enum option_trait {
	OPTION_REPEATED = 1 << 0,   /* may be written several times; all count, in order */
	OPTION_OWN = 1 << 1,	    /* never inherited from the program's part */
	OPTION_REQUIRED = 1 << 2,   /* has no default and must be there; see @missing */
	OPTION_PREFIXED = 1 << 3,   /* must say its side in a bridge */
	OPTION_PATH = 1 << 4,	    /* a path, but for @words */
	OPTION_PAIRED = 1 << 5,	    /* cert and key: taken from one place, together */
	OPTION_NEEDS_CERT = 1 << 6, /* nothing without a certificate */
	OPTION_NEEDS_PATH = 1 << 7, /* nothing unless a UNIX socket with a path is accepted on */
	OPTION_NEEDS_ABSTRACT =
		1 << 8, /* nothing unless plaintext comes in by an abstract UNIX socket */
	OPTION_FILE_ONLY = 1 << 9,     /* not a command line flag */
	OPTION_TOKEN = 1 << 10,	       /* a path, or a URL of PKCS#11 */
	OPTION_ADDED = 1 << 11,	       /* values of a section add to inherited ones */
	OPTION_NEEDS_TOKEN = 1 << 12,  /* nothing unless a certificate or key is on a token */
	OPTION_NEEDS_SECRET = 1 << 13, /* nothing unless this end has a key of any kind */
	OPTION_NEEDS_VERIFY = 1 << 14, /* nothing unless the peer is verified */
	OPTION_NEEDS_CHAIN = 1 << 15,  /* nothing where verifying does without a chain */
	OPTION_NEEDS_TRUST = 1 << 16,  /* nothing unless it is said what certificates go by */
	OPTION_NEEDS_SHOWN = 1 << 17,  /* nothing unless this end can speak with certificates */
	OPTION_NEEDS_PROOF = 1 << 18,  /* nothing where only pre-shared keys let in */
};

/* When a changed value counts after a reload. */
enum option_reload {
	RELOAD_NEW_TUNNELS, /* for tunnels that begin afterwards */
	RELOAD_AT_ONCE,
	RELOAD_RESTART, /* only after a restart */
};

/* The type of the field at @offset. */
enum option_field {
	FIELD_NONE, /* nothing is stored by the table's rule */
	FIELD_TEXT,
	FIELD_TEXTS, /* struct texts: every value */
	FIELD_LIST,  /* struct texts: every element of every list */
	FIELD_BOOL,
	FIELD_ENUM, /* the word's place, and any unsigned */
	FIELD_SECONDS,
	FIELD_SIZE,
};

/* In texts, `backquotes` mark what is typed into a file. */
struct option {
	const char *name;
	const char *value; /* what stands for the value: "HOST:PORT" */
	struct schema schema;
	const char *const *words; /* of a text: those with a meaning of their own; NULL: none */
	int (*check)(const char *value, struct diag *diag); /* of a text: is it one? NULL: any is */
	const char *initial;   /* the default as it would be written; NULL: there is none */
	const char *otherwise; /* without @initial: what happens without a value */
	const char *missing;   /* the remedy when it is required */
	const char *needs;     /* the option of the same side without which it is nothing */
	enum option_level level;
	unsigned traits;
	unsigned modes; /* 1 << mode, in which it has an effect */
	unsigned sides; /* OPTION_OF_SIDE: 1 << side, on which it has an effect */
	enum option_reload reload;
	enum option_field field;
	size_t offset; /* in struct config, service_config or tls_config */
	const char *sample[MODE_OFFLOAD +
		1];	     /* the value in the sample's sections; [0] the program's */
	const char *summary; /* half a line for --help and the sample */
	const char *text;    /* whole sentences for the manual */
};

enum { OPTIONS_LIMIT = 96 }; /* more rows than there will ever be, for arrays by row */

/* Count the rows. */
size_t options_count(void);

/* Get row @index. */
const struct option *options_get(size_t index);

/* Get the index of @option, which is a row. */
size_t options_index(const struct option *option);

/*
 * Find the option called @name, which may carry the prefix of a side if it is of a TLS side: then
 * @side says which, else it is SIDES. NULL when there is none.
 */
const struct option *options_find(const char *name, enum side *side);

/* Write the option's name that is most like @name into @array of @size bytes. False when none is near. */
bool options_suggest(const char *name, char *array, size_t size);

/* Check @value of @option: its schema and its own check. As schema_parse(). */
MUST_USE int option_parse(
	const struct option *option, const char *value, uint64_t *number, struct diag *diag);

/* Is @value one of the words of @option? */
bool option_is_word(const struct option *option, const char *value);

/* Is @value the URL of something on a PKCS#11 token (RFC 7512)? */
bool option_is_token(const char *value);

/* Is @value of @option a path? */
bool option_is_path(const struct option *option, const char *value);

/* "accept-", "connect-", and "" for SIDES. */
const char *option_prefix(enum side side);

/* "encrypt", "offload", "bridge". */
const char *mode_name(enum mode mode);

#endif
