/* SPDX-License-Identifier: ISC */
/*
 * strictmx.conf(5): see config.h. The text is cleaned and its keys are looked
 * at by config_text; libConfuse then reads it and hands every value, as a
 * string, to the setter of its key (config_key), while it knows the line. What
 * one key cannot know alone is done at the end.
 */
#include "common/config.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_key.h"
#include "common/config_text.h"
#include "common/limits.h"
#include "common/resolv_conf.h"

#define RESOLV_CONF "/etc/resolv.conf"

/* Comments away, nothing that libConfuse would change, each key once. */
static bool
check_text(struct config_run *run, char *text)
{
	struct config_text t = config_text_start(text);
	bool given[CONFIG_KEYS] = { false };
	struct span name;
	size_t key;

	if (!config_text_clean(&t))
		return config_run_fail(run, run->path, t.line, "%s", t.why);
	t = config_text_start(text);
	while (config_text_next_key(&t, &name)) {
		key = config_key_find(name);
		if (key == CONFIG_KEYS)
			return config_run_fail(run, run->path, t.line,
			    "unknown key '%.*s'",
			    name.len < 64 ? (int)name.len : 64, name.p);
		if (given[key])
			return config_run_fail(run, run->path, t.line,
			    "key '%s' is given twice", config_keys[key].name);
		given[key] = true;
	}
	return true;
}

/*
 * libConfuse's callbacks carry no argument of ours; its scanner is one for the
 * whole process anyway.
 */
static struct config_run *current;

static void __attribute__((format(printf, 2, 0)))
parser_failed(cfg_t *cfg, const char *format, va_list ap)
{
	config_run_fail_va(current, current->path, (unsigned)cfg->line, format,
	    ap);
}

/* Called for each value, and once more at the end of a list. */
static int
value_read(cfg_t *cfg, cfg_opt_t *opt)
{
	struct config_run *run = current;
	const struct config_key *key =
	    &config_keys[config_key_find(span_of(opt->name))];
	unsigned n = cfg_opt_size(opt);

	if (n == 0 || (n == run->n_values && key->name == run->key))
		return 0;
	run->n_values = n;
	run->key = key->name;
	run->value = cfg_opt_getnstr(opt, n - 1);
	run->line = (unsigned)cfg->line;
	return key->set(run) ? 0 : -1;
}

static bool
parse_text(struct config_run *run, const char *text)
{
	const cfg_opt_t one = CFG_STR(NULL, NULL, CFGF_NODEFAULT);
	const cfg_opt_t list = CFG_STR_LIST(NULL, NULL, CFGF_NODEFAULT);
	const cfg_opt_t end = CFG_END();
	cfg_opt_t opts[CONFIG_KEYS + 1];
	bool good;
	cfg_t *cfg;

	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		opts[i] = config_keys[i].list ? list : one;
		opts[i].name = config_keys[i].name;
		opts[i].validcb = value_read;
	}
	opts[CONFIG_KEYS] = end;
	cfg = cfg_init(opts, CFGF_NONE);
	if (cfg == NULL)
		return config_run_fail(run, run->path, 0, "out of memory");
	cfg_set_error_function(cfg, parser_failed);
	current = run;
	good = cfg_parse_buf(cfg, text) == CFG_SUCCESS;
	current = NULL;
	cfg_free(cfg);
	if (!good && run->error[0] == '\0')
		return config_run_fail(run, run->path, 0, "cannot be parsed");
	return good;
}

/* The AD bit of a resolver counts on loopback and where the key says so. */
static void
finish_resolver(struct config_run *run)
{
	struct resolver_opts *opts = &run->config->resolver;

	if (opts->n_upstreams == 0) {
		opts->n_upstreams = 1;
		if (!resolv_conf_nameserver(RESOLV_CONF, &opts->upstreams[0]))
			(void)config_upstream_parse("127.0.0.1",
			    &opts->upstreams[0]);
	}
	for (size_t i = 0; i < opts->n_upstreams; i++) {
		struct resolver_upstream *u = &opts->upstreams[i];

		u->trusted_ad = address_is_loopback(&u->address);
		for (size_t k = 0; k < run->n_trusted_ad; k++)
			if (address_equal(&u->address, &run->trusted_ad[k]))
				u->trusted_ad = true;
	}
}

static int
name_compare(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return strcmp(*left, *right);
}

static void
finish_local_domains(struct config *config)
{
	char **names = config->local_domains;
	size_t n = 0;

	if (config->n_local_domains == 0)
		return;
	qsort(names, config->n_local_domains, sizeof(*names), name_compare);
	for (size_t i = 0; i < config->n_local_domains; i++)
		if (n > 0 && strcmp(names[n - 1], names[i]) == 0)
			free(names[i]);
		else
			names[n++] = names[i];
	config->n_local_domains = n;
}

static struct config *
config_new(void)
{
	struct config *config = calloc(1, sizeof(*config));

	if (config == NULL)
		return NULL;
	config->engine_away = CHOICE_DEFER;
	config->unreachable = CHOICE_DEFER;
	config->deadline_s = 30;
	config->record_patience_s = LIMIT_RECORD_PATIENCE_S;
	config->log_level = LOG_LEVEL_INFO;
	config->max_policies = LIMIT_POLICIES;
	config->socket = strdup(STRICTMX_RUNSTATEDIR "/strictmx/query.sock");
	config->state_dir = strdup(STRICTMX_LOCALSTATEDIR "/lib/strictmx");
	config->user = strdup("strictmx");
	if (config->socket == NULL || config->state_dir == NULL ||
	    config->user == NULL) {
		config_free(config);
		return NULL;
	}
	return config;
}

static bool
load_file(struct config_run *run, bool must_exist)
{
	const char *why;
	char *text = config_text_read(run->path, &why);
	bool good;

	if (text == NULL && errno == ENOENT && !must_exist)
		return true;
	if (text == NULL)
		return config_run_fail(run, run->path, 0, "%s", why);
	good = check_text(run, text) && parse_text(run, text);
	free(text);
	return good;
}

struct config *
config_load(const char *path, bool must_exist, char error[CONFIG_ERROR_SIZE])
{
	struct config_run run = { .config = config_new(),
		.path = path,
		.error = error };

	error[0] = '\0';
	if (run.config == NULL) {
		(void)config_run_fail(&run, path, 0, "out of memory");
		return NULL;
	}
	if (!load_file(&run, must_exist)) {
		config_free(run.config);
		return NULL;
	}
	finish_resolver(&run);
	finish_local_domains(run.config);
	return run.config;
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->n_local_domains; i++)
		free(config->local_domains[i]);
	free(config->local_domains);
	free(config->ca_file);
	free(config->socket);
	free(config->socket_group);
	free(config->state_dir);
	free(config->user);
	free(config);
}

bool
config_is_local(const struct config *config, const char *domain)
{
	return config->n_local_domains > 0 &&
	    bsearch(&domain, config->local_domains, config->n_local_domains,
		sizeof(domain), name_compare) != NULL;
}
