/* SPDX-License-Identifier: ISC */
/* A verdict as Exim's answer: see exim_policy.h. */
#include "filter/exim_policy.h"

#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "common/demand.h"
#include "common/verdict.h"

static bool
is_enforced(const struct facts *f)
{
	return facts_have_policy(f) && f->sts.policy.mode == STS_MODE_ENFORCE;
}

/*
 * The administrator's word is not left to Exim, which passes DANE over without
 * a word when it does not trust its resolver.
 */
static bool
must_be_danes(const struct facts *f, const struct config *config)
{
	return name_list_has(&config->dane_required, f->domain) &&
	    demand_is_danes(f);
}

enum exim_mode
exim_policy_mode(const struct verdict *verdict, const struct config *config)
{
	const struct facts *f = &verdict->facts;
	bool enforced = is_enforced(f);
	bool binds = enforced || must_be_danes(f, config);

	if (binds && config->testing)
		return EXIM_TESTING;
	switch (verdict->action) {
	case ACTION_DEFER:
		/* That nothing is listed follows from the list itself; but
		 * DANE keeps hosts out that are on it. */
		return enforced && verdict->source != VERDICT_DANE
		    ? EXIM_ENFORCE
		    : EXIM_TEMPFAIL;
	case ACTION_REJECT:
		/* A null MX, or no such domain: to be said to the sender;
		 * without a policy Exim will see that. */
		return enforced ? EXIM_FAIL : EXIM_NONE;
	case ACTION_PROCEED:
	case ACTION_WOULD_DEFER:
		break;
	}
	if (binds)
		return EXIM_ENFORCE;
	return verdict->action == ACTION_WOULD_DEFER ||
		(facts_have_policy(f) && f->sts.policy.mode == STS_MODE_TESTING)
	    ? EXIM_TESTING
	    : EXIM_NONE;
}

/* A list of names with a separator, as long as there is room for a name. */
struct list {
	char *out;
	size_t size, len;
	char separator;
};

static char *
list_next(struct list *l, size_t *room)
{
	if (l->len > 0 && l->len + 1 < l->size)
		l->out[l->len++] = l->separator;
	*room = l->size - l->len;
	return l->out + l->len;
}

static bool
list_pattern(struct list *l, const char *pattern)
{
	size_t before = l->len, room;
	char *at = list_next(l, &room);
	size_t n = exim_pattern_format(at, room, pattern);

	l->len = n == 0 ? before : l->len + n;
	l->out[l->len] = '\0';
	return n > 0;
}

static void
list_host(struct list *l, const char *host)
{
	size_t before = l->len, room;
	char *at = list_next(l, &room);
	size_t n = strlen(host);

	if (n >= room || !domain_is_ldh(span_of(host))) {
		l->len = before;
	} else {
		memcpy(at, host, n);
		l->len += n;
	}
	l->out[l->len] = '\0';
}

/*
 * The policy's patterns, and the hosts beside them that may be used all the
 * same: those that DANE authenticates. Exim looks the MX hosts up by itself, a
 * little later: patterns are right then, too. Of a policy with more patterns
 * than a line has room for, or that DANE goes before, the hosts alone are told.
 */
static void
list_allowed(struct list *l, const struct facts *f, bool danes)
{
	bool fits = !danes;

	for (size_t i = 0; i < f->sts.policy.n_mx && fits; i++)
		fits = list_pattern(l, f->sts.policy.mx[i]);
	if (!fits)
		l->len = 0;
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].allowed && (!fits || !f->mx[i].listed))
			list_pattern(l, f->mx[i].host);
}

const char *
exim_policy_format_mode(char out[LIMIT_EXIM_ANSWER], enum exim_mode mode,
    const char *why)
{
	char text[LIMIT_EXIM_TEXT];

	snprintf(out, LIMIT_EXIM_ANSWER, "mode=%s why=\"%s\"",
	    exim_mode_name(mode), exim_text_format(text, sizeof(text), why));
	return out;
}

const char *
exim_policy_format(char out[LIMIT_EXIM_ANSWER], const struct verdict *verdict,
    const struct config *config, bool with_hosts)
{
	const struct facts *f = &verdict->facts;
	char allowed[LIMIT_EXIM_ALLOWED] = "", hosts[LIMIT_EXIM_HOSTS] = "";
	struct list mx = { allowed, sizeof(allowed), 0, ',' };
	struct list route = { hosts, sizeof(hosts), 0, ':' };
	enum exim_mode mode = exim_policy_mode(verdict, config);
	char text[LIMIT_EXIM_TEXT];

	if (mode != EXIM_ENFORCE)
		return exim_policy_format_mode(out, mode, verdict->reason);
	list_allowed(&mx, f, must_be_danes(f, config));
	for (size_t i = 0; with_hosts && i < f->n_mx; i++)
		if (f->mx[i].allowed)
			list_host(&route, f->mx[i].host);
	snprintf(out, LIMIT_EXIM_ANSWER, "mode=enforce mx=%s%s%s why=\"%s\"",
	    allowed, hosts[0] == '\0' ? "" : " hosts=", hosts,
	    exim_text_format(text, sizeof(text), verdict->reason));
	return out;
}
