/* SPDX-License-Identifier: ISC */
/*
 * What Exim asks (strictmx-query(7), EXIM), from the request to the one line of
 * its answer. An answer takes LIMIT_EXIM_ANSWER_MS at most, for Exim's own
 * patience is 5 s; what was begun goes on behind it, so that the next one who
 * asks is told at once.
 */
#ifndef STRICTMX_FILTER_EXIM_QUESTION_H
#define STRICTMX_FILTER_EXIM_QUESTION_H

struct clock;
struct config;
struct engine;
struct exim_question;
struct exim_questions;
struct exim_request;
struct tls_verify;

/* All is borrowed. NULL without memory. */
struct exim_questions *exim_questions_new(struct clock *clock,
    struct engine *engine, const struct config *config,
    const struct tls_verify *verify);

/* Who waits is not answered any more. Safe on NULL. */
void exim_questions_free(struct exim_questions *questions);

/* From now on these are asked; what was asked before ends where it is. */
void exim_questions_use(struct exim_questions *questions, struct engine *engine,
    const struct config *config, const struct tls_verify *verify);

/* line: without LF; borrowed for the time of the call. */
typedef void exim_answer_fn(const char *line, void *arg);

/*
 * answer runs once: before this call returns, which is NULL then, or later,
 * when the question that is returned is spent.
 */
struct exim_question *exim_question_start(struct exim_questions *questions,
    const struct exim_request *request, exim_answer_fn *answer, void *arg);

/* Nobody waits for the answer any more. Clears the pointer; safe on NULL. */
void exim_question_leave(struct exim_question **question);

#endif
