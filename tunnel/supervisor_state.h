/* SPDX-License-Identifier: MIT */
/*
 * supervisor_state.h - what main knows of itself, for the files supervisor*.c alone.
 *
 *	supervisor.c		signals, the clock, start and end
 *	supervisor_serve.c	the serving process: started, spoken to, started again
 *	supervisor_keys.c	the key process: started, given keyrings, connected with serve
 *	supervisor_reload.c	the next generation, from its files to its first connection
 *	supervisor_watch.c	files that change and dates that come, while it runs
 *	supervisor_staple.c	OCSP responses, which change more often than all the rest
 *	supervisor_tell.c	what is said to the operator
 */
#ifndef TUNNEL_SUPERVISOR_STATE_H
#define TUNNEL_SUPERVISOR_STATE_H

#include <stdbool.h>

#include "common/files.h"
#include "common/log.h"
#include "common/message.h"
#include "common/process.h"
#include "tunnel/backoff.h"
#include "tunnel/child.h"
#include "tunnel/expiry.h"
#include "tunnel/logtarget.h"
#include "tunnel/plan.h"
#include "tunnel/protocol.h"
#include "tunnel/watch.h"

struct config;
struct diag;
struct origin;

enum wait {
	WAIT_NOTHING,
	WAIT_START,  /* serve judges the generation that it was started with */
	WAIT_KEYS,   /* the key process judges the keys of a reload */
	WAIT_RELOAD, /* serve judges the next generation */
	/* Its workers have yet to take what was committed: of a start, a reload, new OCSP responses. */
	WAIT_READY,
	WAIT_RELOADED,
	WAIT_RENEWED,
};

/* Which keyring the key process was sent last. */
enum keeper_question { KEEPER_PRESENT, KEEPER_NEXT };

/* The key process. */
struct keeper {
	struct child child;
	struct backoff backoff;
	enum keeper_question asked;
	unsigned unanswered;
	bool ready;	   /* it has the keyring of what runs */
	bool has_next;	   /* it has accepted that of the reload */
	double start_at;   /* start it anew; 0: never */
	double connect_at; /* connect it and serve anew; 0: never */
};

/* OCSP responses that change alone. */
struct renewal {
	bool wanted;	      /* look whether there are new ones */
	bool runs;	      /* the next plan differs from the present one by those offered only */
	bool singly;	      /* offer one at a time, since all together were refused */
	struct files offered; /* by their paths */
	struct files refused; /* offered no second time */
};

struct supervisor {
	const struct origin *origin;
	struct plan plan; /* what runs */
	struct plan next; /* what a reload has sent to serve */
	struct logtarget log, next_log;
	struct child child;
	struct backoff backoff;
	struct keeper keeper;
	struct process_user user;
	bool changes_user;
	unsigned workers;
	enum wait wait;
	bool was_ready; /* a generation was committed */
	bool reload_wanted;
	bool change_wanted;    /* files may have changed since they were looked at last */
	bool reload_by_itself; /* nobody asked for the reload that runs */
	struct renewal renewal;
	struct watch watch;
	struct expiry expiry;
	double expiry_at; /* look at the dates; 0: there are none */
	unsigned stops;	  /* signals that told to end */
	double start_at;  /* start serve anew; 0: never */
	double kill_at;	  /* 0: never */
	bool over, good;
	struct message message;
};

/* Say @words to the log, and as long as it was never ready, an error to the terminal too. */
void supervisor_tell(struct supervisor *supervisor, enum log_level level, const char *words);

/* Say each line of @words, which is changed. */
void supervisor_tell_lines(struct supervisor *supervisor, enum log_level level, char *words);

/* Say what is less safe than the default in @config. */
void supervisor_tell_warnings(struct supervisor *supervisor, const struct config *config);

/* The loop ends after this turn, with this result. */
void supervisor_end(struct supervisor *supervisor, bool good);

/* Start serve with the generation that runs; if that fails, later again. */
void supervisor_launch(struct supervisor *supervisor);

/* Tell @child of the log's settings and descriptor. Returns 0, or -1 with words. */
MUST_USE int supervisor_send_log(
	struct supervisor *supervisor, const struct child *child, struct diag *diag);

/* Say something without anything to serve. */
void supervisor_say(struct supervisor *supervisor, enum protocol_kind kind);

/* Serve does not take what is said to it: kill it, and have its death handled. */
void supervisor_give_up_serve(struct supervisor *supervisor, const struct diag *diag);

/* Serve has ended; @status as wait() tells it. */
void supervisor_on_death(struct supervisor *supervisor, int status);

/* Reload now, or as soon as serve has answered what it was asked before. */
void supervisor_want_reload(struct supervisor *supervisor);

/* A reload came to nothing. */
void supervisor_keep(struct supervisor *supervisor);

/* Serve has answered the generation that it was sent. */
void supervisor_on_accepted(struct supervisor *supervisor);
void supervisor_on_refused(struct supervisor *supervisor, char *words);

/* What was committed runs in all of serve. */
void supervisor_on_committed(struct supervisor *supervisor);

/* Is there a reload that serve or the key process has not answered? */
bool supervisor_is_reloading(const struct supervisor *supervisor);

/* The key process has accepted, or is not needed: send the next generation to serve. */
void supervisor_send_next(struct supervisor *supervisor);

/* Reload, if that was wanted while it could not be. */
void supervisor_reload_if_wanted(struct supervisor *supervisor);

/* Watch the files of what runs and of what would run after a reload. Returns as watch_set(). */
MUST_USE int supervisor_watch(struct supervisor *supervisor, struct diag *diag);

/* Files are not watched, but looked at: say so. */
void supervisor_tell_unwatched(struct supervisor *supervisor, struct diag *diag);

/* Hear of files, and look at the dates when it is time. */
void supervisor_watch_turn(struct supervisor *supervisor);

/* What runs has changed: look at its dates. */
void supervisor_date(struct supervisor *supervisor);

/* Offer serve the OCSP responses that are new. */
void supervisor_renew(struct supervisor *supervisor);

/* Serve has accepted them; or refused them, with @words that are changed. */
void supervisor_commit_renewed(struct supervisor *supervisor);
void supervisor_on_not_renewed(struct supervisor *supervisor, char *words);

/* Serve runs them. */
void supervisor_on_renewed(struct supervisor *supervisor);

/* Forget all about them. */
void supervisor_renewal_release(struct supervisor *supervisor);

/* Start the key process with the keyring of what runs, if any; if that fails, later again. */
void supervisor_keys_launch(struct supervisor *supervisor);

/* Send it the keyring of the next plan, now or as soon as possible; its answer ends WAIT_KEYS. */
void supervisor_keys_offer(struct supervisor *supervisor);

/* The next plan has become the present one. */
void supervisor_keys_commit(struct supervisor *supervisor);

/* Give serve and the key process new channels to each other, if both are there. */
void supervisor_keys_connect(struct supervisor *supervisor);

/* Its channel is readable. */
void supervisor_keys_hear(struct supervisor *supervisor);

/* It has ended; @status as wait() tells it. */
void supervisor_keys_on_death(struct supervisor *supervisor, int status);

/* Tell it of the log, if it is there. */
void supervisor_keys_log(struct supervisor *supervisor);

/* End it, with patience. */
void supervisor_keys_end(struct supervisor *supervisor);

#endif
