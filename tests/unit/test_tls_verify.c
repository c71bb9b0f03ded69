/* SPDX-License-Identifier: ISC */
/* Handshakes in memory between tls_verify's client and servers good and bad. */
#include "tests/unit/unit.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/address.h"
#include "common/ports.h"
#include "common/tls_verify.h"
#include "tests/unit/test_certificates.h"

#define MX "mx1.example.com"

static char ca_file[] = "/tmp/strictmx-test-tls-XXXXXX";
static struct test_certificate *root, *intermediate, *stranger;
static struct tls_verify *verify;

static int
set_up(void **state)
{
	const struct test_certificate_opts ca = { .common_name = "Test Root",
		.is_ca = true };
	const struct test_certificate_opts sub = { .common_name = "Test Sub",
		.is_ca = true };
	const struct test_certificate_opts other = { .common_name = "Stranger",
		.is_ca = true };
	const char *why;
	int fd = mkstemp(ca_file);

	(void)state;
	if (fd == -1)
		return -1;
	close(fd);
	root = test_certificate_make(&ca, NULL);
	intermediate = test_certificate_make(&sub, root);
	stranger = test_certificate_make(&other, NULL);
	test_certificate_append_pem(root, ca_file);
	verify = tls_verify_new(ca_file, &why);
	return verify == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	tls_verify_free(verify);
	test_certificate_free(root);
	test_certificate_free(intermediate);
	test_certificate_free(stranger);
	unlink(ca_file);
	return 0;
}

/* Both ends take turns; true when both have finished. */
static bool
handshake(SSL *client, SSL *server)
{
	for (int turn = 0; turn < 20; turn++) {
		int c = SSL_do_handshake(client);
		int s = SSL_do_handshake(server);

		if (c == 1 && s == 1)
			return true;
	}
	return false;
}

static void
connect_in_memory(SSL *client, SSL *server)
{
	BIO *a, *b;

	assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	SSL_set_bio(client, a, a);
	SSL_set_bio(server, b, b);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
}

/* What the chain of a server with ctx is worth, told without a session. */
static struct tls_judgement
judge_chain(const char *mx, SSL_CTX *ctx, const int64_t *at_s)
{
	struct tls_judgement judgement;
	STACK_OF(X509) *chain = NULL, *sent_along;

	assert_int_equal(SSL_CTX_get0_chain_certs(ctx, &sent_along), 1);
	chain =
	    sent_along == NULL ? sk_X509_new_null() : sk_X509_dup(sent_along);
	assert_non_null(chain);
	assert_true(sk_X509_unshift(chain, SSL_CTX_get0_certificate(ctx)) > 0);
	assert_true(tls_verify_chain(verify, mx, chain, at_s, &judgement));
	assert_int_equal(ERR_peek_error(), 0);
	sk_X509_free(chain);
	return judgement;
}

/* With a session and without, the judgement is the same. */
static void
assert_same(struct tls_judgement with, struct tls_judgement without)
{
	assert_int_equal(with.proofs, without.proofs | PROOF_ENCRYPTED);
	assert_int_equal(with.result, without.result);
	assert_ptr_equal(with.why, without.why);
}

/* What a client for mx makes of a server with ctx, which is freed. */
static struct tls_judgement
judge(const char *mx, SSL_CTX *ctx)
{
	struct tls_judgement judgement;
	struct address address;
	const char *sni;
	SSL *client = tls_verify_ssl(verify, mx);
	SSL *server = SSL_new(ctx);

	assert_non_null(client);
	assert_non_null(server);
	connect_in_memory(client, server);
	assert_true(handshake(client, server));
	sni = SSL_get_servername(server, TLSEXT_NAMETYPE_host_name);
	if (address_parse(mx, &address))
		assert_null(sni); /* RFC 6066 3 */
	else
		assert_string_equal(sni, mx);
	tls_verify_judge(client, &judgement);
	assert_int_equal(ERR_peek_error(), 0);
	assert_same(judgement, judge_chain(mx, ctx, NULL));
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(ctx);
	return judgement;
}

/* The same for a certificate that is described, signed by issuer. */
static struct tls_judgement
judge_leaf(const struct test_certificate_opts *opts,
    const struct test_certificate *issuer,
    const struct test_certificate *sent_along)
{
	struct test_certificate *leaf = test_certificate_make(opts, issuer);
	SSL_CTX *ctx = test_certificate_server(leaf, sent_along);

	test_certificate_free(leaf);
	return judge(MX, ctx);
}

static void
assert_good(struct tls_judgement j)
{
	assert_int_equal(j.proofs, PROOF_ENCRYPTED | PROOF_PKIX);
	assert_int_equal(j.result, RESULT_NONE);
	assert_null(j.why);
}

static void
assert_bad(struct tls_judgement j, enum result_type result, const char *why)
{
	assert_int_equal(j.proofs, PROOF_ENCRYPTED);
	assert_string_equal(j.why, why);
	assert_int_equal(j.result, result);
}

static void
a_trusted_certificate_with_the_name_shows_pkix(void **state)
{
	const struct test_certificate_opts exact = { .alt_names = "DNS:" MX };
	const struct test_certificate_opts capitals = {
		.alt_names = "DNS:MX1.Example.COM"
	};
	const struct test_certificate_opts wildcard = {
		.alt_names = "DNS:*.example.com"
	};
	const struct test_certificate_opts last = { .common_name =
							"other.example",
		.alt_names = "DNS:other.example,IP:192.0.2.1,DNS:" MX };

	(void)state;
	assert_good(judge_leaf(&exact, root, NULL));
	assert_good(judge_leaf(&capitals, root, NULL));
	assert_good(judge_leaf(&wildcard, root, NULL));
	assert_good(judge_leaf(&last, root, NULL));
}

static void
an_intermediate_is_needed_and_used(void **state)
{
	const struct test_certificate_opts leaf = { .alt_names = "DNS:" MX };

	(void)state;
	assert_good(judge_leaf(&leaf, intermediate, intermediate));
	assert_bad(judge_leaf(&leaf, intermediate, NULL),
	    RESULT_CERTIFICATE_NOT_TRUSTED,
	    "is not signed by a trusted CA and came without intermediate "
	    "certificates");
}

static void
only_a_dns_name_of_the_host_counts(void **state)
{
	static const struct test_certificate_opts wrong[] = {
		{ .alt_names = "DNS:mx2.example.com" },
		{ .common_name = MX }, /* CN never counts */
		{ .common_name = MX, .alt_names = "DNS:mx2.example.com" },
		{ .alt_names = "DNS:mx*.example.com" },
		{ .alt_names = "DNS:m*1.example.com" },
		{ .alt_names = "DNS:*.com" },
		{ .alt_names = "DNS:*.*.com" },
		{ .alt_names = "DNS:example.com" },
		{ .alt_names = "DNS:a." MX },
		{ .alt_names = "DNS:*." MX },
		{ .alt_names = "IP:192.0.2.1" },
		{ .alt_names = "URI:smtp://" MX },
		{ .alt_names = "email:x@" MX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_bad(judge_leaf(&wrong[i], root, NULL),
		    RESULT_CERTIFICATE_HOST_MISMATCH,
		    "does not list this name among its DNS names");
}

static void
a_name_that_looks_like_an_address_is_not_met_by_an_ip_entry(void **state)
{
	const struct test_certificate_opts opts = { .alt_names =
							"IP:192.0.2.1" };
	struct test_certificate *leaf = test_certificate_make(&opts, root);
	SSL_CTX *ctx = test_certificate_server(leaf, NULL);

	(void)state;
	test_certificate_free(leaf);
	assert_bad(judge("192.0.2.1", ctx), RESULT_CERTIFICATE_HOST_MISMATCH,
	    "does not list this name among its DNS names");
}

static void
dates_are_checked(void **state)
{
	const struct test_certificate_opts expired = { .alt_names = "DNS:" MX,
		.from_days = -30,
		.until_days = -1 };
	const struct test_certificate_opts future = { .alt_names = "DNS:" MX,
		.from_days = 1 };
	const struct test_certificate_opts both = { .alt_names =
							"DNS:mx2.example.com",
		.from_days = -30,
		.until_days = -1 };

	(void)state;
	assert_bad(judge_leaf(&expired, root, NULL), RESULT_CERTIFICATE_EXPIRED,
	    "has expired");
	assert_bad(judge_leaf(&future, root, NULL),
	    RESULT_CERTIFICATE_NOT_TRUSTED, "is not yet valid");
	/* the chain before the name */
	assert_bad(judge_leaf(&both, root, NULL), RESULT_CERTIFICATE_EXPIRED,
	    "has expired");
}

static void
a_chain_can_be_judged_at_another_time(void **state)
{
	const struct test_certificate_opts opts = { .alt_names = "DNS:" MX,
		.from_days = 10,
		.until_days = 20 };
	static const struct {
		int day;
		enum result_type result;
		const char *why;
	} rows[] = {
		{ 9, RESULT_CERTIFICATE_NOT_TRUSTED, "is not yet valid" },
		{ 11, RESULT_NONE, NULL },
		{ 19, RESULT_NONE, NULL },
		{ 21, RESULT_CERTIFICATE_EXPIRED, "has expired" },
		{ 31, RESULT_CERTIFICATE_EXPIRED,
		    "has an expired certificate in its chain" },
	};
	const struct test_certificate_opts eternal = { .alt_names = "DNS:" MX,
		.until_days = 40 };
	struct test_certificate *leaf = test_certificate_make(&opts, root);
	struct test_certificate *old = test_certificate_make(&eternal, root);
	SSL_CTX *ctx = test_certificate_server(leaf, NULL);
	SSL_CTX *of_old = test_certificate_server(old, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t at_s = time(NULL) + rows[i].day * 86400;
		struct tls_judgement j =
		    judge_chain(MX, i == 4 ? of_old : ctx, &at_s);

		assert_int_equal(j.result, rows[i].result);
		assert_int_equal(j.proofs,
		    rows[i].why == NULL ? PROOF_PKIX : 0);
		if (rows[i].why == NULL)
			assert_null(j.why);
		else
			assert_string_equal(j.why, rows[i].why);
	}
	test_certificate_free(leaf);
	test_certificate_free(old);
	SSL_CTX_free(ctx);
	SSL_CTX_free(of_old);
}

static void
a_chain_of_nothing_is_missing(void **state)
{
	struct tls_judgement j;
	STACK_OF(X509) *chain = sk_X509_new_null();

	(void)state;
	assert_true(tls_verify_chain(verify, MX, chain, NULL, &j));
	assert_int_equal(j.proofs, 0);
	assert_int_equal(j.result, RESULT_CERTIFICATE_NOT_TRUSTED);
	assert_string_equal(j.why, "is missing");
	assert_false(tls_verify_chain(verify, ".example.com", chain, NULL, &j));
	sk_X509_free(chain);
}

static void
an_expired_intermediate_is_told_from_an_expired_certificate(void **state)
{
	const struct test_certificate_opts old = { .common_name = "Old Sub",
		.from_days = -30,
		.until_days = -1,
		.is_ca = true };
	const struct test_certificate_opts leaf = { .alt_names = "DNS:" MX };
	struct test_certificate *sub = test_certificate_make(&old, root);

	(void)state;
	assert_bad(judge_leaf(&leaf, sub, sub), RESULT_CERTIFICATE_EXPIRED,
	    "has an expired certificate in its chain");
	test_certificate_free(sub);
}

static void
only_chains_to_a_trusted_root_count(void **state)
{
	const struct test_certificate_opts leaf = { .common_name = MX,
		.alt_names = "DNS:" MX };

	(void)state;
	assert_bad(judge_leaf(&leaf, NULL, NULL),
	    RESULT_CERTIFICATE_NOT_TRUSTED, "is self-signed");
	assert_bad(judge_leaf(&leaf, stranger, NULL),
	    RESULT_CERTIFICATE_NOT_TRUSTED,
	    "is not signed by a trusted CA and came without intermediate "
	    "certificates");
	assert_bad(judge_leaf(&leaf, stranger, stranger),
	    RESULT_CERTIFICATE_NOT_TRUSTED, "is not signed by a trusted CA");
}

static void
a_certificate_for_clients_does_not_count(void **state)
{
	const struct test_certificate_opts client = { .alt_names = "DNS:" MX,
		.usage = "clientAuth" };

	(void)state;
	assert_bad(judge_leaf(&client, root, NULL),
	    RESULT_CERTIFICATE_NOT_TRUSTED, "is not meant for servers");
}

static void
a_leaf_cannot_sign_another(void **state)
{
	const struct test_certificate_opts opts = { .common_name = "No CA",
		.alt_names = "DNS:evil.example" };
	const struct test_certificate_opts leaf = { .alt_names = "DNS:" MX };
	struct test_certificate *no_ca = test_certificate_make(&opts, root);

	(void)state;
	assert_bad(judge_leaf(&leaf, no_ca, no_ca),
	    RESULT_CERTIFICATE_NOT_TRUSTED,
	    "is signed by a certificate that is no CA");
	test_certificate_free(no_ca);
}

static void
a_forged_signature_does_not_count(void **state)
{
	const struct test_certificate_opts same_name = { .common_name =
							     "Test Root",
		.is_ca = true };
	const struct test_certificate_opts leaf = { .alt_names = "DNS:" MX };
	struct test_certificate *forger =
	    test_certificate_make(&same_name, NULL);
	struct tls_judgement j = judge_leaf(&leaf, forger, forger);

	(void)state;
	assert_int_equal(j.proofs, PROOF_ENCRYPTED);
	assert_int_equal(j.result, RESULT_CERTIFICATE_NOT_TRUSTED);
	assert_non_null(j.why);
	test_certificate_free(forger);
}

static SSL_CTX *
server_between(int min_version, int max_version)
{
	const struct test_certificate_opts opts = { .alt_names = "DNS:" MX };
	struct test_certificate *leaf = test_certificate_make(&opts, root);
	SSL_CTX *ctx = test_certificate_server(leaf, NULL);

	test_certificate_free(leaf);
	SSL_CTX_set_security_level(ctx, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, min_version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, max_version), 1);
	return ctx;
}

static void
tls_1_2_is_enough(void **state)
{
	(void)state;
	assert_good(judge(MX, server_between(TLS1_2_VERSION, TLS1_2_VERSION)));
}

static void
tls_before_1_2_is_not_spoken(void **state)
{
	static const int versions[] = { TLS1_VERSION, TLS1_1_VERSION };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *ctx = server_between(versions[i], versions[i]);
		SSL *client = tls_verify_ssl(verify, MX);
		SSL *server = SSL_new(ctx);

		connect_in_memory(client, server);
		assert_false(handshake(client, server));
		ERR_clear_error();
		SSL_free(client);
		SSL_free(server);
		SSL_CTX_free(ctx);
	}
}

/* A context that could do without a certificate is not offered the chance. */
static void
anonymous_ciphers_are_not_spoken(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *client = tls_verify_ssl(verify, MX);
	SSL *server;

	(void)state;
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	assert_int_equal(SSL_CTX_set_cipher_list(ctx, "aNULL"), 1);
	server = SSL_new(ctx);
	connect_in_memory(client, server);
	assert_false(handshake(client, server));
	ERR_clear_error();
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(ctx);
}

static void
names_that_cannot_be_checked_get_no_session(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_null(tls_verify_ssl(verify, ""));
	assert_null(tls_verify_ssl(verify, ".example.com"));
	assert_null(tls_verify_ssl(verify, name));
	assert_int_equal(ERR_peek_error(), 0);
}

static void
a_ca_file_that_cannot_be_read_is_told(void **state)
{
	const char *why = NULL;

	(void)state;
	assert_null(tls_verify_new("/nonexistent/ca.pem", &why));
	assert_string_equal(why, "the CA certificates cannot be read");
	assert_null(tls_verify_new("/dev/null", &why));
	assert_string_equal(why, "the CA certificates cannot be read");
	assert_int_equal(ERR_peek_error(), 0);
}

static void
the_roots_of_the_system_are_the_default(void **state)
{
	const char *why;
	struct tls_verify *of_system;

	(void)state;
	assert_int_equal(setenv("SSL_CERT_FILE", ca_file, 1), 0);
	of_system = tls_verify_new(NULL, &why);
	unsetenv("SSL_CERT_FILE");
	assert_non_null(of_system);
	assert_null(why);
	tls_verify_free(of_system);
	tls_verify_free(NULL);
}

/* The linker puts these in place of the libraries' (--wrap). */
static bool no_calloc, no_context, no_ssl;
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
SSL_CTX *__real_SSL_CTX_new(const SSL_METHOD *method);
SSL_CTX *__wrap_SSL_CTX_new(const SSL_METHOD *method);
SSL *__real_SSL_new(SSL_CTX *ctx);
SSL *__wrap_SSL_new(SSL_CTX *ctx);

void *
__wrap_calloc(size_t n, size_t size)
{
	return no_calloc ? NULL : __real_calloc(n, size);
}

SSL_CTX *
__wrap_SSL_CTX_new(const SSL_METHOD *method)
{
	return no_context ? NULL : __real_SSL_CTX_new(method);
}

SSL *
__wrap_SSL_new(SSL_CTX *ctx)
{
	return no_ssl ? NULL : __real_SSL_new(ctx);
}

static void
lack_of_memory_is_told(void **state)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct tls_judgement j;
	const char *why = NULL;

	(void)state;
	no_calloc = true;
	assert_null(tls_verify_new(ca_file, &why));
	no_calloc = false;
	assert_string_equal(why, "no memory for TLS");
	why = NULL;
	no_context = true;
	assert_null(tls_verify_new(ca_file, &why));
	no_context = false;
	assert_string_equal(why, "no memory for TLS");
	no_ssl = true;
	assert_null(tls_verify_ssl(verify, MX));
	assert_false(tls_verify_chain(verify, MX, chain, NULL, &j));
	no_ssl = false;
	sk_X509_free(chain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_trusted_certificate_with_the_name_shows_pkix),
		cmocka_unit_test(an_intermediate_is_needed_and_used),
		cmocka_unit_test(only_a_dns_name_of_the_host_counts),
		cmocka_unit_test(
		    a_name_that_looks_like_an_address_is_not_met_by_an_ip_entry),
		cmocka_unit_test(dates_are_checked),
		cmocka_unit_test(a_chain_can_be_judged_at_another_time),
		cmocka_unit_test(a_chain_of_nothing_is_missing),
		cmocka_unit_test(
		    an_expired_intermediate_is_told_from_an_expired_certificate),
		cmocka_unit_test(only_chains_to_a_trusted_root_count),
		cmocka_unit_test(a_certificate_for_clients_does_not_count),
		cmocka_unit_test(a_leaf_cannot_sign_another),
		cmocka_unit_test(a_forged_signature_does_not_count),
		cmocka_unit_test(tls_1_2_is_enough),
		cmocka_unit_test(tls_before_1_2_is_not_spoken),
		cmocka_unit_test(anonymous_ciphers_are_not_spoken),
		cmocka_unit_test(names_that_cannot_be_checked_get_no_session),
		cmocka_unit_test(a_ca_file_that_cannot_be_read_is_told),
		cmocka_unit_test(the_roots_of_the_system_are_the_default),
		cmocka_unit_test(lack_of_memory_is_told),
	};

	return cmocka_run_group_tests_name("tls_verify", tests, set_up,
	    tear_down);
}
