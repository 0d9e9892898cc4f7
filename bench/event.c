/* SPDX-License-Identifier: MIT */
/* How long from set to the waiter's return? */
#include "bench/handoff.h"

#define PARKED 400000ll /* ns: the waiter sleeps */
#define TURNS 2000

static void open_event(struct bench_member *me)
{
    sync_event_options options = {.auto_reset = 1};
    bench_check(sync_event_open(bench_manager(), "event", &options, (sync_event **)&me->own),
                "sync_event_open");
}

static void nothing(struct bench_member *me, bench_word *word)
{
    (void)me;
    (void)word;
}

static void wait_event(struct bench_member *me, bench_word *word)
{
    (void)word;
    bench_check(sync_event_wait(me->own, SYNC_S(60)), "sync_event_wait");
}

static void set_event(struct bench_member *me, bench_word *word)
{
    (void)word;
    bench_check(sync_event_set(me->own), "sync_event_set");
}

static const struct bench_way event_way = {open_event, nothing, wait_event, set_event, nothing};

/* ---- there and back ---- */

struct ball {
    bench_word words[2];
};
struct player {
    sync_event *events[2];
};

static void setup(struct bench_crew *crew, struct bench_member *me)
{
    static struct player player;
    sync_event_options options = {.auto_reset = 1};
    (void)crew;
    bench_check(sync_event_open(bench_manager(), "ping", &options, &player.events[0]), "open");
    bench_check(sync_event_open(bench_manager(), "pong", &options, &player.events[1]), "open");
    me->own = &player;
}

static void give(struct ball *ball, struct player *player, int to, enum bench_side side)
{
    if (side == BENCH_SUBJECT) {
        bench_check(sync_event_set(player->events[to]), "sync_event_set");
    } else {
        atomic_store(&ball->words[to], 1);
        bench_futex_wake(&ball->words[to], 1);
    }
}

static void take(struct ball *ball, struct player *player, int at, enum bench_side side)
{
    if (side == BENCH_SUBJECT) {
        bench_check(sync_event_wait(player->events[at], SYNC_S(60)), "sync_event_wait");
    } else {
        while (atomic_exchange(&ball->words[at], 0) == 0) {
            bench_futex_wait(&ball->words[at], 0);
        }
    }
}

static void work(struct bench_crew *crew, struct bench_member *me, enum bench_side side)
{
    int at = me->index;
    for (int i = 0; i < crew->parameter; i++) {
        int64_t began = bench_now();
        if (at == 0) {
            give(crew->shared, me->own, 1, side);
            take(crew->shared, me->own, 0, side);
            bench_sample(&me->samples, bench_now() - began);
        } else {
            take(crew->shared, me->own, 1, side);
            give(crew->shared, me->own, 0, side);
        }
    }
}

static void run(void *context, enum bench_side side, struct bench_figure *ret_figure)
{
    bench_crew_run(context, side, 0);
    bench_crew_samples(context, &ret_figure->samples);
    ret_figure->value = bench_quantile(&ret_figure->samples, 0.5);
}

/* On one CPU it is shown only: to watch a second word and a deadline costs the kernel more than the
 * bar leaves, and nothing hides it there. */
static void there_and_back(const char *what, bool one_cpu)
{
    if (!bench_wanted(what)) {
        return;
    }
    struct bench_crew *crew = bench_crew_start(2, one_cpu, bench_shared(sizeof(struct ball)), setup,
                                               work);
    crew->parameter = bench_options.quick ? TURNS / 10 : TURNS;
    bench_compare(&(struct bench_case){
        .what = what, .unit = "ns", .bar = one_cpu ? 0 : 1.1, .run = run, .context = crew});
    bench_crew_end(crew);
}

static void run_event(void)
{
    bench_handoff_compare((struct bench_case){.what = "set to a parked waiter on another CPU, p50",
                                              .unit = "ns",
                                              .bar = 1.1},
                          &event_way, &bench_way_futex, PARKED, 150);
    there_and_back("there and back on one CPU, p50", true);
    there_and_back("there and back on two CPUs, p50", false);
}

const struct bench_question bench_event = {
    "event", "set to the waiter's return, against a raw futex", run_event};
