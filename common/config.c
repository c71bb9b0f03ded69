/* SPDX-License-Identifier: ISC */
/*
 * strictmx.conf(5): see config.h. The text is cleaned and its keys are looked
 * at by config_text; libConfuse then reads it and hands every value, as a
 * string, to the setter of its key (config_key), while it knows the line. What
 * one key cannot know alone is done at the end.
 */
#include "common/config.h"

#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_key.h"
#include "common/config_section.h"
#include "common/config_text.h"
#include "common/config_value.h"
#include "common/limits.h"
#include "common/override.h"
#include "common/resolv_conf.h"

#define RESOLV_CONF "/etc/resolv.conf"

/* 1. The text: comments away, nothing that libConfuse would change, all known,
 * each key once in its section. */

struct check {
	struct config_run *run;
	struct config_text text;
	const struct config_section *section; /* where we are */
	unsigned section_line;
	bool given_sections[CONFIG_SECTIONS];
	bool given_main[CONFIG_SECTION_KEYS], given[CONFIG_SECTION_KEYS];
};

#define NAME_ARGS(name) (name).len < 64 ? (int)(name).len : 64, (name).p

static bool
check_key(struct check *c, struct span name)
{
	bool is_main = c->section == &config_main_section;
	bool *given = is_main ? c->given_main : c->given;
	const struct config_key *key = config_key_find(c->section, name);

	if (key == NULL)
		return config_run_fail(c->run, c->run->path, c->text.line,
		    "unknown key '%.*s'%s%s", NAME_ARGS(name),
		    is_main ? "" : " in section ", c->section->name);
	if (given[key - c->section->keys])
		return config_run_fail(c->run, c->run->path, c->text.line,
		    "key '%s' is given twice", key->name);
	given[key - c->section->keys] = true;
	return true;
}

static bool
begin_section(struct check *c, struct span title)
{
	char text[DOMAIN_SIZE];

	if (c->section->begin == NULL)
		return true;
	if (!span_copy(title, text, sizeof(text)))
		return config_run_fail(c->run, c->run->path, c->text.line,
		    "the title of section '%s' is too long", c->section->name);
	c->run->value = text;
	c->run->line = c->text.line;
	return c->section->begin(c->run);
}

static bool
is_second(struct check *c, const struct config_section *section)
{
	bool *given = c->given_sections;

	for (size_t i = 0; config_sections[i] != section; i++)
		given++;
	if (!section->titled && *given)
		return true;
	*given = true;
	return false;
}

static bool
check_open(struct check *c, struct span name, struct span title)
{
	const struct config_section *section = config_section_find(name);
	struct config_run *run = c->run;
	unsigned line = c->text.line;

	if (c->section != &config_main_section)
		return config_run_fail(run, run->path, line,
		    "a section within section '%s' of line %u",
		    c->section->name, c->section_line);
	if (section == NULL || section == &config_main_section)
		return config_run_fail(run, run->path, line,
		    "unknown section '%.*s'", NAME_ARGS(name));
	if (section->titled != (title.p != NULL))
		return config_run_fail(run, run->path, line, "section '%s' %s",
		    section->name,
		    section->titled ? "needs a title" : "takes no title");
	if (is_second(c, section))
		return config_run_fail(run, run->path, line,
		    "section '%s' is given twice", section->name);
	c->section = section;
	c->section_line = line;
	memset(c->given, 0, sizeof(c->given));
	return begin_section(c, title);
}

/* libConfuse would take the end of the file for that of a section. */
static bool
check_end(struct check *c)
{
	if (c->section == &config_main_section)
		return true;
	return config_run_fail(c->run, c->run->path, c->section_line,
	    "section '%s' has no end", c->section->name);
}

/* A "}" too many is libConfuse's to say. */
static bool
check_text(struct config_run *run, char *text)
{
	struct check c = { .run = run,
		.text = config_text_start(text),
		.section = &config_main_section };
	struct span name, title;
	bool good = true;

	if (!config_text_clean(&c.text))
		return config_run_fail(run, run->path, c.text.line, "%s",
		    c.text.why);
	c.text = config_text_start(text);
	while (good)
		switch (config_text_next(&c.text, &name, &title)) {
		case CONFIG_TOKEN_KEY:
			good = check_key(&c, name);
			break;
		case CONFIG_TOKEN_OPEN:
			good = check_open(&c, name, title);
			break;
		case CONFIG_TOKEN_CLOSE:
			c.section = &config_main_section;
			break;
		case CONFIG_TOKEN_END:
			return check_end(&c);
		}
	return false;
}

/* 2. libConfuse. Its callbacks carry no argument of ours; its scanner is one
 * for the whole process anyway. */
static struct config_run *current;

static void __attribute__((format(printf, 2, 0)))
parser_failed(cfg_t *cfg, const char *format, va_list ap)
{
	config_run_fail_va(current, current->path, (unsigned)cfg->line, format,
	    ap);
}

/* libConfuse calls what is outside of sections "root". */
static const struct config_section *
section_of(cfg_t *cfg)
{
	const struct config_section *section =
	    config_section_find(span_of(cfg_name(cfg)));

	return section == NULL ? &config_main_section : section;
}

/* Called for each value, and once more at the end of a list. */
static int
value_read(cfg_t *cfg, cfg_opt_t *opt)
{
	struct config_run *run = current;
	const struct config_key *key =
	    config_key_find(section_of(cfg), span_of(opt->name));
	unsigned n = cfg_opt_size(opt);

	if (n == 0 || (n == run->n_values && key == run->last))
		return 0;
	run->n_values = n;
	run->last = key;
	run->key = key->name;
	run->value = cfg_opt_getnstr(opt, n - 1);
	run->line = (unsigned)cfg->line;
	return key->set(run) ? 0 : -1;
}

/* Called at the end of each section. */
static int
section_read(cfg_t *cfg, cfg_opt_t *opt)
{
	struct config_run *run = current;
	const struct config_section *section =
	    config_section_find(span_of(opt->name));

	run->last = NULL; /* the next one of the same name is another */
	run->line = (unsigned)cfg->line;
	return section->end == NULL || section->end(run) ? 0 : -1;
}

/* The keys of a section as libConfuse wants them; one place is for the end. */
static size_t
fill_options(const struct config_section *section, cfg_opt_t *opts)
{
	const cfg_opt_t one = CFG_STR(NULL, NULL, CFGF_NODEFAULT);
	const cfg_opt_t list = CFG_STR_LIST(NULL, NULL, CFGF_NODEFAULT);
	const cfg_opt_t end = CFG_END();

	assert(section->n_keys <= CONFIG_SECTION_KEYS);
	for (size_t i = 0; i < section->n_keys; i++) {
		opts[i] = section->keys[i].list ? list : one;
		opts[i].name = section->keys[i].name;
		opts[i].validcb = value_read;
	}
	opts[section->n_keys] = end;
	return section->n_keys;
}

static bool
parse_text(struct config_run *run, const char *text)
{
	const cfg_opt_t untitled = CFG_SEC(NULL, NULL, CFGF_NODEFAULT);
	const cfg_opt_t titled = CFG_SEC(NULL, NULL, CFGF_MULTI | CFGF_TITLE);
	const cfg_opt_t end = CFG_END();
	cfg_opt_t opts[CONFIG_SECTIONS][CONFIG_SECTION_KEYS + CONFIG_SECTIONS];
	size_t n = fill_options(&config_main_section, opts[0]);
	bool good;
	cfg_t *cfg;

	for (size_t i = 1; i < CONFIG_SECTIONS; i++) {
		fill_options(config_sections[i], opts[i]);
		opts[0][n] = config_sections[i]->titled ? titled : untitled;
		opts[0][n].name = config_sections[i]->name;
		opts[0][n].subopts = opts[i];
		opts[0][n++].validcb = section_read;
	}
	opts[0][n] = end;
	cfg = cfg_init(opts[0], CFGF_NONE);
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

/* 3. What no key knows alone. */

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
policy_compare(const void *a, const void *b)
{
	const struct override *left = a, *right = b;

	return strcmp(left->domain, right->domain);
}

static void
finish_policies(struct config *config)
{
	if (config->n_policies > 0)
		qsort(config->policies, config->n_policies,
		    sizeof(*config->policies), policy_compare);
}

/* With the relay, what passes the filter unseen is judged on its way out. */
static void
finish_relay(struct config_run *run)
{
	struct config *config = run->config;

	config->addresses.own = config->relay.own_addresses;
	config->addresses.n_own = config->relay.n_own_addresses;
	if (config->relay.on && !run->engine_away_given)
		config->engine_away = CHOICE_PROCEED;
}

/* Postfix names the next hop of each message itself. */
static bool
check_socketmap(struct config_run *run)
{
	const struct config *config = run->config;

	if (config->socketmap.n_listen == 0 || config->smarthost[0] == '\0')
		return true;
	return config_run_fail(run, run->path, run->socketmap_line,
	    "socketmap and smarthost exclude each other: Postfix has its "
	    "relayhost");
}

/* Exim's routers name the next hop, and the certificate is checked for it. */
static bool
check_exim(struct config_run *run)
{
	const struct config *config = run->config;

	if (config->exim_socket == NULL || config->smarthost[0] == '\0')
		return true;
	return config_run_fail(run, run->path, run->exim_line,
	    "exim and smarthost exclude each other: Exim has its routers");
}

static void
socketmap_cleanup(struct config_socketmap *socketmap)
{
	for (size_t i = 0; i < socketmap->n_listen; i++)
		free(socketmap->listen[i].path);
	free(socketmap->group);
}

static struct config *
config_new(void)
{
	struct config *config = calloc(1, sizeof(*config));

	if (config == NULL)
		return NULL;
	config->engine_away = CHOICE_DEFER;
	relay_settings_init(&config->relay);
	config->unreachable = CHOICE_DEFER;
	config->deadline_s = 30;
	config->record_patience_s = LIMIT_RECORD_PATIENCE_S;
	config->dane = true;
	snprintf(config->dnssec_test_good, DOMAIN_SIZE, "iana.org");
	snprintf(config->dnssec_test_bad, DOMAIN_SIZE, "dnssec-failed.org");
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
	if (!load_file(&run, must_exist) || !check_socketmap(&run) ||
	    !check_exim(&run)) {
		config_free(run.config);
		return NULL;
	}
	finish_resolver(&run);
	name_list_finish(&run.config->local_domains);
	name_list_finish(&run.config->dane_required);
	finish_policies(run.config);
	finish_relay(&run);
	return run.config;
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	name_list_cleanup(&config->local_domains);
	name_list_cleanup(&config->dane_required);
	relay_settings_cleanup(&config->relay);
	for (size_t i = 0; i < config->n_policies; i++)
		override_cleanup(&config->policies[i]);
	free(config->policies);
	socketmap_cleanup(&config->socketmap);
	free(config->ca_file);
	free(config->socket);
	free(config->socket_group);
	free(config->exim_socket);
	free(config->exim_socket_group);
	free(config->state_dir);
	free(config->user);
	free(config);
}

static bool
same_listen(const struct config_listen *a, const struct config_listen *b)
{
	if (a->path != NULL || b->path != NULL)
		return a->path != NULL && b->path != NULL &&
		    strcmp(a->path, b->path) == 0;
	return address_equal(&a->address, &b->address) && a->port == b->port;
}

bool
config_same_socketmap(const struct config_socketmap *a,
    const struct config_socketmap *b)
{
	for (size_t i = 0; i < LIMIT_SOCKETMAP_LISTENS; i++)
		if (!same_listen(&a->listen[i], &b->listen[i]))
			return false;
	return true;
}

bool
config_is_local(const struct config *config, const char *domain)
{
	return name_list_has(&config->local_domains, domain);
}

const struct override *
config_policy(const struct config *config, const char *domain)
{
	struct override wanted = { .line = 0 };

	if (config->n_policies == 0 ||
	    !span_copy(span_of(domain), wanted.domain, sizeof(wanted.domain)))
		return NULL;
	return bsearch(&wanted, config->policies, config->n_policies,
	    sizeof(*config->policies), policy_compare);
}
