/* SPDX-License-Identifier: MIT */
/* How long from a release to the next owner, on another CPU? */
#include "bench/handoff.h"

#define SPINNING 1500ll /* ns: the waiter has begun, and has not given up spinning */
#define PARKED 400000ll /* ns: it sleeps */

struct handoff {
    const struct bench_way *ways[2];
    int64_t delay;
    int turns;
    _Alignas(64) bench_word word;
    _Alignas(64) bench_word held; /* turn in which the giver is ready */
    _Alignas(64) bench_word going;
    _Alignas(64) bench_word done;
    _Alignas(64) _Atomic int64_t given;
};

static void await(bench_word *word, uint32_t turn)
{
    while (atomic_load(word) != turn) {
        bench_relax();
    }
}

static void give_turns(struct handoff *h, struct bench_member *me, const struct bench_way *way)
{
    for (uint32_t turn = 1; turn <= (uint32_t)h->turns; turn++) {
        way->prepare(me, &h->word);
        atomic_store(&h->held, turn);
        await(&h->going, turn);
        bench_spin_until(bench_now() + h->delay);
        atomic_store(&h->given, bench_now());
        way->give(me, &h->word);
        await(&h->done, turn);
    }
}

static void wait_turns(struct handoff *h, struct bench_member *me, const struct bench_way *way)
{
    for (uint32_t turn = 1; turn <= (uint32_t)h->turns; turn++) {
        await(&h->held, turn);
        atomic_store(&h->going, turn);
        way->wait(me, &h->word);
        int64_t now = bench_now();
        bench_sample(&me->samples, now - atomic_load(&h->given));
        way->after(me, &h->word);
        atomic_store(&h->done, turn);
    }
}

static void setup(struct bench_crew *crew, struct bench_member *me)
{
    struct handoff *h = crew->shared;
    for (int side = 0; side < 2; side++) {
        if (h->ways[side]->open) {
            h->ways[side]->open(me);
        }
    }
}

static void work(struct bench_crew *crew, struct bench_member *me, enum bench_side side)
{
    struct handoff *h = crew->shared;
    if (me->index == 0) {
        give_turns(h, me, h->ways[side]);
    } else {
        wait_turns(h, me, h->ways[side]);
    }
}

static void run(void *context, enum bench_side side, struct bench_figure *ret_figure)
{
    struct bench_crew *crew = context;
    struct handoff *h = crew->shared;
    atomic_store(&h->held, 0);
    atomic_store(&h->going, 0);
    atomic_store(&h->done, 0);
    atomic_store(&h->word, 0);
    bench_crew_run(crew, side, 0);
    bench_crew_samples(crew, &ret_figure->samples);
    ret_figure->value = bench_quantile(&ret_figure->samples, 0.5);
}

void bench_handoff_compare(struct bench_case c, const struct bench_way *subject,
                           const struct bench_way *peer, int64_t delay, int turns)
{
    if (!bench_wanted(c.what)) {
        return;
    }
    if (bench_options.cpu_count < 2) {
        bench_skip(c.what, "needs two CPUs");
        return;
    }
    struct handoff *h = bench_shared(sizeof(*h));
    h->ways[BENCH_SUBJECT] = subject;
    h->ways[BENCH_PEER] = peer;
    h->delay = delay;
    h->turns = bench_options.quick ? turns / 10 : turns;
    struct bench_crew *crew = bench_crew_start(2, false, h, setup, work);
    c.run = run;
    c.context = crew;
    bench_compare(&c);
    bench_crew_end(crew);
}

/* ---- raw ways ---- */

static void nothing(struct bench_member *me, bench_word *word)
{
    (void)me;
    (void)word;
}

static void raw_prepare(struct bench_member *me, bench_word *word)
{
    (void)me;
    atomic_store(word, 1);
}

static void futex_wait(struct bench_member *me, bench_word *word)
{
    (void)me;
    while (atomic_load(word) == 1) {
        bench_futex_wait(word, 1);
    }
}

static void futex_give(struct bench_member *me, bench_word *word)
{
    (void)me;
    atomic_store(word, 0);
    bench_futex_wake(word, 1);
}

static void spin_wait(struct bench_member *me, bench_word *word)
{
    (void)me;
    await(word, 0);
}

static void spin_give(struct bench_member *me, bench_word *word)
{
    (void)me;
    atomic_store(word, 0);
}

const struct bench_way bench_way_futex = {NULL, raw_prepare, futex_wait, futex_give, nothing};
const struct bench_way bench_way_spin = {NULL, raw_prepare, spin_wait, spin_give, nothing};

/* ---- the mutex ---- */

static void open_mutex(struct bench_member *me)
{
    bench_check(sync_mutex_open(bench_manager(), "handoff", NULL, (sync_mutex **)&me->own),
                "sync_mutex_open");
}

static void acquire(struct bench_member *me, bench_word *word)
{
    (void)word;
    bench_check(sync_mutex_acquire(me->own, SYNC_S(60)), "sync_mutex_acquire");
}

static void release(struct bench_member *me, bench_word *word)
{
    (void)word;
    bench_check(sync_mutex_release(me->own), "sync_mutex_release");
}

static const struct bench_way mutex_way = {open_mutex, acquire, acquire, release, release};

static void run_handoff(void)
{
    bench_handoff_compare(
        (struct bench_case){.what = "mutex to a spinning waiter, p50", .unit = "ns", .limit = 1000},
        &mutex_way, &bench_way_spin, SPINNING, 4000);
    bench_handoff_compare(
        (struct bench_case){.what = "mutex to a parked waiter, p50", .unit = "ns", .bar = 1.1},
        &mutex_way, &bench_way_futex, PARKED, 150);
}

const struct bench_question bench_handoff = {
    "handoff", "release to the next owner on another CPU, against a raw word and a raw futex",
    run_handoff};
