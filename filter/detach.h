/* SPDX-License-Identifier: ISC */
/*
 * Going into the background in two halves, so that whoever starts the daemon
 * sees on the terminal, and in the exit status, whether it came up.
 */
#ifndef STRICTMX_FILTER_DETACH_H
#define STRICTMX_FILTER_DETACH_H

#include <stdbool.h>

/*
 * Forks; returns in the child, before anything is opened. The parent waits: it
 * exits with 0 after detach_done(), and with 1 when the child ends before.
 * False when it cannot be done.
 */
bool detach_begin(void);

/* The child serves: lets go of the terminal and of the parent. */
void detach_done(void);

#endif
