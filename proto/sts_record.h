/* SPDX-License-Identifier: ISC */
/*
 * The TXT record at _mta-sts.DOMAIN (RFC 8461 3.1): it says that there is a
 * policy and which one (its id), no more.
 */
#ifndef STRICTMX_PROTO_STS_RECORD_H
#define STRICTMX_PROTO_STS_RECORD_H

#include "proto/span.h"

#define STS_ID_MAX 32
#define STS_ID_SIZE (STS_ID_MAX + 1)

enum sts_record_result {
	STS_RECORD_OK,
	STS_RECORD_NONE,    /* nothing here begins as an MTA-STS record */
	STS_RECORD_SEVERAL, /* more than one does: as good as none */
	STS_RECORD_BROKEN,  /* exactly one, of wrong syntax: as good as none */
};

struct sts_record {
	char id[STS_ID_SIZE];
};

/*
 * Chooses and reads the record among the n TXT records of an answer, each with
 * its character-strings already joined. Records that do not begin with
 * "v=STSv1", optional blanks and ";" are dropped first. *why is static text
 * for a person, NULL when STS_RECORD_OK; out is filled only then.
 */
enum sts_record_result sts_record_choose(const struct span *txts, size_t n,
    struct sts_record *out, const char **why);

#endif
