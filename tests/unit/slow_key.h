/* SPDX-License-Identifier: MIT */
/*
 * slow_key.h - a private key that signs as slowly, as badly, or as late as the test says, and notes where.
 */
#ifndef TESTS_UNIT_SLOW_KEY_H
#define TESTS_UNIT_SLOW_KEY_H

#include <gnutls/abstract.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

struct credentials;
struct pki_pair;

struct slow_key {
	gnutls_privkey_t key; /* what it signs with */
	pthread_t loop_thread;
	atomic_uint milliseconds; /* it takes them so long */
	atomic_bool fails, gated; /* gated: it waits for the gate */
	sem_t begun, gate;
	atomic_uint signatures;
	atomic_bool elsewhere; /* all were made by other threads than the one of the test */
};

/* The one there is. */
extern struct slow_key slow_key;

/* Sign with the key of @pair, which is copied. The caller ends it with slow_key_release(). */
void slow_key_init(const struct pki_pair *pair);

void slow_key_release(void);

/* Have @party show the certificate of @pair and sign by the slow key. */
void slow_key_give(struct credentials *party, const struct pki_pair *pair);

/* Begin a test, in whose thread this is called: it is quick and good and has signed nothing. */
void slow_key_start(void);

/* Let through whoever a test that failed has left at the gate. */
void slow_key_open_gate(void);

/* End a test, when nobody signs any more. */
void slow_key_stop(void);

/* Wait until a signature has been begun that was not waited for yet. */
void slow_key_await(void);

#endif
