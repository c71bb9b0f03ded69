/* SPDX-License-Identifier: ISC */
/*
 * Policy hosts on all loopback addresses at once: HTTPS on port 443, with a
 * certificate made for whatever name the client asks for.
 */
#ifndef STRICTMX_TESTS_BENCH_POLICY_HOSTS_H
#define STRICTMX_TESTS_BENCH_POLICY_HOSTS_H

struct event_base;

/*
 * Serves until the process ends; the certificate to trust is appended to
 * ca_path. Failure ends the process.
 */
void policy_hosts_listen(struct event_base *base, const char *policy,
    const char *ca_path);

#endif
