/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

/* By an operator, who is another thread. */
static int breaks(struct job *job)
{
    struct sync_object *object = job->handle;
    struct sy_actor actor;
    sync_principal evicted;
    POISON(&evicted);
    EXPECT(0, sy_begin(object->attachment, &actor));
    int rc = sy_mutex_break(&actor, sy_load(&object->opened)->record, (uint64_t)job->number,
                            "operator says so", &evicted);
    if (rc == 0) {
        NUMBER(getpid(), evicted.pid);
    }
    sy_done(&actor);
    return rc;
}

static int broken_by_operator(sync_mutex *mutex, uint64_t token)
{
    struct job job = {.call = breaks, .handle = mutex, .number = (int64_t)token};
    job_start(&job);
    return job_end(&job);
}

static void lost_once_per_depth(void)
{
    uint64_t token, last;
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL), *other = a_mutex("camera", NULL);
    for (int i = 0; i < 3; i++) {
        EXPECT(0, sync_mutex_acquire(mutex, 0));
    }
    EXPECT(0, sync_mutex_token(mutex, &last));
    EXPECT(0, broken_by_operator(mutex, last));
    NUMBER(1, ring_count(SY_EVENT_BROKEN));
    EXPECT(SYNC_ELOST, sync_mutex_check(mutex));
    SAYS("camera: this ownership was broken by an operator");
    EXPECT(SYNC_ELOST, sync_mutex_check(other));
    POISON(&token);
    EXPECT(SYNC_ELOST, sync_mutex_token(mutex, &token));
    CHECK(UNTOUCHED(&token));
    NUMBER(0, sync_mutex_depth(mutex));
    EXPECT(SYNC_ELOST, sync_mutex_acquire(mutex, 0));
    SAYS("release it to depth 0 first");
    EXPECT(SYNC_ELOST, sync_mutex_acquire(other, SYNC_FOREVER));
    for (int i = 0; i < 3; i++) {
        EXPECT(SYNC_ELOST, sync_mutex_check(mutex));
        EXPECT(SYNC_ELOST, sync_mutex_release(mutex));
    }
    EXPECT(SYNC_EPERM, sync_mutex_check(mutex));
    EXPECT(SYNC_EPERM, sync_mutex_release(mutex));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_token(mutex, &token));
    CHECK(token > last);
    EXPECT(0, sync_mutex_acquire(other, 0));
    NUMBER(2, sync_mutex_depth(mutex));
    NUMBER(1, sync_same(sync_mutex_object(mutex), sync_mutex_object(other)));
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, sync_mutex_release(other));
    NUMBER(0, sync_mutex_is_locked(mutex));
}

static void waiters_go_on_with_the_new_one(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    struct job jobs[3];
    sy_switches.recheck_off = true; /* a wake that is lost is seen to be lost */
    for (int i = 0; i < 3; i++) {
        jobs[i] = (struct job){
            .call = acquires_and_releases, .handle = mutex, .timeout = SYNC_FOREVER};
        job_start(&jobs[i]);
    }
    await_sleepers("camera", 3);
    EXPECT(0, broken_by_operator(mutex, 1));
    for (int i = 0; i < 3; i++) {
        EXPECT(0, job_end(&jobs[i]));
    }
    EXPECT(SYNC_ELOST, sync_mutex_check(mutex));
    EXPECT(SYNC_ELOST, sync_mutex_release(mutex));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_release(mutex));
}

static void the_wrong_token_evicts_nobody(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(SYNC_EPERM, broken_by_operator(mutex, 1));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(SYNC_EPERM, broken_by_operator(mutex, 2));
    EXPECT(0, sync_mutex_check(mutex));
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(SYNC_EPERM, broken_by_operator(mutex, 1));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(SYNC_EPERM, broken_by_operator(mutex, 1)); /* of the ownership before */
    EXPECT(0, sync_mutex_check(mutex));
    EXPECT(0, broken_by_operator(mutex, 0)); /* whoever it is */
    EXPECT(SYNC_ELOST, sync_mutex_check(mutex));
    NUMBER(1, ring_count(SY_EVENT_BROKEN));
}

static void the_new_one_behaves_as_the_old(void)
{
    sync_info info;
    lab_alone();
    sync_mutex_options options = {.fifo = 1,
                                  .max_hold = SYNC_S(3),
                                  .timeout = SYNC_S(7),
                                  .on_owner_death = SYNC_DEATH_POISON};
    sync_mutex *mutex = a_mutex("camera", &options);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, broken_by_operator(mutex, 1));
    EXPECT(SYNC_ELOST, sync_mutex_release(mutex));
    sync_mutex *fresh = a_mutex("camera", &options);
    EXPECT(0, sync_object_info(sync_mutex_object(fresh), &info));
    NUMBER(SYNC_FLAG_FIFO | SYNC_FLAG_POISON, info.flags);
    NUMBER(3000000000, info.max_hold);
    NUMBER(7000000000, info.timeout);
    NUMBER(0, info.broken);
    NUMBER(0, info.created);
    CHECK(info.token > 1);
    EXPECT(0, sync_mutex_acquire(fresh, 0));
    EXPECT(0, sync_mutex_release(fresh));
}

static int names(const sync_info *info, void *argument)
{
    CHECK(!info->broken);
    *(int *)argument += strcmp(info->name, "camera") == 0;
    return 0;
}

static void broken_again_and_again(void)
{
    uint64_t token = 0, next;
    int found = 0;
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    for (int i = 0; i < 5; i++) {
        EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(1)));
        EXPECT(0, sync_mutex_token(mutex, &next));
        CHECK(next > token);
        token = next;
        EXPECT(0, broken_by_operator(mutex, token));
        EXPECT(SYNC_ELOST, sync_mutex_check(mutex));
        EXPECT(SYNC_ELOST, sync_mutex_release(mutex));
        EXPECT(SYNC_EPERM, sync_mutex_release(mutex));
    }
    EXPECT(0, sync_list(lab(), NULL, names, &found));
    NUMBER(1, found);
}

static void a_handle_is_evicted_alike(void)
{
    lab_alone();
    sync_mutex_options options = {.owner = SYNC_OWNER_HANDLE};
    sync_mutex *mutex = a_mutex("camera", &options), *other = a_mutex("camera", &options);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, broken_by_operator(mutex, 1));
    EXPECT(0, sync_mutex_acquire(other, SYNC_S(1)));
    EXPECT(SYNC_ELOST, sync_mutex_check(mutex));
    EXPECT(SYNC_ELOST, sync_mutex_release(mutex));
    EXPECT(SYNC_ELOST, sync_mutex_release(mutex));
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_release(other));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
}

/* A breaker killed between its two steps: whoever meets the broken record makes the new one. */
static void half_a_break_is_finished_by_the_next(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    struct sy_hot *hot = hot_of("camera");
    sy_put(&hot->u.mutex.evicted, sy_get(&hot->word) & SY_OWNER);
    sy_put(&hot->word, SY_BROKEN);
    struct job job = {.call = acquires_and_releases, .handle = mutex, .timeout = SYNC_S(10)};
    job_start(&job);
    EXPECT(0, job_end(&job));
    CHECK(hot_of("camera") != hot);
    EXPECT(SYNC_ELOST, sync_mutex_release(mutex));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
}

HARNESS_MAIN(CASE(lost_once_per_depth), CASE(waiters_go_on_with_the_new_one),
             CASE(the_wrong_token_evicts_nobody), CASE(the_new_one_behaves_as_the_old),
             CASE(broken_again_and_again), CASE(a_handle_is_evicted_alike),
             CASE(half_a_break_is_finished_by_the_next))
