/* SPDX-License-Identifier: ISC */
/* The sockets that the relay listens on. */
#ifndef STRICTMX_FILTER_RELAY_LISTENER_H
#define STRICTMX_FILTER_RELAY_LISTENER_H

struct clock;
struct relay;
struct relay_listener;
struct relay_settings;

/*
 * Listens on all endpoints; connections go to relay_serve(). NULL with a line
 * in the log when one of them cannot be had; of the default ones an address
 * that this system does not have is left out.
 */
struct relay_listener *relay_listener_new(struct clock *clock,
    const struct relay_settings *settings, struct relay *relay);
void relay_listener_free(struct relay_listener *listener); /* safe on NULL */

#endif
