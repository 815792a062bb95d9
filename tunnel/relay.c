/* SPDX-License-Identifier: MIT */
#include "tunnel/relay.h"

#include "common/diag.h"

void
relay_init(struct relay *relay)
{
	*relay = (struct relay){.batch = RELAY_BATCH_MIN};
}

/* Judge what the sink answered; @more: the source has more for a larger batch. */
static enum io
after_write(struct relay *relay, struct relay_turn *turn, enum io answer, bool more)
{
	relay->blocked = answer == IO_WANT_WRITE;
	turn->broken_by_sink = answer == IO_ERROR;
	if (relay->blocked && relay->batch > RELAY_BATCH_BLOCKED)
		relay->batch = RELAY_BATCH_BLOCKED;
	else if (answer == IO_DONE && more && relay->batch < RELAY_BATCH_MAX)
		relay->batch *= 2;
	return answer;
}

/* Read a batch and hand it to the sink. */
static enum io
carry(struct relay *relay, struct relay_turn *turn, struct diag *diag)
{
	size_t batch = relay->batch < turn->room ? relay->batch : turn->room;
	size_t got = 0;
	enum io answer = stream_read(turn->source, turn->scratch, batch, &got, diag);

	if (answer == IO_END) {
		relay->state = RELAY_FINISHING;
		return after_write(relay, turn, stream_finish(turn->sink, diag), false);
	}
	if (answer != IO_DONE)
		return answer;
	relay->bytes += got;
	/* Tiny records cost as much as those that fill the batch. */
	turn->budget -= batch < turn->budget ? batch : turn->budget;
	answer = stream_write(turn->sink, turn->scratch, got, diag);
	return after_write(relay, turn, answer, turn->source->readable);
}

/* Push what the sink holds. */
static enum io
push(struct relay *relay, struct relay_turn *turn, struct diag *diag)
{
	if (!turn->sink->writable)
		return IO_WANT_WRITE;
	return after_write(relay, turn, stream_write(turn->sink, NULL, 0, diag), false);
}

enum io
relay_run(struct relay *relay, struct relay_turn *turn, struct diag *diag)
{
	enum io answer = IO_DONE;

	while (answer == IO_DONE && relay->state != RELAY_OVER) {
		if (relay->blocked)
			answer = push(relay, turn, diag);
		else if (relay->state == RELAY_FINISHING)
			relay->state = RELAY_OVER;
		else if (!turn->source->readable)
			answer = IO_WANT_READ;
		else if (turn->budget == 0 || turn->room < RELAY_BATCH_MIN)
			return IO_DONE;
		else
			answer = carry(relay, turn, diag);
	}
	return relay->state == RELAY_OVER ? IO_END : answer;
}

bool
relay_wants_source(const struct relay *relay)
{
	return relay->state == RELAY_OPEN && !relay->blocked;
}

bool
relay_wants_sink(const struct relay *relay)
{
	return relay->blocked;
}
