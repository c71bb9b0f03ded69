/* SPDX-License-Identifier: ISC */
/* What every unit test begins with: cmocka and what it wants before it. */
#ifndef STRICTMX_TESTS_UNIT_H
#define STRICTMX_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
