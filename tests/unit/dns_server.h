/* SPDX-License-Identifier: ISC */
/*
 * A DNS server over TCP on 127.0.0.1, on the event base of the test. The first
 * label of the name that is asked for says what it does:
 *
 *	a mx txt ad	answers with a record of the type; "ad" sets the bit
 *	nxdomain nodata	denies, with a SOA of minimum 60
 *	servfail refused tc echo short garbage cut wrongq	answers badly
 *	wrongid silent	nothing that getdns would take for an answer
 *	tiny		answers two octets the first time, then as a
 *	slow		answers with a record when dns_server_answer_slow() is
 *			called
 *	close		closes the connection
 *	once		closes the connection the first time, then as a
 *	twice		answers SERVFAIL two times, then as a
 */
#ifndef STRICTMX_TESTS_DNS_SERVER_H
#define STRICTMX_TESTS_DNS_SERVER_H

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct dns_server;

/* On a port that the system chooses. */
struct dns_server *dns_server_new(struct event_base *base);
void dns_server_free(struct dns_server *server);

uint16_t dns_server_port(const struct dns_server *server);

/* Closes all connections, and takes none, until it listens again. */
void dns_server_stop(struct dns_server *server);
void dns_server_listen(struct dns_server *server);

/* Closes the connections that there are. */
void dns_server_hang_up(struct dns_server *server);

void dns_server_answer_slow(struct dns_server *server);

unsigned dns_server_asked(const struct dns_server *server);
unsigned dns_server_connections(const struct dns_server *server);
size_t dns_server_waiting(const struct dns_server *server); /* slow ones */

/* TTL of the records and of the SOA; 300 at first. */
void dns_server_set_ttl(struct dns_server *server, uint32_t ttl_s);

#endif
