/* SPDX-License-Identifier: ISC */
/* What became of a session of Exim's, told as the relay tells of its own. */
#ifndef STRICTMX_FILTER_EXIM_OUTCOME_H
#define STRICTMX_FILTER_EXIM_OUTCOME_H

struct exim_session;
struct verdict;

/*
 * One record to common/outcome for a session that has ended, under the verdict
 * on its domain; none where nobody knows how it was.
 */
void exim_outcome_report(const struct exim_session *session,
    const struct verdict *verdict);

#endif
