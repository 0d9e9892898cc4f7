/* SPDX-License-Identifier: MIT */
/* How long from the owner's death to the next owner? */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

#define WAITERS_MAX 3
#define LARGE (2ull << 30)
#define SETTLE 5000000ll /* ns: more than anybody spins */
#define TRIES 10
#define FUTEX_WAITERS_BIT 0x80000000u
#define FUTEX_OWNER_DIED_BIT 0x40000000u

struct scene {
    _Atomic int64_t next; /* ns: when there was a next owner */
    bench_word victim;    /* 1 about to acquire, 2 it owns */
    bench_word dead;      /* how many were told that the owner died */
    pthread_mutex_t peer;
};

struct death {
    struct bench_crew *crew;
    struct scene *scene;
    sync_mutex *mutex; /* of the director */
    int turns;
    bool waited, large;
};

/* ---- the waiters ---- */

/* The owner that had waited gets it before the others that wait only where order of arrival counts.
 */
static void open_both(sync_mutex *mutexes[2])
{
    sync_mutex_options options = {.fifo = 1};
    bench_check(sync_mutex_open(bench_manager(), "death", NULL, &mutexes[0]), "sync_mutex_open");
    bench_check(sync_mutex_open(bench_manager(), "death in order", &options, &mutexes[1]),
                "sync_mutex_open");
}

static void setup(struct bench_crew *crew, struct bench_member *me)
{
    static sync_mutex *mutexes[2];
    (void)crew;
    open_both(mutexes);
    me->own = mutexes;
}

static bench_word *word_of(struct scene *scene)
{
    return (bench_word *)(void *)&scene->peer.__data.__lock;
}

struct waitv {
    uint64_t value, address;
    uint32_t flags, reserved;
};

/* The bare wake: sleep on the life word, nothing more. */
static void await_death(struct scene *scene)
{
    uint32_t seen;
    while (!((seen = atomic_load(word_of(scene))) & FUTEX_OWNER_DIED_BIT)) {
        struct waitv wait = {seen, (uintptr_t)word_of(scene), 2 /* 32 bits */, 0};
        syscall(449 /* futex_waitv */, &wait, 1, 0, NULL, CLOCK_MONOTONIC);
    }
}

static void work(struct bench_crew *crew, struct bench_member *me, enum bench_side side)
{
    struct scene *scene = crew->shared;
    sync_mutex *mutex = ((sync_mutex **)me->own)[crew->parameter];
    int64_t nobody = 0;
    atomic_store(&me->state, 1);
    if (side == BENCH_PEER) {
        await_death(scene);
        atomic_compare_exchange_strong(&scene->next, &nobody, bench_now());
        bench_futex_wake(word_of(scene), WAITERS_MAX);
    } else {
        if (bench_check(sync_mutex_acquire(mutex, SYNC_S(10)), "sync_mutex_acquire") ==
            SYNC_OWNER_DIED) {
            atomic_store(&scene->next, bench_now());
            atomic_fetch_add(&scene->dead, 1);
        }
        bench_check(sync_mutex_release(mutex), "sync_mutex_release");
    }
}

/* ---- the victim ---- */

static void fill_memory(void)
{
    void *at = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        bench_die("no 2 GB for the victim");
    }
    madvise(at, LARGE, MADV_NOHUGEPAGE);
    madvise(at, LARGE, 23 /* MADV_POPULATE_WRITE, 5.14 */);
    for (size_t i = 0; i < LARGE; i += 4096) {
        ((volatile char *)at)[i] = 1;
    }
}

static pid_t start_victim(struct death *d, enum bench_side side)
{
    pid_t parent = getpid(), pid = fork();
    if (pid) {
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(0);
    }
    bench_pin(1);
    if (d->large) {
        fill_memory();
    }
    if (side == BENCH_PEER) {
        pthread_mutex_lock(&d->scene->peer);
        atomic_fetch_or(word_of(d->scene), FUTEX_WAITERS_BIT);
    } else {
        sync_mutex *mutexes[2];
        open_both(mutexes);
        atomic_store(&d->scene->victim, 1);
        bench_check(sync_mutex_acquire(mutexes[d->waited], SYNC_S(10)), "sync_mutex_acquire");
    }
    atomic_store(&d->scene->victim, 2);
    for (;;) {
        pause();
    }
}

static void await(bench_word *word, uint32_t value)
{
    for (int i = 0; atomic_load(word) != value; i++) {
        if (i > 30000) {
            bench_die("death: the victim does not get there");
        }
        bench_sleep(1000000);
    }
}

static void start_waiters(struct death *d, enum bench_side side)
{
    for (int i = 0; i < d->crew->count; i++) {
        atomic_store(&d->crew->members[i].state, 0);
    }
    bench_crew_begin(d->crew, side);
    for (int i = 0; i < d->crew->count; i++) {
        while (!atomic_load(&d->crew->members[i].state)) {
            bench_sleep(100000);
        }
    }
    bench_sleep(SETTLE);
}

/* 0: a waiter came in before the victim, so that nobody was left to be told. */
static int64_t turn(struct death *d, enum bench_side side)
{
    struct scene *scene = d->scene;
    bool queued = d->waited && side == BENCH_SUBJECT;
    bench_pthread_mutex(&scene->peer);
    atomic_store(&scene->victim, 0);
    atomic_store(&scene->next, 0);
    atomic_store(&scene->dead, 0);
    if (queued) {
        bench_check(sync_mutex_acquire(d->mutex, SYNC_S(10)), "sync_mutex_acquire");
    }
    pid_t victim = start_victim(d, side);
    await(&scene->victim, queued ? 1 : 2);
    if (queued) {
        bench_sleep(SETTLE);
    }
    start_waiters(d, side);
    if (queued) {
        bench_check(sync_mutex_release(d->mutex), "sync_mutex_release");
        await(&scene->victim, 2);
        bench_sleep(SETTLE);
    }
    int64_t killed = bench_now();
    kill(victim, SIGKILL);
    waitpid(victim, NULL, 0);
    bench_crew_finish(d->crew);
    if (side == BENCH_SUBJECT && atomic_load(&scene->dead) != 1) {
        if (!queued || atomic_load(&scene->dead)) {
            bench_die("death: %u were told that the owner died, not 1", atomic_load(&scene->dead));
        }
        bench_check(sync_mutex_acquire(d->mutex, SYNC_S(10)), "sync_mutex_acquire");
        bench_check(sync_mutex_release(d->mutex),
                    "sync_mutex_release"); /* the death is taken note of */
        return 0;
    }
    return atomic_load(&scene->next) - killed;
}

static void run(void *context, enum bench_side side, struct bench_figure *ret_figure)
{
    struct death *d = context;
    for (int i = 0; i < d->turns; i++) {
        int64_t took = 0;
        for (int tries = 0; !took; tries++) {
            if (tries == TRIES) {
                bench_die("death: the victim never gets the mutex before the others");
            }
            took = turn(d, side);
        }
        bench_sample(&ret_figure->samples, took);
    }
    ret_figure->value = bench_quantile(&ret_figure->samples, 0.5);
}

/* ---- the cases ---- */

enum manager { ALIVE, STOPPED, DEAD };
static const char *const managers[] = {"alive", "stopped", "dead"};

static bool room_for_large(void)
{
    return (unsigned long long)sysconf(_SC_AVPHYS_PAGES) *
               (unsigned long long)sysconf(_SC_PAGESIZE) >
           LARGE + LARGE / 2;
}

static void one_case(struct bench_crew *crew, sync_mutex **mutexes, enum manager state, bool waited,
                     bool large)
{
    char what[80];
    struct death d = {.crew = crew,
                      .scene = crew->shared,
                      .mutex = mutexes[waited],
                      .turns = large || bench_options.quick ? 1 : 3,
                      .waited = waited,
                      .large = large};
    snprintf(what, sizeof(what), "%d waiting, owner %s, manager %s%s", crew->count,
             waited ? "had waited" : "fresh", managers[state], large ? ", 2 GB" : "");
    if (!bench_wanted(what) || (large && bench_options.quick)) {
        return;
    }
    if (large && !room_for_large()) {
        bench_skip(what, "less than 3 GB free");
        return;
    }
    crew->parameter = waited;
    bench_compare(&(struct bench_case){.what = what,
                                       .unit = "ns",
                                       .bar = 2,
                                       .max = state == ALIVE ? 200e6 : 1500e6,
                                       .run = run,
                                       .context = &d});
}

static void with_manager(enum manager state, struct scene *scene, sync_mutex **mutexes)
{
    static const int crews[] = {1, WAITERS_MAX};
    for (size_t i = 0; i < 2; i++) {
        struct bench_crew *crew = bench_crew_start(crews[i], true, scene, setup, work);
        one_case(crew, mutexes, state, false, false);
        one_case(crew, mutexes, state, true, false);
        one_case(crew, mutexes, state, i == 1, true);
        bench_crew_end(crew);
    }
}

static void run_death(void)
{
    sync_mutex *mutexes[2];
    if (bench_options.cpu_count < 2) {
        bench_skip("all", "needs two CPUs");
        return;
    }
    struct scene *scene = bench_shared(sizeof(*scene));
    open_both(mutexes);
    with_manager(ALIVE, scene, mutexes);
    pid_t manager = bench_manager_pid();
    kill(manager, SIGSTOP);
    bench_sleep(1300000000); /* its beat is stale after a second */
    with_manager(STOPPED, scene, mutexes);
    kill(manager, SIGCONT);
    bench_manager_kill();
    bench_sleep(1300000000);
    with_manager(DEAD, scene, mutexes);
    bench_manager_start();
    sync_mutex_close(mutexes[0]);
    sync_mutex_close(mutexes[1]);
}

const struct bench_question bench_death = {
    "death", "owner killed to the next owner, against the bare wake of a robust mutex' word",
    run_death};
