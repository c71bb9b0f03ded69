/* SPDX-License-Identifier: ISC */
/*
 * An MTA-STS policy as published at
 * https://mta-sts.DOMAIN/.well-known/mta-sts.txt (RFC 8461 3.2).
 */
#ifndef STRICTMX_PROTO_STS_POLICY_H
#define STRICTMX_PROTO_STS_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/span.h"

/* RFC 8461 3.2: at most 31557600 seconds, about a year; more is capped. */
#define STS_MAX_AGE_MAX_S 31557600u

enum sts_mode {
	STS_MODE_UNKNOWN,
	STS_MODE_ENFORCE,
	STS_MODE_TESTING,
	STS_MODE_NONE,
};

struct sts_policy {
	enum sts_mode mode;
	uint32_t max_age_s;
	bool max_age_capped; /* the published value was larger */
	size_t n_mx;
	char **mx; /* patterns: lower case, in order, no repeats; one block,
		      owned, or NULL; in mode none the good ones, to be shown:
		      they mean nothing there */
};

enum sts_policy_result {
	STS_POLICY_OK,
	STS_POLICY_INVALID,
	STS_POLICY_NO_MEMORY,
};

struct sts_policy_error {
	unsigned line;	    /* from 1; 0 when it concerns the whole policy */
	const char *reason; /* static text for a person */
};

/*
 * Reads a policy body of any bytes. On STS_POLICY_OK out is filled and is to
 * be given to sts_policy_cleanup(); else out is empty and error says what was
 * wrong first.
 */
enum sts_policy_result sts_policy_parse(struct span body,
    struct sts_policy *out, struct sts_policy_error *error);

enum sts_severity {
	STS_ERROR,   /* makes the policy invalid */
	STS_WARNING, /* works, but was hardly meant so */
};

struct sts_finding {
	enum sts_severity severity;
	unsigned line;	   /* from 1; 0 when it concerns the whole policy */
	const char *text;  /* static text for a person */
	struct span about; /* what is meant: any bytes of the body, or none */
};

typedef void sts_found_fn(const struct sts_finding *finding, void *arg);

/*
 * The same judgement, with all that can be said: found is called for every
 * error and warning, at most once for a line, in their order, and then at most
 * three times for the whole policy. INVALID means that one was an error. This
 * is for who wrote the policy; who has to follow it takes sts_policy_parse().
 */
enum sts_policy_result sts_policy_judge(struct span body,
    struct sts_policy *out, sts_found_fn *found, void *arg);

/* A deep copy. False without memory; to is then empty. */
bool sts_policy_copy(const struct sts_policy *from, struct sts_policy *to);

/* Frees what it holds, not the struct itself, and empties it. Safe when empty.
 */
void sts_policy_cleanup(struct sts_policy *policy);

/* "enforce", "testing", "none", or "unknown". */
const char *sts_mode_name(enum sts_mode mode);

/*
 * RFC 8461 4.1: does a pattern of the policy match this MX host (folded)? Never
 * in mode none.
 */
bool sts_policy_lists(const struct sts_policy *policy, const char *mx_host);

#endif
