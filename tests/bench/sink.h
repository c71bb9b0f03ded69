/* SPDX-License-Identifier: ISC */
/*
 * An SMTP server: EHLO, STARTTLS with TLS 1.3 and a certificate made on the
 * spot, and mail, which it throws away. Fast rather than strict. To HELP it
 * says what it has seen so far: "214 messages N connections N handshakes N".
 */
#ifndef STRICTMX_TESTS_BENCH_SINK_H
#define STRICTMX_TESTS_BENCH_SINK_H

#include <stdint.h>

struct event_base;

/*
 * Listens on the address, on a port of the system's choice when port is 0, and
 * returns the port; ca_path gets the certificate to trust. Failure ends the
 * process.
 */
uint16_t sink_listen(struct event_base *base, const char *address,
    uint16_t port, const char *alt_names, const char *ca_path);

#endif
