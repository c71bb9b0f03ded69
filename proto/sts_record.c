/* SPDX-License-Identifier: ISC */
/*
 * The TXT record of MTA-STS: which of the records at the name it is, and what
 * it says. Step 2 of a lookup asks.
 *
 * RFC 8461 3.1. The parser walks along its grammar:
 *	record    = "v=STSv1" 1*(delimiter field) [delimiter]
 *	delimiter = *WSP ";" *WSP
 *	field     = name "=" value
 * so that an empty field, a blank inside one, or blanks after the last field
 * without a ";" are wrong syntax.
 */
#include "proto/sts_record.h"

#include <stdbool.h>

#include "proto/ascii.h"
#include "proto/sts_field.h"

#define STS_VERSION "v=STSv1"

static void
skip(struct span *rest, size_t n)
{
	rest->p += n;
	rest->len -= n;
}

static void
skip_blanks(struct span *rest)
{
	while (rest->len > 0 && ascii_is_blank(rest->p[0]))
		skip(rest, 1);
}

static bool
take_version(struct span *rest)
{
	if (!span_starts(*rest, STS_VERSION))
		return false;
	skip(rest, sizeof(STS_VERSION) - 1);
	return true;
}

static bool
take_delimiter(struct span *rest)
{
	skip_blanks(rest);
	if (rest->len == 0 || rest->p[0] != ';')
		return false;
	skip(rest, 1);
	skip_blanks(rest);
	return true;
}

/* sts-ext-value: printable, but neither blank, "=" nor ";". */
static bool
is_value_char(char c)
{
	return c > 0x20 && c < 0x7f && c != '=' && c != ';';
}

static bool
take_field(struct span *rest, struct span *name, struct span *value)
{
	size_t n = 0;

	while (n < rest->len && rest->p[n] != '=')
		n++;
	if (n == rest->len)
		return false;
	*name = (struct span){ rest->p, n };
	skip(rest, n + 1);
	for (n = 0; n < rest->len && is_value_char(rest->p[n]);)
		n++;
	*value = (struct span){ rest->p, n };
	skip(rest, n);
	return value->len > 0 && sts_field_name_is_valid(*name);
}

/* sts-id: 1 to 32 letters or digits. */
static bool
take_id(struct span value, char id[STS_ID_SIZE])
{
	for (size_t i = 0; i < value.len; i++)
		if (!ascii_is_alnum(value.p[i]))
			return false;
	return span_copy(value, id, STS_ID_SIZE);
}

/* Reads one record; NULL, or what is wrong with it. */
static const char *
record_parse(struct span rest, struct sts_record *out)
{
	struct span name, value;
	bool has_id = false;

	take_version(&rest);
	while (rest.len > 0) {
		if (!take_delimiter(&rest))
			return "blank or other character after a field";
		if (rest.len == 0)
			break;
		if (!take_field(&rest, &name, &value))
			return "field is empty or not of the form name=value";
		/* A later id is a field as any other: the first counts. */
		if (has_id || !span_is(name, "id"))
			continue;
		if (!take_id(value, out->id))
			return "id is not 1 to 32 letters or digits";
		has_id = true;
	}
	return has_id ? NULL : "id is missing";
}

/* RFC 8461 3.1: the others at the name are dropped before counting. */
static bool
is_candidate(struct span txt)
{
	return take_version(&txt) && take_delimiter(&txt);
}

enum sts_record_result
sts_record_choose(const struct span *txts, size_t n, struct sts_record *out,
    const char **why)
{
	const struct span *found = NULL;
	struct sts_record record;

	for (size_t i = 0; i < n; i++) {
		if (!is_candidate(txts[i]))
			continue;
		if (found != NULL) {
			*why = "more than one MTA-STS record";
			return STS_RECORD_SEVERAL;
		}
		found = &txts[i];
	}
	if (found == NULL) {
		*why = "no MTA-STS record";
		return STS_RECORD_NONE;
	}
	*why = record_parse(*found, &record);
	if (*why != NULL)
		return STS_RECORD_BROKEN;
	*out = record;
	return STS_RECORD_OK;
}
