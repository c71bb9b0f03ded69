/* SPDX-License-Identifier: ISC */
/*
 * A verdict as Postfix's TLS policy: see socketmap_policy.h.
 *
 * Postfix keeps an answer as long as its smtp(8) process lives, up to a hundred
 * deliveries, and up to 3.10.4 it compares a certificate with "match" alone,
 * whichever host shows it. So "match" holds names, not suffixes: ".x" would
 * let hosts in that are more than one label below x (RFC 8461 4.1). The names
 * that the policy spells out stand there whether they are MX hosts now or not,
 * for the MX set may change between this answer and the delivery; of those that
 * a wildcard stands for, the present MX hosts are known. A new one is deferred
 * until the next answer, which is late, but never wrong.
 *
 * DANE is Postfix's own business, with smtp_dns_support_level = dnssec; but its
 * table of policies wins over that. So what DANE binds must be told here, too.
 */
#include "filter/socketmap_policy.h"

#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "common/demand.h"
#include "common/facts.h"
#include "common/verdict.h"
#include "proto/ascii.h"
#include "proto/domain.h"
#include "proto/nexthop.h"
#include "proto/socketmap.h"

/* RFC 6761 6.4: a name that no certificate is for. */
#define NO_HOST "no-mx-is-listed.invalid"

static void
put(struct socketmap_answer *out, const char *text)
{
	socketmap_answer_add(out, span_of(text));
}

/* Answers without a policy. */

/* Postfix logs 200 octets of it: without the reply code. */
static void
answer_temp(struct socketmap_answer *out, const char *reason)
{
	struct span rest = span_of(reason), word;

	if (ascii_is_digit(reason[0])) {
		(void)span_cut(&rest, ' ', &word);
		(void)span_cut(&rest, ' ', &word);
	}
	socketmap_answer_begin(out, SOCKETMAP_TEMP);
	socketmap_answer_add(out, rest);
}

static void
answer_not_listed(struct socketmap_answer *out, const struct nexthop *hop,
    const char *what)
{
	char text[DOMAIN_SIZE + 80];

	snprintf(text, sizeof(text), "MTA-STS policy of %s does not list %s",
	    hop->domain, what);
	answer_temp(out, text);
}

/* There may be an enforced policy that nobody here has seen. */
static bool
is_unknown(const struct verdict *v)
{
	const struct policy_facts *sts = &v->facts.sts;

	switch (sts->state) {
	case POLICY_UNKNOWN:
		return sts->record != RECORD_UNKNOWN ||
		    !sts->record_patience_over;
	case POLICY_UNREAD:
		return true;
	case POLICY_NONE:
	case POLICY_FAILED:
	case POLICY_CACHED:
	case POLICY_FETCHED:
	case POLICY_OVERRIDE:
		break;
	}
	return false;
}

/* The verdict's reason may be the MX hosts, which Postfix sees itself. */
static void
answer_unknown(struct socketmap_answer *out, const struct facts *f)
{
	const struct policy_facts *sts = &f->sts;
	char text[2 * DOMAIN_SIZE];

	if (sts->state == POLICY_UNREAD)
		snprintf(text, sizeof(text),
		    "MTA-STS policy of %s: what is remembered of it cannot be "
		    "read",
		    f->domain);
	else if (sts->record == RECORD_UNKNOWN)
		snprintf(text, sizeof(text),
		    "MTA-STS record of %s could not be looked up: %s",
		    f->domain,
		    sts->record_why == NULL ? "no answer yet"
					    : sts->record_why);
	else
		snprintf(text, sizeof(text),
		    "MTA-STS policy of %s has not been fetched yet", f->domain);
	answer_temp(out, text);
}

/* Names for "match". */

/*
 * Postfix parts names at ":", attributes at blanks and commas, and takes
 * "hostname", "nexthop" and "dot-nexthop" for keywords: a name has a dot.
 */
static bool
is_name(const char *s)
{
	if (s[0] == '.' || strchr(s, '.') == NULL)
		return false;
	for (; *s != '\0'; s++)
		if (!ascii_is_alnum(*s) && *s != '-' && *s != '_' && *s != '.')
			return false;
	return true;
}

/* Of DANE is only known what stands at port 25. */
struct names {
	const struct facts *facts;
	bool all;	 /* also those that are not in the MX set now */
	bool other_port; /* than 25 */
};

static bool
may_take(const struct names *names, const struct mx_fact *mx)
{
	return mx->listed && (names->other_port || mx->eligible);
}

/* Is it a host of the MX set that must not be used? */
static bool
is_refused(const struct names *names, const char *name)
{
	const struct facts *f = names->facts;

	for (size_t i = 0; i < f->n_mx; i++)
		if (strcmp(f->mx[i].host, name) == 0)
			return !may_take(names, &f->mx[i]);
	return false;
}

static bool
is_spelled_out(const struct sts_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_mx; i++)
		if (strcmp(policy->mx[i], name) == 0)
			return true;
	return false;
}

static void
put_name(struct socketmap_answer *out, const char *name, size_t *n)
{
	if (!is_name(name))
		return;
	put(out, (*n)++ == 0 ? " match=" : ":");
	put(out, name);
}

/* How many there are. */
static size_t
put_names(struct socketmap_answer *out, const struct names *names)
{
	const struct facts *f = names->facts;
	const struct sts_policy *policy = &f->sts.policy;
	size_t n = 0;

	for (size_t i = 0; names->all && i < policy->n_mx; i++)
		if (!is_refused(names, policy->mx[i]))
			put_name(out, policy->mx[i], &n);
	for (size_t i = 0; i < f->n_mx; i++)
		if (may_take(names, &f->mx[i]) &&
		    (!names->all || !is_spelled_out(policy, f->mx[i].host)))
			put_name(out, f->mx[i].host, &n);
	return n;
}

/*
 * What Postfix 3.10 and later reports, and 3.10.5 and later goes by: hosts that
 * match no pattern are refused, the certificate must name the host. With "sts"
 * it wants at least one string and one pattern; a policy that binds has both.
 */
static void
put_tlsrpt(struct socketmap_answer *out, const struct facts *f)
{
	const struct sts_policy *policy = &f->sts.policy;
	char text[64];

	put(out, " policy_type=sts policy_domain=");
	put(out, f->domain);
	put(out, " { policy_string = version: STSv1 }");
	put(out, " { policy_string = mode: ");
	put(out, sts_mode_name(policy->mode));
	put(out, " }");
	for (size_t i = 0; i < policy->n_mx; i++) {
		put(out, " { policy_string = mx: ");
		put(out, policy->mx[i]);
		put(out, " }");
	}
	snprintf(text, sizeof(text), " { policy_string = max_age: %u }",
	    policy->max_age_s);
	put(out, text);
	for (size_t i = 0; i < policy->n_mx; i++) {
		put(out, " mx_host_pattern=");
		put(out, policy->mx[i]);
	}
}

/* Answers with a policy. */

static bool
wants_tlsrpt(const struct facts *f, bool tlsrpt)
{
	/* Postfix takes no other names there; and what the administrator has
	 * set is nothing that the domain could be told of. */
	return tlsrpt && domain_is_ldh(span_of(f->domain)) &&
	    f->sts.policy.n_mx > 0 && f->sts.state != POLICY_OVERRIDE;
}

/*
 * No host of the MX set is listed. Without a policy in the answer Postfix would
 * report nothing; with this one it reports, and no certificate is good enough.
 */
static void
answer_nothing_listed(struct socketmap_answer *out, const struct verdict *v)
{
	socketmap_answer_begin(out, SOCKETMAP_OK);
	put(out, "secure match=" NO_HOST " servername=hostname");
	put_tlsrpt(out, &v->facts);
	put(out, " policy_failure=validation-failure");
	if (out->overflow)
		answer_temp(out, v->reason);
}

/* False when it is too long, or no name is left for it. */
static bool
put_secure(struct socketmap_answer *out, const struct names *names, bool tlsrpt)
{
	size_t n;

	socketmap_answer_begin(out, SOCKETMAP_OK);
	put(out, "secure");
	n = put_names(out, names);
	put(out, " servername=hostname");
	if (tlsrpt)
		put_tlsrpt(out, names->facts);
	return n > 0 && !out->overflow;
}

static void
answer_secure(struct socketmap_answer *out, const struct verdict *v,
    bool other_port, bool tlsrpt)
{
	struct names names = { &v->facts, true, other_port };
	char text[DOMAIN_SIZE + 80];

	if (put_secure(out, &names, tlsrpt))
		return;
	names.all = false;
	if (put_secure(out, &names, false))
		return;
	snprintf(text, sizeof(text),
	    "MTA-STS policy of %s: no MX host is known that it lists",
	    v->facts.domain);
	answer_temp(out, text);
}

/* RFC 8461 3.4: a smart host is a policy domain, and its own only host. */
static void
answer_host(struct socketmap_answer *out, const struct verdict *v,
    const struct nexthop *hop, bool tlsrpt)
{
	size_t n = 0;

	if (!sts_policy_lists(&v->facts.sts.policy, hop->domain) ||
	    !is_name(hop->domain)) {
		answer_not_listed(out, hop, "this host itself");
		return;
	}
	socketmap_answer_begin(out, SOCKETMAP_OK);
	put(out, "secure");
	put_name(out, hop->domain, &n);
	put(out, " servername=hostname");
	if (tlsrpt)
		put_tlsrpt(out, &v->facts);
	if (out->overflow)
		answer_host(out, v, hop, false);
}

static bool
is_testing(const struct verdict *v)
{
	return facts_have_policy(&v->facts) &&
	    v->facts.sts.policy.mode == STS_MODE_TESTING;
}

/* Nothing binds, but a policy in mode testing may have to be told. */
static void
answer_nothing(struct socketmap_answer *out, const struct verdict *v,
    const struct config *config, bool tlsrpt)
{
	if (tlsrpt && config->socketmap.report_testing && is_testing(v)) {
		socketmap_answer_begin(out, SOCKETMAP_OK);
		put(out, "may");
		put_tlsrpt(out, &v->facts);
		if (!out->overflow)
			return;
	}
	socketmap_answer_begin(out, SOCKETMAP_NOTFOUND);
}

/*
 * Some host is held by DANE, and no other one may take the mail: "dane-only".
 * Postfix asks for the TLSA records itself. Where others may, it cannot be said
 * "DANE, else verify": the policy is then asked of all of them, and without one
 * "dane" leaves the others as they are.
 */
static bool
is_danes_alone(const struct facts *f)
{
	size_t held = 0;

	for (size_t i = 0; i < f->n_mx; i++) {
		const struct mx_fact *mx = &f->mx[i];

		if (mx->under_dane && mx->dane.state == DANE_USABLE)
			held++;
		else if (mx->eligible)
			return false;
	}
	return held > 0;
}

static void
answer_level(struct socketmap_answer *out, const char *level)
{
	socketmap_answer_begin(out, SOCKETMAP_OK);
	put(out, level);
}

/*
 * No host may take the mail, or Postfix is to find that out by itself: it asks
 * for the MX hosts too, so that these may be unknown where nothing else is.
 */
static void
answer_deferred(struct socketmap_answer *out, const struct verdict *v,
    const struct config *config, bool tlsrpt)
{
	if (tlsrpt && v->enforced && v->result == RESULT_VALIDATION_FAILURE)
		answer_nothing_listed(out, v);
	else if (is_unknown(v))
		answer_unknown(out, &v->facts);
	else if (v->facts.mx_state == MX_UNKNOWN && !v->enforced &&
	    !config->dane)
		answer_nothing(out, v, config, tlsrpt);
	else
		answer_temp(out, v->reason);
}

/* By its MX hosts, at the port that DANE is known of. */
static void
answer_domain(struct socketmap_answer *out, const struct verdict *v,
    const struct config *config, bool tlsrpt)
{
	if (v->action == ACTION_DEFER)
		answer_deferred(out, v, config, tlsrpt);
	else if (is_danes_alone(&v->facts) ||
	    (v->action == ACTION_REJECT &&
		name_list_has(&config->dane_required, v->facts.domain)))
		answer_level(out, "dane-only");
	else if (is_unknown(v))
		answer_unknown(out, &v->facts);
	else if (v->enforced)
		answer_secure(out, v, false, tlsrpt);
	else if (demand_is_danes(&v->facts))
		answer_level(out, "dane");
	else
		answer_nothing(out, v, config, tlsrpt);
}

static bool
lists_none(const struct facts *f)
{
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].listed)
			return false;
	return f->n_mx > 0;
}

/* Where only the policy says something. */
static void
answer_elsewhere(struct socketmap_answer *out, const struct verdict *v,
    const struct nexthop *hop, const struct config *config, bool tlsrpt)
{
	if (name_list_has(&config->dane_required, hop->domain))
		answer_level(out, "dane-only");
	else if (is_unknown(v))
		answer_unknown(out, &v->facts);
	else if (!v->enforced)
		answer_nothing(out, v, config, tlsrpt);
	else if (hop->kind == NEXTHOP_HOST)
		answer_host(out, v, hop, tlsrpt);
	else if (v->facts.mx_state == MX_UNKNOWN)
		answer_temp(out, v->reason);
	else if (lists_none(&v->facts))
		answer_not_listed(out, hop, "any of its MX hosts");
	else
		answer_secure(out, v, true, tlsrpt);
}

void
socketmap_policy_answer(const struct verdict *verdict,
    const struct nexthop *hop, bool tlsrpt, const struct config *config,
    struct socketmap_answer *out)
{
	bool attributes = wants_tlsrpt(&verdict->facts, tlsrpt);

	if (config->testing)
		socketmap_answer_begin(out, SOCKETMAP_NOTFOUND);
	else if (demand_is_lifted(&verdict->facts)) /* Postfix's DANE as well */
		answer_level(out, "may");
	else if (hop->kind == NEXTHOP_HOST || hop->other_port)
		answer_elsewhere(out, verdict, hop, config, attributes);
	else
		answer_domain(out, verdict, config, attributes);
}
