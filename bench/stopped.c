/* SPDX-License-Identifier: MIT */
/* What does a waiter that was stopped cost the others? */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "bench/bench.h"

#define WINDOW 200000000ll /* ns */
#define STOPS_MAX 50       /* tries to stop it where it waits */

enum { WAITS = 1, HOLDS = 2 };

static void setup(struct bench_crew *crew, struct bench_member *me)
{
    (void)crew;
    bench_check(sync_mutex_open(bench_manager(), "stopped", NULL, (sync_mutex **)&me->own),
                "sync_mutex_open");
}

/* Two contend all the time; the third only when it is the subject. */
static void work(struct bench_crew *crew, struct bench_member *me, enum bench_side side)
{
    if (me->index == 2 && side == BENCH_PEER) {
        return;
    }
    while (!bench_stopping(crew)) {
        atomic_store(&me->state, WAITS);
        bench_check(sync_mutex_acquire(me->own, SYNC_S(60)), "sync_mutex_acquire");
        atomic_store(&me->state, HOLDS);
        bench_spin_until(bench_now() + crew->parameter);
        bench_check(sync_mutex_release(me->own), "sync_mutex_release");
        atomic_store(&me->state, 0);
        atomic_fetch_add(&me->count, 1);
    }
}

static uint64_t done_by_two(struct bench_crew *crew)
{
    return atomic_load(&crew->members[0].count) + atomic_load(&crew->members[1].count);
}

struct stopped {
    struct bench_crew *crew;
    sync_mutex *mutex;
};

static bool is_owner(struct stopped *s, pid_t pid)
{
    sync_info info;
    bench_check(sync_object_info(sync_mutex_object(s->mutex), &info), "sync_object_info");
    return info.holder.principal && info.holder.pid == pid;
}

/* Stopped while it waits: where it owns, it stops the others by right. */
static void stop_waiting(struct stopped *s)
{
    struct bench_member *third = &s->crew->members[2];
    for (int i = 0; i < STOPS_MAX; i++) {
        bench_sleep(5000000 + rand() % 10000000);
        kill(third->pid, SIGSTOP);
        while (waitpid(third->pid, NULL, WUNTRACED) < 0 && errno == EINTR) {}
        if (atomic_load(&third->state) == WAITS && !is_owner(s, third->pid)) {
            return;
        }
        kill(third->pid, SIGCONT);
    }
    bench_die("stopped: the third never waits");
}

static void run(void *context, enum bench_side side, struct bench_figure *ret_figure)
{
    struct stopped *s = context;
    int64_t window = bench_options.quick ? WINDOW / 4 : WINDOW;
    bench_crew_begin(s->crew, side);
    if (side == BENCH_SUBJECT) {
        stop_waiting(s);
    } else {
        bench_sleep(10000000);
    }
    uint64_t before = done_by_two(s->crew);
    int64_t began = bench_now();
    bench_sleep(window);
    uint64_t after = done_by_two(s->crew);
    int64_t took = bench_now() - began;
    atomic_store(&s->crew->stop, 1);
    if (side == BENCH_SUBJECT) {
        kill(s->crew->members[2].pid, SIGCONT);
    }
    bench_crew_finish(s->crew);
    ret_figure->value = (double)(after - before) * 1e9 / (double)took;
}

static void run_stopped(void)
{
    static const int holds[] = {0, 10000, 100000, 1000000};
    struct stopped s;
    bench_check(sync_mutex_open(bench_manager(), "stopped", NULL, &s.mutex), "sync_mutex_open");
    s.crew = bench_crew_start(3, false, NULL, setup, work);
    for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
        char what[64];
        snprintf(what, sizeof(what), "two go on beside a stopped waiter, %d us held",
                 holds[i] / 1000);
        s.crew->parameter = holds[i];
        bench_compare(&(struct bench_case){.what = what,
                                           .unit = "sections/s",
                                           .rate = true,
                                           .bar = 0.9,
                                           .run = run,
                                           .context = &s});
    }
    bench_crew_end(s.crew);
    sync_mutex_close(s.mutex);
}

const struct bench_question bench_stopped = {
    "stopped", "sections per second of two, with a third stopped where it waits, against without",
    run_stopped};
