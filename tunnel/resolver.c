/* SPDX-License-Identifier: MIT */
#include "tunnel/resolver.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/text.h"
#include "tunnel/dns.h"
#include "tunnel/loop.h"

/* Seconds. */
static const double ttl_min = 1.0, ttl_max = 3600.0;
static const double bad_ttl = 3.0; /* how long "no such name" and failures are remembered */
static const double stale_max = 24 * 3600.0; /* how long the last good answer may still be given */
static const double patience = 1.8;	     /* how long it is held back while a question is open */
static const double refresh_share = 0.8;     /* of the time to live; then it is asked for again */

/* A name and what is known of it. */
struct entry {
	struct list link; /* the one that was not used longest is first */
	struct list due;
	struct resolver *resolver;
	struct list waiters;
	struct dns_question question;
	struct ev_timer impatience;
	struct endpoint *endpoints; /* the last good answer ... */
	size_t count;
	double fresh_until, stale_until; /* ... and how old it may become */
	double ask_at, asked_at;
	bool asking;	 /* a question is open */
	bool failing;	 /* the last one was not answered */
	bool delivering; /* somebody is being told */
	char words[128]; /* why the last one gave no address */
	char name[];
};

struct resolver {
	struct loop *loop;
	struct dns *dns;
	struct list entries;
	size_t entry_count;
	struct list due; /* entries whose waiters may have an answer */
	struct turn turn;
};

static void
entry_free(struct entry *entry)
{
	ev_timer_stop(entry->resolver->loop->ev, &entry->impatience);
	while (!list_is_empty(&entry->waiters))
		list_remove(entry->waiters.next);
	list_remove(&entry->due);
	list_remove(&entry->link);
	entry->resolver->entry_count--;
	free(entry->endpoints);
	free(entry);
}

/* Look at the waiters of @entry from the event loop. */
static void
make_due(struct entry *entry)
{
	if (list_is_empty(&entry->due))
		list_append(&entry->resolver->due, &entry->due);
	loop_defer(entry->resolver->loop, &entry->resolver->turn);
}

/* Is there something to say now, if only the last good answer or why there is none? */
static bool
is_answerable(const struct entry *entry, double now)
{
	if (!entry->asking || (entry->count > 0 && now < entry->fresh_until))
		return true;
	return entry->count > 0 && (entry->failing || now >= entry->asked_at + patience);
}

/* See to it that the last good answer, if there is one, is not held back for too long. */
static void
wait_patiently(struct entry *entry, double now)
{
	if (entry->count == 0)
		return;
	ev_timer_stop(entry->resolver->loop->ev, &entry->impatience);
	ev_timer_set(&entry->impatience, entry->asked_at + patience - now + 0.001, 0.);
	ev_timer_start(entry->resolver->loop->ev, &entry->impatience);
}

static void
deliver(struct entry *entry)
{
	double seconds = clock_seconds();
	struct list now;

	if (!is_answerable(entry, seconds)) {
		wait_patiently(entry, seconds);
		return;
	}
	list_init(&now);
	list_move(&now, &entry->waiters);
	entry->delivering = true;
	while (!list_is_empty(&now)) {
		struct resolver_waiter *waiter =
			container_of(now.next, struct resolver_waiter, link);
		struct resolver_answer answer = {.endpoints = entry->endpoints,
			.count = entry->count,
			.words = entry->words};

		list_remove(&waiter->link);
		waiter->answered(waiter, &answer);
	}
	entry->delivering = false;
}

static void
on_turn(struct turn *turn)
{
	struct resolver *resolver = container_of(turn, struct resolver, turn);
	struct list now;

	list_init(&now);
	list_move(&now, &resolver->due);
	while (!list_is_empty(&now)) {
		struct entry *entry = container_of(now.next, struct entry, due);

		list_remove(&entry->due);
		deliver(entry);
	}
}

static void
on_impatience(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	(void)ev;
	(void)events;
	make_due(container_of(timer, struct entry, impatience));
}

/* Forget the addresses. */
static void
entry_clear(struct entry *entry)
{
	free(entry->endpoints);
	entry->endpoints = NULL;
	entry->count = 0;
}

static void
explain(struct entry *entry, const char *words)
{
	struct text text;

	text_init(&text, entry->words, sizeof(entry->words));
	text_add(&text, words);
}

/* Replace the addresses. Returns 0, or -1 without memory, with the old ones kept. */
static int
entry_store(struct entry *entry, const struct dns_answer *answer)
{
	struct endpoint *endpoints = malloc(answer->count * sizeof(*endpoints));

	if (!endpoints)
		return -1;
	memcpy(endpoints, answer->endpoints, answer->count * sizeof(*endpoints));
	free(entry->endpoints);
	entry->endpoints = endpoints;
	entry->count = answer->count;
	return 0;
}

static void
on_answered(struct dns_question *question, const struct dns_answer *answer)
{
	struct entry *entry = container_of(question, struct entry, question);
	double now = clock_seconds(), ttl = answer->ttl;

	ttl = ttl < ttl_min ? ttl_min : ttl > ttl_max ? ttl_max : ttl;
	ev_timer_stop(entry->resolver->loop->ev, &entry->impatience);
	entry->asking = false;
	entry->failing = answer->outcome == DNS_FAILED;
	entry->ask_at = now + bad_ttl;
	if (answer->outcome == DNS_FOUND && entry_store(entry, answer) == 0) {
		entry->fresh_until = now + ttl;
		entry->stale_until = now + stale_max;
		entry->ask_at = now + ttl * refresh_share;
	} else {
		explain(entry, answer->words ? answer->words : "out of memory");
	}
	if (answer->outcome == DNS_NOT_FOUND)
		entry_clear(entry);
	make_due(entry);
}

/* Ask if it is time to, and see to it that whoever waits is told. */
static void
entry_ask(struct entry *entry)
{
	double now = clock_seconds();

	if (entry->count > 0 && now >= entry->stale_until)
		entry_clear(entry);
	if (!entry->asking && now >= entry->ask_at) {
		entry->asking = true;
		entry->asked_at = now;
		dns_ask(entry->resolver->dns, entry->name, &entry->question);
	}
	if (is_answerable(entry, now)) {
		make_due(entry);
		return;
	}
	wait_patiently(entry, now);
}

/* Make room for one more entry. */
static int
evict(struct resolver *resolver)
{
	struct list *link;

	if (resolver->entry_count < RESOLVER_NAMES)
		return 0;
	list_for_each (link, &resolver->entries) {
		struct entry *entry = container_of(link, struct entry, link);

		if (entry->asking || entry->delivering || !list_is_empty(&entry->waiters))
			continue;
		entry_free(entry);
		return 0;
	}
	return -1;
}

static struct entry *
entry_new(struct resolver *resolver, const char *name)
{
	size_t size = strlen(name) + 1;
	struct entry *entry = calloc(1, sizeof(*entry) + size);

	if (!entry)
		return NULL;
	memcpy(entry->name, name, size);
	entry->resolver = resolver;
	entry->question.answered = on_answered;
	list_init(&entry->due);
	list_init(&entry->waiters);
	ev_init(&entry->impatience, on_impatience);
	list_append(&resolver->entries, &entry->link);
	resolver->entry_count++;
	return entry;
}

/* Find @name, which becomes the one that was used last. */
static struct entry *
entry_find(struct resolver *resolver, const char *name)
{
	struct list *link;

	list_for_each (link, &resolver->entries) {
		struct entry *entry = container_of(link, struct entry, link);

		if (strcasecmp(entry->name, name) != 0)
			continue;
		list_remove(&entry->link);
		list_append(&resolver->entries, &entry->link);
		return entry;
	}
	return NULL;
}

struct resolver *
resolver_new(struct loop *loop, const struct dns_settings *settings, struct diag *diag)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (!resolver) {
		diag_set(diag, "out of memory");
		return NULL;
	}
	resolver->loop = loop;
	list_init(&resolver->entries);
	list_init(&resolver->due);
	turn_init(&resolver->turn, on_turn);
	resolver->dns = dns_new(loop, settings, diag);
	if (!resolver->dns) {
		free(resolver);
		return NULL;
	}
	return resolver;
}

void
resolver_free(struct resolver *resolver)
{
	struct list *link, *after;

	if (!resolver)
		return;
	dns_free(resolver->dns);
	loop_cancel(&resolver->turn);
	list_for_each_safe (link, after, &resolver->entries)
		entry_free(container_of(link, struct entry, link));
	free(resolver);
}

void
resolver_waiter_init(struct resolver_waiter *waiter,
	void (*answered)(struct resolver_waiter *waiter, const struct resolver_answer *answer))
{
	list_init(&waiter->link);
	waiter->answered = answered;
}

int
resolver_lookup(struct resolver *resolver, const char *name, struct resolver_waiter *waiter,
	struct diag *diag)
{
	struct entry *entry = entry_find(resolver, name);

	if (!entry && evict(resolver))
		return diag_set(diag, "too many names are being resolved");
	if (!entry)
		entry = entry_new(resolver, name);
	if (!entry)
		return diag_set(diag, "out of memory");
	list_append(&entry->waiters, &waiter->link);
	entry_ask(entry);
	return 0;
}

void
resolver_cancel(struct resolver_waiter *waiter)
{
	list_remove(&waiter->link);
}
