/* SPDX-License-Identifier: ISC */
/* The line "Received:" that the relay adds (RFC 5321 4.4). */
#ifndef STRICTMX_FILTER_RELAY_RECEIVED_H
#define STRICTMX_FILTER_RELAY_RECEIVED_H

#include <stdbool.h>
#include <stdint.h>

#define RELAY_RECEIVED_SIZE 1024

struct relay_sender;

/* With its line ends. hostname is this host's name. */
void relay_received_make(char out[RELAY_RECEIVED_SIZE],
    const struct relay_sender *sender, const char *hostname, uint64_t id,
    bool smtputf8, int64_t wall_s);

#endif
