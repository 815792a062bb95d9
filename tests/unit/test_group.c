/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tunnel/group.h"
#include "tunnel/service.h"

/* Services with patterns; references are counted, and nothing else of them is used. */
enum { ONE, TWO, REST, PLAIN, SERVICES };

static const char *const one_patterns[] = {"one.test", "*.shared.test"};
static const char *const two_patterns[] = {"two.test", "x.shared.test"};
static const char *const rest_patterns[] = {"rest.test"};
static const struct service_config configs[SERVICES] = {
	[ONE].tls[SIDE_ACCEPT].sni = {one_patterns, 2},
	[TWO].tls[SIDE_ACCEPT].sni = {two_patterns, 2},
	[REST].tls[SIDE_ACCEPT] = {.sni = {rest_patterns, 1}, .sni_is_default = true},
};
static struct service services[SERVICES];

static int
setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < SERVICES; i++)
		services[i] = (struct service){.config = &configs[i], .references = 1};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < SERVICES; i++)
		assert_int_equal(services[i].references, 1);
	return 0;
}

static void
a_name_chooses_the_service_that_has_it(void **state)
{
	struct service *members[] = {&services[REST], &services[ONE], &services[TWO]};
	struct group *group = group_new(members, 3);

	(void)state;
	assert_non_null(group);
	assert_ptr_equal(group_choose(group, "one.test"), &services[ONE]);
	assert_ptr_equal(group_choose(group, "two.test"), &services[TWO]);
	assert_ptr_equal(group_choose(group, "y.shared.test"), &services[ONE]);
	assert_ptr_equal(group_choose(group, "x.shared.test"), &services[TWO]);
	group_unref(group);
}

static void
the_default_takes_unknown_and_absent_names_wherever_it_stands(void **state)
{
	(void)state;
	for (size_t at = 0; at < 3; at++) {
		struct service *members[] = {&services[ONE], &services[TWO], &services[ONE]};
		members[at] = &services[REST];
		struct group *group = group_new(members, at == 2 ? 3 : 2);
		assert_non_null(group);
		assert_ptr_equal(group_choose(group, "three.test"), &services[REST]);
		assert_ptr_equal(group_choose(group, ""), &services[REST]);
		assert_ptr_equal(group_main(group), &services[REST]);
		group_unref(group);
	}
}

static void
without_a_default_unknown_and_absent_names_have_no_service(void **state)
{
	struct service *members[] = {&services[TWO], &services[ONE]};
	struct group *group = group_new(members, 2);

	(void)state;
	assert_non_null(group);
	assert_null(group_choose(group, "three.test"));
	assert_null(group_choose(group, ""));
	assert_ptr_equal(group_main(group), &services[TWO]);
	group_unref(group);
}

static void
a_service_alone_takes_everything_unless_it_has_patterns(void **state)
{
	struct service *plain = &services[PLAIN], *one = &services[ONE];
	struct group *group = group_new(&plain, 1);

	(void)state;
	assert_non_null(group);
	assert_ptr_equal(group_choose(group, "any.test"), plain);
	assert_ptr_equal(group_choose(group, ""), plain);
	group_unref(group);
	group = group_new(&one, 1);
	assert_non_null(group);
	assert_null(group_choose(group, "any.test"));
	assert_null(group_choose(group, ""));
	assert_ptr_equal(group_choose(group, "one.test"), one);
	group_unref(group);
}

static void
the_services_live_as_long_as_the_group(void **state)
{
	struct service *members[] = {&services[ONE], &services[TWO]};
	struct group *group = group_new(members, 2);

	(void)state;
	assert_non_null(group);
	assert_int_equal(services[ONE].references, 2);
	assert_int_equal(services[TWO].references, 2);
	assert_ptr_equal(group_ref(group), group);
	group_unref(group);
	assert_int_equal(services[TWO].references, 2);
	group_unref(group);
	group_unref(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_chooses_the_service_that_has_it),
		TEST(the_default_takes_unknown_and_absent_names_wherever_it_stands),
		TEST(without_a_default_unknown_and_absent_names_have_no_service),
		TEST(a_service_alone_takes_everything_unless_it_has_patterns),
		TEST(the_services_live_as_long_as_the_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
