/* SPDX-License-Identifier: MIT */
/* What does a round of a barrier cost? */
#include <stdio.h>

#include "bench/bench.h"

#define ROUNDS 1000

static void setup(struct bench_crew *crew, struct bench_member *me)
{
    char name[32];
    sync_barrier_options options = {.parties = (uint32_t)crew->count};
    snprintf(name, sizeof(name), "barrier-%d", crew->count);
    bench_check(sync_barrier_open(bench_manager(), name, &options, (sync_barrier **)&me->own),
                "sync_barrier_open");
}

static void work(struct bench_crew *crew, struct bench_member *me, enum bench_side side)
{
    pthread_barrier_t *peer = crew->shared;
    for (int i = 0; i < crew->parameter; i++) {
        int64_t began = bench_now();
        if (side == BENCH_PEER) {
            pthread_barrier_wait(peer);
        } else {
            bench_check(sync_barrier_wait(me->own, SYNC_S(60)), "sync_barrier_wait");
        }
        if (me->index == 0) {
            bench_sample(&me->samples, bench_now() - began);
        }
    }
}

static void run(void *context, enum bench_side side, struct bench_figure *ret_figure)
{
    struct bench_crew *crew = context;
    int64_t took = bench_crew_run(crew, side, 0);
    bench_crew_samples(crew, &ret_figure->samples);
    ret_figure->value = (double)took / crew->parameter;
}

static void run_barrier(void)
{
    static const int sizes[] = {2, 4, 8};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char what[64];
        snprintf(what, sizeof(what), "a round of %d", sizes[i]);
        if (!bench_wanted(what)) {
            continue;
        }
        pthread_barrier_t *peer = bench_shared(sizeof(*peer));
        pthread_barrierattr_t attributes;
        pthread_barrierattr_init(&attributes);
        pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        pthread_barrier_init(peer, &attributes, (unsigned)sizes[i]);
        struct bench_crew *crew = bench_crew_start(sizes[i], false, peer, setup, work);
        crew->parameter = bench_options.quick ? ROUNDS / 10 : ROUNDS;
        bench_compare(&(struct bench_case){
            .what = what, .unit = "ns", .bar = 1.1, .run = run, .context = crew});
        bench_crew_end(crew);
    }
}

const struct bench_question bench_barrier = {
    "barrier", "a round, against a process-shared pthread barrier", run_barrier};
