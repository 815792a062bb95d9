/* SPDX-License-Identifier: MIT */
#include "tunnel/tickets.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	uint8_t key[TICKETS_KEY_SIZE];
	struct ticket ticket;
	uint64_t serial; /* the higher, the later it was put */
};

/* An array, which is looked through: few of its lines of memory are ever used, and those in order. */
struct tickets {
	struct entry entries[TICKETS_LIMIT];
	size_t count, bytes;
	uint64_t serial; /* of the latest */
};

void
ticket_release(struct ticket *ticket)
{
	if (ticket->data)
		explicit_bzero(ticket->data, ticket->size);
	free(ticket->data);
	*ticket = (struct ticket){0};
}

/* Take the ticket of entry @index out into @ticket; the last entry comes into its place. */
static void
take_out(struct tickets *tickets, size_t index, struct ticket *ticket)
{
	*ticket = tickets->entries[index].ticket;
	tickets->bytes -= ticket->size;
	tickets->count--;
	tickets->entries[index] = tickets->entries[tickets->count];
}

static void
drop(struct tickets *tickets, size_t index)
{
	struct ticket ticket;

	take_out(tickets, index, &ticket);
	ticket_release(&ticket);
}

/* Drop the oldest; of @key, or of all if that is NULL. */
static void
drop_oldest(struct tickets *tickets, const uint8_t *key)
{
	size_t oldest = SIZE_MAX;

	for (size_t i = 0; i < tickets->count; i++) {
		const struct entry *entry = &tickets->entries[i];

		if (key && memcmp(entry->key, key, TICKETS_KEY_SIZE) != 0)
			continue;
		if (oldest == SIZE_MAX || entry->serial < tickets->entries[oldest].serial)
			oldest = i;
	}
	if (oldest != SIZE_MAX)
		drop(tickets, oldest);
}

static size_t
count_of(const struct tickets *tickets, const uint8_t *key)
{
	size_t count = 0;

	for (size_t i = 0; i < tickets->count; i++) {
		if (memcmp(tickets->entries[i].key, key, TICKETS_KEY_SIZE) == 0)
			count++;
	}
	return count;
}

struct tickets *
tickets_new(void)
{
	return calloc(1, sizeof(struct tickets));
}

void
tickets_free(struct tickets *tickets)
{
	while (tickets && tickets->count > 0)
		drop(tickets, tickets->count - 1);
	free(tickets);
}

void
tickets_put(
	struct tickets *tickets, const uint8_t key[TICKETS_KEY_SIZE], const struct ticket *ticket)
{
	if (ticket->size == 0 || ticket->size > TICKET_BYTES)
		return;
	uint8_t *data = malloc(ticket->size);
	if (!data)
		return;
	if (count_of(tickets, key) >= TICKETS_OF_KEY)
		drop_oldest(tickets, key);
	while (tickets->count >= TICKETS_LIMIT || tickets->bytes + ticket->size > TICKETS_BYTES)
		drop_oldest(tickets, NULL);

	struct entry *entry = &tickets->entries[tickets->count++];
	memcpy(data, ticket->data, ticket->size);
	memcpy(entry->key, key, TICKETS_KEY_SIZE);
	entry->ticket = (struct ticket){data, ticket->size, ticket->expiry};
	entry->serial = ++tickets->serial;
	tickets->bytes += ticket->size;
}

/* Drop what is not good after @now. */
static void
expire(struct tickets *tickets, time_t now)
{
	for (size_t i = tickets->count; i > 0; i--) {
		if (tickets->entries[i - 1].ticket.expiry <= now)
			drop(tickets, i - 1);
	}
}

void
tickets_take(struct tickets *tickets, const uint8_t key[TICKETS_KEY_SIZE], time_t now,
	struct ticket *ticket)
{
	size_t latest = SIZE_MAX;

	expire(tickets, now);
	for (size_t i = 0; i < tickets->count; i++) {
		const struct entry *entry = &tickets->entries[i];

		if (memcmp(entry->key, key, TICKETS_KEY_SIZE) != 0)
			continue;
		if (latest == SIZE_MAX || entry->serial > tickets->entries[latest].serial)
			latest = i;
	}
	if (latest != SIZE_MAX)
		take_out(tickets, latest, ticket);
}

size_t
tickets_count(const struct tickets *tickets)
{
	return tickets->count;
}
