/* SPDX-License-Identifier: ISC */
/*
 * libcurl's multi interface on a libevent loop: see curl_loop.h. libcurl says
 * which descriptors and which time it waits for; one event for each descriptor
 * and one timer do the waiting and tell libcurl what came.
 */
#include "common/curl_loop.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

struct curl_loop {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	curl_loop_fn *progressed;
	void *arg;
	bool lacked; /* an event that libcurl waits for could not be made */
};

static void
socket_ready(evutil_socket_t fd, short what, void *arg)
{
	struct curl_loop *loop = arg;
	int ready = (what & EV_READ ? CURL_CSELECT_IN : 0) |
	    (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(loop->multi, fd, ready, &running);
	loop->progressed(loop->arg);
}

static void
timer_fired(evutil_socket_t fd, short what, void *arg)
{
	struct curl_loop *loop = arg;
	int running;

	(void)fd;
	(void)what;
	curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	loop->progressed(loop->arg);
}

/*
 * No memory for an event. To tell libcurl so is no way out: 7.88 then ends all
 * transfers and crashes over one that has no connection yet. So we pretend,
 * and whoever owns the transfers removes them on the next turn of the loop.
 */
static int
loop_lacks(struct curl_loop *loop)
{
	loop->lacked = true;
	event_active(loop->timer, EV_TIMEOUT, 0);
	return 0;
}

/* libcurl wants to be called in ms, or no longer (-1). */
static int
timer_wanted(CURLM *multi, long ms, void *arg)
{
	struct curl_loop *loop = arg;
	struct timeval delay = { .tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000 };

	(void)multi;
	if (ms < 0) {
		event_del(loop->timer);
		return 0;
	}
	return event_add(loop->timer, &delay) == -1 ? loop_lacks(loop) : 0;
}

/* libcurl waits for other things at fd than before, or for none. */
static int
socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
	struct curl_loop *loop = arg;
	struct event *event = assigned;
	short flags = EV_PERSIST;

	(void)easy;
	if (event != NULL) {
		event_free(event);
		curl_multi_assign(loop->multi, fd, NULL);
	}
	if (what == CURL_POLL_REMOVE)
		return 0;
	if (what & CURL_POLL_IN)
		flags |= EV_READ;
	if (what & CURL_POLL_OUT)
		flags |= EV_WRITE;
	event = event_new(loop->base, fd, flags, socket_ready, loop);
	if (event == NULL)
		return loop_lacks(loop);
	if (event_add(event, NULL) == -1 ||
	    curl_multi_assign(loop->multi, fd, event) != CURLM_OK) {
		event_free(event);
		return loop_lacks(loop);
	}
	return 0;
}

static bool
set_options(struct curl_loop *loop, long max)
{
	CURLM *multi = loop->multi;

	return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION,
		   socket_wanted) == CURLM_OK &&
	    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, loop) == CURLM_OK &&
	    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_wanted) ==
	    CURLM_OK &&
	    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, loop) == CURLM_OK &&
	    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 16L) == CURLM_OK &&
	    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, max) ==
	    CURLM_OK &&
	    curl_multi_setopt(multi, CURLMOPT_PIPELINING,
		(long)CURLPIPE_NOTHING) == CURLM_OK;
}

struct curl_loop *
curl_loop_new(struct event_base *base, long max, curl_loop_fn *progressed,
    void *arg)
{
	struct curl_loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return NULL;
	loop->base = base;
	loop->progressed = progressed;
	loop->arg = arg;
	loop->timer = evtimer_new(base, timer_fired, loop);
	loop->multi = curl_multi_init();
	if (loop->timer == NULL || loop->multi == NULL ||
	    !set_options(loop, max)) {
		curl_loop_free(loop);
		return NULL;
	}
	return loop;
}

void
curl_loop_free(struct curl_loop *loop)
{
	if (loop == NULL)
		return;
	curl_multi_cleanup(loop->multi);
	if (loop->timer != NULL)
		event_free(loop->timer);
	free(loop);
}

bool
curl_loop_add(struct curl_loop *loop, CURL *easy)
{
	return curl_multi_add_handle(loop->multi, easy) == CURLM_OK;
}

void
curl_loop_remove(struct curl_loop *loop, CURL *easy)
{
	CURLMcode code = curl_multi_remove_handle(loop->multi, easy);

	assert(code == CURLM_OK); /* else: a call from within libcurl */
}

CURL *
curl_loop_finished(struct curl_loop *loop, CURLcode *code)
{
	struct CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(loop->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		*code = message->data.result;
		return message->easy_handle;
	}
	return NULL;
}

bool
curl_loop_lacked(struct curl_loop *loop)
{
	bool lacked = loop->lacked;

	loop->lacked = false;
	return lacked;
}
