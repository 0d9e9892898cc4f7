/* SPDX-License-Identifier: MIT */
/* Handles as owners, and what the next owner is told of a dead one. */
#include "tests/support.h"

static const sync_mutex_options by_handle = {.owner = SYNC_OWNER_HANDLE};

static uint32_t holder(sync_mutex *mutex, int32_t *ret_kind)
{
    sync_info info;
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    *ret_kind = info.holder.kind;
    return info.holder.principal;
}

static int releases(struct job *job)
{
    return sync_mutex_release(job->handle);
}

static void any_thread_releases_through_the_handle(void)
{
    int32_t kind;
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", &by_handle);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    NUMBER(2, sync_mutex_depth(mutex));
    CHECK(holder(mutex, &kind));
    NUMBER(SYNC_PRINCIPAL_HANDLE, kind);
    for (int left = 1; left >= 0; left--) {
        struct job job = {.call = releases, .handle = mutex};
        job_start(&job);
        EXPECT(0, job_end(&job));
        NUMBER(left, sync_mutex_depth(mutex));
    }
    NUMBER(0, holder(mutex, &kind));
    EXPECT(SYNC_EPERM, sync_mutex_release(mutex));
    SAYS("nobody holds it");
}

static int goes_deeper(struct job *job)
{
    int rc = sync_mutex_acquire(job->handle, 0);
    CHECK(rc || sync_mutex_depth(job->handle) >= 2);
    EXPECT(0, sync_mutex_check(job->handle));
    return rc;
}

static void all_threads_of_a_handle_share_its_depth(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", &by_handle);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    struct job jobs[4];
    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct job){.call = goes_deeper, .handle = mutex};
        job_start(&jobs[i]);
    }
    for (int i = 0; i < 4; i++) {
        EXPECT(0, job_end(&jobs[i]));
    }
    NUMBER(5, sync_mutex_depth(mutex));
    for (int left = 4; left >= 0; left--) {
        EXPECT(0, sync_mutex_release(mutex));
        NUMBER(left, sync_mutex_depth(mutex));
    }
    NUMBER(0, sync_mutex_is_locked(mutex));
}

static void two_handles_are_two_owners(void)
{
    int32_t kind;
    lab_alone();
    sync_mutex *a = a_mutex("camera", &by_handle), *b = a_mutex("camera", &by_handle);
    EXPECT(0, sync_mutex_acquire(a, 0));
    uint32_t owner = holder(a, &kind);
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(b, 0));
    SAYS("(a handle)");
    EXPECT(SYNC_EPERM, sync_mutex_release(b));
    SAYS("by this handle");
    EXPECT(SYNC_EPERM, sync_mutex_check(b));
    SAYS("not held by this handle");
    struct job job = {.call = acquires, .handle = b, .timeout = SYNC_FOREVER};
    job_start(&job);
    await_sleepers("camera", 1);
    CHECK(holder(a, &kind) == owner);
    EXPECT(0, sync_mutex_release(a));
    EXPECT(0, job_end(&job));
    CHECK(holder(a, &kind) && holder(a, &kind) != owner);
    /* The thread that acquired is gone; its handle holds on. */
    NUMBER(1, sync_mutex_depth(b));
    EXPECT(0, sync_mutex_release(b));
}

static void a_handle_serves_threads_that_contend(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", &by_handle), *other = a_mutex("camera", &by_handle);
    for (int round = 0; round < 200; round++) {
        struct job jobs[2] = {
            {.call = acquires_and_releases, .handle = mutex, .timeout = SYNC_S(20)},
            {.call = acquires_and_releases, .handle = other, .timeout = SYNC_S(20)}};
        job_start(&jobs[0]);
        job_start(&jobs[1]);
        EXPECT(0, job_end(&jobs[0]));
        EXPECT(0, job_end(&jobs[1]));
    }
    NUMBER(0, sync_mutex_is_locked(mutex));
}

static void closing_the_holding_handle_passes_it_on(void)
{
    sync_error error;
    lab_alone();
    sync_mutex *a = a_mutex("camera", &by_handle), *b = a_mutex("camera", &by_handle);
    EXPECT(0, sync_mutex_acquire(a, 0));
    sync_mutex_close(a);
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(b, 0));
    POISON(&error);
    NUMBER(1, sync_previous_owner(b, &error));
    NUMBER(getpid(), error.holder.pid);
    NUMBER(SYNC_PRINCIPAL_HANDLE, error.holder.kind);
    NUMBER(1, ring_count(SY_EVENT_CLOSED));
    EXPECT(0, sync_mutex_release(b));
    NUMBER(0, sync_previous_owner(b, NULL));
}

static void the_last_close_of_a_held_mutex_passes_it_on(void)
{
    lab_alone();
    sync_mutex *keeper = a_mutex("other", NULL);
    sync_mutex *a = a_mutex("camera", NULL), *b = a_mutex("camera", NULL);
    EXPECT(0, sync_mutex_acquire(a, 0));
    sync_mutex_close(a);
    NUMBER(0, ring_count(SY_EVENT_CLOSED));
    NUMBER(1, sync_mutex_depth(b)); /* not the last: the thread owns, not the handle */
    sync_mutex_close(b);
    NUMBER(1, ring_count(SY_EVENT_CLOSED));
    sync_mutex *c = a_mutex("camera", NULL);
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(c, 0));
    EXPECT(0, sync_mutex_release(c));
    EXPECT(0, sync_mutex_acquire(c, 0));
    EXPECT(0, sync_mutex_release(c));
    EXPECT(0, sync_mutex_acquire(keeper, 0));
    EXPECT(0, sync_mutex_release(keeper));
}

/* ---- what the next one is told ---- */

static int dies_holding(struct job *job)
{
    EXPECT(0, sync_note(lab(), "dark frames"));
    EXPECT((int)job->number, sync_mutex_acquire(job->handle, 0));
    return 0;
}

static void left_by_the_dead(sync_mutex *mutex, int told)
{
    struct job job = {.call = dies_holding, .handle = mutex, .number = told};
    job_start(&job);
    EXPECT(0, job_end(&job));
}

static void report_tells_once(void)
{
    sync_error error;
    sync_info info;
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    left_by_the_dead(mutex, 0);
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(1, info.owner_died);
    NUMBER(0, sync_mutex_is_locked(mutex));
    POISON(&error);
    NUMBER(0, sync_previous_owner(mutex, &error));
    CHECK(UNTOUCHED(&error));
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(mutex, 0));
    SAYS("camera: acquired; tester[");
    SAYS("died holding it");
    NUMBER(1, sync_previous_owner(mutex, NULL));
    NUMBER(1, sync_previous_owner(mutex, &error));
    NUMBER(SYNC_OWNER_DIED, error.code);
    NUMBER(SYNC_KIND_MUTEX, error.kind);
    CHECK(strcmp(error.object, "camera") == 0);
    NUMBER(getpid(), error.holder.pid);
    NUMBER(SYNC_STATE_DEAD, error.holder.state);
    CHECK(strcmp(error.holder.note, "dark frames") == 0);
    CHECK(ZEROED(error.reserved));
    NUMBER(1, sync_mutex_depth(mutex));
    EXPECT(SYNC_EINVAL, sync_mutex_consistent(mutex));
    SAYS("camera: nobody died in it, or it was not opened with SYNC_DEATH_POISON");
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_release(mutex));
    NUMBER(1, sync_previous_owner(mutex, NULL)); /* until the last release */
    EXPECT(0, sync_mutex_release(mutex));
    NUMBER(0, sync_previous_owner(mutex, NULL));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    NUMBER(0, sync_previous_owner(mutex, NULL));
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(0, info.owner_died);
    NUMBER(1, info.deaths);
    NUMBER(3, info.token);
}

static void silent_tells_nobody(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera",
                                &(sync_mutex_options){.on_owner_death = SYNC_DEATH_SILENT});
    left_by_the_dead(mutex, 0);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    NUMBER(0, sync_previous_owner(mutex, NULL));
    EXPECT(0, sync_mutex_release(mutex));
    NUMBER(0, sync_mutex_is_locked(mutex));
}

static const sync_mutex_options poison = {.on_owner_death = SYNC_DEATH_POISON};

static void made_consistent_it_goes_on(void)
{
    sync_info info;
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", &poison);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(SYNC_EINVAL, sync_mutex_consistent(mutex));
    EXPECT(0, sync_mutex_release(mutex));
    left_by_the_dead(mutex, 0);
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(1, info.owner_died);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    NUMBER(2, sync_mutex_depth(mutex));
    EXPECT(0, sync_mutex_consistent(mutex));
    EXPECT(SYNC_EINVAL, sync_mutex_consistent(mutex));
    NUMBER(2, sync_mutex_depth(mutex));
    EXPECT(0, sync_mutex_release(mutex));
    NUMBER(1, sync_mutex_depth(mutex));
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(0, info.poisoned);
    NUMBER(0, info.owner_died);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_release(mutex));
}

static void released_inconsistent_it_is_poisoned(void)
{
    sync_info info;
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", &poison);
    left_by_the_dead(mutex, 0);
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    struct job jobs[2];
    for (int i = 0; i < 2; i++) {
        jobs[i] = (struct job){.call = acquires, .handle = mutex, .timeout = SYNC_FOREVER};
        job_start(&jobs[i]);
    }
    await_sleepers("camera", 2);
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(0, info.poisoned);
    EXPECT(0, sync_mutex_release(mutex));
    for (int i = 0; i < 2; i++) {
        EXPECT(SYNC_ENOTRECOVERABLE, job_end(&jobs[i]));
        HOLDS(jobs[i].text, "camera");
    }
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(1, info.poisoned);
    NUMBER(0, info.holder.principal);
    EXPECT(SYNC_ENOTRECOVERABLE, sync_mutex_acquire(mutex, 0));
    EXPECT(SYNC_ENOTRECOVERABLE, sync_mutex_acquire(mutex, SYNC_FOREVER));
    EXPECT(SYNC_EPERM, sync_mutex_release(mutex));
    EXPECT(SYNC_EPERM, sync_mutex_consistent(mutex));
    NUMBER(0, sync_mutex_depth(mutex));
}

static void a_death_in_an_inconsistent_one_is_told_again(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", &poison);
    left_by_the_dead(mutex, 0);
    left_by_the_dead(mutex, SYNC_OWNER_DIED);
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_consistent(mutex));
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_release(mutex));
}

HARNESS_MAIN(CASE(any_thread_releases_through_the_handle),
             CASE(all_threads_of_a_handle_share_its_depth), CASE(two_handles_are_two_owners),
             CASE(a_handle_serves_threads_that_contend),
             CASE(closing_the_holding_handle_passes_it_on),
             CASE(the_last_close_of_a_held_mutex_passes_it_on), CASE(report_tells_once),
             CASE(silent_tells_nobody), CASE(made_consistent_it_goes_on),
             CASE(released_inconsistent_it_is_poisoned),
             CASE(a_death_in_an_inconsistent_one_is_told_again))
