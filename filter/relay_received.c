/* SPDX-License-Identifier: ISC */
/* The line "Received:": see relay_received.h. */
#include "filter/relay_received.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "filter/relay_mail.h"
#include "proto/ascii.h"

#define HELO_MAX 255

/* A name that could be one; else nothing may be made of it here. */
static void
helo_copy(const char *helo, char out[HELO_MAX + 1])
{
	size_t i;

	for (i = 0; i < HELO_MAX && helo[i] != '\0'; i++)
		out[i] =
		    ascii_is_alnum(helo[i]) || strchr(".-_:[]", helo[i]) != NULL
		    ? helo[i]
		    : '?';
	out[i] = '\0';
}

/* RFC 3848 and RFC 6531 4.3 */
static const char *
protocol(const struct relay_sender *sender, bool smtputf8)
{
	if (smtputf8)
		return "UTF8SMTP";
	return sender->esmtp ? "ESMTP" : "SMTP";
}

/* RFC 5322 3.3; no locale's names. */
static void
date_make(int64_t wall_s, char out[40])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)wall_s;
	struct tm tm = { .tm_mday = 1 };

	gmtime_r(&t, &tm);
	snprintf(out, 40, "%.3s, %d %.3s %d %02d:%02d:%02d +0000",
	    days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void
relay_received_make(char out[RELAY_RECEIVED_SIZE],
    const struct relay_sender *sender, const char *hostname, uint64_t id,
    bool smtputf8, int64_t wall_s)
{
	char helo[HELO_MAX + 1], address[ADDRESS_SIZE], date[40];

	helo_copy(sender->helo, helo);
	address_format(&sender->peer, address);
	date_make(wall_s, date);
	snprintf(out, RELAY_RECEIVED_SIZE,
	    "Received: from %s ([%s%s])\r\n\tby %s (strictmx) with %s id "
	    "%" PRIx64 ";\r\n\t%s\r\n",
	    helo, sender->peer.family == AF_INET6 ? "IPv6:" : "", address,
	    hostname, protocol(sender, smtputf8), id, date);
}
