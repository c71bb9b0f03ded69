/* SPDX-License-Identifier: ISC */
/* Any bytes as the body of a policy. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#include "proto/domain.h"
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
			assert(sts_policy_lists(policy, mx) ==
			    (policy->mode != STS_MODE_NONE));
		for (size_t k = 0; k < i && k < 100; k++)
			assert(strcmp(policy->mx[k], mx) != 0);
	}
}

/* What sts_policy_judge() has said so far. */
struct said {
	struct span body;
	size_t errors, of_all;
	unsigned last_line;
	unsigned first_error;
};

static void
check_finding(const struct sts_finding *finding, void *arg)
{
	struct said *said = arg;

	assert(finding->text != NULL);
	if (finding->line == 0) {
		said->of_all++;
	} else {
		assert(said->of_all == 0 && finding->line > said->last_line);
		said->last_line = finding->line;
	}
	if (finding->about.len > 0)
		assert(finding->about.p >= said->body.p &&
		    finding->about.p + finding->about.len <=
			said->body.p + said->body.len);
	if (finding->severity == STS_ERROR && said->errors++ == 0)
		said->first_error = finding->line;
}

/* Both ways to ask agree. */
static void
check_judgement(struct span body, enum sts_policy_result result,
    const struct sts_policy_error *error)
{
	struct said said = { .body = body };
	struct sts_policy policy;

	assert(sts_policy_judge(body, &policy, check_finding, &said) == result);
	assert((result == STS_POLICY_INVALID) == (said.errors > 0));
	assert(said.of_all <= 3 && said.last_line <= body.len + 1);
	assert(said.first_error == error->line);
	sts_policy_cleanup(&policy);
}

static void
check_same(const struct sts_policy *a, const struct sts_policy *b)
{
	assert(a->mode == b->mode && a->max_age_s == b->max_age_s);
	assert(a->n_mx == b->n_mx);
	for (size_t i = 0; i < a->n_mx; i++)
		assert(strcmp(a->mx[i], b->mx[i]) == 0);
}

static void
check_copy(const struct sts_policy *policy)
{
	struct sts_policy copy;

	assert(sts_policy_copy(policy, &copy));
	check_same(policy, &copy);
	sts_policy_cleanup(&copy);
	assert(copy.n_mx == 0 && copy.mx == NULL);
}

/* Published again from what was read of it, it is the same policy. */
static void
check_again(const struct sts_policy *policy)
{
	static char text[400000];
	struct sts_policy again;
	struct sts_policy_error error;
	int n = snprintf(text, sizeof(text),
	    "version: STSv1\r\nmode: %s\nmax_age: %lu\n",
	    sts_mode_name(policy->mode), (unsigned long)policy->max_age_s);

	for (size_t i = 0; i < policy->n_mx; i++) {
		assert((size_t)n + DOMAIN_MAX + 10 < sizeof(text));
		n += snprintf(text + n, sizeof(text) - (size_t)n, "mx: %s\n",
		    policy->mx[i]);
	}
	assert(
	    sts_policy_parse(span_of(text), &again, &error) == STS_POLICY_OK);
	check_same(policy, &again);
	sts_policy_cleanup(&again);
}

static void
check_policy(const struct sts_policy *policy)
{
	assert(policy->mode != STS_MODE_UNKNOWN);
	assert(policy->max_age_s <= STS_MAX_AGE_MAX_S);
	assert(
	    !policy->max_age_capped || policy->max_age_s == STS_MAX_AGE_MAX_S);
	assert(policy->mode == STS_MODE_NONE || policy->n_mx > 0);
	check_mx(policy);
	check_copy(policy);
	check_again(policy);
}

/* A body that holds such an octet is no policy, wherever it stands. */
static bool
has_control(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] == 0x7f ||
		    (bytes[i] < 0x20 && strchr("\t\n\r", bytes[i]) == NULL) ||
		    (bytes[i] == '\0'))
			return true;
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sts_policy policy;
	struct sts_policy_error error;
	enum sts_policy_result result;

	if (len > 65536) /* is never fetched */
		return 0;
	result = sts_policy_parse(fuzz_span(bytes, len), &policy, &error);
	if (result == STS_POLICY_OK) {
		assert(!has_control(bytes, len));
		check_policy(&policy);
	} else {
		assert(error.line <= len + 1);
		assert(error.reason != NULL);
		assert(policy.n_mx == 0 && policy.mx == NULL);
	}
	check_judgement(fuzz_span(bytes, len), result, &error);
	sts_policy_cleanup(&policy);
	return 0;
}
