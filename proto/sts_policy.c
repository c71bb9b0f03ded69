/* SPDX-License-Identifier: ISC */
/*
 * An MTA-STS policy, from the body that was fetched to a struct. Step 3 of a
 * lookup reads it, and so does the cache when it takes one from the store.
 *
 * RFC 8461 3.2, read strictly but for blank lines, which the grammar forbids
 * and many policies have. The mode is looked for first, because it says whether
 * the mx lines matter; then the lines are taken in order, to the end: what is
 * said of each goes to the caller's found(). The patterns are collected last.
 */
#include "proto/sts_policy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/ascii.h"
#include "proto/mx_match.h"
#include "proto/sts_field.h"

/* RFC 8461 3.2 sts-policy-max-age: 1*10(DIGIT). */
#define MAX_AGE_DIGITS 10

struct parser {
	sts_found_fn *found;
	void *arg;
	unsigned line; /* number of the line at hand; 0 past the last one */
	bool is_invalid;
	struct sts_policy policy;
	bool has_version, has_mode, has_max_age;
	size_t n_mx; /* mx lines so far, repeats included; of mode none, the
			good ones */
};

static void
say(struct parser *p, enum sts_severity severity, const char *text,
    struct span about)
{
	struct sts_finding finding = { severity, p->line, text, about };

	if (severity == STS_ERROR)
		p->is_invalid = true;
	p->found(&finding, p->arg);
}

/* 1. A line: key ":" *WSP value *WSP. */

/*
 * The length of the UTF-8 character at the start of s: 0 when there is none
 * that is well-formed (RFC 3629 4), or when it is a control character.
 */
static size_t
char_length(struct span s)
{
	const unsigned char *u = (const unsigned char *)s.p;
	unsigned char low = 0x80, high = 0xbf; /* of the second octet */
	size_t n;

	if (u[0] < 0x80)
		return ascii_is_control(s.p[0]) ? 0 : 1;
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	n = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if (u[0] == 0xe0)
		low = 0xa0; /* overlong */
	if (u[0] == 0xed)
		high = 0x9f; /* surrogates */
	if (u[0] == 0xf0)
		low = 0x90; /* overlong */
	if (u[0] == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	if (s.len < n || u[1] < low || u[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (u[i] < 0x80 || u[i] > 0xbf)
			return 0;
	return n;
}

static bool
is_text(struct span s)
{
	while (s.len > 0) {
		size_t n = char_length(s);

		if (n == 0)
			return false;
		s.p += n;
		s.len -= n;
	}
	return true;
}

/* NULL, or what is wrong with the line. */
static const char *
line_split(struct span line, struct span *key, struct span *value)
{
	struct span rest = line;

	if (span_starts(line, "\xef\xbb\xbf"))
		return "byte order mark";
	if (!span_cut(&rest, ':', key) || key->len == line.len)
		return "line without a colon";
	if (!sts_field_name_is_valid(*key))
		return "key is not a name";
	*value = span_trim(rest);
	if (value->len == 0)
		return "empty value";
	if (!is_text(*value))
		return "control character or broken UTF-8 in a value";
	return NULL;
}

/* 2. The keys: each says what is wrong with the value, or NULL. */

/* RFC 8461 3.2: of a key that is repeated, mx aside, the first counts; the
 * others are not even judged. */
static bool
is_repeated(struct parser *p, bool *has, struct span value)
{
	bool repeated = *has;

	*has = true;
	if (repeated)
		say(p, STS_WARNING, "key is given again: ignored", value);
	return repeated;
}

static const char *
take_version(struct parser *p, struct span value)
{
	if (is_repeated(p, &p->has_version, value))
		return NULL;
	return span_is(value, "STSv1") ? NULL : "version is not STSv1";
}

static enum sts_mode
mode_read(struct span value)
{
	for (int i = STS_MODE_ENFORCE; i <= STS_MODE_NONE; i++)
		if (span_is(value, sts_mode_name((enum sts_mode)i)))
			return (enum sts_mode)i;
	return STS_MODE_UNKNOWN;
}

/* The mode itself is known already. */
static const char *
take_mode(struct parser *p, struct span value)
{
	if (is_repeated(p, &p->has_mode, value))
		return NULL;
	return p->policy.mode != STS_MODE_UNKNOWN
	    ? NULL
	    : "mode is not enforce, testing or none";
}

static const char *
take_max_age(struct parser *p, struct span value)
{
	unsigned long seconds;

	if (is_repeated(p, &p->has_max_age, value))
		return NULL;
	if (value.len > MAX_AGE_DIGITS)
		return "max_age has more than 10 digits";
	for (size_t i = 0; i < value.len; i++)
		if (!ascii_is_digit(value.p[i]))
			return "max_age is not a number";
	if (span_number(value, STS_MAX_AGE_MAX_S, &seconds)) {
		p->policy.max_age_s = (uint32_t)seconds;
		return NULL;
	}
	p->policy.max_age_s = STS_MAX_AGE_MAX_S;
	p->policy.max_age_capped = true;
	say(p, STS_WARNING, "max_age is over a year: taken as 31557600", value);
	return NULL;
}

static const char *
take_mx(struct parser *p, struct span value)
{
	bool is_valid = mx_pattern_is_valid(value);

	/* Nothing is asked of it; a good one is kept, to be shown. */
	if (p->policy.mode == STS_MODE_NONE) {
		say(p, STS_WARNING,
		    is_valid ? "mx means nothing in mode none"
			     : "bad mx, which means nothing in mode none",
		    value);
		p->n_mx += is_valid;
		return NULL;
	}
	p->n_mx++;
	return is_valid ? NULL : "mx is neither a host name nor \"*.\" and one";
}

static const struct {
	const char *name;
	const char *(*take)(struct parser *, struct span);
} keys[] = {
	{ "version", take_version },
	{ "mode", take_mode },
	{ "max_age", take_max_age },
	{ "mx", take_mx },
};

static const char *
take_pair(struct parser *p, struct span key, struct span value)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (span_is(key, keys[i].name))
			return keys[i].take(p, value);
	say(p, STS_WARNING, "unknown key: ignored", key); /* an extension */
	return NULL;
}

/* 3. The body. */

/*
 * The next line, without its end: LF or CR LF, and the last one may have none.
 * No other character ends a line; a CR elsewhere is a control character.
 */
static bool
next_line(struct span *rest, struct span *line)
{
	size_t before = rest->len;
	bool has_lf;

	if (rest->len == 0 || !span_cut(rest, '\n', line))
		return false;
	has_lf = line->len < before;
	if (has_lf && line->len > 0 && line->p[line->len - 1] == '\r')
		line->len--;
	return true;
}

static void
take_line(struct parser *p, struct span line)
{
	struct span key, value, about = line;
	const char *reason;

	if (span_trim(line).len == 0) {
		say(p, STS_WARNING, "blank line", span_of(NULL));
		return;
	}
	reason = line_split(line, &key, &value);
	if (reason == NULL) {
		reason = take_pair(p, key, value);
		about = value;
	}
	if (reason != NULL)
		say(p, STS_ERROR, reason, about);
}

/* Of the first line that gives one, wherever it stands. */
static enum sts_mode
find_mode(struct span body)
{
	struct span line, key, value;

	while (next_line(&body, &line))
		if (line_split(line, &key, &value) == NULL &&
		    span_is(key, "mode"))
			return mode_read(value);
	return STS_MODE_UNKNOWN;
}

/* Without a mode nobody knows whether an mx is wanted. */
static void
say_what_is_missing(struct parser *p)
{
	struct span none = span_of(NULL);

	if (!p->has_version)
		say(p, STS_ERROR, "version is missing", none);
	if (!p->has_mode)
		say(p, STS_ERROR, "mode is missing", none);
	if (!p->has_max_age)
		say(p, STS_ERROR, "max_age is missing", none);
	if (p->n_mx == 0 && p->policy.mode != STS_MODE_UNKNOWN &&
	    p->policy.mode != STS_MODE_NONE)
		say(p, STS_ERROR, "mx is missing", none);
}

static void
read_lines(struct parser *p, struct span body)
{
	struct span line;

	p->policy.mode = find_mode(body);
	while (next_line(&body, &line)) {
		p->line++;
		take_line(p, line);
	}
	p->line = 0;
	say_what_is_missing(p);
}

/* 4. The patterns, from a body whose lines are known to be good; in mode none
 * a bad pattern may be among them. */

static int
by_place(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->p > y->p) - (x->p < y->p);
}

static int
by_name(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	for (size_t i = 0; i < x->len; i++) {
		char c = ascii_lower(x->p[i]), d = ascii_lower(y->p[i]);

		if (c != d)
			return c < d ? -1 : 1;
	}
	return 0;
}

static int
by_name_then_place(const void *a, const void *b)
{
	int order = by_name(a, b);

	return order != 0 ? order : by_place(a, b);
}

/*
 * Leaves the first of each name, in order; returns how many. Sorted, because
 * a body has room for 10,000 patterns and comparing each with each would hold
 * up the loop.
 */
static size_t
drop_repeats(struct span *mx, size_t n)
{
	size_t kept = 1;

	qsort(mx, n, sizeof(*mx), by_name_then_place);
	for (size_t i = 1; i < n; i++)
		if (by_name(&mx[kept - 1], &mx[i]) != 0)
			mx[kept++] = mx[i];
	qsort(mx, kept, sizeof(*mx), by_place);
	return kept;
}

static void
find_mx(struct span body, struct span *mx)
{
	struct span line, key, value;

	while (next_line(&body, &line))
		if (line_split(line, &key, &value) == NULL &&
		    span_is(key, "mx") && mx_pattern_is_valid(value))
			*mx++ = value;
}

/* One block: the pointers, then the strings they point to. */
static bool
copy_mx(const struct span *mx, size_t n, struct sts_policy *policy)
{
	size_t size = n * sizeof(*policy->mx);
	char *string;

	for (size_t i = 0; i < n; i++)
		size += mx[i].len + 1;
	policy->mx = malloc(size);
	if (policy->mx == NULL)
		return false;
	policy->n_mx = n;
	string = (char *)(policy->mx + n);
	for (size_t i = 0; i < n; i++) {
		policy->mx[i] = string;
		for (size_t k = 0; k < mx[i].len; k++)
			*string++ = ascii_lower(mx[i].p[k]);
		*string++ = '\0';
	}
	return true;
}

static bool
collect_mx(struct parser *p, struct span body)
{
	struct span *mx = calloc(p->n_mx, sizeof(*mx));
	bool ok = false;

	if (mx != NULL) {
		find_mx(body, mx);
		ok = copy_mx(mx, drop_repeats(mx, p->n_mx), &p->policy);
	}
	free(mx);
	if (ok && p->policy.n_mx < p->n_mx)
		say(p, STS_WARNING, "an mx is given more than once",
		    span_of(NULL));
	return ok;
}

/* 5. What others call. */

enum sts_policy_result
sts_policy_judge(struct span body, struct sts_policy *out, sts_found_fn *found,
    void *arg)
{
	struct parser p = { .found = found, .arg = arg };

	*out = (struct sts_policy){ .mode = STS_MODE_UNKNOWN };
	read_lines(&p, body);
	if (p.is_invalid)
		return STS_POLICY_INVALID;
	if (p.n_mx > 0 && !collect_mx(&p, body))
		return STS_POLICY_NO_MEMORY;
	*out = p.policy;
	return STS_POLICY_OK;
}

static void
keep_first_error(const struct sts_finding *finding, void *arg)
{
	struct sts_policy_error *error = arg;

	if (finding->severity != STS_ERROR || error->reason != NULL)
		return;
	error->line = finding->line;
	error->reason = finding->text;
}

enum sts_policy_result
sts_policy_parse(struct span body, struct sts_policy *out,
    struct sts_policy_error *error)
{
	enum sts_policy_result result;

	*error = (struct sts_policy_error){ .line = 0 };
	result = sts_policy_judge(body, out, keep_first_error, error);
	if (result == STS_POLICY_NO_MEMORY)
		error->reason = "out of memory";
	return result;
}

bool
sts_policy_copy(const struct sts_policy *from, struct sts_policy *to)
{
	struct span *mx = NULL;
	bool ok = true;

	*to = *from;
	to->mx = NULL;
	to->n_mx = 0;
	if (from->n_mx == 0)
		return true;
	mx = calloc(from->n_mx, sizeof(*mx));
	if (mx != NULL)
		for (size_t i = 0; i < from->n_mx; i++)
			mx[i] = span_of(from->mx[i]);
	ok = mx != NULL && copy_mx(mx, from->n_mx, to);
	free(mx);
	if (!ok)
		memset(to, 0, sizeof(*to));
	return ok;
}

void
sts_policy_cleanup(struct sts_policy *policy)
{
	free(policy->mx);
	*policy = (struct sts_policy){ .mode = STS_MODE_UNKNOWN };
}

const char *
sts_mode_name(enum sts_mode mode)
{
	static const char *const names[] = {
		[STS_MODE_UNKNOWN] = "unknown",
		[STS_MODE_ENFORCE] = "enforce",
		[STS_MODE_TESTING] = "testing",
		[STS_MODE_NONE] = "none",
	};

	assert((size_t)mode < sizeof(names) / sizeof(names[0]));
	return names[mode];
}

bool
sts_policy_lists(const struct sts_policy *policy, const char *mx_host)
{
	if (policy->mode == STS_MODE_NONE)
		return false;
	for (size_t i = 0; i < policy->n_mx; i++)
		if (mx_match(policy->mx[i], mx_host))
			return true;
	return false;
}
