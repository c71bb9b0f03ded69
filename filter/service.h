/* SPDX-License-Identifier: ISC */
/*
 * An engine with its real ports, built from one configuration: DNS over
 * getdns, HTTPS over libcurl, SMTP over OpenSSL. A reload builds a new one
 * beside the old, which goes on until what it had begun has ended.
 */
#ifndef STRICTMX_FILTER_SERVICE_H
#define STRICTMX_FILTER_SERVICE_H

#include "filter/relay.h"

struct clock;
struct config;
struct engine;
struct event_base;
struct overrides;
struct policy_cache;
struct ports;
struct staging;
struct service;
struct tls_verify;

/*
 * overrides and staging may be NULL. config is the service's own from now on,
 * also when this fails. The rest is borrowed. NULL with *why set to static
 * text.
 */
struct service *service_new(struct event_base *base, struct clock *clock,
    struct policy_cache *cache, struct overrides *overrides,
    struct staging *staging, struct config *config, const char **why);

/* Its ways out, for who looks at the network beside the engine. */
const struct ports *service_ports(const struct service *service);

struct engine *service_engine(const struct service *service);
const struct config *service_config(const struct service *service);

/* For the relay: the service stays as long as it has users. */
struct relay_backend service_backend(struct service *service);

/* For who judges certificates beside the engine's own sessions. */
const struct tls_verify *service_verify(const struct service *service);

/*
 * No new questions come. The service frees itself when nothing runs in it any
 * more, and clears *service then; *service must stay where it is until.
 */
void service_retire(struct service **service);

/* At once, whatever runs. Safe on NULL. */
void service_free(struct service *service);

#endif
