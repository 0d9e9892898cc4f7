/* SPDX-License-Identifier: MIT */
/* acquire_many: all or none, one order, one deadline. */
#include "tests/support.h"

static sync_mutex *three[3];

static void make_three(void)
{
    static const char *const names[] = {"camera", "mirror", "stage"};
    lab_alone();
    for (int i = 0; i < 3; i++) {
        three[i] = a_mutex(names[i], NULL);
    }
}

static void depths(int a, int b, int c)
{
    NUMBER(a, sync_mutex_depth(three[0]));
    NUMBER(b, sync_mutex_depth(three[1]));
    NUMBER(c, sync_mutex_depth(three[2]));
}

static void takes_all(void)
{
    make_three();
    EXPECT(0, sync_mutex_acquire_many(three, 3, 0));
    depths(1, 1, 1);
    for (int i = 0; i < 3; i++) {
        EXPECT(0, sync_mutex_release(three[i]));
    }
    depths(0, 0, 0);
    EXPECT(0, sync_mutex_acquire_many(three, 1, SYNC_DEFAULT));
    depths(1, 0, 0);
}

static void a_duplicate_counts_twice(void)
{
    make_three();
    sync_mutex *again[4] = {three[0], a_mutex("camera", NULL), three[1], three[0]};
    EXPECT(0, sync_mutex_acquire_many(again, 4, SYNC_S(1)));
    depths(3, 1, 0);
    for (int left = 2; left >= 0; left--) {
        EXPECT(0, sync_mutex_release(three[0]));
        depths(left, 1, 0);
    }
}

static void a_duplicate_of_a_non_recursive_one_rolls_back(void)
{
    lab_alone();
    static const sync_mutex_options options = {.non_recursive = 1};
    sync_mutex *set[3] = {a_mutex("b", NULL), a_mutex("c", &options), a_mutex("c", &options)};
    EXPECT(SYNC_EDEADLK, sync_mutex_acquire_many(set, 3, SYNC_S(1)));
    SAYS("c: held by this thread already");
    for (int i = 0; i < 3; i++) {
        NUMBER(0, sync_mutex_is_locked(set[i]));
    }
}

static int holds_until_told(struct job *job)
{
    EXPECT(0, sync_mutex_acquire(job->handle, 0));
    raise_flag(0);
    await_flag(1);
    return sync_mutex_release(job->handle);
}

static void one_that_cannot_be_had_gives_all_back(void)
{
    sync_error error;
    make_three();
    struct job job = {.call = holds_until_told, .handle = three[1]};
    job_start(&job);
    await_flag(0);
    EXPECT(0, sync_mutex_acquire(three[2], 0)); /* held before: stays held */
    for (int i = 0; i < 2; i++) {
        EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire_many(three, 3, i ? SYNC_MS(20) : 0));
        SAYS("mirror: not acquired");
        EXPECT(0, sync_last_error_info(&error));
        NUMBER(SYNC_ETIMEDOUT, error.code);
        CHECK(strcmp(error.object, "mirror") == 0);
        NUMBER(1, error.token);
        depths(0, 0, 1);
        NUMBER(0, sync_mutex_is_locked(three[0]));
    }
    raise_flag(1);
    EXPECT(0, job_end(&job));
    EXPECT(0, sync_mutex_acquire_many(three, 3, SYNC_S(5)));
    depths(1, 1, 2);
}

static int takes_many(struct job *job)
{
    sync_mutex *backwards[3] = {three[2], three[1], three[0]};
    for (int i = 0; i < 2000; i++) {
        EXPECT(0, sync_mutex_acquire_many(job->number ? backwards : three, 3, SYNC_S(20)));
        NUMBER(1, sync_mutex_depth(three[i % 3]));
        for (int j = 0; j < 3; j++) {
            EXPECT(0, sync_mutex_release(three[j]));
        }
    }
    return 0;
}

static void the_order_given_does_not_matter(void)
{
    make_three();
    struct job jobs[2] = {{.call = takes_many, .number = 0}, {.call = takes_many, .number = 1}};
    job_start(&jobs[0]);
    job_start(&jobs[1]);
    EXPECT(0, job_end(&jobs[0]));
    EXPECT(0, job_end(&jobs[1]));
    depths(0, 0, 0);
}

static void one_deadline_bounds_the_whole(void)
{
    make_three();
    struct job job = {.call = holds_until_told, .handle = three[2]};
    job_start(&job);
    await_flag(0);
    int64_t began = sy_now();
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire_many(three, 3, SYNC_MS(50)));
    CHECK(sy_now() - began >= 50000000 && sy_now() - began < 5000000000);
    depths(0, 0, 0);
    raise_flag(1);
    EXPECT(0, job_end(&job));
}

static int dies_holding(struct job *job)
{
    return sync_mutex_acquire(job->handle, 0);
}

static void a_dead_owner_of_any_is_told(void)
{
    make_three();
    struct job job = {.call = dies_holding, .handle = three[1]};
    job_start(&job);
    EXPECT(0, job_end(&job));
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire_many(three, 3, 0));
    depths(1, 1, 1);
    NUMBER(0, sync_previous_owner(three[0], NULL));
    NUMBER(1, sync_previous_owner(three[1], NULL));
    NUMBER(0, sync_previous_owner(three[2], NULL));
}

static void a_rolled_back_death_is_not_lost(void)
{
    make_three();
    struct job dead = {.call = dies_holding, .handle = three[0]};
    job_start(&dead);
    EXPECT(0, job_end(&dead));
    struct job job = {.call = holds_until_told, .handle = three[2]};
    job_start(&job);
    await_flag(0);
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire_many(three, 3, 0));
    depths(0, 0, 0);
    raise_flag(1);
    EXPECT(0, job_end(&job));
    /* All or none: whoever takes it next must still hear that an owner died in it. */
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(three[0], 0));
}

static void a_rolled_back_death_does_not_poison(void)
{
    lab_alone();
    sync_mutex_options options = {.on_owner_death = SYNC_DEATH_POISON};
    sync_mutex *set[2] = {a_mutex("camera", &options), a_mutex("mirror", NULL)};
    struct job dead = {.call = dies_holding, .handle = set[0]};
    job_start(&dead);
    EXPECT(0, job_end(&dead));
    struct job job = {.call = holds_until_told, .handle = set[1]};
    job_start(&job);
    await_flag(0);
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire_many(set, 2, 0));
    raise_flag(1);
    EXPECT(0, job_end(&job));
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(set[0], 0));
    EXPECT(0, sync_mutex_consistent(set[0]));
}

static void bad_arguments_are_named(void)
{
    make_three();
    sync_mutex *many[64];
    for (int i = 0; i < 64; i++) {
        many[i] = three[0];
    }
    EXPECT(SYNC_EINVAL, sync_mutex_acquire_many(three, 0, 0));
    SAYS("count is 0, must be 1-63");
    EXPECT(SYNC_EINVAL, sync_mutex_acquire_many(many, 64, 0));
    SAYS("count is 64");
    EXPECT(SYNC_EINVAL, sync_mutex_acquire_many(NULL, 1, 0));
    EXPECT(SYNC_EINVAL, sync_mutex_acquire_many(three, 3, 5));
    SAYS("SYNC_MS(5)");
    many[1] = NULL;
    EXPECT(SYNC_EHANDLE, sync_mutex_acquire_many(many, 2, 0));
    many[1] = (sync_mutex *)an_event("event", false);
    EXPECT(SYNC_EHANDLE, sync_mutex_acquire_many(many, 2, 0));
    depths(0, 0, 0);
    for (int i = 0; i < 63; i++) {
        many[i] = three[i % 3];
    }
    EXPECT(0, sync_mutex_acquire_many(many, 63, 0));
    depths(21, 21, 21);
}

HARNESS_MAIN(CASE(takes_all), CASE(a_duplicate_counts_twice),
             CASE(a_duplicate_of_a_non_recursive_one_rolls_back),
             CASE(one_that_cannot_be_had_gives_all_back), CASE(the_order_given_does_not_matter),
             CASE(one_deadline_bounds_the_whole), CASE(a_dead_owner_of_any_is_told),
             CASE(a_rolled_back_death_is_not_lost), CASE(a_rolled_back_death_does_not_poison),
             CASE(bad_arguments_are_named))
