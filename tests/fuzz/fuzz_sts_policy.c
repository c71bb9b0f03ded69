/* SPDX-License-Identifier: ISC */
/* Any bytes as the body of a policy. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/mx_match.h"
#include "proto/sts_policy.h"

static void
check_mx(const struct sts_policy *policy)
{
	for (size_t i = 0; i < policy->n_mx; i++) {
		const char *mx = policy->mx[i];

		assert(mx_pattern_is_valid(span_of(mx)));
		for (const char *c = mx; *c != '\0'; c++)
			assert(*c < 'A' || *c > 'Z');
		if (mx[0] != '*')
			assert(sts_policy_lists(policy, mx));
		for (size_t k = 0; k < i && k < 100; k++)
			assert(strcmp(policy->mx[k], mx) != 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sts_policy policy;
	struct sts_policy_error error;

	if (sts_policy_parse(fuzz_span(bytes, len), &policy, &error) ==
	    STS_POLICY_OK) {
		assert(policy.mode != STS_MODE_UNKNOWN);
		assert(policy.max_age_s <= STS_MAX_AGE_MAX_S);
		assert(!policy.max_age_capped ||
		    policy.max_age_s == STS_MAX_AGE_MAX_S);
		assert((policy.mode == STS_MODE_NONE) == (policy.n_mx == 0));
		check_mx(&policy);
	} else {
		assert(error.line <= len + 1);
		assert(error.reason != NULL);
		assert(policy.n_mx == 0 && policy.mx == NULL);
	}
	sts_policy_cleanup(&policy);
	return 0;
}
