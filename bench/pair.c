/* SPDX-License-Identifier: MIT */
/* What does an acquire and a release cost that nobody contends? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

#define CHUNK 1000
#define CHUNKS 200

struct pair {
    pthread_mutex_t *peer;
    sync_mutex *subject;
};

static void many(struct pair *pair, enum bench_side side, int count)
{
    int failed = 0;
    if (side == BENCH_PEER) {
        for (int i = 0; i < count; i++) {
            failed |= pthread_mutex_lock(pair->peer);
            failed |= pthread_mutex_unlock(pair->peer);
        }
    } else {
        for (int i = 0; i < count; i++) {
            failed |= sync_mutex_acquire(pair->subject, SYNC_MS(1000));
            failed |= sync_mutex_release(pair->subject);
        }
    }
    if (failed) {
        bench_die("pair: %s", sync_last_error());
    }
}

/* The median chunk: what interrupted a chunk is not what we ask for. */
static void run(void *context, enum bench_side side, struct bench_figure *ret_figure)
{
    static double chunks[CHUNKS];
    many(context, side, CHUNK);
    for (int i = 0; i < CHUNKS; i++) {
        int64_t began = bench_now();
        many(context, side, CHUNK);
        int64_t took = bench_now() - began;
        chunks[i] = (double)took / CHUNK;
        bench_sample(&ret_figure->samples, took / CHUNK);
    }
    ret_figure->value = bench_median(chunks, CHUNKS);
}

static void open_pair(struct pair *pair)
{
    pair->peer = bench_shared(sizeof(*pair->peer));
    bench_pthread_mutex(pair->peer);
    bench_check(sync_mutex_open(bench_manager(), "pair", NULL, &pair->subject), "sync_mutex_open");
    many(pair, BENCH_SUBJECT, CHUNK); /* registers the thread */
}

/* Run under strace by count_syscalls: the getppid calls mark the loop. */
void bench_pair_traced(void);
void bench_pair_traced(void)
{
    struct pair pair;
    open_pair(&pair);
    syscall(SYS_getppid);
    many(&pair, BENCH_SUBJECT, 100 * CHUNK);
    syscall(SYS_getppid);
}

static void count_syscalls(void)
{
    const char *what = "system calls in 100 000 pairs, by strace";
    char self[256], command[600], line[256];
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (!bench_wanted(what)) {
        return;
    }
    if (size <= 0 || system("strace -o /dev/null true >/dev/null 2>&1") != 0) {
        bench_skip(what, "strace does not run here");
        return;
    }
    self[size] = 0;
    snprintf(command, sizeof(command), "strace -o '|cat >&2' %s --traced 2>&1", self);
    FILE *trace = popen(command, "r");
    int marks = 0, calls = 0;
    while (trace && fgets(line, sizeof(line), trace)) {
        if (strncmp(line, "getppid(", 8) == 0) {
            marks++;
        } else if (marks == 1) {
            calls++;
        }
    }
    if (!trace || pclose(trace) != 0 || marks != 2) {
        bench_skip(what, "the traced run failed");
        return;
    }
    bench_judge(what, "calls", calls, 0, calls == 0);
}

static void run_pair(void)
{
    struct pair pair;
    bench_pin(0);
    open_pair(&pair);
    bench_compare(&(struct bench_case){.what = "acquire + release, uncontended",
                                       .unit = "ns",
                                       .bar = 0.95,
                                       .rounds = 31,
                                       .run = run,
                                       .context = &pair});
    sync_mutex_close(pair.subject);
    count_syscalls();
}

const struct bench_question bench_pair = {
    "pair", "acquire + release of a free recursive mutex, against a recursive robust pthread mutex",
    run_pair};
