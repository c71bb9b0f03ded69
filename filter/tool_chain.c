/* SPDX-License-Identifier: ISC */
/* A file with the certificates that a host shows: see tool_chain.h. */
#include "filter/tool_chain.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/log.h"

/* An encrypted key in the file is nothing to ask a passphrase for. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

bool
tool_chain_read(STACK_OF(X509) * chain, struct span pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	unsigned long last;
	X509 *x509;

	if (bio == NULL)
		fatal("out of memory");
	ERR_clear_error();
	while (
	    (x509 = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL)
		if (sk_X509_push(chain, x509) <= 0)
			fatal("out of memory");
	last = ERR_peek_last_error();
	ERR_clear_error();
	BIO_free(bio);
	return ERR_GET_LIB(last) == ERR_LIB_PEM &&
	    ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
}
