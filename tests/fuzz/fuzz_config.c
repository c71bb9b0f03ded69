/* SPDX-License-Identifier: ISC */
/*
 * The text of a configuration file and, behind a NUL, that of the file which
 * local-domains-file names, whatever its name is. What is taken holds only
 * values that the engine can work with; what is refused is refused in one line
 * that names the file; and the same text is read the same way twice.
 *
 * Nothing of this host is asked: the system's resolver, its name and its files
 * are those of this file.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/config.h"
#include "common/config_section.h"
#include "common/config_text.h"
#include "common/limits.h"
#include "common/override.h"
#include "common/resolv_conf.h"
#include "tests/fuzz/loop.h"

#define PATH "fuzz.conf"

static struct span main_text, list_text;

/* This host */

char *__wrap_config_text_read(const char *path, const char **why);
bool __wrap_resolv_conf_nameserver(const char *path,
    struct resolver_upstream *out);
int __wrap_gethostname(char *name, size_t size);
int __wrap_getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **found);
int __wrap_access(const char *path, int mode);

char *
__wrap_config_text_read(const char *path, const char **why)
{
	struct span text = strcmp(path, PATH) == 0 ? main_text : list_text;
	char *copy = malloc(text.len + 1);

	assert(copy != NULL);
	if (span_copy(text, copy, text.len + 1))
		return copy;
	free(copy);
	*why = "a NUL octet in the file";
	errno = EILSEQ;
	return NULL;
}

bool
__wrap_resolv_conf_nameserver(const char *path, struct resolver_upstream *out)
{
	(void)path;
	(void)out;
	return false;
}

int
__wrap_gethostname(char *name, size_t size)
{
	assert(span_copy(span_of("host"), name, size));
	return 0;
}

int
__wrap_getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **found)
{
	(void)node;
	(void)service;
	(void)hints;
	(void)found;
	return EAI_FAIL;
}

int
__wrap_access(const char *path, int mode)
{
	(void)mode;
	if (path[0] == '/')
		return 0;
	errno = ENOENT;
	return -1;
}

/*
 * The keys that the check of the text has listed, in their order. libConfuse,
 * which reads the text after it, gives values to these, in this order, and to
 * no others: else it has read another text than was checked.
 */

#define LISTED_MAX 65536

static const struct config_key *listed[LISTED_MAX]; /* NULL: a section begins */
static size_t n_listed, at_listed;
static bool is_listing;

enum config_token __real_config_text_next(struct config_text *t,
    struct span *name, struct span *title);
enum config_token __wrap_config_text_next(struct config_text *t,
    struct span *name, struct span *title);
const struct config_key *__real_config_key_find(const struct config_section
						    *section,
    struct span name);
const struct config_key *__wrap_config_key_find(const struct config_section
						    *section,
    struct span name);

enum config_token
__wrap_config_text_next(struct config_text *t, struct span *name,
    struct span *title)
{
	enum config_token token = __real_config_text_next(t, name, title);

	is_listing = token == CONFIG_TOKEN_KEY;
	if (token == CONFIG_TOKEN_OPEN) {
		assert(n_listed < LISTED_MAX);
		listed[n_listed++] = NULL;
	}
	return token;
}

const struct config_key *
__wrap_config_key_find(const struct config_section *section, struct span name)
{
	const struct config_key *key = __real_config_key_find(section, name);

	if (is_listing) {
		assert(n_listed < LISTED_MAX);
		if (key != NULL)
			listed[n_listed++] = key;
		return key;
	}
	while (at_listed < n_listed && listed[at_listed] != key)
		at_listed++;
	assert(at_listed < n_listed);
	return key;
}

/* Within a section, where all have keys of their own, none comes twice. */
static void
check_listed(void)
{
	size_t start = 0;

	for (size_t i = 0; i < n_listed; i++) {
		if (listed[i] == NULL)
			start = i + 1;
		for (size_t k = start; k < i; k++)
			assert(listed[i] != listed[k]);
	}
}

static struct config *
load(char error[CONFIG_ERROR_SIZE])
{
	n_listed = at_listed = 0;
	is_listing = false;
	return config_load(PATH, true, error);
}

/* What was taken */

static void
check_domain(const char *name)
{
	char folded[DOMAIN_SIZE];

	assert(domain_fold(span_of(name), folded) == DOMAIN_OK);
	assert(strcmp(name, folded) == 0);
}

static void
check_local_domains(const struct config *config)
{
	assert(config->local_domains.n <= LIMIT_CONFIG_LIST);
	for (size_t i = 0; i < config->local_domains.n; i++) {
		check_domain(config->local_domains.names[i]);
		assert(config_is_local(config, config->local_domains.names[i]));
		if (i > 0)
			assert(strcmp(config->local_domains.names[i - 1],
				   config->local_domains.names[i]) < 0);
	}
	assert(!config_is_local(config, "no.such.name.at.all"));
}

static void
check_resolver(const struct resolver_opts *opts)
{
	assert(opts->n_upstreams >= 1);
	assert(opts->n_upstreams <= LIMIT_DNS_UPSTREAMS);
	for (size_t i = 0; i < opts->n_upstreams; i++) {
		const struct resolver_upstream *u = &opts->upstreams[i];

		assert(u->port != 0);
		assert(u->trusted_ad || !address_is_loopback(&u->address));
	}
}

static void
check_policies(const struct config *config)
{
	assert(config->n_policies <= LIMIT_CONFIG_POLICIES);
	for (size_t i = 0; i < config->n_policies; i++) {
		const struct override *o = &config->policies[i];

		check_domain(o->domain);
		assert(config_policy(config, o->domain) == o);
		assert(o->until_s > 0 && o->line > 0);
		assert(o->policy.mode != STS_MODE_UNKNOWN);
		assert(
		    (o->policy.n_mx == 0) == (o->policy.mode == STS_MODE_NONE));
	}
}

static void
check_config(const struct config *config)
{
	assert(config->deadline_s >= 1);
	assert(config->deadline_s <= LIMIT_DEADLINE_MAX_S);
	assert(config->max_policies >= 1);
	assert(config->max_policies <= LIMIT_POLICIES_MAX);
	assert(config->socket[0] == '/' && config->state_dir[0] == '/');
	assert(strlen(config->socket) <
	    sizeof(((struct sockaddr_un *)NULL)->sun_path));
	assert(config->ca_file == NULL || config->ca_file[0] == '/');
	assert(config->user[0] != '\0');
	assert(config->socket_group == NULL || config->socket_group[0] != '\0');
	if (config->hostname[0] != '\0')
		check_domain(config->hostname);
	check_resolver(&config->resolver);
	check_local_domains(config);
	check_policies(config);
}

static void
check_same(const struct config *a, const struct config *b)
{
	assert(a->testing == b->testing && a->engine_away == b->engine_away);
	assert(a->unreachable == b->unreachable);
	assert(a->deadline_s == b->deadline_s);
	assert(a->log_level == b->log_level);
	assert(a->max_policies == b->max_policies);
	assert(a->local_domains.n == b->local_domains.n);
	assert(a->n_policies == b->n_policies);
	assert(a->resolver.n_upstreams == b->resolver.n_upstreams);
	assert(strcmp(a->socket, b->socket) == 0);
	assert(strcmp(a->user, b->user) == 0);
}

static void
check_error(const char *error)
{
	size_t len = strlen(error);

	assert(len > 0 && len < CONFIG_ERROR_SIZE);
	assert(memchr(error, '\n', len) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char error[CONFIG_ERROR_SIZE], error_again[CONFIG_ERROR_SIZE];
	struct config *config, *again;

	list_text = fuzz_span(bytes, len);
	main_text = (struct span){ NULL, 0 };
	span_cut(&list_text, '\0', &main_text);
	config = load(error);
	again = load(error_again);
	assert((config == NULL) == (error[0] != '\0'));
	assert((config == NULL) == (again == NULL));
	assert(strcmp(error, error_again) == 0);
	if (config != NULL) {
		check_config(config);
		check_listed();
		check_same(config, again);
	} else {
		check_error(error);
	}
	config_free(config);
	config_free(again);
	return 0;
}
