/* SPDX-License-Identifier: MIT */
/* Where two promises meet: a long text and whole details, a cheap try and a dead owner, a name that
 * is looked at and one that is wanted. */
#include "tests/support.h"

/* ---- a cycle whose text is longer than its buffer ---- */

enum { RING = 8 };
static sync_mutex *mutexes[RING];

static __attribute__((noinline)) void dirty_the_stack(void)
{
    char junk[65536];
    memset(junk, 0x5a, sizeof(junk));
    __asm__ volatile("" : : "r"(junk) : "memory");
}

static int holds_one_wants_the_next(struct job *job)
{
    int mine = (int)job->number, next = (int)((intptr_t)job->handle);
    dirty_the_stack();
    EXPECT(0, sync_mutex_acquire(mutexes[mine], 0));
    raise_flag(mine);
    await_flag(16 + mine);
    int rc = sync_mutex_acquire(mutexes[next], SYNC_FOREVER);
    if (rc == 0) {
        EXPECT(0, sync_mutex_release(mutexes[next]));
    }
    EXPECT(0, sync_mutex_release(mutexes[mine]));
    return rc;
}

static void a_long_cycle_is_told_whole(void)
{
    static char name[RING][SYNC_NAME_MAX + 1];
    static struct job jobs[RING];
    lab_alone();
    for (int i = 0; i < RING; i++) {
        memset(name[i], 'a' + i, SYNC_NAME_MAX);
        mutexes[i] = a_mutex(name[i], NULL);
        jobs[i] = (struct job){.call = holds_one_wants_the_next,
                               .number = i,
                               .handle = (void *)(intptr_t)((i + 1) % RING)};
        job_start(&jobs[i]);
        await_flag(i);
    }
    for (int i = 0; i < RING; i++) {
        raise_flag(16 + i);
        if (i < RING - 1) {
            await_sleepers(name[i + 1], 1);
        }
    }
    EXPECT(SYNC_EDEADLK, job_end(&jobs[RING - 1]));
    sync_error *error = &jobs[RING - 1].error;
    NUMBER(RING, error->cycle_count);
    for (int i = 0; i < RING; i++) {
        NUMBER(getpid(), error->cycle[i].pid);
        CHECK(strcmp(error->cycle[i].label, "tester") == 0);
    }
}

/* ---- no call is a cancellation point ---- */

static sync_mutex *held;
static sync_error details;
static void *asks(void *info)
{
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(held, 0));
    pthread_cancel(pthread_self());
    if (info) {
        sync_last_error_info(&details);
    } else {
        sync_last_error();
    }
    raise_flag(0);
    return NULL;
}

static void asked_by_one_that_is_to_be_cancelled(bool info)
{
    pthread_t thread;
    lab_alone();
    held = a_mutex("camera", NULL);
    EXPECT(0, sync_mutex_acquire(held, 0));
    CHECK(pthread_create(&thread, NULL, asks, info ? held : NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    NUMBER(1, atomic_load(&board->flag[0]));
}
static void a_text_is_no_cancellation_point(void)
{
    asked_by_one_that_is_to_be_cancelled(false);
}
static void details_are_no_cancellation_point(void)
{
    asked_by_one_that_is_to_be_cancelled(true);
}

/* ---- a mere try, the owner a handle, its process dead, no manager ---- */

static void holds_by_handle(void)
{
    EXPECT(0, sync_mutex_acquire(
                  a_mutex("camera", &(sync_mutex_options){.owner = SYNC_OWNER_HANDLE}), 0));
    raise_flag(0);
    for (;;) {
        pause();
    }
}

static void tries_find_out_that_the_owner_is_dead(void)
{
    lab_alone();
    pid_t pid = spawn(holds_by_handle);
    await_flag(0);
    sync_mutex *mutex = a_mutex("camera", NULL);
    killed(pid);
    int rc;
    int64_t end = sy_now() + SYNC_S(3);
    do {
        rc = sync_mutex_acquire(mutex, 0);
    } while (rc == SYNC_ETIMEDOUT && sy_now() < end);
    EXPECT(SYNC_OWNER_DIED, rc);
}

/* ---- the successor of a broken mutex is in a reaper's batch ---- */

static void a_successor_that_is_looked_at_is_waited_for(void)
{
    sync_principal evicted;
    struct sy_actor actor, reaper;
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL), *other = a_mutex("mirror", NULL);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sy_begin(lab()->attachment, &actor));
    EXPECT(0, sy_mutex_break(&actor, record_of("camera"), 0, "a test", &evicted));
    sy_done(&actor);
    EXPECT(SYNC_ELOST, sync_mutex_release(mutex));
    struct sy_hot *hot = hot_of("camera");
    CHECK(sy_reaper_begin(look(), &reaper));
    sy_put(&hot->guard, SY_REAPER);
    sy_put(&hot->state, sy_state(sy_hot_generation(hot), SY_RECORD_UNLINKING));
    struct job job = {.call = acquires_and_releases, .handle = mutex, .timeout = SYNC_S(10)};
    job_start(&job);
    for (int i = 0; i < 100; i++) {
        nap();
    }
    sy_store_sc(&hot->state, sy_state(sy_hot_generation(hot), SY_RECORD_LIVE));
    sy_record_unguard(&reaper, record_of("camera"));
    sy_reaper_end(&reaper);
    EXPECT(0, job_end(&job));
    sync_mutex_close(other);
}

/* ---- what a reaper killed in its batch leaves ---- */

static void left_in_a_batch(const char *name)
{
    struct sy_hot *hot = hot_of(name);
    sy_put(&hot->guard, SY_REAPER);
    sy_put(&hot->state, sy_state(sy_hot_generation(hot), SY_RECORD_UNLINKING));
}

static void a_name_of_a_killed_batch_opens(void)
{
    lab_alone();
    sync_event_close(an_event("stop", false));
    left_in_a_batch("stop");
    int64_t began = sy_now();
    alarm(20);
    an_event("stop", false);
    CHECK(sy_now() - began < SYNC_S(2));
}

static void names_run_out(bool batch)
{
    char name[16];
    struct sy_actor reaper;
    sync_event *event;
    lab_small(&(struct sy_capacities){.processes = 64,
                                      .threads = 64,
                                      .principals = 256,
                                      .records = 64,
                                      .chunks = 64,
                                      .ring = 64});
    lab();
    if (batch) { /* it has reaped once, long ago */
        CHECK(sy_reaper_begin(lab()->attachment->segment, &reaper));
        sy_reap(&reaper);
        sy_reaper_end(&reaper);
    }
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        EXPECT(0, sync_event_open(lab(), name, NULL, &event));
        sync_event_close(event);
        if (batch && i < 46) {
            left_in_a_batch(name);
        }
    }
}
static void room_is_made_without_a_manager(void)
{
    names_run_out(false);
}
static void room_is_made_of_a_killed_batch(void)
{
    names_run_out(true);
}

HARNESS_MAIN(CASE(a_long_cycle_is_told_whole), CASE(a_text_is_no_cancellation_point),
             CASE(details_are_no_cancellation_point), CASE(tries_find_out_that_the_owner_is_dead),
             CASE(a_successor_that_is_looked_at_is_waited_for),
             CASE(a_name_of_a_killed_batch_opens), CASE(room_is_made_without_a_manager),
             CASE(room_is_made_of_a_killed_batch))
