/* SPDX-License-Identifier: MIT */
/*
 * slow_ends.h - pairs of ends whose keys are slow_key.h's, on one loop that has two helpers to lend steps to.
 */
#ifndef TESTS_UNIT_SLOW_ENDS_H
#define TESTS_UNIT_SLOW_ENDS_H

#include "common/diag.h"
#include "common/pool.h"
#include "tunnel/loan.h"
#include "tunnel/loop.h"
#include "tunnel/stream.h"

struct credentials;
struct service;
struct tls_pair;
struct transport;

/* ANNA and BERT have a pre-shared key and no other, and only Anna may pass. */
enum {
	SERVER,
	CLIENT,
	CLIENT_1_2,
	CLIENT_RETRY,
	CLIENT_OTHER_NAME,
	CLIENT_ANNA,
	CLIENT_BERT,
	SERVICES
};

struct slow_ends {
	struct service *services[SERVICES];
	struct credentials *parties[SERVICES];
	struct pool_budget budget;
	struct loop loop;
	struct loan_desk desk;
	struct loan_helpers *helpers;
};

/* Those there are. */
extern struct slow_ends slow_ends;

/*
 * Of a group of tests, and of each test. At its end nothing may be left: neither memory of the pool nor a
 * reference to credentials.
 */
int slow_ends_begin(void **state);
int slow_ends_end(void **state);
int slow_ends_setup(void **state);
int slow_ends_teardown(void **state);

/* The next handshake is a full one. */
void slow_ends_forget_tickets(void);

/* Run the loop until no step is lent. */
void slow_ends_await(void);

/* Begin a pair of the server and @client. Nothing is sent yet. */
void slow_ends_start(struct tls_pair *pair, int client);

/* Begin, up to what the client says first, which has come to the server. */
void slow_ends_greet(struct tls_pair *pair, int client);

/* Go on with @end as far as that goes without its peer. */
enum io slow_ends_go_on(struct transport *end, struct diag *diag);

/* The same with a step that is lent. */
enum io slow_ends_await_step(struct transport *end, struct diag *diag);

/* Shake hands up to the flight of the server, which has come to the client. */
void slow_ends_reach_client(struct tls_pair *pair, int client);

/* Begin, and shake hands with pieces of @piece bytes, which goes well. */
void slow_ends_open(struct tls_pair *pair, int client, size_t piece);

/* Some words each way, which come. */
void slow_ends_exchange(struct tls_pair *pair);

void slow_ends_abort_server(struct tls_pair *pair);

#endif
