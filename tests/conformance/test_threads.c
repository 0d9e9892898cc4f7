/* SPDX-License-Identifier: MIT */
/* Threads as clients: each with an attachment, process slot and descriptor of its own, or all with
 * one.
 *
 * ThreadSanitizer goes by addresses, and separate attachments see the segment at different ones: it
 * cannot see how the objects order what they protect. So that is plain memory only where the
 * clients share one attachment; the others show what the library itself shares between threads. */
#include "tests/support.h"

int sy_connect(const char *address, const sync_manager_options *options, bool separate,
               sync_manager **ret_manager);

enum { CLIENTS = 4, ROUNDS = 400 };

struct client {
    struct job job; /* first: what runs is this */
    sync_manager *manager;
    unsigned seed;
};
static struct client clients[CLIENTS];
static bool separate;

static int64_t peek(const int64_t *p)
{
    return separate ? __atomic_load_n(p, __ATOMIC_RELAXED) : *p;
}

static void poke(int64_t *p, int64_t value)
{
    if (separate) {
        __atomic_store_n(p, value, __ATOMIC_RELAXED);
    } else {
        *p = value;
    }
}

static sync_manager *client(struct job *job)
{
    struct client *c = (struct client *)job;
    sync_manager_options options = {.no_autostart = 1, .label = "client"};
    EXPECT(0, sy_connect(NULL, &options, separate, &c->manager));
    c->seed = (unsigned)(c - clients) * 7919u + 1;
    return c->manager;
}

static unsigned any(struct job *job)
{
    struct client *c = (struct client *)job;
    return c->seed = c->seed * 1103515245u + 12345u, c->seed >> 16;
}

static void run_clients(int (*function)(struct job *))
{
    sync_manager_state state;
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].job = (struct job){.call = function, .number = i};
        job_start(&clients[i].job);
    }
    for (int i = 0; i < CLIENTS; i++) {
        EXPECT(0, job_end(&clients[i].job));
    }
    EXPECT(0, sync_manager_info(lab(), &state));
    NUMBER(separate ? CLIENTS + 1 : 1, state.processes);
    for (int i = 0; i < CLIENTS; i++) {
        sync_manager_close(clients[i].manager);
    }
}

/* Whole, or the mutex is none. */
static int64_t once, twice;

static void work(void)
{
    CHECK(peek(&twice) == 2 * peek(&once));
    poke(&once, peek(&once) + 1);
    poke(&twice, peek(&twice) + 2);
}

static int excludes(struct job *job, const sync_mutex_options *options)
{
    sync_mutex *mutex;
    uint64_t last = 0, token;
    EXPECT(0, sync_mutex_open(client(job), "camera", options, &mutex));
    for (int i = 0; i < ROUNDS; i++) {
        unsigned deeper = any(job) % 3;
        int rc = any(job) % 4 ? sync_mutex_acquire(mutex, SYNC_S(20))
                              : sync_mutex_acquire(mutex, SYNC_US(50));
        if (rc == SYNC_ETIMEDOUT) {
            continue;
        }
        EXPECT(0, rc);
        EXPECT(0, sync_mutex_token(mutex, &token));
        CHECK(token > last);
        last = token;
        for (unsigned d = 0; d < deeper; d++) {
            EXPECT(0, sync_mutex_acquire(mutex, 0));
        }
        work();
        for (unsigned d = 0; d <= deeper; d++) {
            EXPECT(0, sync_mutex_release(mutex));
        }
    }
    return 0;
}

static int mutex_client(struct job *job)
{
    return excludes(job, NULL);
}
static void the_mutex_excludes(void)
{
    lab_alone();
    lab();
    run_clients(mutex_client);
    CHECK(once > 0);
}

static int fifo_client(struct job *job)
{
    return excludes(job, &(sync_mutex_options){.fifo = 1});
}
static void the_fifo_mutex_excludes(void)
{
    lab_alone();
    lab();
    run_clients(fifo_client);
}

static int handle_client(struct job *job)
{
    return excludes(job, &(sync_mutex_options){.owner = SYNC_OWNER_HANDLE});
}
static void the_handles_exclude(void)
{
    lab_alone();
    lab();
    run_clients(handle_client);
}

static _Atomic int inside;
static int semaphore_client(struct job *job)
{
    sync_semaphore *semaphore;
    sync_semaphore_options options = {.initial = 3, .maximum = 3};
    EXPECT(0, sync_semaphore_open(client(job), "exposures", &options, &semaphore));
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t count = 1 + any(job) % 3;
        int rc = sync_semaphore_acquire_many(semaphore, count,
                                             any(job) % 4 ? SYNC_S(20) : SYNC_US(50));
        if (rc == SYNC_ETIMEDOUT) {
            continue;
        }
        EXPECT(0, rc);
        CHECK(atomic_fetch_add(&inside, (int)count) + (int)count <= 3);
        atomic_fetch_sub(&inside, (int)count);
        EXPECT(0, sync_semaphore_release(semaphore, count));
    }
    return 0;
}
static void the_semaphore_bounds(void)
{
    uint32_t value;
    lab_alone();
    lab();
    run_clients(semaphore_client);
    sync_semaphore *semaphore;
    EXPECT(0, sync_semaphore_open(lab(), "exposures", NULL, &semaphore));
    EXPECT(0, sync_semaphore_value(semaphore, &value));
    NUMBER(3, value);
}

/* Plain memory, ordered by the events alone. */
static int64_t ball;
static int event_client(struct job *job)
{
    sync_manager *manager = client(job);
    sync_event *mine, *next;
    char name[16];
    sync_event_options options = {.auto_reset = 1};
    snprintf(name, sizeof(name), "e%d", (int)job->number);
    EXPECT(0, sync_event_open(manager, name, &options, &mine));
    snprintf(name, sizeof(name), "e%d", (int)(job->number + 1) % CLIENTS);
    EXPECT(0, sync_event_open(manager, name, &options, &next));
    if (job->number == 0) {
        EXPECT(0, sync_event_set(mine));
    }
    for (int i = 0; i < ROUNDS; i++) {
        EXPECT(0, sync_event_wait(mine, SYNC_S(20)));
        NUMBER(i * CLIENTS + job->number, peek(&ball));
        poke(&ball, peek(&ball) + 1);
        EXPECT(0, sync_event_set(next));
    }
    return 0;
}
static void the_event_hands_on(void)
{
    lab_alone();
    lab();
    run_clients(event_client);
    NUMBER(ROUNDS * CLIENTS, ball);
}

static int64_t told[CLIENTS];
static int checks_all(void *argument)
{
    for (int i = 0; i < CLIENTS; i++) {
        CHECK(peek(&told[i]) == *(int *)argument);
    }
    return 0;
}
static int barrier_client(struct job *job)
{
    sync_barrier *barrier;
    sync_barrier_options options = {.parties = CLIENTS, .members = 1};
    EXPECT(0, sync_barrier_open(client(job), "start", &options, &barrier));
    for (int i = 1; i <= ROUNDS / 4; i++) {
        poke(&told[job->number], i);
        int index = sync_barrier_wait_with(barrier, checks_all, &i, SYNC_S(20));
        CHECK(index >= 0 && index < CLIENTS);
        for (int j = 0; j < CLIENTS; j++) {
            CHECK(peek(&told[j]) == i);
        }
        CHECK(sync_barrier_wait(barrier, SYNC_S(20)) >= 0);
    }
    return 0;
}
static void the_barrier_keeps_step(void)
{
    lab_alone();
    lab();
    run_clients(barrier_client);
}

static int mixed_client(struct job *job)
{
    sync_manager *manager = client(job);
    char name[24];
    for (int i = 0; i < ROUNDS / 4; i++) {
        sync_mutex *m;
        sync_semaphore *s;
        sync_event *e;
        unsigned which = any(job) % 4;
        snprintf(name, sizeof(name), "m%u", which);
        EXPECT(0, sync_mutex_open(manager, name, NULL, &m));
        snprintf(name, sizeof(name), "s%u", which);
        EXPECT(0, sync_semaphore_open(manager, name,
                                      &(sync_semaphore_options){.initial = 2, .maximum = 2}, &s));
        snprintf(name, sizeof(name), "e%u", which);
        EXPECT(0, sync_event_open(manager, name, NULL, &e));
        EXPECT(0, sync_note(manager, name));
        EXPECT(0, sync_mutex_acquire(m, SYNC_S(20)));
        EXPECT(0, sync_semaphore_acquire(s, SYNC_S(20)));
        EXPECT(0, any(job) % 2 ? sync_event_set(e) : sync_event_clear(e));
        sync_info info;
        EXPECT(0, sync_object_info(sync_mutex_object(m), &info));
        NUMBER(1, info.depth);
        EXPECT(0, sync_semaphore_release(s, 1));
        EXPECT(0, sync_mutex_release(m));
        sync_mutex_close(m);
        sync_semaphore_close(s);
        sync_event_close(e);
        snprintf(name, sizeof(name), "%c%u", "mse"[any(job) % 3], which);
        int rc = sync_unlink(manager, name);
        CHECK(rc == 0 || rc == SYNC_EBUSY || rc == SYNC_ENOENT);
        struct sy_actor reaper;
        if (i % 16 == 0 && sy_reaper_begin(look(), &reaper)) {
            sy_reap(&reaper);
            sy_directory_sweep(look());
            sy_reaper_end(&reaper);
        }
    }
    return 0;
}
static void all_at_all(void)
{
    lab_alone();
    lab();
    run_clients(mixed_client);
    sync_manager_state state;
    EXPECT(0, sync_manager_info(lab(), &state));
    CHECK(state.names <= 12);
}

#define ALONE_AND_TOGETHER(case_)                                                                  \
    static void case_##_separate(void)                                                             \
    {                                                                                              \
        separate = true;                                                                           \
        case_();                                                                                   \
    }                                                                                              \
    static void case_##_together(void)                                                             \
    {                                                                                              \
        case_();                                                                                   \
    }
ALONE_AND_TOGETHER(the_mutex_excludes)
ALONE_AND_TOGETHER(the_fifo_mutex_excludes)
ALONE_AND_TOGETHER(the_handles_exclude)
ALONE_AND_TOGETHER(the_semaphore_bounds)
ALONE_AND_TOGETHER(the_event_hands_on)
ALONE_AND_TOGETHER(the_barrier_keeps_step)
ALONE_AND_TOGETHER(all_at_all)

HARNESS_MAIN(CASE(the_mutex_excludes_separate), CASE(the_mutex_excludes_together),
             CASE(the_fifo_mutex_excludes_separate), CASE(the_fifo_mutex_excludes_together),
             CASE(the_handles_exclude_separate), CASE(the_handles_exclude_together),
             CASE(the_semaphore_bounds_separate), CASE(the_semaphore_bounds_together),
             CASE(the_event_hands_on_separate), CASE(the_event_hands_on_together),
             CASE(the_barrier_keeps_step_separate), CASE(the_barrier_keeps_step_together),
             CASE(all_at_all_separate), CASE(all_at_all_together))
