/* SPDX-License-Identifier: ISC */
/* Sessions with servers whose certificate or handshake is good or bad. */
#include "tests/unit/unit.h"

#include <event2/event.h>
#include <openssl/ssl.h>
#include <string.h>

#include "tests/unit/dane_fixture.h"
#include "tests/unit/smtp_fixture.h"

/* Tries a server with ctx, which is freed. */
static const struct smtp_result *
try_ctx(struct smtp_fixture *f, SSL_CTX *ctx)
{
	struct smtp_sink_script script = smtp_fixture_good_script();

	script.ctx = ctx;
	smtp_fixture_try(f, &script);
	SSL_CTX_free(ctx);
	return &f->result;
}

/* A server whose certificate is described; issuer NULL is the trusted root. */
static SSL_CTX *
server_of(const struct test_certificate_opts *opts,
    const struct test_certificate *issuer,
    const struct test_certificate *sent_along)
{
	struct test_certificate *leaf = test_certificate_make(opts,
	    issuer == NULL ? smtp_fixture_root() : issuer);
	SSL_CTX *ctx = test_certificate_server(leaf, sent_along);

	test_certificate_free(leaf);
	return ctx;
}

static SSL_CTX *
good_server(void)
{
	const struct test_certificate_opts opts = { .alt_names =
							"DNS:" FIXTURE_MX };

	return server_of(&opts, NULL, NULL);
}

static void
assert_good(const struct smtp_result *result)
{
	assert_string_equal(result->why, "");
	assert_int_equal(result->stage, SMTP_STAGE_READY);
	assert_int_equal(result->proofs, PROOF_ENCRYPTED | PROOF_PKIX);
	assert_int_equal(result->result, RESULT_NONE);
}

/* The session ends before a word is said under TLS. */
static void
assert_bad_certificate(struct smtp_fixture *f, enum result_type result,
    const char *why)
{
	smtp_fixture_assert_failed(f, SMTP_STAGE_TLS, result, why);
	assert_true(f->result.certificate_bad);
	assert_int_equal(f->result.proofs, PROOF_ENCRYPTED);
	assert_string_equal(f->result.tls_version, "TLSv1.3");
	assert_null(strstr(smtp_sink_log(f->sink) + 2, "E"));
}

static void
good_certificates_show_pkix(void **state)
{
	struct smtp_fixture *f = *state;
	const struct test_certificate_opts wildcard = {
		.alt_names = "DNS:*.example.com"
	};
	const struct test_certificate_opts leaf = { .alt_names =
							"DNS:" FIXTURE_MX };
	const struct test_certificate_opts ca = { .common_name = "Test Sub",
		.is_ca = true };
	struct test_certificate *sub =
	    test_certificate_make(&ca, smtp_fixture_root());

	assert_good(try_ctx(f, good_server()));
	assert_good(try_ctx(f, server_of(&wildcard, NULL, NULL)));
	assert_good(try_ctx(f, server_of(&leaf, sub, sub)));
	test_certificate_free(sub);
}

static void
names_that_do_not_match_are_a_host_mismatch(void **state)
{
	static const struct test_certificate_opts wrong[] = {
		{ .alt_names = "DNS:mx2.example.com" },
		{ .common_name = FIXTURE_MX },
		{ .alt_names = "DNS:mx*.example.com" },
		{ .alt_names = "IP:127.0.0.1" },
	};
	struct smtp_fixture *f = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		try_ctx(f, server_of(&wrong[i], NULL, NULL));
		assert_bad_certificate(f, RESULT_CERTIFICATE_HOST_MISMATCH,
		    "does not list this name among its DNS names");
	}
}

static void
dates_are_checked(void **state)
{
	struct smtp_fixture *f = *state;
	const struct test_certificate_opts past = { .alt_names =
							"DNS:" FIXTURE_MX,
		.from_days = -9,
		.until_days = -1 };
	/* The chain is judged before the name. */
	const struct test_certificate_opts both = { .alt_names =
							"DNS:mx2.example.com",
		.from_days = -9,
		.until_days = -1 };
	const struct test_certificate_opts future = { .alt_names =
							  "DNS:" FIXTURE_MX,
		.from_days = 1 };
	const struct test_certificate_opts past_and_other = {
		.alt_names = "DNS:mx2.example.com",
		.from_days = -9,
		.until_days = -1
	};

	try_ctx(f, server_of(&past, NULL, NULL));
	assert_bad_certificate(f, RESULT_CERTIFICATE_EXPIRED, "has expired");
	try_ctx(f, server_of(&both, NULL, NULL));
	assert_bad_certificate(f, RESULT_CERTIFICATE_EXPIRED, "has expired");
	try_ctx(f, server_of(&future, NULL, NULL));
	assert_bad_certificate(f, RESULT_CERTIFICATE_NOT_TRUSTED,
	    "is not yet valid");
	/* the chain comes before the name */
	try_ctx(f, server_of(&past_and_other, NULL, NULL));
	assert_bad_certificate(f, RESULT_CERTIFICATE_EXPIRED, "has expired");
}

static void
chains_that_do_not_end_at_a_root_are_not_trusted(void **state)
{
	struct smtp_fixture *f = *state;
	const struct test_certificate_opts leaf = { .common_name = FIXTURE_MX,
		.alt_names = "DNS:" FIXTURE_MX };
	const struct test_certificate_opts ca = { .common_name = "Other",
		.is_ca = true };
	struct test_certificate *self = test_certificate_make(&leaf, NULL);
	struct test_certificate *stranger = test_certificate_make(&ca, NULL);
	struct test_certificate *sub =
	    test_certificate_make(&ca, smtp_fixture_root());

	try_ctx(f, test_certificate_server(self, NULL));
	assert_bad_certificate(f, RESULT_CERTIFICATE_NOT_TRUSTED,
	    "is self-signed");
	try_ctx(f, server_of(&leaf, stranger, stranger));
	assert_bad_certificate(f, RESULT_CERTIFICATE_NOT_TRUSTED,
	    "is not signed by a trusted CA");
	try_ctx(f, server_of(&leaf, sub, NULL));
	assert_bad_certificate(f, RESULT_CERTIFICATE_NOT_TRUSTED,
	    "is not signed by a trusted CA and came without intermediate "
	    "certificates");
	test_certificate_free(self);
	test_certificate_free(stranger);
	test_certificate_free(sub);
}

static void
a_bad_certificate_is_told_even_when_only_encryption_is_asked(void **state)
{
	struct smtp_fixture *f = *state;
	const struct test_certificate_opts past = { .alt_names =
							"DNS:" FIXTURE_MX,
		.from_days = -9,
		.until_days = -1 };

	for (unsigned proofs = 0; proofs <= PROOF_ENCRYPTED; proofs++) {
		f->target.proofs = proofs;
		try_ctx(f, server_of(&past, NULL, NULL));
		assert_int_equal(f->result.stage, SMTP_STAGE_READY);
		assert_int_equal(f->result.proofs, PROOF_ENCRYPTED);
		assert_int_equal(f->result.result, RESULT_CERTIFICATE_EXPIRED);
		assert_true(f->result.certificate_bad);
		assert_string_equal(f->result.why, "has expired");
		smtp_fixture_run_until_log(f, "+ESTEQ.");
	}
}

static void
a_proof_that_cannot_be_shown_ends_the_session(void **state)
{
	struct smtp_fixture *f = *state;

	f->target.proofs = PROOF_DANE;
	try_ctx(f, good_server());
	smtp_fixture_assert_failed(f, SMTP_STAGE_TLS, RESULT_VALIDATION_FAILURE,
	    "cannot show all that is asked of it");
}

static SSL_CTX *
server_between(int min_version, int max_version)
{
	SSL_CTX *ctx = good_server();

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, min_version);
	SSL_CTX_set_max_proto_version(ctx, max_version);
	return ctx;
}

static void
tls_1_2_is_spoken_and_nothing_before_it(void **state)
{
	struct smtp_fixture *f = *state;

	assert_good(try_ctx(f, server_between(TLS1_2_VERSION, TLS1_2_VERSION)));
	assert_string_equal(f->result.tls_version, "TLSv1.2");
	smtp_fixture_run_until_log(f, "+ESTEQ.");
	try_ctx(f, server_between(TLS1_VERSION, TLS1_VERSION));
	smtp_fixture_assert_failed(f, SMTP_STAGE_TLS, RESULT_VALIDATION_FAILURE,
	    "failed at the TLS handshake: tlsv1 alert protocol version");
	assert_false(f->result.certificate_bad);
}

/* In TLS 1.3 the client has finished when the server refuses it. */
static void
a_server_that_wants_a_certificate_of_the_client_fails(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct smtp_fixture *f = *state;
	SSL_CTX *ctx;

	for (size_t i = 0; i < 2; i++) {
		ctx = server_between(versions[i], versions[i]);
		SSL_CTX_set_verify(ctx,
		    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		try_ctx(f, ctx);
		assert_int_equal(f->n_calls, 1);
		assert_int_not_equal(f->result.stage, SMTP_STAGE_READY);
		assert_int_equal(f->result.result, RESULT_VALIDATION_FAILURE);
		assert_int_equal(f->result.proofs, 0);
		assert_non_null(strstr(f->result.why, "alert"));
	}
	ctx = good_server();
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL); /* wants, needs not */
	assert_good(try_ctx(f, ctx));
}

/* What comes in place of a handshake. */
static const struct {
	const char *instead;
	const char *why;
} spoilt[] = {
	{ "454 changed my mind\r\n",
	    "failed at the TLS handshake: wrong version number" },
	{ sink_resets,
	    "failed at the TLS handshake: Connection reset by peer" },
	{ sink_closes,
	    "failed at the TLS handshake: unexpected eof while "
	    "reading" },
};

static void
handshakes_that_break_are_validation_failures(void **state)
{
	struct smtp_fixture *f = *state;

	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		struct smtp_sink_script script = smtp_fixture_good_script();

		script.no_handshake = true;
		script.instead = spoilt[i].instead;
		smtp_fixture_try(f, &script);
		smtp_fixture_assert_failed(f, SMTP_STAGE_TLS,
		    RESULT_VALIDATION_FAILURE, spoilt[i].why);
	}
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, smtp_fixture_set_up,             \
	    smtp_fixture_tear_down)

/* Self-signed, of no name and expired: what only DANE can take. */
static SSL_CTX *
own_server(struct test_certificate **own)
{
	const struct test_certificate_opts opts = { .common_name = "own",
		.from_days = -20,
		.until_days = -10 };

	*own = test_certificate_make(&opts, NULL);
	return test_certificate_server(*own, NULL);
}

static void
under_dane_the_records_decide_and_nothing_else(void **state)
{
	struct smtp_fixture *f = *state;
	struct test_certificate *own;
	SSL_CTX *ctx = own_server(&own);
	const struct dane_record record = { 3, 1, 1, own };

	f->target.proofs = PROOF_ENCRYPTED | PROOF_DANE;
	f->target.tlsa = dane_set("real.example.net", &record, 1);
	try_ctx(f, ctx);
	assert_int_equal(f->result.stage, SMTP_STAGE_READY);
	assert_int_equal(f->result.proofs, PROOF_ENCRYPTED | PROOF_DANE);
	assert_int_equal(f->result.result, RESULT_NONE);
	assert_int_equal(f->result.tlsa_matched, 0);
	assert_string_equal(smtp_sink_sni(f->sink), "real.example.net");
	tlsa_set_drop(&f->target.tlsa);
	test_certificate_free(own);
}

static void
a_good_certificate_of_the_web_does_not_stand_for_dane(void **state)
{
	struct smtp_fixture *f = *state;
	struct test_certificate *own;
	SSL_CTX *ctx = own_server(&own);
	const struct dane_record record = { 3, 1, 1, own };

	SSL_CTX_free(ctx);
	f->target.proofs = PROOF_ENCRYPTED | PROOF_DANE;
	f->target.tlsa = dane_set(FIXTURE_MX, &record, 1);
	f->target.next_hop = "example.com";
	try_ctx(f, good_server());
	assert_bad_certificate(f, RESULT_TLSA_INVALID,
	    "matches none of the TLSA records");
	assert_int_equal(f->result.tlsa_matched, -1);
	tlsa_set_drop(&f->target.tlsa);
	test_certificate_free(own);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_certificates_show_pkix),
		TEST(names_that_do_not_match_are_a_host_mismatch),
		TEST(dates_are_checked),
		TEST(chains_that_do_not_end_at_a_root_are_not_trusted),
		TEST(
		    a_bad_certificate_is_told_even_when_only_encryption_is_asked),
		TEST(a_proof_that_cannot_be_shown_ends_the_session),
		TEST(tls_1_2_is_spoken_and_nothing_before_it),
		TEST(a_server_that_wants_a_certificate_of_the_client_fails),
		TEST(handshakes_that_break_are_validation_failures),
		TEST(under_dane_the_records_decide_and_nothing_else),
		TEST(a_good_certificate_of_the_web_does_not_stand_for_dane),
	};

	return cmocka_run_group_tests_name("smtp_tls", tests,
	    smtp_fixture_group_set_up, smtp_fixture_group_tear_down);
}
