/* SPDX-License-Identifier: ISC */
/*
 * Certificates for tests of TLS, good ones and bad ones, made on the spot with
 * OpenSSL: nothing of this kind lies in the tree, nothing expires. A failure
 * to make one ends the test program.
 */
#ifndef STRICTMX_TESTS_TEST_CERTIFICATES_H
#define STRICTMX_TESTS_TEST_CERTIFICATES_H

#include <stdbool.h>

#include <openssl/types.h>

struct test_certificate {
	X509 *x509;
	EVP_PKEY *key; /* P-256, its own */
};

struct test_certificate_opts {
	const char *common_name; /* NULL: an empty subject */
	/* subjectAltName as OpenSSL's configuration writes it,
	   "DNS:a.example,DNS:*.b.example,IP:127.0.0.1"; NULL: none */
	const char *alt_names;
	int from_days;	/* valid from, in days from now; 0: since an hour ago */
	int until_days; /* valid until, in days from now; 0: 30 */
	bool is_ca;
	/* extendedKeyUsage, as "clientAuth"; NULL: serverAuth; not for CAs */
	const char *usage;
};

/* Signed by issuer, NULL for self-signed. */
struct test_certificate *
test_certificate_make(const struct test_certificate_opts *opts,
    const struct test_certificate *issuer);
void test_certificate_free(struct test_certificate *certificate);

/* Appends the certificate, without its key, to a PEM file. */
void test_certificate_append_pem(const struct test_certificate *certificate,
    const char *path);

/*
 * A server's context that shows leaf and, unless NULL, intermediate. TLS 1.2
 * and 1.3; the caller may change that, and frees it.
 */
SSL_CTX *test_certificate_server(const struct test_certificate *leaf,
    const struct test_certificate *intermediate);

#endif
