/* SPDX-License-Identifier: ISC */
/* Policy hosts: see policy_hosts.h. */
#include "tests/bench/policy_hosts.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/process.h"
#include "tests/unit/test_certificates.h"
#include "tests/unit/test_https_server.h"

static const struct test_certificate *root;

/* Chain and key for the name that is asked for. */
static int
show_certificate(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	struct test_certificate_opts opts = { .usage = NULL };
	struct test_certificate *leaf;
	char alt_names[300];
	int ok;

	(void)alert;
	(void)arg;
	if (name == NULL)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	snprintf(alt_names, sizeof(alt_names), "DNS:%s", name);
	opts.alt_names = alt_names;
	leaf = test_certificate_make(&opts, root);
	ok = SSL_use_certificate(ssl, leaf->x509) == 1 &&
	    SSL_use_PrivateKey(ssl, leaf->key) == 1;
	test_certificate_free(leaf);
	return ok ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void
policy_hosts_listen(struct event_base *base, const char *policy,
    const char *ca_path)
{
	static char reply[1024];
	const struct test_certificate_opts root_opts = {
		.common_name = "Bench Policy Root",
		.is_ca = true
	};
	const struct https_script script = { .manner = HTTPS_ANSWER,
		.reply = reply };
	SSL_CTX *ctx;

	root = test_certificate_make(&root_opts, NULL);
	test_certificate_append_pem(root, ca_path);
	ctx = test_certificate_server(root, NULL); /* until a name is known */
	SSL_CTX_set_tlsext_servername_callback(ctx, show_certificate);
	snprintf(reply, sizeof(reply),
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	    "Content-Length: %zu\r\n\r\n%s",
	    strlen(policy), policy);
	if (https_server_new(base, "0.0.0.0", 443, ctx, &script) == NULL)
		die("no HTTPS server on port 443");
}
