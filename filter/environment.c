/* SPDX-License-Identifier: ISC */
/* What surrounds the process: see environment.h. */
#include "filter/environment.h"

#include <stdlib.h>

void
environment_clean(void)
{
	static const char *const names[] = { "http_proxy", "https_proxy",
		"HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
		"SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF",
		"SSLKEYLOGFILE", "RES_OPTIONS", "LOCALDOMAIN",
		"CURL_CA_BUNDLE" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
}
