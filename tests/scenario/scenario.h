/* SPDX-License-Identifier: ISC */
/*
 * Scenario files as data: which members they may have, what a step is about,
 * and the fake network that it describes. The format stands in
 * tests/scenario/README.md.
 */
#ifndef STRICTMX_TESTS_SCENARIO_H
#define STRICTMX_TESTS_SCENARIO_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "proto/domain.h"

struct fake_net;

#define SCENARIO_ERROR_SIZE 256

/* A member that is there and not null, else NULL. */
json_t *scenario_get(json_t *object, const char *name);

/* A string member, or fallback. */
const char *scenario_word(json_t *object, const char *name,
    const char *fallback);

/* False, with the reason in error, when the player cannot play this case. */
bool scenario_check(json_t *scenario, char error[SCENARIO_ERROR_SIZE]);

/* Where a step's message goes. */
struct scenario_target {
	char domain[DOMAIN_SIZE]; /* of the recipient, folded; "" if none */
	struct address literal;	  /* family 0: none */
	char smarthost[DOMAIN_SIZE];
	uint16_t smarthost_port;
};

/* False when the recipient or the smart host is nothing mail could go to. */
bool scenario_target(json_t *step, struct scenario_target *out);

/* The network is as the step says; policy_domain may be "". */
void scenario_net(struct fake_net *net, json_t *step,
    const char *policy_domain);

#endif
