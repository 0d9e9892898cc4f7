/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

#include <errno.h>

static sy_word words[3];
static struct sy_wait_word set[3] = {{&words[0], 0}, {&words[1], 0}, {&words[2], 0}};

static void a_changed_word_does_not_wait(void)
{
    for (size_t count = 1; count <= 3; count++) {
        for (size_t changed = 0; changed < count; changed++) {
            sy_put(&words[changed], 1);
            NUMBER(0, sy_futex_wait(set, count, INT64_MAX));
            sy_put(&words[changed], 0);
        }
    }
}

static void a_past_deadline_ends_it(void)
{
    for (size_t count = 1; count <= 3; count++) {
        int64_t began = sy_now();
        NUMBER(-ETIMEDOUT, sy_futex_wait(set, count, began - 1));
        NUMBER(-ETIMEDOUT, sy_futex_wait(set, count, began + 20000000));
        CHECK(sy_now() >= began + 20000000);
    }
}

static _Atomic int waits;
static int waits_on(struct job *job)
{
    atomic_fetch_add(&waits, 1);
    return sy_futex_wait(set, (size_t)job->number, INT64_MAX);
}

static void any_of_its_words_wakes(void)
{
    for (size_t count = 1; count <= 3; count++) {
        for (size_t woken = 0; woken < count; woken++) {
            struct job job = {.call = waits_on, .number = (int64_t)count};
            job_start(&job);
            AWAIT(sy_futex_wake(&words[woken], 1) == 1); /* it slept, and nobody else did */
            NUMBER(0, job_end(&job));
            NUMBER(0, sy_futex_wake(&words[woken], 1));
        }
    }
}

static void wakes_as_many_as_told(void)
{
    struct job jobs[4];
    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct job){.call = waits_on, .number = 1};
        job_start(&jobs[i]);
    }
    int woken = 0;
    AWAIT((woken += sy_futex_wake(&words[0], 1)) == 1);
    AWAIT((woken += sy_futex_wake(&words[0], 3)) == 4);
    for (int i = 0; i < 4; i++) {
        NUMBER(0, job_end(&jobs[i]));
    }
}

static void without_waitv_it_looks_again_soon(void)
{
    sy_fault_set(SY_FAULT_WAITV, 1, 1, ENOSYS);
    int64_t began = sy_now();
    int rc = sy_futex_wait(set, 3, INT64_MAX);
    CHECK(rc == -ETIMEDOUT || rc == 0);
    CHECK(sy_now() - began < 1000000000);
    began = sy_now();
    sy_futex_wait(set, 3, INT64_MAX); /* remembered: asked once only */
    CHECK(sy_now() - began < 1000000000);
    sy_put(&words[0], 1);
    NUMBER(0, sy_futex_wait(set, 3, INT64_MAX));
}

static void a_fault_is_given_as_told(void)
{
    sy_fault_set(SY_FAULT_FUTEX_WAIT, 2, 2, EINTR);
    NUMBER(-ETIMEDOUT, sy_futex_wait(set, 1, 0));
    NUMBER(-EINTR, sy_futex_wait(set, 1, 0));
    NUMBER(-EINTR, sy_futex_wait(set, 1, 0));
    NUMBER(-ETIMEDOUT, sy_futex_wait(set, 1, 0));
}

static void an_aged_clock_moves_deadlines_too(void)
{
    sy_switches.clock_offset = 3600000000000;
    int64_t began = sy_now();
    NUMBER(-ETIMEDOUT, sy_futex_wait(set, 1, began + 10000000));
    CHECK(sy_now() - began >= 10000000 && sy_now() - began < 1000000000);
    NUMBER(-ETIMEDOUT, sy_futex_wait(set, 2, sy_now() + 10000000));
    sy_sleep_until(sy_now() + 1000000);
    CHECK(sy_now_coarse() - began < 1000000000);
}

HARNESS_MAIN(CASE(a_changed_word_does_not_wait), CASE(a_past_deadline_ends_it),
             CASE(any_of_its_words_wakes), CASE(wakes_as_many_as_told),
             CASE(without_waitv_it_looks_again_soon), CASE(a_fault_is_given_as_told),
             CASE(an_aged_clock_moves_deadlines_too))
