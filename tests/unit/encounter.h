/* SPDX-License-Identifier: MIT */
/*
 * encounter.h - two sessions over a socketpair, and what each end thinks of the other.
 */
#ifndef TESTS_UNIT_ENCOUNTER_H
#define TESTS_UNIT_ENCOUNTER_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "common/files.h"
#include "tunnel/authorise.h"
#include "tunnel/pki_pair.h"

enum { CLIENT, SERVER, ENDS };

struct encounter {
	struct files files;
	struct service *services[ENDS];
	gnutls_session_t sessions[ENDS];
	struct judgement judgements[ENDS];
	int results[ENDS]; /* of the handshake */
	int fds[ENDS];
};

/* The one there is, and its pairs: "good" is of "authority", whom both ends trust, for localhost. */
extern struct pki_pair authority, stranger, good;
extern struct encounter encounter;

/* Lines of a configuration: good.crt is there from the start, bad.crt is what a test adds. */
extern const char good_pair[], bad_pair[];

/* Of a group of tests, and of each test; one that needs several encounters calls the last two itself. */
int encounter_begin(void **state);
int encounter_end(void **state);
int encounter_setup(void **state);
int encounter_teardown(void **state);

/* Make both ends with these options; the client expects @name, or none for NULL. */
void encounter_make(const char *client, const char *server, const char *name);

/* Shake hands until both ends are done, broken, or wait for one that is broken. */
void encounter_shake_hands(void);

/* May the peer of @end pass? */
bool encounter_ask(int end);

void encounter_assert_refused(int end, gnutls_alert_description_t alert, const char *words);

#endif
