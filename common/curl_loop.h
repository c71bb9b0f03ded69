/* SPDX-License-Identifier: ISC */
/*
 * libcurl's multi interface on a libevent loop. Transfers are added, run by
 * the loop, and collected when they are finished; nothing of ours is ever
 * called from within libcurl, so that everything may be done in response.
 */
#ifndef STRICTMX_COMMON_CURL_LOOP_H
#define STRICTMX_COMMON_CURL_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>

struct event_base;
struct curl_loop;

typedef void curl_loop_fn(void *arg);

/*
 * progressed(arg) runs from the loop after each piece of work, outside of
 * libcurl: look for finished transfers then. At most max transfers. NULL
 * without memory.
 */
struct curl_loop *curl_loop_new(struct event_base *base, long max,
    curl_loop_fn *progressed, void *arg);

/* All transfers have been removed. Safe on NULL. */
void curl_loop_free(struct curl_loop *loop);

/* False without memory. The handle stays the caller's. */
bool curl_loop_add(struct curl_loop *loop, CURL *easy);

/* At any time before curl_easy_cleanup(), but not from a curl callback. */
void curl_loop_remove(struct curl_loop *loop, CURL *easy);

/*
 * A transfer that is finished and how it ended; NULL when there is none. To
 * be removed before the next is asked for.
 */
CURL *curl_loop_finished(struct curl_loop *loop, CURLcode *code);

/*
 * Has there been no memory for an event since this was asked last? Then any
 * transfer that still runs may never end, and is to be removed.
 */
bool curl_loop_lacked(struct curl_loop *loop);

#endif
