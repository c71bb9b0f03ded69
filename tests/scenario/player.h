/* SPDX-License-Identifier: ISC */
/*
 * One case, played: the real engine with its real store, on a fake network and
 * a fake clock.
 */
#ifndef STRICTMX_TESTS_SCENARIO_PLAYER_H
#define STRICTMX_TESTS_SCENARIO_PLAYER_H

#include <jansson.h>

/*
 * What the steps of a case come to, in an array with an object for each; the
 * store lies in dir. The case has been checked.
 */
json_t *player_play(json_t *scenario, const char *dir);

#endif
