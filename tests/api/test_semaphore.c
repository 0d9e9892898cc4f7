/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

static void value_is(sync_semaphore *semaphore, uint32_t expected)
{
    uint32_t value;
    sync_info info;
    POISON(&value);
    POISON(&info);
    EXPECT(0, sync_semaphore_value(semaphore, &value));
    NUMBER(expected, value);
    EXPECT(0, sync_object_info(sync_semaphore_object(semaphore), &info));
    NUMBER(expected, info.value);
    NUMBER(SYNC_KIND_SEMAPHORE, info.kind);
}

static void permits_go_and_come(void)
{
    lab_alone();
    sync_semaphore *s = a_semaphore("exposures", 2, 2);
    value_is(s, 2);
    EXPECT(0, sync_semaphore_acquire(s, 0));
    value_is(s, 1);
    EXPECT(0, sync_semaphore_acquire(s, SYNC_S(1)));
    value_is(s, 0);
    EXPECT(SYNC_ETIMEDOUT, sync_semaphore_acquire(s, 0));
    SAYS("exposures: not acquired");
    SAYS("0 of the 1 wanted are free");
    EXPECT(SYNC_ETIMEDOUT, sync_semaphore_acquire(s, SYNC_MS(20)));
    value_is(s, 0);
    EXPECT(0, sync_semaphore_release(s, 1));
    value_is(s, 1);
    EXPECT(0, sync_semaphore_release(s, 1));
    value_is(s, 2);
}

static void several_at_once_or_none(void)
{
    lab_alone();
    sync_semaphore *s = a_semaphore("exposures", 5, 8);
    EXPECT(0, sync_semaphore_acquire_many(s, 3, 0));
    value_is(s, 2);
    EXPECT(SYNC_ETIMEDOUT, sync_semaphore_acquire_many(s, 3, 0));
    SAYS("2 of the 3 wanted are free");
    EXPECT(SYNC_ETIMEDOUT, sync_semaphore_acquire_many(s, 3, SYNC_MS(10)));
    value_is(s, 2);
    EXPECT(0, sync_semaphore_acquire_many(s, 2, 0));
    value_is(s, 0);
    EXPECT(0, sync_semaphore_release(s, 5));
    value_is(s, 5);
    EXPECT(SYNC_EINVAL, sync_semaphore_acquire_many(s, 0, 0));
    SAYS("count is 0, must be 1-8");
    EXPECT(SYNC_EINVAL, sync_semaphore_acquire_many(s, 9, 0));
    SAYS("count is 9");
    EXPECT(SYNC_EINVAL, sync_semaphore_release(s, 0));
    EXPECT(SYNC_EINVAL, sync_semaphore_release(s, SYNC_SEMAPHORE_MAX + 1));
    value_is(s, 5);
}

static void bounded_takes_back_only_what_was_taken(void)
{
    lab_alone();
    sync_semaphore *s = a_semaphore("exposures", 2, 3);
    EXPECT(SYNC_EPERM, sync_semaphore_release(s, 1));
    SAYS("released 1, but this process holds only 0");
    EXPECT(0, sync_semaphore_acquire(s, 0));
    EXPECT(SYNC_EPERM, sync_semaphore_release(s, 2));
    SAYS("released 2, but this process holds only 1");
    value_is(s, 1);
    EXPECT(0, sync_semaphore_release(s, 1));
    value_is(s, 2);
}

static void unbounded_grows(void)
{
    lab_alone();
    sync_semaphore *s = a_semaphore("items", 0, 0);
    EXPECT(SYNC_ETIMEDOUT, sync_semaphore_acquire(s, 0));
    EXPECT(0, sync_semaphore_release(s, 4));
    value_is(s, 4);
    EXPECT(0, sync_semaphore_acquire_many(s, 3, 0));
    EXPECT(0, sync_semaphore_release(s, 5)); /* three of its own, two new ones */
    value_is(s, 6);
    EXPECT(0, sync_semaphore_release(s, SYNC_SEMAPHORE_MAX - 6));
    value_is(s, SYNC_SEMAPHORE_MAX);
    EXPECT(SYNC_EOVERFLOW, sync_semaphore_release(s, 1));
    SAYS("beyond the maximum of 1073741823");
    value_is(s, SYNC_SEMAPHORE_MAX);
    EXPECT(0, sync_semaphore_acquire(s, 0));
    EXPECT(SYNC_EOVERFLOW, sync_semaphore_release(s, 2));
    value_is(s, SYNC_SEMAPHORE_MAX - 1);
}

static sync_semaphore *untracked(uint32_t initial, uint32_t maximum)
{
    sync_semaphore *s;
    sync_semaphore_options options = {.initial = initial, .maximum = maximum, .untracked = 1};
    EXPECT(0, sync_semaphore_open(lab(), "loose", &options, &s));
    return s;
}

static void untracked_permits_are_nobodys(void)
{
    sync_info info;
    lab_alone();
    sync_semaphore *s = untracked(1, 2);
    EXPECT(0, sync_object_info(sync_semaphore_object(s), &info));
    NUMBER(SYNC_FLAG_UNTRACKED, info.flags);
    NUMBER(2, info.maximum);
    EXPECT(0, sync_semaphore_release(s, 1)); /* never taken: nobody asks */
    value_is(s, 2);
    EXPECT(SYNC_EOVERFLOW, sync_semaphore_release(s, 1));
    SAYS("beyond the maximum of 2");
    value_is(s, 2);
    EXPECT(0, sync_semaphore_acquire_many(s, 2, 0));
    value_is(s, 0);
    sync_semaphore_close(s);
    s = untracked(1, 2);
    value_is(s, 0); /* gone with whoever took them */
}

static void any_thread_gives_back(void)
{
    lab_alone();
    sync_semaphore *s = a_semaphore("exposures", 1, 1);
    struct job job = {.call = takes_permits, .handle = s, .number = 1};
    job_start(&job);
    EXPECT(0, job_end(&job));
    value_is(s, 0); /* a thread's end returns nothing */
    EXPECT(0, sync_semaphore_release(s, 1));
    value_is(s, 1);
}

static void the_last_close_gives_back(void)
{
    lab_alone();
    sync_semaphore *a = a_semaphore("exposures", 3, 3), *b = a_semaphore("exposures", 3, 3);
    EXPECT(0, sync_semaphore_acquire_many(a, 2, 0));
    sync_semaphore_close(a);
    value_is(b, 1);
    NUMBER(0, ring_count(SY_EVENT_CLOSED));
    sync_semaphore_close(b);
    NUMBER(1, ring_count(SY_EVENT_CLOSED));
    sync_semaphore *c;
    EXPECT(0, sync_semaphore_open(lab(), "exposures", NULL, &c));
    value_is(c, 3);
}

static void waiters_are_let_through(sync_semaphore *s, uint32_t each)
{
    struct job jobs[4];
    sy_switches.recheck_off = true; /* a wake that is lost is seen to be lost */
    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct job){
            .call = takes_permits, .handle = s, .number = each, .timeout = SYNC_FOREVER};
        job_start(&jobs[i]);
    }
    await_sleepers("exposures", 4);
    EXPECT(0, sync_semaphore_release(s, each));
    AWAIT(sleepers_on("exposures") == 3);
    value_is(s, 0);
    EXPECT(0, sync_semaphore_release(s, 3 * each));
    for (int i = 0; i < 4; i++) {
        EXPECT(0, job_end(&jobs[i]));
    }
    value_is(s, 0);
    NUMBER(0, sleepers_on("exposures"));
}

static void a_release_wakes_as_many_as_it_admits(void)
{
    lab_alone();
    waiters_are_let_through(a_semaphore("exposures", 0, 0), 1);
}

static void waiters_for_several_too(void)
{
    lab_alone();
    waiters_are_let_through(a_semaphore("exposures", 0, 0), 3);
}

static void untracked_waiters_too(void)
{
    lab_alone();
    sync_semaphore *s;
    sync_semaphore_options options = {.untracked = 1};
    EXPECT(0, sync_semaphore_open(lab(), "exposures", &options, &s));
    waiters_are_let_through(s, 2);
}

/* One who wants many must not keep the permits from one who wants few. */
static void the_modest_overtake(void)
{
    lab_alone();
    sync_semaphore *s = a_semaphore("exposures", 0, 0);
    struct job greedy = {.call = takes_permits, .handle = s, .number = 5, .timeout = SYNC_FOREVER};
    struct job modest = {.call = takes_permits, .handle = s, .number = 1, .timeout = SYNC_FOREVER};
    job_start(&greedy);
    await_sleepers("exposures", 1);
    job_start(&modest);
    await_sleepers("exposures", 2);
    EXPECT(0, sync_semaphore_release(s, 1));
    EXPECT(0, job_end(&modest));
    CHECK(!atomic_load(&greedy.done));
    NUMBER(1, sleepers_on("exposures"));
    EXPECT(0, sync_semaphore_release(s, 6)); /* one of them is the process' own */
    EXPECT(0, job_end(&greedy));
    value_is(s, 1);
}

static void a_timeout_passes_the_wake_on(void)
{
    lab_alone();
    sync_semaphore *s = a_semaphore("exposures", 0, 0);
    for (int round = 0; round < 20; round++) {
        struct job hasty = {
            .call = takes_permits, .handle = s, .number = 1, .timeout = SYNC_US(300)};
        struct job patient = {
            .call = takes_permits, .handle = s, .number = 1, .timeout = SYNC_S(20)};
        job_start(&hasty);
        job_start(&patient);
        AWAIT(sleepers_on("exposures") >= 1 || atomic_load(&hasty.done));
        int64_t began = sy_now();
        EXPECT(0, sync_semaphore_release(s, 1));
        int rc = job_end(&hasty);
        if (rc == 0) {
            EXPECT(0, sync_semaphore_release(s, 2)); /* its own and one more */
        }
        EXPECT(0, job_end(&patient));
        CHECK(sy_now() - began < 900000000); /* by a wake, not by the re-check */
        EXPECT(0, sync_semaphore_release(s, 1));
        while (sync_semaphore_acquire(s, 0) == 0) {}
        CHECK(sync_semaphore_release(s, 1) == 0 && sync_semaphore_acquire(s, 0) == 0);
    }
}

static void bad_arguments_are_named(void)
{
    sync_semaphore *s;
    lab_alone();
    POISON(&s);
    EXPECT(SYNC_EINVAL, sync_semaphore_open(lab(), "s", NULL, &s));
    SAYS("semaphore \"s\" does not exist: to create it, give options");
    EXPECT(SYNC_EINVAL, sync_semaphore_open(
                            lab(), "s", &(sync_semaphore_options){.initial = 3, .maximum = 2}, &s));
    SAYS("initial 3 is above maximum 2");
    EXPECT(SYNC_EINVAL,
           sync_semaphore_open(lab(), "s",
                               &(sync_semaphore_options){.initial = SYNC_SEMAPHORE_MAX + 1}, &s));
    EXPECT(SYNC_EINVAL,
           sync_semaphore_open(lab(), "s", &(sync_semaphore_options){.maximum = UINT32_MAX}, &s));
    CHECK(UNTOUCHED(&s));
    NUMBER(SY_NONE, record_of("s"));
    s = a_semaphore("s", 1, 1);
    EXPECT(SYNC_EINVAL, sync_semaphore_value(s, NULL));
    EXPECT(SYNC_EHANDLE, sync_semaphore_value(NULL, NULL));
    EXPECT(SYNC_EHANDLE, sync_semaphore_acquire(NULL, 0));
    EXPECT(SYNC_EHANDLE, sync_semaphore_release((sync_semaphore *)a_mutex("m", NULL), 1));
    sync_semaphore_close(NULL);
}

HARNESS_MAIN(CASE(permits_go_and_come), CASE(several_at_once_or_none),
             CASE(bounded_takes_back_only_what_was_taken), CASE(unbounded_grows),
             CASE(untracked_permits_are_nobodys), CASE(any_thread_gives_back),
             CASE(the_last_close_gives_back), CASE(a_release_wakes_as_many_as_it_admits),
             CASE(waiters_for_several_too), CASE(untracked_waiters_too), CASE(the_modest_overtake),
             CASE(a_timeout_passes_the_wake_on), CASE(bad_arguments_are_named))
