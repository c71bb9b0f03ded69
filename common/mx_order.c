/* SPDX-License-Identifier: ISC */
/* The order in which MX hosts are tried: see mx_order.h. */
#include "common/mx_order.h"

#include "common/facts.h"
#include "common/own_host.h"
#include "common/ports.h"

static void
shuffle(const struct ports *ports, size_t *list, size_t n)
{
	for (size_t i = n; ports->random_below != NULL && i > 1; i--) {
		size_t j = ports->random_below((uint32_t)i);
		size_t kept = list[j];

		list[j] = list[i - 1];
		list[i - 1] = kept;
	}
}

bool
mx_order_is_kept_out(const struct mx_fact *mx)
{
	return mx->under_dane && !mx->eligible;
}

bool
mx_order_cut(struct mx_order *order, const struct facts *facts,
    unsigned preference)
{
	size_t n = 0;

	while (
	    n < order->n && facts->mx[order->list[n]].preference < preference)
		n++;
	order->n = n;
	/* One that a policy keeps out is nearer all the same: no loop. */
	return facts->mx[0].preference >= preference;
}

size_t
mx_order_peers_end(const struct mx_order *order, const struct facts *facts,
    size_t turn)
{
	size_t end = turn;

	while (end < order->n &&
	    facts->mx[order->list[end]].preference ==
		facts->mx[order->list[turn]].preference)
		end++;
	return end;
}

bool
mx_order_make(struct mx_order *order, const struct facts *facts,
    const struct config *config, const struct ports *ports)
{
	unsigned own = own_host_preference(facts, config);

	order->n = 0;
	for (size_t i = 0; i < facts->n_mx && order->n < LIMIT_MX_HOSTS; i++)
		if (facts->mx[i].eligible ||
		    mx_order_is_kept_out(&facts->mx[i]))
			order->list[order->n++] = i;
	for (size_t i = 0, end; i < order->n; i = end) {
		end = mx_order_peers_end(order, facts, i);
		shuffle(ports, &order->list[i], end - i);
	}
	return own != OWN_HOST_NOT_THERE && mx_order_cut(order, facts, own);
}
