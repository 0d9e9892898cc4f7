/* SPDX-License-Identifier: MIT */
/* Among eight that always want it: who waits longest, and does each get its share? */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"

#define CONTENDERS 8
#define LENGTH 10000000000ll /* ns */

static void setup(struct bench_crew *crew, struct bench_member *me)
{
    (void)crew;
    bench_check(sync_mutex_open(bench_manager(), "fairness", NULL, (sync_mutex **)&me->own),
                "sync_mutex_open");
}

static void work(struct bench_crew *crew, struct bench_member *me, enum bench_side side)
{
    pthread_mutex_t *peer = crew->shared;
    sync_mutex *mutex = me->own;
    int64_t hold = crew->parameter;
    uint64_t count = 0;
    for (; !bench_stopping(crew); count++) {
        int64_t began = bench_now();
        if (side == BENCH_PEER) {
            pthread_mutex_lock(peer);
        } else {
            bench_check(sync_mutex_acquire(mutex, SYNC_S(60)), "sync_mutex_acquire");
        }
        int64_t got = bench_now();
        bench_sample(&me->samples, got - began);
        bench_spin_until(got + hold);
        if (side == BENCH_PEER) {
            pthread_mutex_unlock(peer);
        } else {
            bench_check(sync_mutex_release(mutex), "sync_mutex_release");
        }
    }
    atomic_store(&me->count, count);
}

struct fairness {
    struct bench_crew *crew;
    double spread[64]; /* of the subject: acquisitions, most / fewest */
    double peer_spread, rates[2];
    int rounds;
};

static void run(void *context, enum bench_side side, struct bench_figure *ret_figure)
{
    struct fairness *f = context;
    uint64_t least = UINT64_MAX, most = 0, total = 0;
    int64_t took = bench_crew_run(f->crew, side, bench_options.quick ? LENGTH / 20 : LENGTH);
    for (int i = 0; i < CONTENDERS; i++) {
        uint64_t count = atomic_load(&f->crew->members[i].count);
        least = count < least ? count : least;
        most = count > most ? count : most;
        total += count;
    }
    double spread = (double)most / (double)(least ? least : 1);
    f->rates[side] = (double)total * 1e9 / (double)took;
    if (side == BENCH_PEER) {
        f->peer_spread = spread;
    } else if (f->rounds < 64) {
        f->spread[f->rounds++] = spread;
    }
    bench_crew_samples(f->crew, &ret_figure->samples);
    ret_figure->value = (double)ret_figure->samples.max / 1e6;
}

static void run_fairness(void)
{
    static const int64_t holds[] = {100000, 1000000};
    pthread_mutex_t *peer = bench_shared(sizeof(*peer));
    bench_pthread_mutex(peer);
    struct bench_crew *crew = bench_crew_start(CONTENDERS, false, peer, setup, work);
    for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
        struct fairness f = {.crew = crew};
        char what[64];
        crew->parameter = (int)holds[i];
        snprintf(what, sizeof(what), "longest wait, 8 contenders, %d us held",
                 crew->parameter / 1000);
        bench_compare(&(struct bench_case){
            .what = what, .unit = "ms", .bar = 0.125, .rounds = 1, .run = run, .context = &f});
        if (f.rounds) {
            double spread = bench_median(f.spread, (size_t)f.rounds);
            snprintf(what, sizeof(what), "acquisitions, most / fewest, %d us held",
                     crew->parameter / 1000);
            bench_judge(what, "", spread, 1.25, spread <= 1.25);
            bench_note("the pthread mutex: most / fewest %.2f; sections/s: %.0f, it %.0f",
                       f.peer_spread, f.rates[BENCH_SUBJECT], f.rates[BENCH_PEER]);
        }
    }
    bench_crew_end(crew);
}

const struct bench_question bench_fairness = {
    "fairness", "longest wait in 10 s, against a recursive robust pthread mutex", run_fairness};
