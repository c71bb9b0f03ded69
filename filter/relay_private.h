/* SPDX-License-Identifier: ISC */
/* What the parts of the relay share; for filter/relay*.c only. */
#ifndef STRICTMX_FILTER_RELAY_PRIVATE_H
#define STRICTMX_FILTER_RELAY_PRIVATE_H

#include <sys/queue.h>

#include <stdint.h>

#include "filter/relay.h"

struct relay_listener;
struct relay_mail;
struct relay_session;
struct session_pool;

struct relay {
	struct event_base *base;
	struct clock *clock;
	struct relay_backend backend; /* of mail that begins now */
	struct relay_times times;
	struct session_pool *pool;
	struct relay_listener *listener;
	LIST_HEAD(, relay_session) sessions;
	size_t n_sessions;
	LIST_HEAD(, relay_mail) mails;
	uint64_t n_begun; /* mails, ever */
};

#endif
