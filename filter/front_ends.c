/* SPDX-License-Identifier: ISC */
/* All that strictmxd serves with one engine: see front_ends.h. */
#include "filter/front_ends.h"

#include <grp.h>
#include <stdlib.h>

#include "common/config.h"
#include "common/log.h"
#include "filter/exim_server.h"
#include "filter/relay.h"
#include "filter/service.h"
#include "filter/socketmap_server.h"

struct front_ends {
	const struct config *config;
	struct query_server *queries;
	struct relay *relay;		    /* NULL: not configured */
	struct socketmap_server *socketmap; /* NULL: not configured */
	struct exim_server *exim;	    /* NULL: not configured */
};

static bool
relay_begin(struct front_ends *f, struct event_base *base, struct clock *clock)
{
	const struct relay_backend none = { .config = f->config };

	if (f->config->relay.on)
		f->relay = relay_new(base, clock, &none);
	return !f->config->relay.on || f->relay != NULL;
}

static bool
socketmap_begin(struct front_ends *f, struct event_base *base,
    struct clock *clock)
{
	if (f->config->socketmap.n_listen == 0)
		return true;
	f->socketmap = socketmap_server_new(base, clock, NULL, f->config);
	return f->socketmap != NULL;
}

static bool
exim_begin(struct front_ends *f, struct event_base *base, struct clock *clock)
{
	if (f->config->exim_socket == NULL)
		return true;
	f->exim = exim_server_new(base, clock);
	return f->exim != NULL;
}

struct front_ends *
front_ends_new(struct event_base *base, struct clock *clock,
    const struct config *config)
{
	struct front_ends *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->config = config;
	f->queries = query_server_new(base, clock, NULL, config);
	if (f->queries == NULL || !relay_begin(f, base, clock) ||
	    !socketmap_begin(f, base, clock) || !exim_begin(f, base, clock)) {
		front_ends_free(f);
		return NULL;
	}
	return f;
}

void
front_ends_free(struct front_ends *front)
{
	if (front == NULL)
		return;
	query_server_free(front->queries);
	relay_free(front->relay);
	socketmap_server_free(front->socketmap);
	exim_server_free(front->exim);
	free(front);
}

/* Of a key that may be absent. */
static bool
find_group(const char *key, const char *name, gid_t *gid)
{
	struct group *gr;

	if (name == NULL)
		return true;
	gr = getgrnam(name);
	if (gr == NULL) {
		log_error("%s: no group %s", key, name);
		return false;
	}
	*gid = gr->gr_gid;
	return true;
}

static bool
socketmap_listen(struct front_ends *f, uid_t uid, gid_t gid)
{
	const struct config_socketmap *config = &f->config->socketmap;

	if (!find_group("group of section socketmap", config->group, &gid))
		return false;
	for (size_t i = 0; i < config->n_listen; i++)
		if (!socketmap_server_listen(f->socketmap, &config->listen[i],
			uid, gid))
			return false;
	return true;
}

static bool
exim_listen(struct front_ends *f, uid_t uid, gid_t gid)
{
	const struct config *config = f->config;

	return f->exim == NULL ||
	    (find_group("socket-group of section exim",
		 config->exim_socket_group, &gid) &&
		exim_server_listen(f->exim, config->exim_socket, uid, gid));
}

bool
front_ends_listen(struct front_ends *front, uid_t uid, gid_t gid)
{
	const struct config *config = front->config;
	gid_t query_gid = gid;

	return (front->relay == NULL || relay_listen(front->relay)) &&
	    find_group("socket-group", config->socket_group, &query_gid) &&
	    query_server_listen(front->queries, config->socket, uid,
		query_gid) &&
	    socketmap_listen(front, uid, gid) && exim_listen(front, uid, gid);
}

bool
front_ends_serve(struct front_ends *front, int fd, query_server_gone_fn *gone,
    void *arg)
{
	return query_server_add(front->queries, fd, gone, arg);
}

void
front_ends_use(struct front_ends *front, struct service *service)
{
	struct engine *engine = service_engine(service);
	const struct config *config = service_config(service);
	const struct relay_backend backend = service_backend(service);

	front->config = config;
	query_server_use(front->queries, engine, config);
	if (front->relay != NULL)
		relay_use(front->relay, &backend);
	if (front->socketmap != NULL)
		socketmap_server_use(front->socketmap, engine, config);
	if (front->exim != NULL)
		exim_server_use(front->exim, engine, config,
		    service_verify(service));
}

void
front_ends_set_meter(struct front_ends *front, struct loop_meter *meter)
{
	query_server_set_meter(front->queries, meter);
	if (front->socketmap != NULL)
		socketmap_server_set_meter(front->socketmap, meter);
	if (front->exim != NULL)
		exim_server_set_meter(front->exim, meter);
}
