/* SPDX-License-Identifier: ISC */
/*
 * smtpd's side of the filter: smtpd-filters(7), protocol 0.6 and 0.7. Asks the
 * engine about each recipient and answers as it says. Every request gets one
 * answer, none after link-disconnect; smtpd, and with it all mail, ends when
 * it gets a second one, and a session hangs for ever when it gets none.
 */
#ifndef STRICTMX_FILTER_OSMTPD_FRONT_H
#define STRICTMX_FILTER_OSMTPD_FRONT_H

#include "common/config.h"

struct engine_link;
struct event_base;
struct osmtpd_front;

struct osmtpd_rules {
	bool judge_local_submission;
	enum config_choice engine_away;
};

typedef void osmtpd_gone_fn(void *arg);

/*
 * fd_in and fd_out are two descriptors, of one socket or of two pipes; they
 * stay the caller's. gone runs once, from the loop, when smtpd has closed its
 * end. NULL without memory, or when the descriptors cannot be waited for.
 */
struct osmtpd_front *osmtpd_front_new(struct event_base *base, int fd_in,
    int fd_out, struct engine_link *link, const struct osmtpd_rules *rules,
    osmtpd_gone_fn *gone, void *arg);

/* From now on. */
void osmtpd_front_set_rules(struct osmtpd_front *front,
    const struct osmtpd_rules *rules);

/* Cancels what it has asked. Not from gone. Safe on NULL. */
void osmtpd_front_free(struct osmtpd_front *front);

#endif
