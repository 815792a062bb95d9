/* SPDX-License-Identifier: MIT */
/*
 * fuzz_relay.c - a relay between two streams whose every answer is a byte of the input.
 *
 * Whatever they answer: the sink gets what the source gave, in order; nothing is read while the sink
 * holds bytes; the end is handed on once, and last.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/relay.h"

struct script {
	const uint8_t *bytes;
	size_t left;
};

struct side {
	struct stream stream;
	struct script *script;
	uint64_t given, taken; /* bytes read from, written to this side */
	bool holds, ended, finished;
};

static unsigned
next(struct script *script)
{
	if (script->left == 0)
		return 0;
	script->left--;
	return *script->bytes++;
}

static enum io
side_read(struct stream *stream, void *buffer, size_t size, size_t *got, struct diag *diag)
{
	struct side *side = container_of(stream, struct side, stream);
	unsigned choice = next(side->script);

	assert(!side->ended && size >= RELAY_BATCH_MIN && size <= RELAY_BATCH_MAX);
	switch (choice % 8) {
	case 0:
		stream->readable = false;
		return IO_WANT_READ;
	case 1:
		side->ended = true;
		return IO_END;
	case 2:
		diag_set(diag, "source");
		return IO_ERROR;
	default:
		*got = choice % 3 ? size : 1 + choice % size;
		for (size_t i = 0; i < *got; i++)
			((uint8_t *)buffer)[i] = (uint8_t)((side->given + i) % 251);
		side->given += *got;
		return IO_DONE;
	}
}

static enum io
answer_write(struct side *side, struct diag *diag)
{
	unsigned choice = next(side->script) % 4;

	side->holds = choice == 0;
	side->stream.writable = !side->holds;
	if (choice == 1)
		diag_set(diag, "sink");
	return choice == 0 ? IO_WANT_WRITE : choice == 1 ? IO_ERROR : IO_DONE;
}

static enum io
side_write(struct stream *stream, const void *bytes, size_t size, struct diag *diag)
{
	struct side *side = container_of(stream, struct side, stream);

	assert(side->holds == (size == 0));
	for (size_t i = 0; i < size; i++)
		assert(((const uint8_t *)bytes)[i] == (side->taken + i) % 251);
	side->taken += size;
	return answer_write(side, diag);
}

static enum io
side_finish(struct stream *stream, struct diag *diag)
{
	struct side *side = container_of(stream, struct side, stream);

	assert(!side->finished && !side->holds);
	side->finished = true;
	return answer_write(side, diag);
}

static const struct stream_ops side_ops = {
	.read = side_read, .write = side_write, .finish = side_finish};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char scratch[RELAY_BATCH_MAX + STREAM_SLACK];
	struct script script = {data, size};
	struct side source = {.stream = {.ops = &side_ops}, .script = &script};
	struct side sink = source;
	struct relay relay;
	enum io answer = IO_DONE;

	relay_init(&relay);
	while (script.left > 0 && answer != IO_ERROR && answer != IO_END) {
		unsigned choice = next(&script);
		struct relay_turn turn = {
			.source = &source.stream,
			.sink = &sink.stream,
			.scratch = scratch,
			.room = (size_t)(choice & 15) << 13,
			.budget = (size_t)(choice >> 4) << 15,
		};
		struct diag diag;

		source.stream.readable |= (choice & 1) != 0;
		sink.stream.writable |= (choice & 2) != 0;
		uint64_t given = source.given;
		bool held = sink.holds && !sink.stream.writable;
		answer = relay_run(&relay, &turn, &diag);
		assert(!held || source.given == given);
		assert(relay_wants_sink(&relay) == sink.holds || answer == IO_ERROR);
		assert(answer == IO_ERROR || sink.taken == source.given);
		assert((answer == IO_END) == (sink.finished && !sink.holds) || answer == IO_ERROR);
	}
	return 0;
}
