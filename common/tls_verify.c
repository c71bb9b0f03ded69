/* SPDX-License-Identifier: ISC */
/*
 * TLS towards MX hosts: see tls_verify.h. One SSL_CTX with the web's roots, and
 * one without any for DANE: usages 2 and 3 owe nothing to the web's
 * authorities, and OpenSSL would take a chain to them where no TLSA record was
 * added. The handshake runs with SSL_VERIFY_NONE, so that a bad certificate is
 * told and not just met; OpenSSL verifies the chain all the same and keeps the
 * result. The name comes after the chain, and is looked at here: OpenSSL would
 * look at it before the dates, and the host whose certificate has expired is
 * told so, whatever the names in it.
 */
#include "common/tls_verify.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/address.h"
#include "common/ports.h"
#include "common/tlsa_set.h"
#include "proto/domain.h"
#include "proto/span.h"

struct tls_verify {
	SSL_CTX *ctx;
	SSL_CTX *dane_ctx;
};

static bool
context_load_roots(SSL_CTX *ctx, const char *ca_file)
{
	if (ca_file == NULL)
		return SSL_CTX_set_default_verify_paths(ctx) == 1;
	return SSL_CTX_load_verify_file(ctx, ca_file) == 1;
}

static bool
context_set_up(SSL_CTX *ctx)
{
	/* A renegotiation would bring a certificate that nobody judges; a
	   resumed session would bring none. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER) == 1;
}

struct tls_verify *
tls_verify_new(const char *ca_file, const char **why)
{
	struct tls_verify *verify = calloc(1, sizeof(*verify));

	*why = "no memory for TLS";
	if (verify == NULL)
		return NULL;
	verify->ctx = SSL_CTX_new(TLS_client_method());
	verify->dane_ctx = SSL_CTX_new(TLS_client_method());
	if (verify->ctx == NULL || verify->dane_ctx == NULL ||
	    !context_set_up(verify->ctx) || !context_set_up(verify->dane_ctx) ||
	    SSL_CTX_dane_enable(verify->dane_ctx) != 1)
		goto fail;
	*why = "the CA certificates cannot be read";
	if (!context_load_roots(verify->ctx, ca_file))
		goto fail;
	*why = NULL;
	return verify;

fail:
	ERR_clear_error();
	tls_verify_free(verify);
	return NULL;
}

void
tls_verify_free(struct tls_verify *verify)
{
	if (verify == NULL)
		return;
	SSL_CTX_free(verify->ctx);
	SSL_CTX_free(verify->dane_ctx);
	free(verify);
}

X509_STORE *
tls_verify_roots(const struct tls_verify *verify)
{
	return SSL_CTX_get_cert_store(verify->ctx);
}

SSL *
tls_verify_ssl(const struct tls_verify *verify, const char *mx)
{
	char name[DOMAIN_SIZE];
	struct address address;
	SSL *ssl;

	/* OpenSSL takes ".x" for any name below x. */
	if (!span_copy(span_of(mx), name, sizeof(name)) || name[0] == '\0' ||
	    name[0] == '.')
		return NULL;
	ssl = SSL_new(verify->ctx);
	if (ssl != NULL && !address_parse(name, &address) &&
	    SSL_set_tlsext_host_name(ssl, name) != 1) {
		SSL_free(ssl);
		ssl = NULL;
	}
	ERR_clear_error();
	return ssl;
}

bool
tls_verify_takes(const struct tlsa_record *record)
{
	const unsigned char *p = (const unsigned char *)record->association.p;
	const unsigned char *end = p + record->association.len;
	X509 *certificate = NULL;
	EVP_PKEY *key = NULL;
	bool good;

	if (record->matching_type != TLSA_FULL)
		return true;
	if (record->selector == TLSA_CERT)
		certificate = d2i_X509(NULL, &p, (long)record->association.len);
	else
		key = d2i_PUBKEY(NULL, &p, (long)record->association.len);
	good = p == end &&
	    (key != NULL ||
		(certificate != NULL && X509_get0_pubkey(certificate) != NULL));
	X509_free(certificate);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return good;
}

/* Returns how many OpenSSL has taken. */
static size_t
dane_add_records(SSL *ssl, const struct tlsa_set *tlsa)
{
	size_t n = 0;

	for (size_t i = 0; i < tlsa->n; i++) {
		const struct tlsa_record *r = &tlsa->entries[i].record;

		/* Usages 0 and 1 would be verified with PKIX: never added. */
		if (tlsa->entries[i].unusable == NULL &&
		    SSL_dane_tlsa_add(ssl, r->usage, r->selector,
			r->matching_type,
			(const unsigned char *)r->association.p,
			r->association.len) > 0)
			n++;
	}
	return n;
}

/*
 * RFC 7672 3.2.2: the names of a certificate under usage 2; the base domain is
 * set with SSL_dane_enable().
 */
static bool
dane_add_names(SSL *ssl, const struct tls_dane *dane)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	X509_VERIFY_PARAM_set_hostflags(param,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
		X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return X509_VERIFY_PARAM_add1_host(param, dane->mx, 0) == 1 &&
	    (dane->next_hop == NULL ||
		X509_VERIFY_PARAM_add1_host(param, dane->next_hop, 0) == 1);
}

SSL *
tls_verify_dane_ssl(const struct tls_verify *verify,
    const struct tls_dane *dane)
{
	SSL *ssl = SSL_new(verify->dane_ctx);

	if (ssl != NULL &&
	    (SSL_dane_enable(ssl, dane->tlsa->base) != 1 ||
		!dane_add_names(ssl, dane) ||
		dane_add_records(ssl, dane->tlsa) == 0)) {
		SSL_free(ssl);
		ssl = NULL;
	}
	if (ssl != NULL) {
		SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
		/* By this tls_verify_judge() knows what it has before it. */
		SSL_set_app_data(ssl, (void *)(uintptr_t)dane->tlsa);
	}
	ERR_clear_error();
	return ssl;
}

/* What can follow "certificate of mx1.example.com". */
static const struct {
	long code;
	const char *why;
} faults[] = {
	{ X509_V_ERR_CERT_HAS_EXPIRED, "has expired" },
	{ X509_V_ERR_CERT_NOT_YET_VALID, "is not yet valid" },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "is self-signed" },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
	    "is not signed by a trusted CA" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
	    "is not signed by a trusted CA" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
	    "is not signed by a trusted CA" },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
	    "is not signed by a trusted CA" },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE,
	    "has a bad signature in its chain" },
	{ X509_V_ERR_INVALID_CA, "is signed by a certificate that is no CA" },
	{ X509_V_ERR_INVALID_PURPOSE, "is not meant for servers" },
	{ X509_V_ERR_PERMITTED_VIOLATION,
	    "has a name that its CA may not sign" },
	{ X509_V_ERR_EXCLUDED_VIOLATION,
	    "has a name that its CA may not sign" },
	{ X509_V_ERR_EE_KEY_TOO_SMALL, "has a key that is too weak" },
	{ X509_V_ERR_CA_KEY_TOO_SMALL,
	    "is signed with a key that is too weak" },
	{ X509_V_ERR_CA_MD_TOO_WEAK,
	    "is signed with a digest that is too weak" },
	{ X509_V_ERR_DANE_NO_MATCH, "matches none of the TLSA records" },
	{ X509_V_ERR_HOSTNAME_MISMATCH,
	    "does not list this name among its DNS names" },
};

static const char *
fault_why(long code)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i].code == code)
			return faults[i].why;
	return "is not trusted";
}

/* The certificates that a host shows, its own first, and what OpenSSL's
 * verification of the chain has found. */
struct shown {
	X509 *own; /* NULL: none */
	int n;
	long code;
	time_t *at; /* NULL: now */
};

/* The two faults that are mostly not the host's own certificate's. */
static const char *
fault_of_chain(const struct shown *shown)
{
	if (shown->code == X509_V_ERR_CERT_HAS_EXPIRED &&
	    X509_cmp_time(X509_get0_notAfter(shown->own), shown->at) > 0)
		return "has an expired certificate in its chain";
	if (shown->code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY &&
	    shown->n == 1)
		return "is not signed by a trusted CA and came without "
		       "intermediate certificates";
	return NULL;
}

/*
 * RFC 8461 4.2: a SAN dNSName that equals the name or is "*." and the rest of
 * it. The name is never taken for an address, as SSL_set1_host() would do.
 */
static bool
has_name(X509 *certificate, const char *mx)
{
	return X509_check_host(certificate, mx, strlen(mx),
		   X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
		       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
		   NULL) == 1;
}

/* RFC 8460 4.3: some faults have a word of their own, all others share one. */
static enum result_type
fault_result(long code)
{
	switch (code) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return RESULT_CERTIFICATE_EXPIRED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
		return RESULT_CERTIFICATE_HOST_MISMATCH;
	case X509_V_ERR_DANE_NO_MATCH:
		return RESULT_TLSA_INVALID;
	default:
		return RESULT_CERTIFICATE_NOT_TRUSTED;
	}
}

static int64_t
shown_until_s(const struct shown *shown)
{
	struct tm tm;

	if (shown->own == NULL ||
	    ASN1_TIME_to_tm(X509_get0_notAfter(shown->own), &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

/* The faults that both kinds of verification know. True if there is one. */
static bool
shown_is_bad(const struct shown *shown, struct tls_judgement *out)
{
	const char *of_chain;

	memset(out, 0, sizeof(*out));
	out->tlsa_matched = -1;
	out->until_s = shown_until_s(shown);
	if (shown->own == NULL) { /* then the code says "ok" */
		out->result = RESULT_CERTIFICATE_NOT_TRUSTED;
		out->why = "is missing";
	} else if (shown->code != X509_V_OK) {
		of_chain = fault_of_chain(shown);
		out->result = fault_result(shown->code);
		out->why = of_chain != NULL ? of_chain : fault_why(shown->code);
	}
	return out->result != RESULT_NONE;
}

static void
shown_judge(const struct shown *shown, const char *mx,
    struct tls_judgement *out)
{
	if (shown_is_bad(shown, out))
		return;
	if (mx == NULL || !has_name(shown->own, mx)) {
		out->result = RESULT_CERTIFICATE_HOST_MISMATCH;
		out->why = "does not list this name among its DNS names";
	} else {
		out->proofs = PROOF_PKIX;
	}
}

/* The record that made a session good; -1: none did. */
static int
dane_matched(SSL *ssl, const struct tlsa_set *tlsa)
{
	uint8_t usage, selector, matching_type;
	const unsigned char *octets;
	size_t len;

	if (SSL_get0_dane_authority(ssl, NULL, NULL) < 0 ||
	    SSL_get0_dane_tlsa(ssl, &usage, &selector, &matching_type, &octets,
		&len) < 0)
		return -1;
	for (size_t i = 0; i < tlsa->n; i++) {
		const struct tlsa_record *r = &tlsa->entries[i].record;

		if (r->usage == usage && r->selector == selector &&
		    r->matching_type == matching_type &&
		    r->association.len == len &&
		    memcmp(r->association.p, octets, len) == 0)
			return (int)i;
	}
	return -1;
}

static void
shown_judge_dane(const struct shown *shown, SSL *ssl,
    const struct tlsa_set *tlsa, struct tls_judgement *out)
{
	if (shown_is_bad(shown, out))
		return;
	out->tlsa_matched = dane_matched(ssl, tlsa);
	if (out->tlsa_matched >= 0) {
		out->proofs = PROOF_DANE;
	} else { /* "ok", but not by DANE, is not what was asked for */
		out->result = RESULT_TLSA_INVALID;
		out->why = fault_why(X509_V_ERR_DANE_NO_MATCH);
	}
}

void
tls_verify_judge(SSL *ssl, struct tls_judgement *out)
{
	const struct tlsa_set *tlsa = SSL_get_app_data(ssl);
	struct shown shown = {
		.own = SSL_get0_peer_certificate(ssl),
		.n = sk_X509_num(SSL_get_peer_cert_chain(ssl)),
		.code = SSL_get_verify_result(ssl),
	};

	assert(SSL_is_init_finished(ssl)); /* before, the code says "ok" too */
	if (tlsa != NULL)
		shown_judge_dane(&shown, ssl, tlsa, out);
	else
		shown_judge(&shown,
		    SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name), out);
	out->proofs |= PROOF_ENCRYPTED;
	ERR_clear_error();
}

/* As OpenSSL sets it up at the end of a client's handshake. */
static bool
store_ctx_set_up(X509_STORE_CTX *ctx, SSL *ssl, STACK_OF(X509) * chain,
    const struct shown *shown)
{
	X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
	X509_VERIFY_PARAM *param;

	if (X509_STORE_CTX_init(ctx, store, shown->own, chain) != 1 ||
	    X509_STORE_CTX_set_default(ctx, "ssl_server") != 1)
		return false;
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_auth_level(param, SSL_get_security_level(ssl));
	if (X509_VERIFY_PARAM_set1(param, SSL_get0_param(ssl)) != 1)
		return false;
	if (shown->at != NULL)
		X509_VERIFY_PARAM_set_time(param, *shown->at);
	if (SSL_get_app_data(ssl) != NULL)
		X509_STORE_CTX_set0_dane(ctx, SSL_get0_dane(ssl));
	return true;
}

/* The verification of a handshake, without one; ssl may be NULL. */
static bool
shown_verify(struct shown *shown, SSL *ssl, STACK_OF(X509) * chain)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = ssl != NULL && ctx != NULL;

	if (ok && shown->own != NULL) {
		ok = store_ctx_set_up(ctx, ssl, chain, shown);
		if (ok && X509_verify_cert(ctx) <= 0)
			shown->code = X509_STORE_CTX_get_error(ctx);
		SSL_set_verify_result(ssl, shown->code);
	}
	X509_STORE_CTX_free(ctx);
	return ok;
}

bool
tls_verify_chain(const struct tls_verify *verify, const char *mx,
    STACK_OF(X509) * chain, const int64_t *at_s, struct tls_judgement *out)
{
	time_t at = at_s == NULL ? 0 : (time_t)*at_s;
	struct shown shown = { .own = sk_X509_value(chain, 0),
		.n = sk_X509_num(chain),
		.at = at_s == NULL ? NULL : &at };
	SSL *ssl = tls_verify_ssl(verify, mx);
	bool ok = shown_verify(&shown, ssl, chain);

	if (ok)
		shown_judge(&shown, mx, out);
	SSL_free(ssl);
	ERR_clear_error();
	return ok;
}

bool
tls_verify_dane_chain(const struct tls_verify *verify,
    const struct tls_dane *dane, STACK_OF(X509) * chain, const int64_t *at_s,
    struct tls_judgement *out)
{
	time_t at = at_s == NULL ? 0 : (time_t)*at_s;
	struct shown shown = { .own = sk_X509_value(chain, 0),
		.n = sk_X509_num(chain),
		.at = at_s == NULL ? NULL : &at };
	SSL *ssl = tls_verify_dane_ssl(verify, dane);
	bool ok = shown_verify(&shown, ssl, chain);

	if (ok)
		shown_judge_dane(&shown, ssl, dane->tlsa, out);
	SSL_free(ssl);
	ERR_clear_error();
	return ok;
}
