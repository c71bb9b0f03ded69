/* SPDX-License-Identifier: ISC */
/*
 * uthash, the table of this project, tamed in two things: a full memory must
 * not end the process (an element whose HASH_ADD failed has hh.tbl == NULL, so
 * look before you rely on it), and its hash macro, which falls through switch
 * cases without a word (clang warns), lives in one function here.
 */
#ifndef STRICTMX_COMMON_UTHASH_QUIET_H
#define STRICTMX_COMMON_UTHASH_QUIET_H

#define HASH_NONFATAL_OOM 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <uthash.h>

static inline unsigned
uthash_quiet_hash(const void *key, size_t len)
{
	unsigned hash;

	HASH_JEN(key, len, hash);
	return hash;
}

/*
 * uthash keeps its elements in the order in which they were added. One that is
 * used is moved to the end of it, so that the first one, where the table
 * begins, is the least recently used: no list of our own, 16 octets less for
 * each. Needs no memory. Returns where the table begins now.
 */
static inline void *
uthash_quiet_move_last(void *first, struct UT_hash_handle *hh)
{
	struct UT_hash_table *table = hh->tbl;
	struct UT_hash_handle *next, *last = table->tail;

	if (hh == last)
		return first;
	next = HH_FROM_ELMT(table, hh->next);
	next->prev = hh->prev;
	if (hh->prev == NULL)
		first = hh->next;
	else
		HH_FROM_ELMT(table, hh->prev)->next = hh->next;
	last->next = ELMT_FROM_HH(table, hh);
	hh->prev = ELMT_FROM_HH(table, last);
	hh->next = NULL;
	table->tail = hh;
	return first;
}
#pragma GCC diagnostic pop

#undef HASH_FUNCTION
#define HASH_FUNCTION(key, len, hash) ((hash) = uthash_quiet_hash((key), (len)))

#endif
