/* SPDX-License-Identifier: ISC */
/* One write a turn: see outbox.h. */
#include "filter/outbox.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>

struct outbox {
	struct bufferevent *bev;
	struct evbuffer *gathered;
	struct event *end_of_turn;
};

/*
 * An error is found by the bufferevent, which tells its owner. The owner may
 * free the outbox when it hears that all is written: that comes last.
 */
static void
flush(evutil_socket_t fd, short what, void *arg)
{
	struct outbox *outbox = arg;
	struct evbuffer *output = bufferevent_get_output(outbox->bev);

	(void)fd;
	(void)what;
	if (evbuffer_get_length(output) == 0)
		(void)evbuffer_write(outbox->gathered,
		    bufferevent_getfd(outbox->bev));
	if (evbuffer_get_length(outbox->gathered) > 0)
		bufferevent_write_buffer(outbox->bev, outbox->gathered);
	else
		bufferevent_trigger(outbox->bev, EV_WRITE, 0);
}

struct outbox *
outbox_new(struct bufferevent *bev)
{
	struct outbox *outbox = calloc(1, sizeof(*outbox));

	if (outbox == NULL)
		return NULL;
	outbox->bev = bev;
	outbox->gathered = evbuffer_new();
	outbox->end_of_turn =
	    event_new(bufferevent_get_base(bev), -1, 0, flush, outbox);
	if (outbox->gathered == NULL || outbox->end_of_turn == NULL) {
		outbox_free(outbox);
		return NULL;
	}
	return outbox;
}

void
outbox_free(struct outbox *outbox)
{
	if (outbox == NULL)
		return;
	if (outbox->end_of_turn != NULL)
		event_free(outbox->end_of_turn);
	if (outbox->gathered != NULL)
		evbuffer_free(outbox->gathered);
	free(outbox);
}

struct evbuffer *
outbox_open(struct outbox *outbox)
{
	/* Behind the events that are active already, in this very turn. */
	event_active(outbox->end_of_turn, EV_TIMEOUT, 0);
	return outbox->gathered;
}

size_t
outbox_length(const struct outbox *outbox)
{
	return evbuffer_get_length(outbox->gathered) +
	    evbuffer_get_length(bufferevent_get_output(outbox->bev));
}
