/* SPDX-License-Identifier: ISC */
/*
 * A program of the tree as a process, in the directory of scratch.h: what it
 * says lands in files there.
 */
#ifndef STRICTMX_TESTS_UNIT_PROGRAM_H
#define STRICTMX_TESTS_UNIT_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

#define PROGRAM_SAFETY_MS 30000

/* The path of what was built ("filter/strictmxd"); good for four calls. */
const char *program_path(const char *name);

struct program {
	const char *name; /* "filter/strictmxd" */
	const char *args[12];
	int fd;		 /* becomes descriptor 3; 0: none */
	bool closed;	 /* without descriptors 0 to 2 */
	const char *out; /* a file for its output; NULL: in the scratch */
	pid_t pid;
};

void program_start(struct program *p);

/* Its exit status, when it has ended by itself in limit_ms; asserts that. */
int program_end(struct program *p, int limit_ms);

/* Both; and what it then has said. */
int program_run(struct program *p);
const char *program_said(void);	      /* on descriptor 1 */
const char *program_complained(void); /* on descriptor 2 */

/* Waits until descriptor 2 has heard text. */
void program_wait_for(const char *text);

/* Ends a program that a failed test has left; for a teardown. */
void program_kill(struct program *p);

/* A connection to a socket, waited for while nobody listens there. */
int program_connect(const char *path);

/* Waits until the path is gone. */
void program_wait_for_no(const char *path);

void program_tell(int fd, const char *text);

/* One line without LF, until the next call; "" at the end of file. */
const char *program_hear(int fd);

#endif
