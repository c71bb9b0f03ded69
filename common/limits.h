/* SPDX-License-Identifier: ISC */
/*
 * Every bound of the engine and its front ends in one place. Sizes are octets,
 * times say their unit. Bounds that belong to a protocol stand with its parser
 * in proto/.
 */
#ifndef STRICTMX_COMMON_LIMITS_H
#define STRICTMX_COMMON_LIMITS_H

/* Resolver */
#define LIMIT_DNS_IN_FLIGHT 256 /* questions at the resolver at once */
#define LIMIT_DNS_QUEUED 8192	/* questions waiting for a place */
#define LIMIT_DNS_UPSTREAMS 4
#define LIMIT_DNS_TRIES 3
#define LIMIT_DNS_TRY_MS 2000
#define LIMIT_DNS_CACHE_ENTRIES 512 /* the upstream caches more */
#define LIMIT_DNS_TTL_MIN_S 1	    /* cached answers, negative ones too */
#define LIMIT_DNS_TTL_MAX_S 3600
#define LIMIT_DNS_CACHE_BYTES 1048576 /* of the answers in the cache */
#define LIMIT_DNS_QUERIES 65536	      /* askers of all questions together */
#define LIMIT_DNS_BACKOFF_MIN_MS 50   /* before a lost upstream is tried */
#define LIMIT_DNS_BACKOFF_MAX_MS 500
#define LIMIT_DNS_CAUTION_MS 150 /* one question alone, after a loss */
#define LIMIT_DNS_RENEW_AFTER 4	 /* losses in a row: a new getdns context */
#define LIMIT_DNS_IDLE_MS 10000	 /* a connection without a question */

/* Addresses */
#define LIMIT_OWN_ADDRESSES_AGE_S 60 /* then the interfaces are read again */

/* Fetcher (RFC 8461 3.3) */
#define LIMIT_FETCH_AT_ONCE 256 /* transfers */
#define LIMIT_FETCH_SLOW 128	/* of these, those older than SLOW_MS */
#define LIMIT_FETCH_SLOW_MS 2000
#define LIMIT_FETCH_STARTS_PER_TURN 10
#define LIMIT_FETCH_HANDSHAKES 16 /* begun in this time, without an answer: */
#define LIMIT_FETCH_HANDSHAKE_MS 40
#define LIMIT_FETCH_PER_ADDRESS 4
#define LIMIT_FETCH_QUEUED 4096
#define LIMIT_FETCH_BODY 65536
#define LIMIT_FETCH_HEADERS 16384
#define LIMIT_FETCH_MS 60000
#define LIMIT_FETCH_CONNECT_MS 10000
#define LIMIT_FETCH_ADDRESSES 8	  /* pinned for one fetch */
#define LIMIT_FETCH_LOW_SPEED 100 /* octets/s, on average of LOW_SPEED_S */
#define LIMIT_FETCH_LOW_SPEED_S 20
#define LIMIT_FETCH_RETRY_MS 1000 /* after a lack of memory or descriptors */

/* SMTP client and probe */
#define LIMIT_SMTP_SESSIONS 2048 /* at once */
#define LIMIT_SMTP_CONNECT_MS 30000
#define LIMIT_SMTP_TLS_MS 30000
#define LIMIT_SMTP_COMMAND_MS 60000
#define LIMIT_SMTP_QUIT_MS 5000
#define LIMIT_SMTP_REPLY 2048	     /* octets of a whole one, to the relay */
#define LIMIT_SMTP_UNSENT_HIGH 32768 /* of a message: then it waits until */
#define LIMIT_SMTP_UNSENT_LOW 8192   /* no more than that is unsent */
#define LIMIT_SMTP_LINE 2048 /* of a reply; RFC 5321 4.5.3.1.5 wants 512 */
#define LIMIT_PROBE_MS 12000 /* one MX with all its addresses */
#define LIMIT_PROBE_ADDRESS_MS                                                 \
	5000			  /* one address of it, while there are more */
#define LIMIT_PROBE_ADDRESSES 8	  /* tried of one MX */
#define LIMIT_TRIALS 3		  /* of one domain's hosts at once */
#define LIMIT_TRIALS_LATE_MS 4000 /* of silence, then the next begins */
#define LIMIT_PROBE_GRACE_MS 250  /* a session ends itself that much earlier */
#define LIMIT_PROBE_GOOD_S 300	  /* how long a good probe holds */
#define LIMIT_PROBE_BAD_S 60

/* Lookups */
#define LIMIT_LOOKUPS 4096	     /* running */
#define LIMIT_WAITERS 65536	     /* of all lookups together */
#define LIMIT_MX_HOSTS 32	     /* of one domain that are looked at */
#define LIMIT_VERDICTS 20000	     /* kept */
#define LIMIT_VERDICT_BYTES 67108864 /* of the kept ones */
#define LIMIT_VERDICT_MAX_S 300

/* DANE (RFC 7672) */
#define LIMIT_TLSA_RECORDS 32	   /* of one host that are looked at */
#define LIMIT_TLSA_EXPLAINED 8	   /* of these, told of one host */
#define LIMIT_DNSSEC_TEST_S 3600   /* between tests of the resolver */
#define LIMIT_DANE_MEMORIES 10000  /* domains that had DANE in force, */
#define LIMIT_DANE_MEMORY_S 604800 /* since then */

/* Delivery: the MTA in front waits 300 s for the answer to RCPT */
#define LIMIT_DELIVERY_MS 240000      /* verdict, walk, look, walk again */
#define LIMIT_DELIVERY_WALK_MS 200000 /* of these; a look has the rest */
#define LIMIT_DELIVERY_REUSE_MS 20000 /* MAIL on a session that was kept */

/* Sessions that are kept for the next mail of the same domain */
#define LIMIT_POOL_SESSIONS 512
#define LIMIT_POOL_PER_DOMAIN 100
#define LIMIT_POOL_AGE_MS 300000 /* since the session was ready */

/* Relay. What is not named so is set in strictmx.conf(5). */
#define RELAY_PORT 10050
#define LIMIT_RELAY_CONNECTIONS 3000
#define LIMIT_RELAY_LINE 2048	/* a command */
#define LIMIT_RELAY_INPUT 16384 /* unread, of one connection */
#define LIMIT_RELAY_OUTPUT                                                     \
	16384 /* unread answers of one; then it is told no more */
/* Of a message, read and passed on at a time: with what libevent adds it is
   8 KiB of memory, and stays below LIMIT_HEAP_BLOCK. */
#define LIMIT_RELAY_PIECE 8128
#define LIMIT_RELAY_RCPTS 1000	   /* of one mail */
#define LIMIT_RELAY_RECEIVED 50	   /* lines: RFC 5321 6.3 */
#define LIMIT_RELAY_ROOM_MS 180000 /* RFC 5321 4.5.3.2.5 */
#define LIMIT_RELAY_DOT_MS 285000  /* smtpd waits 300 s */
#define LIMIT_RELAY_LATE_MS 600000 /* RFC 5321 4.5.3.2.6, RFC 1047 */
#define LIMIT_RELAY_MTA_MS 300000  /* RFC 5321 4.5.3.2.7 */
#define LIMIT_RELAY_DOMAINS 2000   /* that are counted one by one */
#define LIMIT_RELAY_LIST 1024	   /* entries of each of its lists */
#define LIMIT_RELAY_SESSIONS 1000
#define LIMIT_RELAY_PER_DOMAIN 100
#define LIMIT_RELAY_SESSIONS_MAX 1500
#define LIMIT_RELAY_IDLE_MS 10000
#define LIMIT_RELAY_MESSAGES 100
#define LIMIT_RELAY_MESSAGES_MAX 10000

/* Policies (RFC 8461 3.3, 5.1) */
#define LIMIT_CLOCK_JUMP_S 3600	 /* more is a jump of the wall clock */
#define LIMIT_CLOCK_WAIT_S 86400 /* then: for a try to refresh policies */
#define LIMIT_POLICIES 10000	 /* in memory; the store holds the rest */
#define LIMIT_POLICY_OCTETS 400	 /* of memory, for each, on average */
#define LIMIT_POLICIES_OCTETS_MIN 1048576 /* for all, if these are few */
#define LIMIT_RECORD_AGE_S 60	    /* then the TXT record is looked at again */
#define LIMIT_UPDATES_BEHIND 64	    /* of policies in use, at once */
#define LIMIT_FETCH_BACKOFF_S 300   /* after a failed fetch, per record id */
#define LIMIT_FETCHES_PER_BACKOFF 3 /* per domain, whatever the ids */
#define LIMIT_RECORD_PATIENCE_S 3600 /* at delivery: see verdict.c */
#define LIMIT_RECORD_TROUBLES 10000  /* domains whose record fails */
#define LIMIT_BACKOFFS 10000 /* domains whose failed fetch is remembered */
#define LIMIT_STORE_POLICIES 100000 /* on disk, or as many as in memory */
#define LIMIT_STORE_TRIM_EVERY 1000 /* written ones: then it is looked at */
#define LIMIT_STORE_TRIM 2000	    /* dropped at a time, if more are there */
#define LIMIT_STORE_BUSY_MS 100	    /* that an administrator's look may cost */

#define LIMIT_REFRESH_S 86400 /* between fetches of a cached policy */
#define LIMIT_REFRESH_JITTER_S 14400
#define LIMIT_REFRESH_RETRY_S 3600    /* after a failure, at most */
#define LIMIT_REFRESH_MIN_S 300	      /* a shorter wait is not worth it */
#define LIMIT_REFRESH_LOOK_MS 30000   /* between looks for what is due */
#define LIMIT_REFRESH_MORE_MS 5000    /* when the last one came to so many: */
#define LIMIT_REFRESHES 100	      /* begun at each look */
#define LIMIT_STAGED 10000	      /* domains that would have been refused */
#define LIMIT_STAGED_S 2592000	      /* then a start forgets them */
#define LIMIT_STAGED_WRITE_MS 10000   /* between writing to disk, of no more */
#define LIMIT_STAGED_WRITES 500	      /* than so many */
#define LIMIT_OVERRIDES 1000	      /* set at run time, one a domain */
#define LIMIT_OVERRIDE_READ_S 10      /* unread ones are tried again then */
#define LIMIT_OVERRIDE_ENDED_S 604800 /* then a start forgets an ended one */
#define LIMIT_FRESH_LOOK_S 60	      /* a look before refusals, per domain */

/* Failures that are remembered for who asks why */
#define LIMIT_FAILURE_DOMAINS 2000
#define LIMIT_FAILURES 8 /* of each domain */

/* Query server */
#define LIMIT_QUERY_CLIENTS 1024
#define LIMIT_QUERY_IN_FLIGHT 16384 /* requests of one client */
#define LIMIT_QUERY_OUTPUT 4194304  /* unread answers of one client */
#define LIMIT_QUERY_LONG 16	  /* of the requests: those with long answers */
#define LIMIT_QUERY_WAITING 65536 /* octets of more of these */
#define LIMIT_QUERY_JOB_SLACK_MS                                               \
	1000 /* past the engine's deadline, for what an administrator asks */
#define LIMIT_QUERY_DOMAINS 20 /* of the relay, in the answer to stats */
#define LIMIT_QUERY_PAGE 250   /* lines of a list in one answer */

/* Socketmap server */
#define LIMIT_SOCKETMAP_LISTENS 4
#define LIMIT_SOCKETMAP_CLIENTS 512 /* of each; Postfix has 100 smtp(8) */
#define LIMIT_SOCKETMAP_OUTPUT                                                 \
	131072 /* unread answers: the longest, and one                         \
		*/
#define LIMIT_SOCKETMAP_ANSWER_MS 90000 /* Postfix waits 100 s */
#define LIMIT_SOCKETMAP_IDLE_MS 60000	/* Postfix closes after 10 s */
#define LIMIT_SOCKETMAP_LOOK_MS 5000	/* between looks for the idle */

/* Filter */
#define LIMIT_FILTER_LINE 73728 /* smtpd's are at most 64 KiB and a bit */
#define LIMIT_FILTER_SESSIONS 65536
#define LIMIT_FILTER_DEADLINE_SLACK_MS 5000 /* past the engine's deadline */
#define LIMIT_FILTER_OUTPUT 67108864 /* answers that smtpd does not read */
#define LIMIT_ENGINE_ASKS LIMIT_QUERY_IN_FLIGHT
#define LIMIT_ENGINE_OUTPUT                                                    \
	4194304			   /* requests that the engine does not read   \
				    */
#define LIMIT_ENGINE_ANSWER 262144 /* one line of it, "explain" included */
#define LIMIT_ENGINE_END_MS 2000   /* a private one, after its end of file */
#define LIMIT_ENGINE_TERM_MS 1000  /* and after SIGTERM */
#define LIMIT_RESTART_MIN_MS 100   /* of an engine that died */
#define LIMIT_RESTART_MAX_MS 10000

/* Exim: it waits 5 s for the engine, and 60 s for a program of ours */
#define LIMIT_EXIM_ANSWER 25600 /* one line, with these in it: */
#define LIMIT_EXIM_ALLOWED 16384
#define LIMIT_EXIM_HOSTS 8704 /* LIMIT_MX_HOSTS names */
#define LIMIT_EXIM_TEXT 400
#define LIMIT_EXIM_PROGRAM_MS 4500 /* that strictmx-exim takes */
#define LIMIT_EXIM_ANSWER_MS 4000  /* that an answer takes */
#define LIMIT_EXIM_CLIENT_MS 10000 /* a connection, from first to last */
#define LIMIT_EXIM_CLIENTS 1024
#define LIMIT_EXIM_QUESTIONS 4096 /* whose answers have been waited for */
#define LIMIT_EXIM_TURNS 4	  /* of one such, each of a deadline */
#define LIMIT_EXIM_SESSIONS 4096  /* that Exim has told of */
#define LIMIT_EXIM_SESSION_MS 3600000
#define LIMIT_EXIM_CHAIN_OCTETS 16777216 /* of all that are being shown */
#define LIMIT_EXIM_CLOSED_MS 2000	 /* for a word on how it ended */
#define LIMIT_EXIM_SLOW 10000 /* domains that were slow: see exim_slow.h */
#define LIMIT_EXIM_SLOW_MS 7200000

/* The operator's tool */
#define LIMIT_LINT_INPUT 65536	 /* as LIMIT_FETCH_BODY */
#define LIMIT_LINT_FINDINGS 1000 /* errors that are told; warnings as well */
#define LIMIT_TLSA_SOON_DAYS 30	 /* a certificate that expires then */
#define LIMIT_LINT_MX_MS 10000	 /* a look at the MX hosts of a domain */

/* Process */
#define LIMIT_DESCRIPTORS 16384
#define LIMIT_RETIRED 4		  /* engines that reloads have replaced */
#define LIMIT_LOOP_BEAT_MS 5	  /* of the meter of stalls */
#define LIMIT_LOOP_QUIET_BEATS 20 /* then it sleeps */
#define LIMIT_HEAP_BLOCK 16384	  /* larger ones are mapped one by one */

/* Configuration */
#define LIMIT_CONFIG_FILE 1048576 /* resolv.conf as well */
#define LIMIT_CONFIG_LIST 10000
#define LIMIT_CONFIG_TRUSTED_AD 16
#define LIMIT_CONFIG_POLICIES 1000	   /* sections, one for each domain */
#define LIMIT_POLICIES_MAX 1000000	   /* that can be asked for */
#define LIMIT_DEADLINE_MAX_S 240	   /* smtpd's own clients wait 300 s */
#define LIMIT_RECORD_PATIENCE_MAX_S 432000 /* queues give up after 5 days */

#endif
