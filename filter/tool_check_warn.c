/* SPDX-License-Identifier: ISC */
/* Coming trouble: see tool_check_warn.h. */
#include "filter/tool_check_warn.h"

#include <stdio.h>

#include "common/json_line.h"
#include "common/limits.h"
#include "common/tlsa_set.h"

#define TEXT_SIZE (2 * DOMAIN_SIZE + 256)
#define DAY_S 86400

/* Records that only cost senders an answer, or make them give up on DANE. */
static json_t *
unusable_warn(json_t *list, const struct facts *f, const struct mx_fact *mx)
{
	const struct tlsa_set *tlsa = mx->dane.tlsa;
	char text[TEXT_SIZE];

	for (size_t i = 0; i < tlsa->n; i++) {
		if (tlsa->entries[i].unusable == NULL)
			continue;
		snprintf(text, sizeof(text),
		    "Take the TLSA record at _%u._tcp.%s away that %s.",
		    f->port, tlsa->base, tlsa->entries[i].unusable);
		list = json_list_add(list, json_text(text));
	}
	return list;
}

/*
 * RFC 7671 8.1: with a new certificate comes, mostly, a new key, and its record
 * has to be there before.
 */
static json_t *
expiry_warn(json_t *list, const struct facts *f, const struct mx_fact *mx,
    const struct check_host *host, int64_t now_s)
{
	char text[TEXT_SIZE];

	for (size_t i = 0; mx->dane.tlsa->n_usable == 1 && i < host->n; i++) {
		const struct check_session *s = &host->sessions[i];
		int64_t days = (s->result.certificate_until_s - now_s) / DAY_S;

		if (!check_session_is_good(s) ||
		    s->result.certificate_until_s == 0 ||
		    days >= LIMIT_TLSA_SOON_DAYS)
			continue;
		snprintf(text, sizeof(text),
		    "Publish a second TLSA record at _%u._tcp.%s, for the next "
		    "key, before it is used: the certificate %s.",
		    f->port, mx->dane.tlsa->base,
		    days < 0 ? "has expired" : "expires soon");
		return json_list_add(list, json_text(text));
	}
	return list;
}

json_t *
check_warnings(const struct check *check, int64_t now_s)
{
	const struct facts *f = &check->verdict.facts;
	json_t *list = json_array();

	for (size_t i = 0; i < f->n_mx; i++) {
		if (f->mx[i].dane.tlsa == NULL)
			continue;
		list = unusable_warn(list, f, &f->mx[i]);
		list = expiry_warn(list, f, &f->mx[i], &check->hosts[i], now_s);
	}
	return list;
}
