/* SPDX-License-Identifier: ISC */
/* One connection of a mail server to the relay: commands in, replies out. */
#ifndef STRICTMX_FILTER_RELAY_SESSION_H
#define STRICTMX_FILTER_RELAY_SESSION_H

#include <stdbool.h>

struct address;
struct relay;
struct relay_session;

/* False, and fd is still the caller's, without memory. */
bool relay_session_new(struct relay *relay, int fd, const struct address *peer);

/* Closes the connection; what it had on its way is ended as that allows. */
void relay_session_free(struct relay_session *session);

#endif
