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
#pragma GCC diagnostic pop

#undef HASH_FUNCTION
#define HASH_FUNCTION(key, len, hash) ((hash) = uthash_quiet_hash((key), (len)))

#endif
