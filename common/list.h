/* SPDX-License-Identifier: MIT */
/*
 * list.h - doubly linked lists whose links are embedded in what they hold.
 *
 * A list head and a link are the same struct, a ring. An initialised link that is on no list points
 * at itself, so list_remove() may be called again.
 */
#ifndef COMMON_LIST_H
#define COMMON_LIST_H

#include <stdbool.h>

#include "common/defs.h"

struct list {
	struct list *next, *previous;
};

static inline void
list_init(struct list *list)
{
	list->next = list->previous = list;
}

static inline bool
list_is_empty(const struct list *list)
{
	return list->next == list;
}

/* Put @link, which is on no list, at the end of @list. */
static inline void
list_append(struct list *list, struct list *link)
{
	link->previous = list->previous;
	link->next = list;
	list->previous->next = link;
	list->previous = link;
}

/* Take @link off its list, if it is on one. */
static inline void
list_remove(struct list *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
	list_init(link);
}

/* Move all of @from to the end of @to; @from is empty afterwards. */
static inline void
list_move(struct list *to, struct list *from)
{
	if (list_is_empty(from))
		return;
	from->next->previous = to->previous;
	to->previous->next = from->next;
	from->previous->next = to;
	to->previous = from->previous;
	list_init(from);
}

#define list_for_each(link, list) \
	for ((link) = (list)->next; (link) != (list); (link) = (link)->next)

/* The same where the body may remove @link; @after is a second cursor. */
#define list_for_each_safe(link, after, list)                                 \
	for ((link) = (list)->next, (after) = (link)->next; (link) != (list); \
		(link) = (after), (after) = (link)->next)

#endif
