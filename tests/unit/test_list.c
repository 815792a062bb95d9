/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/list.h"

struct letter {
	char name;
	struct list link;
};

static struct letter letters[] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}, {.name = 'd'}};

/* A list of letters @from up to @to. */
static void
fill(struct list *list, size_t from, size_t to)
{
	list_init(list);
	for (size_t i = from; i < to; i++)
		list_append(list, &letters[i].link);
}

/* The list must be @names, there and back. */
static void
expect(const struct list *list, const char *names)
{
	size_t length = strlen(names), i = 0;
	struct list *link;

	list_for_each (link, list)
		assert_int_equal(container_of(link, struct letter, link)->name, names[i++]);
	assert_int_equal(i, length);
	for (link = list->previous; link != list; link = link->previous)
		assert_int_equal(container_of(link, struct letter, link)->name, names[--i]);
	assert_int_equal(i, 0);
	assert_int_equal(list_is_empty(list), length == 0);
}

static void
what_is_appended_comes_last(void **state)
{
	struct list list;

	(void)state;
	fill(&list, 0, 0);
	expect(&list, "");
	fill(&list, 0, 3);
	expect(&list, "abc");
}

static void
a_link_can_be_removed_twice(void **state)
{
	struct list list;

	(void)state;
	fill(&list, 0, 3);
	list_remove(&letters[1].link);
	list_remove(&letters[1].link);
	expect(&list, "ac");
	list_remove(&letters[0].link);
	list_remove(&letters[2].link);
	expect(&list, "");
}

static void
a_list_is_moved_behind_another_and_empty_then(void **state)
{
	struct list to, from;

	(void)state;
	fill(&to, 0, 2);
	fill(&from, 2, 4);
	list_move(&to, &from);
	expect(&to, "abcd");
	expect(&from, "");
	list_move(&to, &from);
	expect(&to, "abcd");
	list_move(&from, &to);
	expect(&from, "abcd");
	expect(&to, "");
}

static void
the_safe_loop_survives_removals(void **state)
{
	struct list list, *link, *after;

	(void)state;
	fill(&list, 0, 4);
	list_for_each_safe (link, after, &list)
		if (container_of(link, struct letter, link)->name != 'b')
			list_remove(link);
	expect(&list, "b");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_appended_comes_last),
		cmocka_unit_test(a_link_can_be_removed_twice),
		cmocka_unit_test(a_list_is_moved_behind_another_and_empty_then),
		cmocka_unit_test(the_safe_loop_survives_removals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
