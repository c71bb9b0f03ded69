/* SPDX-License-Identifier: ISC */
/* Where one MX host is: see mx_addresses.h. Both families are asked at once. */
#include "common/mx_addresses.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/ports.h"

/* One of the two questions. */
struct question {
	struct mx_addresses *all;
	struct dns_query *query; /* NULL when none runs */
	bool begun;
	enum dns_outcome outcome;
	size_t n;
	struct address list[LIMIT_PROBE_ADDRESSES];
};

struct mx_addresses {
	const struct ports *ports;
	struct address_rules rules;
	mx_addresses_done_fn *done;
	void *arg;
	struct question v6, v4;
};

static void
addresses_free(struct mx_addresses *a)
{
	const struct dns_port *dns = &a->ports->dns;

	dns->cancel(dns->self, &a->v6.query);
	dns->cancel(dns->self, &a->v4.query);
	free(a);
}

/* One that may not be connected to is told of in why. */
static void
address_take(struct mx_addresses_found *found, const struct question *question,
    size_t i, const struct address_rules *rules)
{
	char text[ADDRESS_SIZE];
	const char *why;

	if (i >= question->n)
		return;
	found->is_own |= address_is_own(&question->list[i], rules);
	if (found->n == LIMIT_PROBE_ADDRESSES)
		return;
	why = address_refused(&question->list[i], ADDRESS_OF_MX, rules);
	if (why == NULL)
		found->list[found->n++] = question->list[i];
	else
		snprintf(found->why, sizeof(found->why),
		    "has no address to connect to: %s %s",
		    address_format(&question->list[i], text), why);
}

static const char *
why_none(const struct mx_addresses *a)
{
	if (!a->v6.begun || !a->v4.begun)
		return "address lookup was not begun";
	if (a->v6.outcome == DNS_TEMPFAIL || a->v4.outcome == DNS_TEMPFAIL)
		return "address lookup failed";
	return "has no address";
}

static void
addresses_end(struct mx_addresses *a)
{
	struct mx_addresses_found found = { .n = 0 };
	mx_addresses_done_fn *done = a->done;
	void *arg = a->arg;

	for (size_t i = 0; i < LIMIT_PROBE_ADDRESSES; i++) {
		address_take(&found, &a->v6, i, &a->rules);
		address_take(&found, &a->v4, i, &a->rules);
	}
	if (found.n == 0 && found.why[0] == '\0') {
		found.unasked = !a->v6.begun || !a->v4.begun;
		snprintf(found.why, sizeof(found.why), "%s", why_none(a));
	}
	addresses_free(a);
	done(&found, arg);
}

static void
question_done(const struct dns_answer *answer, void *arg)
{
	struct question *question = arg;
	struct mx_addresses *a = question->all;

	question->query = NULL;
	question->outcome = answer->outcome;
	question->n =
	    address_add(question->list, 0, LIMIT_PROBE_ADDRESSES, answer);
	if (a->v6.query == NULL && a->v4.query == NULL)
		addresses_end(a);
}

static void
question_start(struct question *question, struct mx_addresses *a,
    const char *mx, enum dns_type type)
{
	const struct dns_port *dns = &a->ports->dns;

	question->all = a;
	question->query =
	    dns->start(dns->self, mx, type, false, question_done, question);
	question->begun = question->query != NULL;
}

struct mx_addresses *
mx_addresses_start(const struct ports *ports, const char *mx,
    const struct address_rules *rules, mx_addresses_done_fn *done, void *arg)
{
	struct mx_addresses *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->ports = ports;
	a->rules = *rules;
	a->done = done;
	a->arg = arg;
	question_start(&a->v6, a, mx, DNS_AAAA);
	question_start(&a->v4, a, mx, DNS_A);
	if (!a->v6.begun && !a->v4.begun) {
		free(a);
		return NULL;
	}
	return a;
}

void
mx_addresses_cancel(struct mx_addresses **addresses)
{
	if (*addresses != NULL)
		addresses_free(*addresses);
	*addresses = NULL;
}
