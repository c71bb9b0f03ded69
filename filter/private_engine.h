/* SPDX-License-Identifier: ISC */
/*
 * The process of a filter's own engine: "strictmxd -F FD", which speaks
 * strictmx-query(7) on FD and ends at its end of file. It gets no descriptor
 * but FD and standard error; 0 and 1, which are smtpd's socket here, are
 * /dev/null there.
 */
#ifndef STRICTMX_FILTER_PRIVATE_ENGINE_H
#define STRICTMX_FILTER_PRIVATE_ENGINE_H

#include <stdbool.h>
#include <sys/types.h>

struct private_engine {
	pid_t pid; /* 0: none */
};

/*
 * Starts program; config_file may be NULL for its default; memory_only keeps it
 * away from the store. Returns our end of
 * its socket, non-blocking and close-on-exec, or -1 with errno. A program that
 * cannot be executed says so on standard error and is seen as an end of file.
 */
int private_engine_start(struct private_engine *engine, const char *program,
    const char *config_file, bool memory_only);

/*
 * Collects the process if it has ended, and logs how when that was not a
 * clean end. True when there is none any more.
 */
bool private_engine_reap(struct private_engine *engine);

/* Sends a signal to it, if there is one. */
void private_engine_kill(struct private_engine *engine, int signal_number);

/*
 * Waits for its end, after the caller has closed the socket: 2 s, then SIGTERM
 * and 1 s, then SIGKILL and 1 s. Blocks: only for the end of our own process.
 */
void private_engine_finish(struct private_engine *engine);

#endif
