/* SPDX-License-Identifier: ISC */
/* An engine with its real ports: see service.h. */
#include "filter/service.h"

#include <event2/util.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/engine.h"
#include "common/fetch.h"
#include "common/ports.h"
#include "common/resolver.h"
#include "common/smtp_client.h"
#include "common/tls_verify.h"

#define RETIRE_LOOK_MS 1000

struct service {
	struct config *config;
	struct resolver *resolver;
	struct fetcher *fetcher;
	struct tls_verify *verify;
	struct smtp_dialer *dialer;
	struct ports ports;
	struct engine *engine;
	size_t users; /* mails of the relay */
	struct clock_timer *retire_look;
	struct service **owner; /* of a retired one: cleared at the end */
};

/* RFC 5321 5.1: MX hosts of one preference share the load. */
static uint32_t
random_below(uint32_t n)
{
	uint32_t any;

	evutil_secure_rng_get_bytes(&any, sizeof(any));
	return any % n; /* n is a few hosts: even enough */
}

static bool
ports_open(struct service *s, struct event_base *base, const char **why)
{
	struct fetcher_opts fetch = {
		.rules = s->config->addresses,
		.port = 443,
	};

	*why = "out of memory";
	s->verify = tls_verify_new(s->config->ca_file, why);
	if (s->verify == NULL)
		return false;
	s->resolver = resolver_new(base, s->ports.clock, &s->config->resolver);
	if (s->resolver == NULL) {
		*why = "the resolver could not be set up";
		return false;
	}
	fetch.roots = tls_verify_roots(s->verify);
	s->fetcher = fetcher_new(base, &fetch);
	s->dialer = smtp_dialer_new(base, s->verify);
	if (s->fetcher == NULL || s->dialer == NULL)
		return false;
	s->ports.dns = resolver_port(s->resolver);
	s->ports.fetch = fetcher_port(s->fetcher);
	s->ports.smtp = smtp_dialer_port(s->dialer);
	return true;
}

struct service *
service_new(struct event_base *base, struct clock *clock,
    struct policy_cache *cache, struct overrides *overrides,
    struct staging *staging, struct config *config, const char **why)
{
	struct service *s = calloc(1, sizeof(*s));

	*why = "out of memory";
	if (s == NULL) {
		config_free(config);
		return NULL;
	}
	s->config = config;
	s->ports.clock = clock;
	s->ports.random_below = random_below;
	if (!ports_open(s, base, why))
		goto fail;
	*why = "out of memory";
	s->engine = engine_new(config, &s->ports, cache);
	if (s->engine == NULL)
		goto fail;
	engine_use_overrides(s->engine, overrides);
	engine_use_staging(s->engine, staging);
	return s;
fail:
	service_free(s);
	return NULL;
}

const struct ports *
service_ports(const struct service *service)
{
	return &service->ports;
}

struct engine *
service_engine(const struct service *service)
{
	return service->engine;
}

const struct config *
service_config(const struct service *service)
{
	return service->config;
}

struct relay_backend
service_backend(struct service *service)
{
	return (struct relay_backend){ .engine = service->engine,
		.ports = &service->ports,
		.config = service->config,
		.users = &service->users };
}

const struct tls_verify *
service_verify(const struct service *service)
{
	return service->verify;
}

static void
retire_look(void *arg)
{
	struct service *s = arg;

	s->retire_look = NULL;
	if (engine_is_idle(s->engine) && s->users == 0) {
		*s->owner = NULL;
		service_free(s);
		return;
	}
	/* Without memory for a timer it stays until the end of the process. */
	s->retire_look =
	    clock_timer_start(s->ports.clock, RETIRE_LOOK_MS, retire_look, s);
}

void
service_retire(struct service **service)
{
	struct service *s = *service;

	s->owner = service;
	s->retire_look = clock_timer_start(s->ports.clock, 0, retire_look, s);
}

void
service_free(struct service *service)
{
	if (service == NULL)
		return;
	clock_timer_cancel(&service->retire_look);
	engine_free(service->engine);
	smtp_dialer_free(service->dialer);
	tls_verify_free(service->verify);
	fetcher_free(service->fetcher);
	resolver_free(service->resolver);
	config_free(service->config);
	free(service);
}
