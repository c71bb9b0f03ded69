/* SPDX-License-Identifier: ISC */
/* What the relay has done, as parts of answers: see query_relay.h. */
#include "filter/query_relay.h"

#include "common/json_line.h"
#include "common/limits.h"
#include "common/relay_counts.h"

/* By outcome; what did not happen is left out. */
static json_t *
mails_json(const uint64_t mails[RELAY_OUTCOMES])
{
	json_t *by_outcome = json_object();

	for (int i = 0; i < RELAY_OUTCOMES; i++)
		if (mails[i] > 0 &&
		    json_object_set_new(by_outcome,
			relay_outcome_name((enum relay_outcome)i),
			json_integer((json_int_t)mails[i])) != 0) {
			json_decref(by_outcome);
			return NULL;
		}
	return by_outcome;
}

static json_t *
domain_json(const struct relay_domain *d, int64_t wall_s)
{
	return json_pack("{s:s, s:o, s:s, s:I, s:o, s:o}", "domain", d->domain,
	    "mails", mails_json(d->mails), "outcome",
	    relay_outcome_name(d->outcome), "age",
	    (json_int_t)(wall_s < d->wall_s ? 0 : wall_s - d->wall_s), "mx",
	    json_text(d->mx), "reply", json_text(d->reply));
}

/* The domains of the latest mails are the last that are told. */
struct telling {
	json_t *list;
	size_t skip;
	int64_t wall_s;
};

static bool
domain_tell(const struct relay_domain *domain, void *arg)
{
	struct telling *t = arg;

	if (t->skip > 0)
		t->skip--;
	else
		t->list =
		    json_list_add(t->list, domain_json(domain, t->wall_s));
	return t->list != NULL;
}

json_t *
query_relay_all(int64_t wall_s)
{
	const struct relay_counts *all = relay_counts_get();
	size_t n = relay_counts_domains();
	struct telling t = { .list = json_array(), .wall_s = wall_s };

	t.skip = n > LIMIT_QUERY_DOMAINS ? n - LIMIT_QUERY_DOMAINS : 0;
	relay_counts_each(domain_tell, &t);
	return json_pack("{s:o, s:I, s:I, s:I, s:o}", "mails",
	    mails_json(all->mails), "sessions", (json_int_t)all->sessions,
	    "reused", (json_int_t)all->sessions_reused, "octets",
	    (json_int_t)all->octets, "domains", t.list);
}

json_t *
query_relay_domain(const char *domain, int64_t wall_s)
{
	const struct relay_domain *d = relay_counts_domain(domain);

	return d == NULL ? json_null() : domain_json(d, wall_s);
}
