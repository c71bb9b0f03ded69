/* SPDX-License-Identifier: ISC */
/*
 * An HTTPS server on the test's own event base that behaves as badly as it is
 * told to. It answers each request the same way and counts what it sees.
 */
#ifndef STRICTMX_TESTS_TEST_HTTPS_SERVER_H
#define STRICTMX_TESTS_TEST_HTTPS_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

struct event_base;

enum https_manner {
	HTTPS_ANSWER,	 /* reply, unit n_units times, then closes */
	HTTPS_LEAVE,	 /* the same, but leaves the connection open */
	HTTPS_DRIP,	 /* reply, one octet every delay_ms */
	HTTPS_CLOSE,	 /* closes when it has read the request */
	HTTPS_CUT,	 /* closes when it has accepted */
	HTTPS_NO_TLS,	 /* accepts, but says nothing */
	HTTPS_PLAIN_TEXT /* sends reply without TLS */
};

struct https_script {
	enum https_manner manner;
	const char *reply; /* NULL: nothing */
	size_t reply_len;  /* 0: a string */
	const char *unit;
	size_t n_units;
	unsigned delay_ms; /* before the answer */
};

struct https_server {
	/* read by the test */
	uint16_t port;
	unsigned accepted; /* connections, all in all */
	unsigned open;	   /* now */
	unsigned most_open;
	char request[1024]; /* the last, cut */
	/* its own */
	struct event_base *base;
	struct evconnlistener *listener;
	SSL_CTX *ctx;
	struct https_script script;
	struct https_connection *connections;
};

/*
 * On this address and port, 0 for any that is free. script and ctx are
 * borrowed (the texts of the script too). NULL when the address cannot be had.
 */
struct https_server *https_server_new(struct event_base *base,
    const char *address, uint16_t port, SSL_CTX *ctx,
    const struct https_script *script);
void https_server_free(struct https_server *server); /* safe on NULL */

#endif
