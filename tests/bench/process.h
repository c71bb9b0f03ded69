/* SPDX-License-Identifier: ISC */
/* What Linux tells about another process: its child, its time, its memory. */
#ifndef STRICTMX_TESTS_BENCH_PROCESS_H
#define STRICTMX_TESTS_BENCH_PROCESS_H

#include <sys/types.h>

#include <stdint.h>

/* Its only child, as a filter's engine is; 0: none. */
pid_t process_child(pid_t pid);

/* CPU time used until now, in nanoseconds; 0 when it is gone. */
uint64_t process_cpu_ns(pid_t pid);

/* A line of /proc/PID/status, as "VmRSS", in KiB; 0 when it is not there. */
unsigned long process_memory_kib(pid_t pid, const char *name);

/* Waits until it has not used the processor for a while; 10 s at most. */
void process_settle(pid_t pid);

/* What strictmxd says at its end, in this log, of its loop; in ms. */
double process_longest_stall_ms(const char *log);

uint64_t monotonic_ns(void);

/* Ends the benchmark: what it needs is not there. */
void die(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
