/* SPDX-License-Identifier: ISC */
/* Certificates for tests of TLS: see test_certificates.h. */
#include "tests/unit/test_certificates.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void
add_extension(X509 *x509, const X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, (X509 *)(uintptr_t)issuer, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert(extension != NULL);
	assert(X509_add_ext(x509, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

/* Two certificates of one name must differ in their numbers. */
static void
set_serial(X509 *x509)
{
	static long serial = 1;

	assert(ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++) == 1);
}

static void
set_dates(X509 *x509, const struct test_certificate_opts *opts)
{
	int until = opts->until_days == 0 ? 30 : opts->until_days;
	long from_s = opts->from_days == 0 ? -3600 : 0;

	assert(X509_time_adj_ex(X509_getm_notBefore(x509), opts->from_days,
		   from_s, NULL) != NULL);
	assert(
	    X509_time_adj_ex(X509_getm_notAfter(x509), until, 0, NULL) != NULL);
}

static void
set_subject(X509 *x509, const char *common_name)
{
	X509_NAME *name = X509_get_subject_name(x509);

	if (common_name == NULL)
		return;
	assert(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		   (const unsigned char *)common_name, -1, -1, 0) == 1);
}

static void
set_extensions(X509 *x509, const X509 *issuer,
    const struct test_certificate_opts *opts)
{
	add_extension(x509, issuer, NID_subject_key_identifier, "hash");
	add_extension(x509, issuer, NID_basic_constraints,
	    opts->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (opts->is_ca)
		add_extension(x509, issuer, NID_key_usage,
		    "critical,keyCertSign,cRLSign");
	else
		add_extension(x509, issuer, NID_ext_key_usage,
		    opts->usage == NULL ? "serverAuth" : opts->usage);
	if (opts->alt_names != NULL)
		add_extension(x509, issuer, NID_subject_alt_name,
		    opts->alt_names);
}

struct test_certificate *
test_certificate_make(const struct test_certificate_opts *opts,
    const struct test_certificate *issuer)
{
	struct test_certificate *certificate = calloc(1, sizeof(*certificate));
	X509 *x509 = X509_new();

	assert(certificate != NULL && x509 != NULL);
	certificate->x509 = x509;
	certificate->key = EVP_EC_gen("P-256");
	assert(certificate->key != NULL);
	if (issuer == NULL)
		issuer = certificate;

	assert(X509_set_version(x509, X509_VERSION_3) == 1);
	set_serial(x509);
	set_dates(x509, opts);
	set_subject(x509, opts->common_name);
	assert(X509_set_issuer_name(x509,
		   X509_get_subject_name(issuer->x509)) == 1);
	assert(X509_set_pubkey(x509, certificate->key) == 1);
	set_extensions(x509, issuer->x509, opts);
	assert(X509_sign(x509, issuer->key, EVP_sha256()) > 0);
	return certificate;
}

void
test_certificate_free(struct test_certificate *certificate)
{
	if (certificate == NULL)
		return;
	X509_free(certificate->x509);
	EVP_PKEY_free(certificate->key);
	free(certificate);
}

void
test_certificate_append_pem(const struct test_certificate *certificate,
    const char *path)
{
	FILE *file = fopen(path, "a");

	assert(file != NULL);
	assert(PEM_write_X509(file, certificate->x509) == 1);
	assert(fclose(file) == 0);
}

SSL_CTX *
test_certificate_server(const struct test_certificate *leaf,
    const struct test_certificate *intermediate)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert(ctx != NULL);
	assert(SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1);
	assert(SSL_CTX_use_certificate(ctx, leaf->x509) == 1);
	assert(SSL_CTX_use_PrivateKey(ctx, leaf->key) == 1);
	if (intermediate != NULL)
		assert(SSL_CTX_add1_chain_cert(ctx, intermediate->x509) == 1);
	else
		SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	return ctx;
}
