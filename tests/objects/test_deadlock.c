/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

enum { RING = 4 };
static sync_mutex *mutexes[RING];

static int holds_one_wants_the_next(struct job *job)
{
    int mine = (int)job->number, next = (int)((intptr_t)job->handle);
    EXPECT(0, sync_mutex_acquire(mutexes[mine], 0));
    raise_flag(mine);
    await_flag(16 + mine);
    int rc = sync_mutex_acquire(mutexes[next], SYNC_FOREVER);
    if (rc == 0) {
        EXPECT(0, sync_mutex_release(mutexes[next]));
    }
    EXPECT(0, sync_mutex_release(mutexes[mine])); /* which leaves the last failure as it is */
    return rc;
}

/* The last to wait closes the cycle and is the youngest. */
static void close_a_cycle(uint32_t count)
{
    char name[16], text[64];
    struct job jobs[RING];
    lab_alone();
    for (uint32_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "m%u", i);
        mutexes[i] = a_mutex(name, NULL);
        jobs[i] = (struct job){.call = holds_one_wants_the_next,
                               .number = i,
                               .handle = (void *)(intptr_t)((i + 1) % count)};
        job_start(&jobs[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        await_flag((int)i);
    }
    for (uint32_t i = 0; i < count - 1; i++) {
        snprintf(name, sizeof(name), "m%u", i + 1);
        raise_flag(16 + (int)i);
        await_sleepers(name, 1);
        CHECK(!atomic_load(&jobs[i].done));
    }
    raise_flag(16 + (int)count - 1);
    EXPECT(SYNC_EDEADLK, job_end(&jobs[count - 1]));
    sync_error *error = &jobs[count - 1].error;
    NUMBER(SYNC_EDEADLK, error->code);
    NUMBER(count, error->cycle_count);
    for (uint32_t i = 0; i < count; i++) {
        NUMBER(getpid(), error->cycle[i].pid);
        CHECK(error->cycle[i].tid && error->cycle[i].tid != sy_gettid());
    }
    CHECK(strcmp(error->object, "m0") == 0);
    HOLDS(jobs[count - 1].text, "deadlock: this thread waits for m0");
    snprintf(text, sizeof(text), "waits for m%u, held by this thread", count - 1);
    HOLDS(jobs[count - 1].text, text);
    for (uint32_t i = 0; i < count - 1; i++) {
        EXPECT(0, job_end(&jobs[i]));
    }
    for (uint32_t i = 0; i < count; i++) {
        NUMBER(0, sync_mutex_is_locked(mutexes[i]));
    }
    NUMBER(1, ring_count(SY_EVENT_DEADLOCK));
}

static void of_two(void)
{
    close_a_cycle(2);
}

static void of_four(void)
{
    close_a_cycle(4);
}

static int waits_long(struct job *job)
{
    raise_flag(0);
    return sync_mutex_acquire(job->handle, SYNC_FOREVER);
}

static void a_chain_is_none(void)
{
    lab_alone();
    mutexes[0] = a_mutex("m0", NULL);
    mutexes[1] = a_mutex("m1", NULL);
    EXPECT(0, sync_mutex_acquire(mutexes[0], 0));
    struct job holder = {.call = holds_one_wants_the_next, .number = 1, .handle = (void *)0};
    job_start(&holder);
    await_flag(1);
    raise_flag(17);
    await_sleepers("m0", 1);
    struct job last = {.call = waits_long, .handle = mutexes[1]};
    job_start(&last);
    await_sleepers("m1", 1);
    NUMBER(0, ring_count(SY_EVENT_DEADLOCK));
    EXPECT(0, sync_mutex_release(mutexes[0]));
    EXPECT(0, job_end(&holder));
    EXPECT(0, job_end(&last));
}

/* With a timeout too: who would wait in vain is told at once, not when the time is over. */
static void told_before_the_timeout(void)
{
    lab_alone();
    mutexes[0] = a_mutex("m0", NULL);
    mutexes[1] = a_mutex("m1", NULL);
    EXPECT(0, sync_mutex_acquire(mutexes[0], 0));
    struct job holder = {.call = holds_one_wants_the_next, .number = 1, .handle = (void *)0};
    job_start(&holder);
    await_flag(1);
    raise_flag(17);
    await_sleepers("m0", 1);
    int64_t began = sy_now();
    EXPECT(SYNC_EDEADLK, sync_mutex_acquire(mutexes[1], SYNC_S(60)));
    CHECK(sy_now() - began < 10000000000);
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(mutexes[1], 0)); /* a try waits for nobody */
    EXPECT(0, sync_mutex_release(mutexes[0]));
    EXPECT(0, job_end(&holder));
}

/* An older one that finds the cycle leaves it to the youngest, and wakes that one to look. */
static void the_older_rouses_the_youngest(void)
{
    struct sy_cycle cycle;
    lab_alone();
    mutexes[0] = a_mutex("m0", NULL);
    mutexes[1] = a_mutex("m1", NULL);
    EXPECT(0, sync_mutex_acquire(mutexes[0], 0));
    struct job older = {.call = holds_one_wants_the_next, .number = 1, .handle = (void *)0};
    job_start(&older);
    await_flag(1);
    raise_flag(17);
    await_sleepers("m0", 1);
    struct sy_segment *segment = lab()->attachment->segment;
    struct sy_executor *mine = sy_self.thread->executor, *other = NULL;
    for (uint32_t i = 0; i < sy_committed(segment, SY_EXECUTORS); i++) {
        struct sy_executor *executor = sy_executor_at(segment, i);
        other = sy_load(&executor->waiting.count) ? executor : other;
    }
    CHECK(other && other != mine);
    CHECK(!sy_deadlock_find(segment, other, &cycle, true)); /* no cycle yet */
    sy_put(&mine->waiting.principal, sy_self.id);
    sy_put(&mine->waiting.ticket, (uint64_t)sy_now());
    sy_put(&mine->waiting.records[0], record_of("m1") + 1);
    sy_put(&mine->waiting.generations[0], sy_hot_generation(hot_of("m1")));
    sy_store_sc(&mine->waiting.count, 1);
    uint32_t park = sy_get(&mine->park);
    CHECK(!sy_deadlock_find(segment, other, &cycle, false));
    CHECK(sy_get(&mine->park) > park);
    CHECK(sy_deadlock_find(segment, other, &cycle, true)); /* as an inspector asks */
    NUMBER(2, cycle.count);
    NUMBER(sy_self.id, cycle.principals[1]);
    CHECK(sy_deadlock_find(segment, mine, &cycle, false));
    NUMBER(2, cycle.count);
    NUMBER(sy_self.id, cycle.principals[0]);
    NUMBER(record_of("m1"), cycle.records[0]);
    sy_put(&mine->waiting.ticket, 1); /* older than the other: now it is not the one */
    CHECK(!sy_deadlock_find(segment, mine, &cycle, false));
    sy_store_sc(&mine->waiting.count, 0);
    /* It may have looked while the ticket was 1, been right, and given up what it held. */
    int got = sync_mutex_acquire(mutexes[1], 0);
    CHECK(got == SYNC_ETIMEDOUT || (got == 0 && sync_mutex_release(mutexes[1]) == 0));
    EXPECT(0, sync_mutex_release(mutexes[0]));
    int rc = job_end(&older);
    CHECK(rc == SYNC_EDEADLK || (rc == 0 && got == SYNC_ETIMEDOUT));
}

static void partner(void)
{
    sync_mutex *first = a_mutex("m1", NULL), *second = a_mutex("m0", NULL);
    EXPECT(0, sync_mutex_acquire(first, 0));
    raise_flag(0);
    await_flag(1);
    EXPECT(0, sync_mutex_acquire(second, SYNC_FOREVER));
    EXPECT(0, sync_mutex_release(second));
    EXPECT(0, sync_mutex_release(first));
    sync_manager_close(lab());
}

static void across_processes(void)
{
    sync_error error;
    lab_alone();
    pid_t pid = spawn(partner);
    await_flag(0);
    mutexes[0] = a_mutex("m0", NULL);
    mutexes[1] = a_mutex("m1", NULL);
    EXPECT(0, sync_mutex_acquire(mutexes[0], 0));
    raise_flag(1);
    await_sleepers("m0", 1);
    EXPECT(SYNC_EDEADLK, sync_mutex_acquire(mutexes[1], SYNC_FOREVER));
    EXPECT(0, sync_last_error_info(&error));
    NUMBER(2, error.cycle_count);
    NUMBER(getpid(), error.cycle[0].pid);
    NUMBER(pid, error.cycle[1].pid);
    EXPECT(0, sync_mutex_release(mutexes[0]));
    joined(pid);
}

HARNESS_MAIN(CASE(of_two), CASE(of_four), CASE(a_chain_is_none), CASE(told_before_the_timeout),
             CASE(the_older_rouses_the_youngest), CASE(across_processes))
