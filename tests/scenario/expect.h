/* SPDX-License-Identifier: ISC */
/* What a case expects against what it came to. */
#ifndef STRICTMX_TESTS_SCENARIO_EXPECT_H
#define STRICTMX_TESTS_SCENARIO_EXPECT_H

#include <jansson.h>
#include <stdbool.h>

/*
 * True when every member that a step expects is what the step came to. Members
 * of an expected object must be there and fit, others may be there too; lists
 * have the same length and order, but a list of objects any order. Each
 * difference is a line on standard error.
 */
bool expect_met(json_t *scenario, json_t *results);

#endif
