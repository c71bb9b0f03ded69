/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include "common/hostname.h"

static void
every_host_has_a_name_that_folds_to_itself(void **state)
{
	char name[DOMAIN_SIZE], folded[DOMAIN_SIZE];

	(void)state;
	hostname_find(name);
	assert_string_not_equal(name, "");
	assert_int_equal(domain_fold(span_of(name), folded), DOMAIN_OK);
	assert_string_equal(folded, name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_host_has_a_name_that_folds_to_itself),
	};

	return cmocka_run_group_tests_name("hostname", tests, NULL, NULL);
}
