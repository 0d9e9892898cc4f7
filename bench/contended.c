/* SPDX-License-Identifier: MIT */
/* How much gets done by several processes that all want one mutex? */
#include <stdio.h>

#include "bench/bench.h"

#define LENGTH 200000000ll /* ns */
#define SAMPLED 64         /* of empty sections every so many-th is timed */

struct contest {
    pthread_mutex_t peer;
    _Alignas(64) volatile uint64_t guarded; /* not atomic: shows that they exclude each other */
};

static void setup(struct bench_crew *crew, struct bench_member *me)
{
    (void)crew;
    bench_check(sync_mutex_open(bench_manager(), "contended", NULL, (sync_mutex **)&me->own),
                "sync_mutex_open");
}

static void work(struct bench_crew *crew, struct bench_member *me, enum bench_side side)
{
    struct contest *contest = crew->shared;
    sync_mutex *mutex = me->own;
    int64_t hold = crew->parameter;
    uint64_t count = 0;
    for (; !bench_stopping(crew); count++) {
        bool timed = hold || count % SAMPLED == 0;
        int64_t began = timed ? bench_now() : 0;
        if (side == BENCH_PEER) {
            pthread_mutex_lock(&contest->peer);
        } else {
            bench_check(sync_mutex_acquire(mutex, SYNC_S(60)), "sync_mutex_acquire");
        }
        contest->guarded++;
        if (timed) {
            int64_t got = bench_now();
            bench_sample(&me->samples, got - began);
            bench_spin_until(hold ? got + hold : 0);
        }
        if (side == BENCH_PEER) {
            pthread_mutex_unlock(&contest->peer);
        } else {
            bench_check(sync_mutex_release(mutex), "sync_mutex_release");
        }
    }
    atomic_store(&me->count, count);
}

static void run(void *context, enum bench_side side, struct bench_figure *ret_figure)
{
    struct bench_crew *crew = context;
    struct contest *contest = crew->shared;
    uint64_t before = contest->guarded, total = 0;
    int64_t took = bench_crew_run(crew, side, bench_options.quick ? LENGTH / 10 : LENGTH);
    for (int i = 0; i < crew->count; i++) {
        total += atomic_load(&crew->members[i].count);
    }
    if (contest->guarded - before != total) {
        bench_die("the mutex did not exclude: %llu sections, %llu counted",
                  (unsigned long long)total, (unsigned long long)(contest->guarded - before));
    }
    bench_crew_samples(crew, &ret_figure->samples);
    ret_figure->value = (double)total * 1e9 / (double)took;
}

static void run_contended(void)
{
    static const int sizes[] = {2, 4, 8};
    static const struct {
        int64_t hold;
        const char *name;
        double bar;
    } holds[] = {
        {0, "empty section", 1.0}, {10000, "10 us held", 0.8}, {100000, "100 us held", 0.9}};
    struct contest *contest = bench_shared(sizeof(*contest));
    bench_pthread_mutex(&contest->peer);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct bench_crew *crew = bench_crew_start(sizes[i], false, contest, setup, work);
        for (size_t j = 0; j < sizeof(holds) / sizeof(holds[0]); j++) {
            char what[64];
            snprintf(what, sizeof(what), "%d processes, %s", sizes[i], holds[j].name);
            crew->parameter = (int)holds[j].hold;
            bench_compare(&(struct bench_case){.what = what,
                                               .unit = "sections/s",
                                               .rate = true,
                                               .bar = holds[j].bar,
                                               .run = run,
                                               .context = crew});
        }
        bench_crew_end(crew);
    }
}

const struct bench_question bench_contended = {
    "contended", "sections per second, against a recursive robust pthread mutex", run_contended};
