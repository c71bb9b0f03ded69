/* SPDX-License-Identifier: ISC */
/*
 * What a lookup has found out about a domain. Facts are gathered by the steps
 * of common/lookup and judged in one place, common/verdict. Every enum begins
 * with UNKNOWN (0): a temporary failure, a full queue or lack of memory leaves
 * it so. Only an answer that was read and understood makes a fact "none".
 */
#ifndef STRICTMX_COMMON_FACTS_H
#define STRICTMX_COMMON_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "common/override.h"
#include "common/probe.h"
#include "common/result_type.h"
#include "proto/domain.h"
#include "proto/sts_policy.h"
#include "proto/sts_record.h"

struct tlsa_set;

/* Where mail is judged. */
enum gate {
	GATE_ADMISSION, /* handed in: the MX hosts are probed */
	GATE_DELIVERY,	/* on its way out: the session itself is the proof */
	GATES
};

/* RFC 8461 5.1: the look at the record that a refusal wants before it. */
enum fresh_look {
	LOOK_NONE,   /* not wanted, or not begun */
	LOOK_SAME,   /* the policy that is refused by is the published one */
	LOOK_FAILED, /* nobody knows: no permanent failure may follow */
};

/* The TXT record at _mta-sts.DOMAIN. */
enum record_state {
	RECORD_UNKNOWN,
	RECORD_FOUND,
	RECORD_NONE,
	RECORD_SEVERAL, /* as good as none, RFC 8461 3.1 */
	RECORD_BROKEN,	/* as good as none */
};

/* The policy that binds now. */
enum policy_state {
	POLICY_UNKNOWN, /* nothing live is cached, and nobody knows yet */
	POLICY_NONE,	/* nothing live is cached, and no record */
	POLICY_FAILED,	/* nothing live is cached, a record, no valid policy */
	POLICY_CACHED,
	POLICY_FETCHED,	 /* in this very lookup */
	POLICY_UNREAD,	 /* one binds, or may, and cannot be read */
	POLICY_OVERRIDE, /* set by the administrator, whatever is published */
};

enum mx_state {
	MX_UNKNOWN,
	MX_FOUND,
	MX_IMPLICIT,  /* no MX records: the domain itself, RFC 5321 5.1 */
	MX_NULL,      /* accepts no mail, RFC 7505 */
	MX_NO_DOMAIN, /* no such name */
	MX_SMARTHOST, /* the one that the administrator has set */
	MX_LITERAL,   /* an address literal: the only host is the address */
};

enum dnssec_state {
	DNSSEC_UNKNOWN,
	DNSSEC_INSECURE,
	DNSSEC_SECURE,
	DNSSEC_BOGUS,
};

/* Which one it is; all zero but with POLICY_OVERRIDE. */
struct override_facts {
	int64_t until_s; /* wall clock */
	unsigned line;	 /* of strictmx.conf(5); 0: set at run time */
	unsigned serial; /* tells those set at run time apart */
	char reason[OVERRIDE_REASON_SIZE];
};

/* How the record and the policy were found; filled by common/policy_update. */
struct policy_facts {
	enum record_state record;
	char record_id[STS_ID_SIZE];
	const char *record_why; /* static text, when not FOUND */
	bool record_fresh;	/* asked past the DNS cache of this process */
	bool record_patience_over; /* UNKNOWN for so long that it is as none */
	uint32_t record_ttl_s;

	enum policy_state state;
	char id[STS_ID_SIZE];	  /* of the policy that binds */
	int64_t fetched_at_s;	  /* wall clock */
	struct sts_policy policy; /* owned; when CACHED, FETCHED, OVERRIDE */
	struct override_facts override;

	enum result_type failure; /* of the last fetch, RFC 8460 4.3 */
	char failure_why[256];
};

/* What DANE says of an MX host (RFC 7672 2.2). */
enum dane_state {
	DANE_UNKNOWN,  /* a lookup failed or has not ended: why */
	DANE_NONE,     /* a name on the way is not secure, or no TLSA records */
	DANE_UNUSABLE, /* there are some, but none for SMTP */
	DANE_USABLE,
};

struct dane_fact {
	enum dane_state state;
	enum result_type failure; /* when UNKNOWN for a TLSA lookup's sake */
	const char *why;	  /* static text, when UNKNOWN; else NULL */
	enum dnssec_state addresses;
	struct tlsa_set *tlsa; /* held; when UNUSABLE or USABLE */
};

struct mx_fact {
	char host[DOMAIN_SIZE];
	uint16_t preference;
	bool listed; /* by the policy */
	struct dane_fact dane;

	/* What is asked of it: common/demand. */
	bool under_dane;	  /* by DANE, not by the policy */
	unsigned required;	  /* proofs, PROOF_* */
	bool allowed;		  /* may take mail that is judged strictly */
	bool enforced;		  /* and no other */
	bool eligible;		  /* may take mail: allowed, or not enforced */
	enum result_type refused; /* why not allowed, under DANE; else NONE */

	struct probe_result probe; /* or what sessions at delivery showed */
	int64_t probe_expires_ms;  /* monotonic; 0: nothing is known */
};

struct facts {
	char domain[DOMAIN_SIZE];
	struct policy_facts sts;
	enum fresh_look fresh_look;
	enum mx_state mx_state;
	enum dnssec_state mx_dnssec;
	const char *mx_why; /* static text, when UNKNOWN */
	uint32_t mx_ttl_s;
	bool dane;	     /* was asked for, and mx[].dane says what came */
	uint32_t dane_ttl_s; /* of all that was asked for it, MX included */
	bool dane_lost; /* DANE was in force, and DNSSEC does not work now */
	uint16_t port;	/* of all of them */
	size_t n_mx;
	struct mx_fact *mx; /* by preference; owned */
	bool deadline_hit;  /* ended with what was known by then */
};

/* Does a policy bind? */
bool facts_have_policy(const struct facts *facts);

/* The override binds. False without memory: POLICY_UNREAD then. */
bool policy_facts_take_override(struct policy_facts *facts,
    const struct override *override);

/* Was it this override that bound? NULL: was it none? */
bool policy_facts_are_of(const struct policy_facts *facts,
    const struct override *override);

/* Has DANE been asked for, and come to records for some host? */
bool facts_have_tlsa(const struct facts *facts);

/* The same, or nobody knows whether it would. */
bool facts_may_have_dane(const struct facts *facts);

/* Frees what facts hold, not facts itself. Safe when all zero. */
void facts_cleanup(struct facts *facts);
void policy_facts_cleanup(struct policy_facts *facts);

/* False without memory; to is then empty of what is owned. */
bool facts_copy(const struct facts *from, struct facts *to);
bool policy_facts_copy(const struct policy_facts *from,
    struct policy_facts *to);

/* The very same policy, or none in both. */
bool facts_have_same_policy(const struct policy_facts *a,
    const struct policy_facts *b);

/* Would a trial of one show the same of the other? By name and demand. */
bool mx_fact_same_trial(const struct mx_fact *a, const struct mx_fact *b);

const char *record_state_name(enum record_state state);
const char *policy_state_name(enum policy_state state);
const char *mx_state_name(enum mx_state state);
const char *dnssec_state_name(enum dnssec_state state);
const char *dane_state_name(enum dane_state state);

#endif
