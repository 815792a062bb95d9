/* SPDX-License-Identifier: MIT */
/*
 * stage.h - a supervisor in a process of its own, and its serve as a puppet of the test.
 *
 * What the supervisor starts as serve is the test's program again: its main() then returns stage_serve().
 * The puppet passes what main says on to the test, and what the test says on to main; only a COMMIT it
 * answers by itself, just before it passes it on, unless it was told to hold. Their link is its
 * descriptor 0, which every serve inherits. Everything fails the test that does not come in time. Files are
 * in the directory of the test (scratch.h).
 */
#ifndef TESTS_UNIT_STAGE_H
#define TESTS_UNIT_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/message.h"
#include "tests/unit/scratch.h"

enum { STAGE_PATIENCE = 20 /* seconds */ };

/* What the test and the puppet say to each other besides enum protocol_kind. */
enum {
	PUPPET_STARTED = 100, /* the number is its process */
	PUPPET_EXIT,	      /* with that number */
	PUPPET_BABBLE,	      /* say to main what is no message */
	PUPPET_HANG,	      /* hear main no more, and live */
	PUPPET_LEAVE,	      /* give up the channel to main, say that, and live */
	PUPPET_HOLD,	      /* let the test say PROTOCOL_COMMITTED */
};

struct stage {
	char config[SCRATCH_PATH], log[SCRATCH_PATH];
	uid_t user;	   /* of the supervisor */
	pid_t pid;	   /* the supervisor; 0: none */
	pid_t serve;	   /* the last puppet */
	int link;	   /* the test's end; -1: none */
	int words;	   /* the supervisor's standard error, to read from; -1: none */
	char heard[32768]; /* all that was read of it */
	size_t length, looked_at;
	struct message message; /* the last one of the puppet */
};

extern struct stage stage;

int stage_serve(void);

int stage_setup(void **state);
int stage_teardown(void **state);

/* The configuration is one service that accepts on the socket @accept, behind the lines @program. */
void stage_configure(const char *program, const char *accept);

/* Start the supervisor. */
void stage_start(void);

/* Configure it as above for "front", and start it. Serve gets that; returns the inode of the socket. */
ino_t stage_begin(const char *program);

/* The same, and serve runs it. */
ino_t stage_get_ready(const char *program);

/* The next message of the puppet must be of @type. Returns its number. */
uint64_t stage_hear(uint32_t type);

/* The next messages are a generation with one socket, whose inode is returned, and @words in its text. */
ino_t stage_hear_generation(const char *words);

/* The same from a new serve. */
ino_t stage_hear_start(const char *words);

/* Have serve accept the generation, and hear that it is to run it. */
void stage_accept(void);

/* The same with one that a reload has brought: where to log comes first. */
void stage_accept_reload(void);

/* Does the puppet say nothing for a while? If the supervisor has ended, it is certain. */
bool stage_is_silent(void);

/* Say @type to the puppet, which passes on what is not for itself. */
void stage_tell(uint32_t type);
void stage_tell_number(uint32_t type, uint64_t number, const char *words);

void stage_signal(int number);

/* Wait until the supervisor has written @words, behind those that were waited for last. */
void stage_expect_words(const char *words);

/* Since those the supervisor has not written @words until now. */
void stage_expect_nothing_of(const char *words);

/* Wait for the supervisor's end. Returns its exit status. */
int stage_result(void);

/* End well what was not told to end yet. */
void stage_end_well(void);

/* Does somebody listen on the socket @name? */
bool stage_is_open(const char *name);

/* There is no process @pid. */
void stage_expect_gone(pid_t pid);

#endif
