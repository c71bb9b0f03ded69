/* SPDX-License-Identifier: ISC */
/*
 * strictmx.conf(5), read with libConfuse. An unknown key, a bad value, a key
 * given twice or "${...}" is an error with file and line. Without a file the
 * defaults hold.
 */
#ifndef STRICTMX_COMMON_CONFIG_H
#define STRICTMX_COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/name_list.h"
#include "common/relay_settings.h"
#include "common/resolver.h"
#include "proto/domain.h"

struct override;

#define CONFIG_ERROR_SIZE 512

/* Where the file is when nobody says otherwise; it may be missing then. */
#define CONFIG_DEFAULT_PATH STRICTMX_SYSCONFDIR "/strictmx.conf"

enum config_choice {
	CHOICE_PROCEED,
	CHOICE_DEFER
};

/* Where a front end listens: on a Unix socket or on loopback. */
struct config_listen {
	char *path;		/* NULL: the address */
	struct address address; /* loopback */
	uint16_t port;
};

/* Section "socketmap": Postfix's TLS policies. */
struct config_socketmap {
	size_t n_listen; /* 0: nobody asks */
	struct config_listen listen[LIMIT_SOCKETMAP_LISTENS];
	char *group;	     /* of Unix sockets; NULL: that of the user */
	bool report_testing; /* policies in mode testing are told, too */
};

struct config {
	/* Judging */
	bool testing;			/* mode = testing: refuse nothing */
	enum config_choice engine_away; /* for TCP sessions */
	enum config_choice unreachable;
	bool reject_on_failure;	    /* on-failure = reject, at admission only */
	unsigned record_patience_s; /* at delivery */
	bool judge_local_submission;
	struct name_list local_domains; /* both keys together */
	unsigned deadline_s;
	char hostname[DOMAIN_SIZE]; /* for EHLO; "": the full one of the host */
	/* All mail goes there, and its policy counts; "": by MX records. */
	char smarthost[DOMAIN_SIZE];
	uint16_t smarthost_port;
	size_t n_policies; /* sorted by domain; owned; their end may be past */
	struct override *policies;

	/* DANE */
	bool dane;
	struct name_list dane_required;
	/* What shows that the resolver validates; "": not looked at. */
	char dnssec_test_good[DOMAIN_SIZE];
	char dnssec_test_bad[DOMAIN_SIZE];

	/* The network */
	struct resolver_opts resolver;
	struct address_rules addresses;
	char *ca_file; /* NULL: the system's bundle */

	struct relay_settings relay;
	struct config_socketmap socketmap;

	/* The process */
	char *socket;
	char *socket_group;	 /* NULL: that of the user */
	char *exim_socket;	 /* NULL: Exim is not served */
	char *exim_socket_group; /* NULL: that of the user */
	char *state_dir;
	char *user;
	enum log_level log_level;
	size_t max_policies; /* in memory */
};

/*
 * Reads path. A missing file is fine when must_exist is false. NULL on error,
 * with one line in error: "/etc/strictmx.conf:12: unknown key 'sockt'".
 */
struct config *config_load(const char *path, bool must_exist,
    char error[CONFIG_ERROR_SIZE]);
void config_free(struct config *config); /* safe on NULL */

/* They listen at the same places, in the same order. */
bool config_same_socketmap(const struct config_socketmap *a,
    const struct config_socketmap *b);

bool config_is_local(const struct config *config, const char *domain);

/* The policy set for a domain (folded), whatever its end; NULL: none. */
const struct override *config_policy(const struct config *config,
    const char *domain);

#endif
