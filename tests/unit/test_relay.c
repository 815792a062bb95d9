/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/diag.h"
#include "tunnel/relay.h"

/*
 * A stream that follows a script: one step a call, of the kind of call that is expected next. After
 * READ_LAST there is nothing more to read for now.
 */
enum call { READ, READ_LAST, WRITE, PUSH, FINISH };

struct step {
	enum call call;
	enum io answer;
	size_t size; /* READ: how much is given; WRITE: how much is expected */
};

struct script {
	struct stream stream;
	const struct step *steps;
	size_t count, next;
};

static const struct step *
take(struct stream *stream, enum call call)
{
	struct script *script = container_of(stream, struct script, stream);

	assert_true(script->next < script->count);
	assert_int_equal(script->steps[script->next].call, call);
	return &script->steps[script->next++];
}

static enum io
script_read(struct stream *stream, void *buffer, size_t size, size_t *got, struct diag *diag)
{
	const struct script *script = container_of(stream, struct script, stream);
	bool last = script->next < script->count && script->steps[script->next].call == READ_LAST;
	const struct step *step = take(stream, last ? READ_LAST : READ);

	if (step->answer == IO_ERROR)
		diag_set(diag, "broken source");
	if (step->answer == IO_WANT_READ || last)
		stream->readable = false;
	assert_true(step->size <= size);
	memset(buffer, 'x', step->size);
	*got = step->size;
	return step->answer;
}

static enum io
script_write(struct stream *stream, const void *bytes, size_t size, struct diag *diag)
{
	const struct step *step = take(stream, bytes ? WRITE : PUSH);

	if (step->answer == IO_ERROR)
		diag_set(diag, "broken sink");
	if (step->answer == IO_WANT_WRITE)
		stream->writable = false;
	assert_int_equal(size, step->size);
	return step->answer;
}

static enum io
script_finish(struct stream *stream, struct diag *diag)
{
	(void)diag;
	return take(stream, FINISH)->answer;
}

static const struct stream_ops script_ops = {
	.read = script_read, .write = script_write, .finish = script_finish};

struct fixture {
	struct script source, sink;
	struct relay relay;
	struct relay_turn turn;
	struct diag diag;
	char scratch[RELAY_BATCH_MAX + STREAM_SLACK];
};

static struct fixture fixture;

static void
start(const struct step *source, size_t source_count, const struct step *sink, size_t sink_count)
{
	fixture.source = (struct script){
		{.ops = &script_ops, .readable = true, .writable = true}, source, source_count, 0};
	fixture.sink = (struct script){
		{.ops = &script_ops, .readable = true, .writable = true}, sink, sink_count, 0};
	fixture.turn = (struct relay_turn){.source = &fixture.source.stream,
		.sink = &fixture.sink.stream,
		.scratch = fixture.scratch,
		.room = SIZE_MAX,
		.budget = SIZE_MAX};
	relay_init(&fixture.relay);
}

#define START(source, sink) start(source, ARRAY_SIZE(source), sink, ARRAY_SIZE(sink))

static enum io
run(void)
{
	return relay_run(&fixture.relay, &fixture.turn, &fixture.diag);
}

static void
scripts_are_done(void)
{
	assert_int_equal(fixture.source.next, fixture.source.count);
	assert_int_equal(fixture.sink.next, fixture.sink.count);
}

static void
bytes_are_carried_until_the_source_has_none(void **state)
{
	static const struct step source[] = {
		{READ, IO_DONE, 10}, {READ, IO_DONE, 20}, {READ, IO_WANT_READ, 0}};
	static const struct step sink[] = {{WRITE, IO_DONE, 10}, {WRITE, IO_DONE, 20}};

	(void)state;
	START(source, sink);
	assert_int_equal(run(), IO_WANT_READ);
	assert_int_equal(fixture.relay.bytes, 30);
	assert_true(relay_wants_source(&fixture.relay));
	assert_false(relay_wants_sink(&fixture.relay));
	assert_int_equal(run(), IO_WANT_READ); /* without a call, since nothing became readable */
	scripts_are_done();
}

static void
a_sink_that_holds_bytes_stops_the_reading(void **state)
{
	static const struct step source[] = {{READ, IO_DONE, 10}, {READ, IO_WANT_READ, 0}};
	static const struct step sink[] = {
		{WRITE, IO_WANT_WRITE, 10}, {PUSH, IO_WANT_WRITE, 0}, {PUSH, IO_DONE, 0}};

	(void)state;
	START(source, sink);
	assert_int_equal(run(), IO_WANT_WRITE);
	assert_false(relay_wants_source(&fixture.relay));
	assert_true(relay_wants_sink(&fixture.relay));
	assert_int_equal(run(), IO_WANT_WRITE); /* not writable: nothing is called */
	fixture.sink.stream.writable = true;
	assert_int_equal(run(), IO_WANT_WRITE);
	fixture.sink.stream.writable = true;
	assert_int_equal(run(), IO_WANT_READ);
	scripts_are_done();
}

static void
an_end_is_handed_on_after_everything_before_it(void **state)
{
	static const struct step source[] = {{READ, IO_DONE, 10}, {READ, IO_END, 0}};
	static const struct step sink[] = {{WRITE, IO_WANT_WRITE, 10}, {PUSH, IO_DONE, 0},
		{FINISH, IO_WANT_WRITE, 0}, {PUSH, IO_DONE, 0}};

	(void)state;
	START(source, sink);
	assert_int_equal(run(), IO_WANT_WRITE);
	fixture.sink.stream.writable = true;
	assert_int_equal(run(), IO_WANT_WRITE); /* finish() answered, and asks for a push */
	assert_false(relay_wants_source(&fixture.relay));
	assert_int_equal(fixture.relay.state, RELAY_FINISHING);
	fixture.sink.stream.writable = true;
	assert_int_equal(run(), IO_END);
	assert_int_equal(run(), IO_END);
	scripts_are_done();
}

static void
a_broken_source_is_told_from_a_broken_sink(void **state)
{
	static const struct step source[] = {{READ, IO_ERROR, 0}};
	static const struct step source_good[] = {{READ, IO_DONE, 5}};
	static const struct step sink[] = {{WRITE, IO_ERROR, 5}};

	(void)state;
	start(source, 1, NULL, 0);
	assert_int_equal(run(), IO_ERROR);
	assert_false(fixture.turn.broken_by_sink);
	assert_string_equal(fixture.diag.text, "broken source");
	START(source_good, sink);
	assert_int_equal(run(), IO_ERROR);
	assert_true(fixture.turn.broken_by_sink);
	assert_string_equal(fixture.diag.text, "broken sink");
}

static void
the_budget_ends_a_turn(void **state)
{
	static const struct step source[] = {
		{READ, IO_DONE, 100}, {READ, IO_DONE, 100}, {READ, IO_END, 0}};
	static const struct step sink[] = {
		{WRITE, IO_DONE, 100}, {WRITE, IO_DONE, 100}, {FINISH, IO_DONE, 0}};

	(void)state;
	START(source, sink);
	/* Few bytes count as much as a full batch. */
	fixture.turn.budget = RELAY_BATCH_MIN + 1;
	assert_int_equal(run(), IO_DONE);
	assert_int_equal(fixture.turn.budget, 0);
	assert_int_equal(fixture.relay.bytes, 200);
	fixture.turn.budget = 1;
	assert_int_equal(run(), IO_END);
	scripts_are_done();
}

static void
without_room_nothing_is_read_but_what_is_held_is_pushed(void **state)
{
	static const struct step source[] = {{READ, IO_DONE, 100}};
	static const struct step sink[] = {{WRITE, IO_WANT_WRITE, 100}, {PUSH, IO_DONE, 0}};

	(void)state;
	START(source, sink);
	assert_int_equal(run(), IO_WANT_WRITE);
	fixture.turn.room = RELAY_BATCH_MIN - 1;
	fixture.sink.stream.writable = true;
	assert_int_equal(run(), IO_DONE);
	scripts_are_done();
}

static void
the_batch_stays_small_when_the_source_has_no_more(void **state)
{
	static const struct step source[] = {
		{READ_LAST, IO_DONE, 16384}, {READ, IO_DONE, 1}, {READ, IO_WANT_READ, 0}};
	static const struct step sink[] = {{WRITE, IO_DONE, 16384}, {WRITE, IO_DONE, 1}};

	(void)state;
	START(source, sink);
	assert_int_equal(run(), IO_WANT_READ);
	assert_int_equal(fixture.relay.batch, RELAY_BATCH_MIN);
	fixture.source.stream.readable = true;
	assert_int_equal(run(), IO_WANT_READ);
	assert_int_equal(fixture.relay.batch, 2 * RELAY_BATCH_MIN);
	scripts_are_done();
}

static void
the_batch_grows_while_there_is_more_and_shrinks_when_the_sink_blocks(void **state)
{
	static const struct step source[] = {{READ, IO_DONE, 16384}, {READ, IO_DONE, 32768},
		{READ, IO_DONE, 65536}, {READ, IO_DONE, 131072}, {READ, IO_DONE, 262144},
		{READ, IO_DONE, 262144}};
	static const struct step sink[] = {{WRITE, IO_DONE, 16384}, {WRITE, IO_DONE, 32768},
		{WRITE, IO_DONE, 65536}, {WRITE, IO_DONE, 131072}, {WRITE, IO_DONE, 262144},
		{WRITE, IO_WANT_WRITE, 262144}};

	(void)state;
	START(source, sink);
	assert_int_equal(run(), IO_WANT_WRITE);
	assert_int_equal(fixture.relay.batch, RELAY_BATCH_BLOCKED);
	scripts_are_done();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_carried_until_the_source_has_none),
		cmocka_unit_test(a_sink_that_holds_bytes_stops_the_reading),
		cmocka_unit_test(an_end_is_handed_on_after_everything_before_it),
		cmocka_unit_test(a_broken_source_is_told_from_a_broken_sink),
		cmocka_unit_test(the_budget_ends_a_turn),
		cmocka_unit_test(without_room_nothing_is_read_but_what_is_held_is_pushed),
		cmocka_unit_test(the_batch_stays_small_when_the_source_has_no_more),
		cmocka_unit_test(
			the_batch_grows_while_there_is_more_and_shrinks_when_the_sink_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
