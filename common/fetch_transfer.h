/* SPDX-License-Identifier: ISC */
/*
 * One HTTPS GET of a policy: libcurl's options, the pinned addresses, the
 * bounds on what is taken in. It is run by common/curl_loop.
 */
#ifndef STRICTMX_COMMON_FETCH_TRANSFER_H
#define STRICTMX_COMMON_FETCH_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>

#include "common/fetch.h"
#include "common/fetch_target.h"

struct fetch_transfer;

/*
 * A handle with the options that all transfers share, never run itself. The
 * times of opts are filled in. NULL without memory, or when libcurl lacks an
 * option.
 */
CURL *fetch_transfer_template(const struct fetcher_opts *opts);

/*
 * opts and target, which has addresses, are borrowed for its life. owner comes
 * back as CURLINFO_PRIVATE. NULL without memory.
 */
struct fetch_transfer *fetch_transfer_new(CURL *template,
    const struct fetcher_opts *opts, const struct fetch_target *target,
    void *owner);

/* It runs no longer. Safe on NULL. */
void fetch_transfer_free(struct fetch_transfer *transfer);

CURL *fetch_transfer_easy(const struct fetch_transfer *transfer);

/* Has any octet of a response been seen? */
bool fetch_transfer_answered(const struct fetch_transfer *transfer);

/* The address that it is connected to; false when there is none yet. */
bool fetch_transfer_connected(const struct fetch_transfer *transfer,
    struct address *address);

/*
 * It ended with this code: fills in result, whose body lives as long as the
 * transfer. False when memory or descriptors lacked here, so that nothing is
 * known about the host.
 */
bool fetch_transfer_judge(struct fetch_transfer *transfer, CURLcode code,
    struct fetch_result *result);

#endif
