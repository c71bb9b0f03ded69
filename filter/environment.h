/* SPDX-License-Identifier: ISC */
/* What surrounds the process must not steer TLS, DNS or HTTP. */
#ifndef STRICTMX_FILTER_ENVIRONMENT_H
#define STRICTMX_FILTER_ENVIRONMENT_H

/* Takes the variables away that OpenSSL, libcurl or the C library would heed.
 */
void environment_clean(void);

#endif
