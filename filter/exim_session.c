/* SPDX-License-Identifier: ISC */
/*
 * The sessions that Exim tells of: see exim_session.h. Exim's processes know
 * nothing of each other and end without a word, so whatever is kept here has a
 * bound in number, size and time, and the oldest goes first.
 */
#include "filter/exim_session.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"

struct exim_sessions {
	struct clock *clock;
	exim_session_ended_fn *ended;
	void *arg;
	struct exim_session *table;
	TAILQ_HEAD(, exim_session) oldest_first;
	size_t octets; /* of all chains */
};

/* Chains. */

void
exim_chain_free(STACK_OF(X509) * chain)
{
	sk_X509_pop_free(chain, X509_free);
}

static void
chain_drop(struct exim_session *s)
{
	exim_chain_free(s->chain);
	s->chain = NULL;
	s->sessions->octets -= s->chain_octets;
	s->chain_octets = 0;
}

static STACK_OF(X509) * chain_reversed(STACK_OF(X509) * chain)
{
	STACK_OF(X509) *reversed =
	    sk_X509_new_reserve(NULL, sk_X509_num(chain));

	/* There is room for each: no push can fail. */
	while (reversed != NULL && sk_X509_num(chain) > 0)
		sk_X509_push(reversed, sk_X509_pop(chain));
	return reversed;
}

STACK_OF(X509) * exim_session_take_chain(struct exim_session *session)
{
	STACK_OF(X509) *chain = NULL;

	if (session->chain != NULL)
		chain = chain_reversed(session->chain);
	chain_drop(session);
	return chain;
}

/* NULL when it is no certificate in base64, whole and alone. */
static X509 *
certificate_read(struct span base64, size_t *octets)
{
	unsigned char *der = malloc(base64.len + 1);
	const unsigned char *p = der;
	X509 *certificate = NULL;
	long len;

	if (der == NULL || base64.len > EXIM_REQUEST_MAX)
		goto out;
	len = EVP_DecodeBlock(der, (const unsigned char *)base64.p,
	    (int)base64.len);
	for (size_t i = 0; len > 0 && i < 2 && i < base64.len; i++)
		len -= base64.p[base64.len - 1 - i] == '=';
	if (len > 0)
		certificate = d2i_X509(NULL, &p, len);
	if (certificate != NULL && p != der + len) {
		X509_free(certificate);
		certificate = NULL;
	}
	*octets = len > 0 ? (size_t)len : 0;
out:
	ERR_clear_error();
	free(der);
	return certificate;
}

/* All chains together have a bound; a session is refused without its own. */
static void
chains_make_room(struct exim_session *except)
{
	struct exim_sessions *all = except->sessions;
	struct exim_session *s;

	TAILQ_FOREACH (s, &all->oldest_first, entry) {
		if (all->octets <= LIMIT_EXIM_CHAIN_OCTETS)
			return;
		if (s != except)
			chain_drop(s);
	}
}

enum exim_shown
exim_session_show(struct exim_session *session,
    const struct exim_request *request)
{
	struct exim_session *s = session;
	size_t octets = 0;
	X509 *certificate;

	/* Another handshake than the one before. */
	if (s->chain == NULL || request->depth + 1 != s->depth) {
		chain_drop(s);
		s->judged = false;
	}
	s->depth = request->depth;
	certificate = certificate_read(request->certificate, &octets);
	if (certificate == NULL)
		goto bad;
	if (s->chain == NULL && (s->chain = sk_X509_new_null()) == NULL)
		goto bad;
	if (sk_X509_push(s->chain, certificate) <= 0)
		goto bad;
	s->chain_octets += octets;
	s->sessions->octets += octets;
	chains_make_room(s);
	return s->depth == 0 ? EXIM_SHOWN_WHOLE : EXIM_SHOWN_PART;
bad:
	ERR_clear_error();
	X509_free(certificate);
	chain_drop(s);
	return EXIM_SHOWN_BAD;
}

/* The table. */

static void
session_free(struct exim_session *s)
{
	HASH_DEL(s->sessions->table, s);
	TAILQ_REMOVE(&s->sessions->oldest_first, s, entry);
	clock_timer_cancel(&s->ending);
	chain_drop(s);
	free(s);
}

static void
session_end(void *arg)
{
	struct exim_session *s = arg;

	s->ending = NULL;
	s->sessions->ended(s, s->sessions->arg);
	session_free(s);
}

static void
session_end_in(struct exim_session *s, int64_t ms)
{
	struct clock *clock = s->sessions->clock;

	clock_timer_cancel(&s->ending);
	s->ending = clock_timer_start(clock, ms, session_end, s);
	if (s->ending == NULL) /* it is not counted, then */
		session_free(s);
}

static void
make_room(struct exim_sessions *sessions, int64_t now_ms)
{
	struct exim_session *oldest = TAILQ_FIRST(&sessions->oldest_first);

	while (oldest != NULL &&
	    (HASH_COUNT(sessions->table) >= LIMIT_EXIM_SESSIONS ||
		now_ms - oldest->since_ms > LIMIT_EXIM_SESSION_MS)) {
		session_free(oldest);
		oldest = TAILQ_FIRST(&sessions->oldest_first);
	}
}

static bool
key_make(const struct exim_request *r, char key[EXIM_SESSION_KEY_SIZE])
{
	int n = snprintf(key, EXIM_SESSION_KEY_SIZE, "%.*s %.*s %.*s %.*s",
	    (int)r->message.len, r->message.p, (int)r->domain.len, r->domain.p,
	    (int)r->host.len, r->host.p, (int)r->address.len, r->address.p);

	return n > 0 && n < EXIM_SESSION_KEY_SIZE;
}

struct exim_session *
exim_session_find_key(struct exim_sessions *sessions, const char *key)
{
	struct exim_session *s;

	HASH_FIND_STR(sessions->table, key, s);
	return s;
}

struct exim_session *
exim_session_find(struct exim_sessions *sessions,
    const struct exim_request *request)
{
	char key[EXIM_SESSION_KEY_SIZE];

	return key_make(request, key) ? exim_session_find_key(sessions, key)
				      : NULL;
}

static bool
names_take(struct exim_session *s, const struct exim_request *r)
{
	char address[ADDRESS_SIZE];

	return key_make(r, s->key) &&
	    domain_fold(r->domain, s->domain) == DOMAIN_OK &&
	    domain_fold(r->host, s->host) == DOMAIN_OK &&
	    span_copy(r->address, address, sizeof(address)) &&
	    address_parse(address, &s->address);
}

static struct exim_session *
session_new(struct exim_sessions *sessions, const struct exim_request *request)
{
	struct exim_session *s = calloc(1, sizeof(*s));

	if (s == NULL || !names_take(s, request))
		goto fail;
	s->sessions = sessions;
	s->since_ms = clock_mono_ms(sessions->clock);
	make_room(sessions, s->since_ms);
	HASH_ADD_STR(sessions->table, key, s);
	if (s->hh.tbl == NULL)
		goto fail;
	TAILQ_INSERT_TAIL(&sessions->oldest_first, s, entry);
	return s;
fail:
	free(s);
	return NULL;
}

struct exim_session *
exim_session_take(struct exim_sessions *sessions,
    const struct exim_request *request)
{
	struct exim_session *s = exim_session_find(sessions, request);

	if (s != NULL && s->ending != NULL && request->verb == EXIM_CERT) {
		clock_timer_cancel(&s->ending);
		session_end(s);
		s = NULL;
	}
	return s != NULL ? s : session_new(sessions, request);
}

/* Events. */

static const struct {
	const char *word;
	enum result_type result;
} dane_words[] = {
	/* No TLSA record fits, in Exim's words. */
	{ "validation-failure", RESULT_TLSA_INVALID },
	{ "dnssec-invalid", RESULT_DNSSEC_INVALID },
	{ "starttls-not-supported", RESULT_STARTTLS_NOT_SUPPORTED },
	{ "dane-required", RESULT_DANE_REQUIRED },
};

/* It may come without a connection, and so without tcp:close. */
static void
event_dane_fail(struct exim_session *s, const struct exim_request *r)
{
	s->dane_said = true;
	s->failure = RESULT_VALIDATION_FAILURE;
	for (size_t i = 0; i < sizeof(dane_words) / sizeof(dane_words[0]); i++)
		if (span_is(r->text, dane_words[i].word))
			s->failure = dane_words[i].result;
	snprintf(s->why, sizeof(s->why), "DANE: %.*s",
	    r->text.len < 256 ? (int)r->text.len : 256, r->text.p);
	session_end_in(s, LIMIT_EXIM_CLOSED_MS);
}

static void
event_close(struct exim_session *s, const struct exim_request *r)
{
	if (s->ending != NULL)
		return; /* it counts once: a second one was in clear */
	s->good = r->verified || r->dane;
	s->clear = r->cipher.len == 0 && !s->judged && s->chain == NULL;
	if (s->judged && !r->dane) {
		s->failure = s->judgement.result;
		snprintf(s->why, sizeof(s->why), "%s",
		    s->judgement.why == NULL ? "" : s->judgement.why);
	} else if (s->clear) {
		s->failure = RESULT_STARTTLS_NOT_SUPPORTED;
		snprintf(s->why, sizeof(s->why), "STARTTLS was not offered");
	}
	session_end_in(s, s->clear ? LIMIT_EXIM_CLOSED_MS : 0);
}

/* Closed in clear: was TLS not offered, or did it not come about? */
static void
event_defer(struct exim_session *s, const struct exim_request *r)
{
	static const char handshake[] = "TLS session: ";
	char text[EXIM_WORD_MAX];
	struct span cut = r->text;

	if (s->ending == NULL || !s->clear)
		return;
	if (cut.len >= sizeof(text))
		cut.len = sizeof(text) - 1;
	if (!span_copy(cut, text, sizeof(text)) ||
	    strstr(text, handshake) == NULL)
		return;
	s->failure = RESULT_VALIDATION_FAILURE;
	memcpy(s->why, text, sizeof(s->why));
}

void
exim_sessions_event(struct exim_sessions *sessions,
    const struct exim_request *request)
{
	struct exim_session *s;

	if (span_is(request->event, "dane:fail")) {
		s = exim_session_take(sessions, request);
		if (s != NULL)
			event_dane_fail(s, request);
	} else if (span_is(request->event, "tcp:close")) {
		s = exim_session_take(sessions, request);
		if (s != NULL)
			event_close(s, request);
	} else if (span_is(request->event, "msg:host:defer")) {
		s = exim_session_find(sessions, request);
		if (s != NULL)
			event_defer(s, request);
	}
}

/* Life. */

struct exim_sessions *
exim_sessions_new(struct clock *clock, exim_session_ended_fn *ended, void *arg)
{
	struct exim_sessions *sessions = calloc(1, sizeof(*sessions));

	if (sessions == NULL)
		return NULL;
	sessions->clock = clock;
	sessions->ended = ended;
	sessions->arg = arg;
	TAILQ_INIT(&sessions->oldest_first);
	return sessions;
}

void
exim_sessions_free(struct exim_sessions *sessions)
{
	if (sessions == NULL)
		return;
	while (!TAILQ_EMPTY(&sessions->oldest_first))
		session_free(TAILQ_FIRST(&sessions->oldest_first));
	free(sessions);
}
