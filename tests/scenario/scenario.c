/* SPDX-License-Identifier: ISC */
/* Scenario files as data: see scenario.h. */
#include "tests/scenario/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ports.h"

json_t *
scenario_get(json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);

	return json_is_null(value) ? NULL : value;
}

const char *
scenario_word(json_t *object, const char *name, const char *fallback)
{
	const char *word = json_string_value(scenario_get(object, name));

	return word == NULL ? fallback : word;
}

/* Members: every object has its list, and its members may have theirs. */

enum shape {
	SHAPE_ANY, /* not looked into */
	SHAPE_INTEGER,
	SHAPE_STRING,
	SHAPE_BOOL,
	SHAPE_OBJECT,
	SHAPE_LIST, /* of objects */
	SHAPE_MAP   /* of objects, by any name */
};

struct member {
	const char *name;
	enum shape shape;
	const struct member *members; /* of the object, or of each in it */
	const char *words;	      /* a string is one of these: "a|b|" */
};

static const struct member tlsa_record_members[] = {
	{ "usage", SHAPE_INTEGER, NULL, NULL },
	{ "selector", SHAPE_INTEGER, NULL, NULL },
	{ "mtype", SHAPE_INTEGER, NULL, NULL },
	{ "match", SHAPE_ANY, NULL, NULL },
	{ NULL, SHAPE_ANY, NULL, NULL },
};

static const struct member tlsa_members[] = {
	{ "status", SHAPE_STRING, NULL,
	    "none|secure|insecure|secure-nxdomain|bogus|servfail|timeout|" },
	{ "records", SHAPE_LIST, tlsa_record_members, NULL },
	{ NULL, SHAPE_ANY, NULL, NULL },
};

static const struct member cname_members[] = {
	{ "target", SHAPE_STRING, NULL, NULL },
	{ "dnssec", SHAPE_STRING, NULL, "secure|insecure|bogus|" },
	{ NULL, SHAPE_ANY, NULL, NULL },
};

static const struct member host_members[] = {
	{ "reach", SHAPE_STRING, NULL, "ok|refused|timeout|dns-servfail|" },
	{ "starttls", SHAPE_BOOL, NULL, NULL },
	{ "tls", SHAPE_STRING, NULL, "ok|handshake-failure|starttls-454|" },
	{ "tls_version", SHAPE_STRING, NULL, NULL },
	{ "cert", SHAPE_STRING, NULL, NULL },
	{ "names", SHAPE_ANY, NULL, NULL },
	{ "addr_dnssec", SHAPE_STRING, NULL, "secure|insecure|bogus|" },
	{ "cname", SHAPE_OBJECT, cname_members, NULL },
	{ "tlsa", SHAPE_OBJECT, tlsa_members, NULL },
	{ "tlsa_at", SHAPE_MAP, tlsa_members, NULL },
	{ NULL, SHAPE_ANY, NULL, NULL },
};

static const struct member mx_record_members[] = {
	{ "pref", SHAPE_INTEGER, NULL, NULL },
	{ "host", SHAPE_STRING, NULL, NULL },
	{ NULL, SHAPE_ANY, NULL, NULL },
};

static const struct member mx_members[] = {
	{ "rcode", SHAPE_STRING, NULL,
	    "NOERROR|NXDOMAIN|SERVFAIL|TIMEOUT|BOGUS|" },
	{ "dnssec", SHAPE_STRING, NULL, "secure|insecure|bogus|" },
	{ "records", SHAPE_LIST, mx_record_members, NULL },
	{ NULL, SHAPE_ANY, NULL, NULL },
};

static const struct member https_members[] = {
	{ "error", SHAPE_STRING, NULL,
	    "nxdomain|refused|timeout|truncated-body|" },
	{ "status", SHAPE_INTEGER, NULL, NULL },
	{ "content_type", SHAPE_STRING, NULL, NULL },
	{ "cert", SHAPE_STRING, NULL, NULL },
	{ "body", SHAPE_STRING, NULL, NULL },
	{ "location", SHAPE_ANY, NULL, NULL },
	{ "target", SHAPE_ANY, NULL, NULL },
	{ "cache_control", SHAPE_ANY, NULL, NULL },
	{ NULL, SHAPE_ANY, NULL, NULL },
};

static const struct member txt_members[] = {
	{ "rcode", SHAPE_STRING, NULL, "NOERROR|NXDOMAIN|SERVFAIL|TIMEOUT|" },
	{ "records", SHAPE_ANY, NULL, NULL },
	{ "cname", SHAPE_ANY, NULL, NULL },
	{ NULL, SHAPE_ANY, NULL, NULL },
};

static const struct member local_members[] = {
	{ "dane_required", SHAPE_BOOL, NULL, NULL },
	{ NULL, SHAPE_ANY, NULL, NULL },
};

static const struct member step_members[] = {
	{ "t", SHAPE_INTEGER, NULL, NULL },
	{ "op", SHAPE_STRING, NULL, "refresh|restart|" },
	{ "rcpt", SHAPE_STRING, NULL, NULL },
	{ "smarthost", SHAPE_STRING, NULL, NULL },
	{ "queue_expired", SHAPE_BOOL, NULL, NULL },
	{ "local", SHAPE_OBJECT, local_members, NULL },
	{ "message", SHAPE_STRING, NULL, "tlsrpt-report|" },
	{ "txt", SHAPE_OBJECT, txt_members, NULL },
	{ "https", SHAPE_OBJECT, https_members, NULL },
	{ "mx", SHAPE_OBJECT, mx_members, NULL },
	{ "hosts", SHAPE_MAP, host_members, NULL },
	{ "expect", SHAPE_ANY, NULL, NULL },
	{ NULL, SHAPE_ANY, NULL, NULL },
};

static const struct member cache_members[] = {
	{ "domain", SHAPE_STRING, NULL, NULL },
	{ "id", SHAPE_STRING, NULL, NULL },
	{ "mode", SHAPE_STRING, NULL, "enforce|testing|none|" },
	{ "mx", SHAPE_ANY, NULL, NULL },
	{ "fetched_at", SHAPE_INTEGER, NULL, NULL },
	{ "max_age", SHAPE_INTEGER, NULL, NULL },
	{ NULL, SHAPE_ANY, NULL, NULL },
};

static const struct member case_members[] = {
	{ "id", SHAPE_STRING, NULL, NULL },
	{ "note", SHAPE_STRING, NULL, NULL },
	{ "group", SHAPE_ANY, NULL, NULL },
	{ "ref", SHAPE_ANY, NULL, NULL },
	{ "contested", SHAPE_ANY, NULL, NULL },
	{ "reason", SHAPE_ANY, NULL, NULL },
	{ "cache", SHAPE_LIST, cache_members, NULL },
	{ "steps", SHAPE_LIST, step_members, NULL },
	{ NULL, SHAPE_ANY, NULL, NULL },
};

static bool check_object(json_t *object, const struct member *members,
    const char *where, char *error);

static bool
wrong(char *error, const char *where, const char *name, const char *what)
{
	snprintf(error, SCENARIO_ERROR_SIZE, "%s: %s '%s'", where, what, name);
	return false;
}

static bool
is_one_of(const char *word, const char *words)
{
	size_t len = strlen(word);

	for (const char *p = words; *p != '\0'; p = strchr(p, '|') + 1)
		if (strncmp(p, word, len) == 0 && p[len] == '|')
			return true;
	return false;
}

static bool
check_each(json_t *value, const struct member *member, char *error)
{
	const char *key;
	json_t *item;
	size_t i;

	json_array_foreach(value, i,
	    item) if (!check_object(item, member->members, member->name,
			  error)) return false;
	json_object_foreach(value, key,
	    item) if (!check_object(item, member->members, key,
			  error)) return false;
	return true;
}

static bool
has_shape(json_t *value, enum shape shape)
{
	switch (shape) {
	case SHAPE_ANY:
		return true;
	case SHAPE_INTEGER:
		return json_is_integer(value);
	case SHAPE_STRING:
		return json_is_string(value);
	case SHAPE_BOOL:
		return json_is_boolean(value);
	case SHAPE_OBJECT:
	case SHAPE_MAP:
		return json_is_object(value);
	case SHAPE_LIST:
		return json_is_array(value);
	}
	return false;
}

static bool
check_member(json_t *value, const struct member *member, const char *where,
    char *error)
{
	if (json_is_null(value))
		return true;
	if (!has_shape(value, member->shape))
		return wrong(error, where, member->name, "wrong type of");
	if (member->words != NULL &&
	    !is_one_of(json_string_value(value), member->words))
		return wrong(error, member->name, json_string_value(value),
		    "unknown word");
	if (member->shape == SHAPE_OBJECT)
		return check_object(value, member->members, member->name,
		    error);
	if (member->shape == SHAPE_LIST || member->shape == SHAPE_MAP)
		return check_each(value, member, error);
	return true;
}

static bool
check_object(json_t *object, const struct member *members, const char *where,
    char *error)
{
	const char *key;
	json_t *value;

	if (json_is_null(object))
		return true;
	if (!json_is_object(object))
		return wrong(error, where, "object", "is no");
	json_object_foreach(object, key, value)
	{
		const struct member *m = members;

		while (m->name != NULL && strcmp(m->name, key) != 0)
			m++;
		if (m->name == NULL)
			return wrong(error, where, key, "unknown member");
		if (!check_member(value, m, where, error))
			return false;
	}
	return true;
}

bool
scenario_check(json_t *scenario, char error[SCENARIO_ERROR_SIZE])
{
	json_t *step;
	size_t i;

	if (!check_object(scenario, case_members, "case", error))
		return false;
	if (scenario_word(scenario, "id", NULL) == NULL)
		return wrong(error, "case", "id", "lacks");
	if (scenario_get(scenario, "steps") == NULL)
		return wrong(error, "case", "steps", "lacks");
	json_array_foreach(scenario_get(scenario, "steps"), i,
	    step) if (scenario_get(step, "t") == NULL) return wrong(error,
	    "steps", "t", "lacks");
	return true;
}

/* Targets. */

static bool
smarthost_read(const char *text, struct scenario_target *out)
{
	const char *colon = strchr(text, ':');
	struct span name = span_of(text);
	unsigned long port = SMTP_PORT;

	if (colon != NULL) {
		name.len = (size_t)(colon - text);
		if (!span_number(span_of(colon + 1), UINT16_MAX, &port))
			return false;
	}
	out->smarthost_port = (uint16_t)port;
	return domain_fold(name, out->smarthost) == DOMAIN_OK;
}

bool
scenario_target(json_t *step, struct scenario_target *out)
{
	const char *smarthost = scenario_word(step, "smarthost", NULL);
	struct span rcpt = span_of(scenario_word(step, "rcpt", ""));
	bool known;

	memset(out, 0, sizeof(*out));
	known = domain_of_mailbox(rcpt, out->domain) == DOMAIN_OK ||
	    address_of_mailbox(rcpt, &out->literal);
	return smarthost == NULL ? known : smarthost_read(smarthost, out);
}
