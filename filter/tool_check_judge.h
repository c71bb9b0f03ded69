/* SPDX-License-Identifier: ISC */
/* What a live look at a domain means for those who look after it. */
#ifndef STRICTMX_FILTER_TOOL_CHECK_JUDGE_H
#define STRICTMX_FILTER_TOOL_CHECK_JUDGE_H

#include "filter/tool.h"
#include "filter/tool_check_look.h"

#define CHECK_FIX_SIZE 1024

/*
 * TOOL_FINE: nothing that a sender meets fails. TOOL_BAD: something would fail,
 * the record, the policy, or a session with a host that senders may choose.
 * TOOL_UNKNOWN: something could not be looked at, and the rest is fine. fix is
 * the one thing to do first, in plain words; "" when there is none.
 */
enum tool_exit check_judge(const struct check *check, char fix[CHECK_FIX_SIZE]);

#endif
