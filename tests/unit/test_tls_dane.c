/* SPDX-License-Identifier: ISC */
/*
 * Handshakes in memory under DANE (RFC 7672 3), with servers whose certificates
 * the TLSA records are of, or not.
 */
#include "tests/unit/unit.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/ports.h"
#include "common/tls_verify.h"
#include "common/tlsa_set.h"
#include "tests/unit/dane_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MX "mx1.example.com"
#define BASE "real.example.net"
#define NEXT_HOP "example.org"

static char ca_file[] = "/tmp/strictmx-test-dane-XXXXXX";
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
		.alt_names = "DNS:" MX };
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

/* A server: its own certificate, and what it sends along. */
struct server {
	struct test_certificate *leaf;
	const struct test_certificate *issuer, *sent_along;
};

/* issuer NULL: self-signed. The intermediate, when it is that, is sent along.
 */
static struct server
server_of(const struct test_certificate_opts *opts,
    const struct test_certificate *issuer)
{
	return (struct server){ .leaf = test_certificate_make(opts, issuer),
		.issuer = issuer,
		.sent_along = issuer == intermediate ? intermediate : NULL };
}

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

static struct tls_judgement
judge_chain(const struct server *server, const struct tls_dane *dane)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct tls_judgement judgement;

	assert_true(sk_X509_push(chain, server->leaf->x509) > 0);
	if (server->sent_along != NULL)
		assert_true(sk_X509_push(chain, server->sent_along->x509) > 0);
	assert_true(
	    tls_verify_dane_chain(verify, dane, chain, NULL, &judgement));
	assert_int_equal(ERR_peek_error(), 0);
	sk_X509_free(chain);
	return judgement;
}

/*
 * What a client makes of it, with a handshake; the same without one. The set
 * is dropped.
 */
static struct tls_judgement
judge(const struct server *server, struct tlsa_set *tlsa)
{
	const struct tls_dane dane = { .mx = MX,
		.tlsa = tlsa,
		.next_hop = NEXT_HOP };
	SSL_CTX *ctx =
	    test_certificate_server(server->leaf, server->sent_along);
	SSL *client = tls_verify_dane_ssl(verify, &dane), *end = SSL_new(ctx);
	struct tls_judgement j, without;
	BIO *a, *b;

	assert_non_null(client);
	assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	SSL_set_bio(client, a, a);
	SSL_set_bio(end, b, b);
	SSL_set_connect_state(client);
	SSL_set_accept_state(end);
	assert_true(handshake(client, end));
	assert_string_equal(SSL_get_servername(end, TLSEXT_NAMETYPE_host_name),
	    tlsa->base);
	tls_verify_judge(client, &j);
	assert_int_equal(ERR_peek_error(), 0);
	without = judge_chain(server, &dane);
	assert_int_equal(j.proofs, without.proofs | PROOF_ENCRYPTED);
	assert_int_equal(j.result, without.result);
	assert_int_equal(j.tlsa_matched, without.tlsa_matched);
	SSL_free(client);
	SSL_free(end);
	SSL_CTX_free(ctx);
	tlsa_set_drop(&tlsa);
	return j;
}

static struct tls_judgement
judge_one(const struct server *server, unsigned usage, unsigned selector,
    unsigned matching_type, const struct test_certificate *of)
{
	const struct dane_record record = { usage, selector, matching_type,
		of };

	return judge(server, dane_set(BASE, &record, 1));
}

static void
assert_good(struct tls_judgement j)
{
	assert_int_equal(j.result, RESULT_NONE);
	assert_int_equal(j.proofs, PROOF_ENCRYPTED | PROOF_DANE);
	assert_null(j.why);
	assert_true(j.tlsa_matched >= 0);
}

static void
assert_bad(struct tls_judgement j, enum result_type result, const char *why)
{
	assert_int_equal(j.proofs, PROOF_ENCRYPTED);
	assert_string_equal(j.why, why);
	assert_int_equal(j.result, result);
	assert_int_equal(j.tlsa_matched, -1);
}

#define NO_MATCH "matches none of the TLSA records"

/* RFC 7672 3.1.1 */
static void
usage_3_wants_neither_names_nor_dates_nor_a_ca(void **state)
{
	static const struct test_certificate_opts odd[] = {
		{ .alt_names = "DNS:" MX },
		{ .alt_names = "DNS:elsewhere.example" },
		{ .common_name = "no names" },
		{ .alt_names = "DNS:" MX, .from_days = -20, .until_days = -10 },
		{ .alt_names = "DNS:" MX, .from_days = 10, .until_days = 20 },
		{ .alt_names = "DNS:" MX, .usage = "clientAuth" },
		{ .common_name = "a CA", .is_ca = true },
	};
	const struct test_certificate *issuers[] = { NULL, root, intermediate,
		stranger };

	(void)state;
	for (size_t i = 0; i < COUNT(odd); i++)
		for (size_t k = 0; k < COUNT(issuers); k++) {
			struct server s = server_of(&odd[i], issuers[k]);

			assert_good(judge_one(&s, 3, 1, 1, s.leaf));
			test_certificate_free(s.leaf);
		}
}

static void
all_selectors_and_matching_types_can_match(void **state)
{
	const struct test_certificate_opts opts = { .alt_names = "DNS:" MX };
	struct server s = server_of(&opts, intermediate);

	(void)state;
	for (unsigned selector = 0; selector <= 1; selector++)
		for (unsigned type = 0; type <= 2; type++) {
			assert_good(judge_one(&s, 3, selector, type, s.leaf));
			assert_good(
			    judge_one(&s, 2, selector, type, intermediate));
			assert_bad(judge_one(&s, 3, selector, type, stranger),
			    RESULT_TLSA_INVALID, NO_MATCH);
			assert_bad(judge_one(&s, 2, selector, type, stranger),
			    RESULT_TLSA_INVALID, NO_MATCH);
		}
	test_certificate_free(s.leaf);
}

/* A certificate of the web is no match, and a CA's record is not for a leaf. */
static void
what_does_not_match_is_bad_though_the_web_trusts_it(void **state)
{
	const struct test_certificate_opts opts = { .alt_names = "DNS:" MX };
	struct server s = server_of(&opts, root);

	(void)state;
	assert_bad(judge_one(&s, 3, 1, 1, stranger), RESULT_TLSA_INVALID,
	    NO_MATCH);
	assert_bad(judge_one(&s, 3, 1, 1, root), RESULT_TLSA_INVALID, NO_MATCH);
	assert_bad(judge_one(&s, 2, 1, 1, s.leaf), RESULT_TLSA_INVALID,
	    NO_MATCH);
	/* RFC 7672 3.1.2: a digest's TA must be sent along, and is not. */
	assert_bad(judge_one(&s, 2, 1, 1, root), RESULT_TLSA_INVALID, NO_MATCH);
	test_certificate_free(s.leaf);
}

/* Usages 0 and 1 would be good for OpenSSL: this chain leads to the root. */
static void
usages_0_and_1_are_never_added(void **state)
{
	const struct test_certificate_opts opts = { .alt_names = "DNS:" MX };
	struct server s = server_of(&opts, intermediate);
	const struct dane_record mixed[] = {
		{ 1, 1, 1, s.leaf },
		{ 0, 0, 1, root },
		{ 3, 1, 1, stranger },
	};
	struct tlsa_set *pkix = dane_set(BASE, mixed, 2);
	const struct tls_dane dane = { .mx = MX, .tlsa = pkix };

	(void)state;
	assert_int_equal(pkix->n, 2);
	assert_int_equal(pkix->n_usable, 0);
	assert_null(tls_verify_dane_ssl(verify, &dane));
	tlsa_set_drop(&pkix);
	assert_bad(judge(&s, dane_set(BASE, mixed, 3)), RESULT_TLSA_INVALID,
	    NO_MATCH);
	test_certificate_free(s.leaf);
}

/* A full TA that the server does not send along: RFC 7672 3.1.2, 7671 5.2.2. */
static void
a_ta_given_in_full_need_not_be_sent(void **state)
{
	const struct test_certificate_opts opts = { .alt_names = "DNS:" MX };
	struct server s = server_of(&opts, root);

	(void)state;
	assert_good(judge_one(&s, 2, 0, 0, root));
	assert_good(judge_one(&s, 2, 1, 0, root));
	test_certificate_free(s.leaf);
}

/* RFC 7672 3.2.2 */
static void
usage_2_wants_one_of_the_names(void **state)
{
	static const struct {
		const char *alt_names, *common_name;
		bool good;
	} rows[] = {
		{ "DNS:" MX, NULL, true },
		{ "DNS:" BASE, NULL, true },
		{ "DNS:" NEXT_HOP, NULL, true },
		{ "DNS:*.example.com", NULL, true },
		{ "DNS:other.example,DNS:" MX, NULL, true },
		{ "DNS:elsewhere.example", NULL, false },
		{ "DNS:*.com", NULL, false },
		{ "DNS:m*.example.com", NULL, false },
		{ NULL, MX, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct test_certificate_opts opts = {
			.alt_names = rows[i].alt_names,
			.common_name = rows[i].common_name
		};
		struct server s = server_of(&opts, intermediate);
		struct tls_judgement j = judge_one(&s, 2, 0, 1, intermediate);

		if (rows[i].good)
			assert_good(j);
		else
			assert_bad(j, RESULT_CERTIFICATE_HOST_MISMATCH,
			    "does not list this name among its DNS names");
		test_certificate_free(s.leaf);
	}
}

static void
usage_2_wants_dates(void **state)
{
	const struct test_certificate_opts expired = { .alt_names = "DNS:" MX,
		.from_days = -20,
		.until_days = -10 };
	const struct test_certificate_opts early = { .alt_names = "DNS:" MX,
		.from_days = 10,
		.until_days = 20 };
	struct server s = server_of(&expired, intermediate);

	(void)state;
	assert_bad(judge_one(&s, 2, 0, 1, intermediate),
	    RESULT_CERTIFICATE_EXPIRED, "has expired");
	test_certificate_free(s.leaf);
	s = server_of(&early, intermediate);
	assert_bad(judge_one(&s, 2, 0, 1, intermediate),
	    RESULT_CERTIFICATE_NOT_TRUSTED, "is not yet valid");
	test_certificate_free(s.leaf);
}

/* RFC 7671 8.1: the next key is published beside the present one. */
static void
one_of_several_records_is_enough_and_is_told(void **state)
{
	const struct test_certificate_opts opts = { .common_name = "any" };
	struct server s = server_of(&opts, NULL);
	const struct dane_record records[] = { { 3, 1, 1, stranger },
		{ 3, 1, 1, s.leaf }, { 2, 1, 1, root } };
	struct tls_judgement j = judge(&s, dane_set(BASE, records, 3));

	(void)state;
	assert_good(j);
	assert_int_equal(j.tlsa_matched, 1);
	test_certificate_free(s.leaf);
}

/* RFC 7671 9: of one usage and selector the strongest digest counts. */
static void
a_weaker_digest_does_not_help_a_stronger_one(void **state)
{
	const struct test_certificate_opts opts = { .common_name = "any" };
	struct server s = server_of(&opts, NULL);
	const struct dane_record weaker[] = { { 3, 1, 1, s.leaf },
		{ 3, 1, 2, stranger } };
	const struct dane_record stronger[] = { { 3, 1, 1, stranger },
		{ 3, 1, 2, s.leaf } };
	const struct dane_record other[] = { { 3, 0, 1, s.leaf },
		{ 3, 1, 2, stranger } };

	(void)state;
	assert_bad(judge(&s, dane_set(BASE, weaker, 2)), RESULT_TLSA_INVALID,
	    NO_MATCH);
	assert_good(judge(&s, dane_set(BASE, stronger, 2)));
	assert_good(judge(&s, dane_set(BASE, other, 2)));
	test_certificate_free(s.leaf);
}

static void
full_data_that_cannot_be_read_are_unusable(void **state)
{
	struct dns_rr rr[3] = { 0 };
	const struct dns_answer answer = { .outcome = DNS_FOUND,
		.type = DNS_TLSA,
		.n = 3,
		.rr = rr };
	struct tlsa_set *set;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		rr[i].tlsa.usage = 3;
		rr[i].tlsa.selector = i == 1;
		rr[i].tlsa.association =
		    (struct span){ "\x30\x03\x02\x01\x05", 5 };
	}
	rr[2].tlsa.matching_type = 1; /* and of the wrong length */
	set = tlsa_set_new(BASE, &answer);
	assert_non_null(set);
	assert_int_equal(set->n, 3);
	assert_int_equal(set->n_usable, 0);
	assert_string_equal(set->entries[0].unusable,
	    "holds a certificate or key that cannot be read");
	assert_string_equal(set->entries[2].unusable,
	    "has a digest of the wrong length");
	tlsa_set_drop(&set);
	assert_null(set);
	tlsa_set_drop(&set);
}

static void
usable_records_come_before_others_and_are_bounded(void **state)
{
	static const char digest[32] = { 0 };
	struct dns_rr rr[60] = { 0 };
	const struct dns_answer answer = { .outcome = DNS_FOUND,
		.type = DNS_TLSA,
		.n = COUNT(rr),
		.rr = rr };
	struct tlsa_set *set;

	(void)state;
	for (size_t i = 0; i < COUNT(rr); i++) {
		rr[i].tlsa.usage = i < 50 ? 1 : 3;
		rr[i].tlsa.selector = 1;
		rr[i].tlsa.matching_type = 1;
		rr[i].tlsa.association =
		    (struct span){ digest, sizeof(digest) };
	}
	set = tlsa_set_new(BASE, &answer);
	assert_non_null(set);
	assert_int_equal(set->n, 32);
	assert_int_equal(set->n_usable, 10);
	assert_null(set->entries[9].unusable);
	assert_non_null(set->entries[10].unusable);
	assert_string_equal(set->base, BASE);
	tlsa_set_drop(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    usage_3_wants_neither_names_nor_dates_nor_a_ca),
		cmocka_unit_test(all_selectors_and_matching_types_can_match),
		cmocka_unit_test(
		    what_does_not_match_is_bad_though_the_web_trusts_it),
		cmocka_unit_test(usages_0_and_1_are_never_added),
		cmocka_unit_test(a_ta_given_in_full_need_not_be_sent),
		cmocka_unit_test(usage_2_wants_one_of_the_names),
		cmocka_unit_test(usage_2_wants_dates),
		cmocka_unit_test(one_of_several_records_is_enough_and_is_told),
		cmocka_unit_test(a_weaker_digest_does_not_help_a_stronger_one),
		cmocka_unit_test(full_data_that_cannot_be_read_are_unusable),
		cmocka_unit_test(
		    usable_records_come_before_others_and_are_bounded),
	};

	return cmocka_run_group_tests_name("tls_dane", tests, set_up,
	    tear_down);
}
