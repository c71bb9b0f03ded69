/* SPDX-License-Identifier: ISC */
/*
 * TLS towards MX hosts: one context for all sessions, and the judgement of
 * what a finished handshake has shown (RFC 8461 4.2: chain to a trusted root,
 * in date, a SAN dNSName that matches the MX name; CN never counts). The
 * handshake itself never fails for a certificate, so that the reason can be
 * told; who asked for proofs looks at the judgement before the first word.
 */
#ifndef STRICTMX_COMMON_TLS_VERIFY_H
#define STRICTMX_COMMON_TLS_VERIFY_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/result_type.h"

struct tls_verify;

struct tls_judgement {
	unsigned proofs; /* PROOF_ENCRYPTED, and PROOF_PKIX when verified */
	enum result_type result; /* why PROOF_PKIX is missing */
	const char *why;	 /* static text that can follow "certificate of
				    mx1.example.com", as "has expired" */
};

/*
 * ca_file: PEM bundle, NULL for the system's. NULL on failure, with *why set
 * to static text.
 */
struct tls_verify *tls_verify_new(const char *ca_file, const char **why);
void tls_verify_free(struct tls_verify *verify); /* safe on NULL */

/*
 * A client SSL for a session with this MX (folded name): SNI is set, and with
 * it the name that the judgement looks for; TLS 1.2 or later. An address has no
 * SNI (RFC 6066 3), and no certificate matches it. NULL without memory.
 */
SSL *tls_verify_ssl(const struct tls_verify *verify, const char *mx);

/*
 * After the handshake was finished, before SSL_free(). The chain is judged
 * first, then the name.
 */
void tls_verify_judge(SSL *ssl, struct tls_judgement *out);

/*
 * The same judgement without a session: of the certificates that this MX
 * (folded name) would show, its own first, at a time in seconds since 1970
 * (NULL: now). The proof of encryption is never among those shown. False, with
 * out untouched, without memory or for a name that can have no session.
 */
bool tls_verify_chain(const struct tls_verify *verify, const char *mx,
    STACK_OF(X509) * chain, const int64_t *at_s, struct tls_judgement *out);

#endif
