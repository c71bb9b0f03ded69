/* SPDX-License-Identifier: ISC */
/* The relay as a whole: see relay.h. */
#include "filter/relay.h"

#include <event2/util.h>
#include <stdlib.h>

#include "common/config.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/relay_counts.h"
#include "common/session_pool.h"
#include "filter/relay_listener.h"
#include "filter/relay_mail.h"
#include "filter/relay_private.h"
#include "filter/relay_session.h"

static const struct relay_times default_times = {
	.setup_ms = LIMIT_DELIVERY_MS,
	.command_ms = LIMIT_SMTP_COMMAND_MS,
	.room_ms = LIMIT_RELAY_ROOM_MS,
	.dot_ms = LIMIT_RELAY_DOT_MS,
	.late_ms = LIMIT_RELAY_LATE_MS,
	.mta_ms = LIMIT_RELAY_MTA_MS,
};

static void
backend_set(struct relay *relay, const struct relay_backend *backend)
{
	const struct relay_settings *settings = &backend->config->relay;

	relay->backend = *backend;
	session_pool_set(relay->pool, settings->idle_ms, settings->messages);
}

struct relay *
relay_new(struct event_base *base, struct clock *clock,
    const struct relay_backend *backend)
{
	struct relay *relay = calloc(1, sizeof(*relay));

	if (relay == NULL)
		return NULL;
	relay->base = base;
	relay->clock = clock;
	relay->times = default_times;
	LIST_INIT(&relay->sessions);
	LIST_INIT(&relay->mails);
	relay->pool = session_pool_new(clock);
	if (relay->pool == NULL) {
		free(relay);
		return NULL;
	}
	backend_set(relay, backend);
	return relay;
}

void
relay_free(struct relay *relay)
{
	if (relay == NULL)
		return;
	relay_listener_free(relay->listener);
	while (!LIST_EMPTY(&relay->sessions))
		relay_session_free(LIST_FIRST(&relay->sessions));
	relay_mail_cut_all(relay);
	session_pool_free(relay->pool);
	relay_counts_reset();
	free(relay);
}

void
relay_use(struct relay *relay, const struct relay_backend *backend)
{
	session_pool_clear(relay->pool);
	backend_set(relay, backend);
}

void
relay_set_times(struct relay *relay, const struct relay_times *times)
{
	relay->times = *times;
}

bool
relay_listen(struct relay *relay)
{
	relay->listener = relay_listener_new(relay->clock,
	    &relay->backend.config->relay, relay);
	return relay->listener != NULL;
}

void
relay_serve(struct relay *relay, int fd, const struct address *peer)
{
	char text[ADDRESS_SIZE];

	if (!relay_settings_serve(&relay->backend.config->relay, peer)) {
		log_warning("relay: %s is not served: not in 'allow'",
		    address_format(peer, text));
		evutil_closesocket(fd);
		return;
	}
	if (!relay_session_new(relay, fd, peer)) {
		log_warning("relay: no memory to serve %s",
		    address_format(peer, text));
		evutil_closesocket(fd);
	}
}
