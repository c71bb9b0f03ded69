/* SPDX-License-Identifier: ISC */
/*
 * TLS towards MX hosts: see tls_verify.h. One SSL_CTX with the web's roots for
 * all sessions. The handshake runs with SSL_VERIFY_NONE, so that a bad
 * certificate is told and not just met; OpenSSL verifies chain and name all
 * the same and keeps the result for tls_verify_judge().
 *
 * DANE will want an SSL_CTX without roots beside this one (RFC 7672 3.1: usages
 * 2 and 3 owe nothing to the web's authorities).
 */
#include "common/tls_verify.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "common/ports.h"
#include "proto/domain.h"
#include "proto/span.h"

struct tls_verify {
	SSL_CTX *ctx;
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
	if (verify->ctx == NULL || !context_set_up(verify->ctx))
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
	free(verify);
}

/*
 * RFC 8461 4.2: a SAN dNSName that equals the name or is "*." and the rest of
 * it. Not SSL_set1_host(): given "192.0.2.1" it would look for an iPAddress.
 */
static bool
ssl_set_name(SSL *ssl, char *mx)
{
	SSL_set_hostflags(ssl,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
		X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return X509_VERIFY_PARAM_set1_host(SSL_get0_param(ssl), mx, 0) == 1 &&
	    SSL_set_tlsext_host_name(ssl, mx) == 1;
}

SSL *
tls_verify_ssl(const struct tls_verify *verify, const char *mx)
{
	char name[DOMAIN_SIZE];
	SSL *ssl;

	/* OpenSSL takes "" for no check at all, ".x" for any name below x. */
	if (!span_copy(span_of(mx), name, sizeof(name)) || name[0] == '\0' ||
	    name[0] == '.')
		return NULL;
	ssl = SSL_new(verify->ctx);
	if (ssl != NULL && !ssl_set_name(ssl, name)) {
		SSL_free(ssl);
		ssl = NULL;
	}
	ERR_clear_error();
	return ssl;
}

/* What can follow "certificate of mx1.example.com". */
static const struct {
	long code;
	const char *why;
} faults[] = {
	{ X509_V_ERR_HOSTNAME_MISMATCH,
	    "does not list this name among its DNS names" },
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
};

static const char *
fault_why(long code)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i].code == code)
			return faults[i].why;
	return "is not trusted";
}

/* RFC 8460 4.3: two faults have a word of their own, all others share one. */
static enum result_type
fault_result(long code)
{
	if (code == X509_V_ERR_HOSTNAME_MISMATCH)
		return RESULT_CERTIFICATE_HOST_MISMATCH;
	if (code == X509_V_ERR_CERT_HAS_EXPIRED)
		return RESULT_CERTIFICATE_EXPIRED;
	return RESULT_CERTIFICATE_NOT_TRUSTED;
}

/* The two faults that are mostly not the host's own certificate's. */
static const char *
fault_of_chain(const SSL *ssl, const X509 *certificate, long code)
{
	if (code == X509_V_ERR_CERT_HAS_EXPIRED &&
	    X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0)
		return "has an expired certificate in its chain";
	if (code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY &&
	    sk_X509_num(SSL_get_peer_cert_chain(ssl)) == 1)
		return "is not signed by a trusted CA and came without "
		       "intermediate certificates";
	return NULL;
}

void
tls_verify_judge(SSL *ssl, struct tls_judgement *out)
{
	const X509 *certificate = SSL_get0_peer_certificate(ssl);
	long code = SSL_get_verify_result(ssl);
	const char *of_chain;

	assert(SSL_is_init_finished(ssl)); /* before, the code says "ok" too */
	memset(out, 0, sizeof(*out));
	out->proofs = PROOF_ENCRYPTED;
	if (certificate == NULL) { /* then the code says "ok" */
		out->result = RESULT_CERTIFICATE_NOT_TRUSTED;
		out->why = "is missing";
	} else if (code == X509_V_OK) {
		out->proofs |= PROOF_PKIX;
		out->result = RESULT_NONE;
	} else {
		of_chain = fault_of_chain(ssl, certificate, code);
		out->result = fault_result(code);
		out->why = of_chain != NULL ? of_chain : fault_why(code);
	}
	ERR_clear_error();
}
