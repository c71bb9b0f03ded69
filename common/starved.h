/* SPDX-License-Identifier: ISC */
/* Whose fault is it that there is no socket? */
#ifndef STRICTMX_COMMON_STARVED_H
#define STRICTMX_COMMON_STARVED_H

#include <errno.h>
#include <stdbool.h>

/* An errno that tells of a lack here, and nothing about the other side. */
static inline bool
is_starved(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	    error == ENOMEM;
}

#endif
