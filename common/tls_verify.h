/* SPDX-License-Identifier: ISC */
/*
 * TLS towards MX hosts: the contexts of all sessions, and the judgement of
 * what a finished handshake has shown: RFC 8461 4.2 (chain to a trusted root,
 * in date, a SAN dNSName that matches the MX name; CN never counts), or, for a
 * session that was begun with TLSA records, RFC 7672 3 and those alone. The
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
struct tlsa_record;
struct tlsa_set;

struct tls_judgement {
	/* PROOF_ENCRYPTED, and, when verified, PROOF_PKIX or PROOF_DANE. */
	unsigned proofs;
	enum result_type result; /* why that one is missing */
	int tlsa_matched;	 /* index of the record that did it; -1: none */
	int64_t until_s;	 /* that the certificate is valid; 0: none */
	const char *why;	 /* static text that can follow "certificate of
				    mx1.example.com", as "has expired" */
};

/*
 * ca_file: PEM bundle, NULL for the system's. NULL on failure, with *why set
 * to static text.
 */
struct tls_verify *tls_verify_new(const char *ca_file, const char **why);
void tls_verify_free(struct tls_verify *verify); /* safe on NULL */

/* Those that are trusted for PROOF_PKIX. It lives as long as verify. */
X509_STORE *tls_verify_roots(const struct tls_verify *verify);

/*
 * A client SSL for a session with this MX (folded name): SNI is set, and with
 * it the name that the judgement looks for; TLS 1.2 or later. An address has no
 * SNI (RFC 6066 3), and no certificate matches it. NULL without memory.
 */
SSL *tls_verify_ssl(const struct tls_verify *verify, const char *mx);

/* What DANE wants of a session. All borrowed; tlsa as long as the SSL lives. */
struct tls_dane {
	const char *mx;		     /* folded */
	const struct tlsa_set *tlsa; /* one record at least is usable */
	const char *next_hop;	     /* NULL: none */
};

/*
 * The same for a session under DANE (RFC 7672 3): SNI is the TLSA base domain,
 * and one of the usable records must match. Under usage 3 neither names nor
 * dates count (3.1.1); under usage 2 dates, and one of the names: MX, TLSA base
 * domain, next hop (3.1.2). No CA of the web has a say. NULL without memory,
 * or when OpenSSL takes none of the records: nothing would be verified then.
 */
SSL *tls_verify_dane_ssl(const struct tls_verify *verify,
    const struct tls_dane *dane);

/*
 * Can OpenSSL read what a usable record holds? Not so are full certificates
 * and keys that are broken, or of an unknown kind.
 */
bool tls_verify_takes(const struct tlsa_record *record);

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

/* The same under DANE. */
bool tls_verify_dane_chain(const struct tls_verify *verify,
    const struct tls_dane *dane, STACK_OF(X509) * chain, const int64_t *at_s,
    struct tls_judgement *out);

#endif
