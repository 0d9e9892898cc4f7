/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

static struct job jobs[8];

static void waits(int from, int to, sync_barrier *barrier, sync_timeout timeout)
{
    sy_switches.recheck_off = true; /* a wake that is lost is seen to be lost */
    for (int i = from; i < to; i++) {
        jobs[i] = (struct job){.call = waits_at_barrier, .handle = barrier, .timeout = timeout};
        job_start(&jobs[i]);
    }
}

static void state_is(sync_barrier *barrier, uint32_t arrived, int32_t broken, uint64_t trips)
{
    sync_info info;
    POISON(&info);
    NUMBER(arrived, sync_barrier_waiting(barrier));
    NUMBER(broken, sync_barrier_is_broken(barrier));
    EXPECT(0, sync_object_info(sync_barrier_object(barrier), &info));
    NUMBER(SYNC_KIND_BARRIER, info.kind);
    NUMBER(arrived, info.value);
    NUMBER(broken, info.broken);
    if (!broken) {
        NUMBER(trips, info.generation_count);
    }
}

static void everyone_gets_an_index_of_its_own(void)
{
    lab_alone();
    sync_barrier *b = a_barrier("start", 5);
    for (uint32_t round = 0; round < 10; round++) {
        uint32_t seen = 0;
        state_is(b, 0, 0, round);
        waits(0, 4, b, SYNC_FOREVER);
        await_sleepers("start", 4);
        state_is(b, 4, 0, round);
        int last = sync_barrier_wait(b, SYNC_FOREVER);
        NUMBER(4, last);
        for (int i = 0; i < 4; i++) {
            int index = job_end(&jobs[i]);
            CHECK(index >= 0 && index < 4 && !(seen & 1u << index));
            seen |= 1u << index;
        }
        state_is(b, 0, 0, round + 1);
    }
}

static void one_party_never_waits(void)
{
    lab_alone();
    sync_barrier *b = a_barrier("alone", 1);
    for (int i = 0; i < 3; i++) {
        EXPECT(0, sync_barrier_wait(b, 0));
        EXPECT(0, sync_barrier_arrive(b));
    }
    state_is(b, 0, 0, 6);
}

static void arrive_counts_and_does_not_wait(void)
{
    lab_alone();
    sync_barrier *b = a_barrier("start", 3);
    EXPECT(0, sync_barrier_arrive(b));
    state_is(b, 1, 0, 0);
    EXPECT(1, sync_barrier_arrive(b));
    state_is(b, 2, 0, 0);
    EXPECT(2, sync_barrier_arrive(b));
    state_is(b, 0, 0, 1);
    waits(0, 1, b, SYNC_FOREVER);
    await_sleepers("start", 1);
    EXPECT(1, sync_barrier_arrive(b));
    EXPECT(2, sync_barrier_arrive(b));
    EXPECT(0, job_end(&jobs[0]));
    state_is(b, 0, 0, 2);
}

static void broken_for(int i, int32_t cause, const char *words)
{
    EXPECT(SYNC_EBROKEN, job_end(&jobs[i]));
    NUMBER(SYNC_EBROKEN, jobs[i].error.code);
    NUMBER(cause, jobs[i].error.cause);
    NUMBER(getpid(), jobs[i].error.holder.pid);
    HOLDS(jobs[i].text, "start: broken: ");
    HOLDS(jobs[i].text, words);
}

static void a_timeout_breaks_it_for_all(void)
{
    sync_error error;
    lab_alone();
    sync_barrier *b = a_barrier("start", 4);
    waits(0, 2, b, SYNC_FOREVER);
    await_sleepers("start", 2);
    EXPECT(SYNC_ETIMEDOUT, sync_barrier_wait(b, SYNC_MS(20)));
    SAYS("start: not complete in 2");
    EXPECT(0, sync_last_error_info(&error));
    NUMBER(SYNC_ETIMEDOUT, error.code);
    broken_for(0, SYNC_CAUSE_TIMEOUT, "waited too long");
    broken_for(1, SYNC_CAUSE_TIMEOUT, "waited too long");
    state_is(b, 0, 1, 0);
    NUMBER(1, ring_count(SY_EVENT_BARRIER));
    for (int i = 0; i < 2; i++) {
        EXPECT(SYNC_EBROKEN, sync_barrier_wait(b, i ? SYNC_FOREVER : 0));
        SAYS("waited too long");
        EXPECT(SYNC_EBROKEN, sync_barrier_arrive(b));
    }
    sync_info info;
    EXPECT(0, sync_object_info(sync_barrier_object(b), &info));
    NUMBER(SYNC_CAUSE_TIMEOUT, info.cause);
    EXPECT(0, sync_barrier_reset(b));
    state_is(b, 0, 0, 0);
    for (int i = 0; i < 4; i++) {
        EXPECT(i, sync_barrier_arrive(b));
    }
    state_is(b, 0, 0, 1);
}

/* Who only tries has not arrived: the round of the others is as it was. */
static void a_try_is_no_arrival(void)
{
    lab_alone();
    sync_barrier *b = a_barrier("start", 3);
    EXPECT(SYNC_ETIMEDOUT, sync_barrier_wait(b, 0));
    state_is(b, 0, 0, 0);
    waits(0, 1, b, SYNC_FOREVER);
    await_sleepers("start", 1);
    EXPECT(SYNC_ETIMEDOUT, sync_barrier_wait(b, 0));
    state_is(b, 1, 0, 0);
    EXPECT(1, sync_barrier_arrive(b));
    EXPECT(2, sync_barrier_wait(b, 0)); /* the last one need not wait */
    EXPECT(0, job_end(&jobs[0]));
}

static void abort_breaks_it(void)
{
    lab_alone();
    sync_barrier *b = a_barrier("start", 3);
    waits(0, 2, b, SYNC_FOREVER);
    await_sleepers("start", 2);
    EXPECT(0, sync_barrier_abort(b));
    broken_for(0, SYNC_CAUSE_ABORT, "aborted by tester[");
    broken_for(1, SYNC_CAUSE_ABORT, "aborted by tester[");
    state_is(b, 0, 1, 0);
    EXPECT(0, sync_barrier_abort(b)); /* the first cause stays */
    NUMBER(1, ring_count(SY_EVENT_BARRIER));
    EXPECT(0, sync_barrier_reset(b));
    EXPECT(0, sync_barrier_abort(b)); /* before anyone came */
    state_is(b, 0, 1, 0);
    EXPECT(SYNC_EBROKEN, sync_barrier_wait(b, SYNC_FOREVER));
}

static void reset_sends_away_who_waits(void)
{
    lab_alone();
    sync_barrier *b = a_barrier("start", 3);
    EXPECT(0, sync_barrier_reset(b));
    state_is(b, 0, 0, 0);
    NUMBER(0, ring_count(SY_EVENT_BARRIER));
    waits(0, 2, b, SYNC_FOREVER);
    await_sleepers("start", 2);
    EXPECT(0, sync_barrier_reset(b));
    broken_for(0, SYNC_CAUSE_RESET, "reset by tester[");
    broken_for(1, SYNC_CAUSE_RESET, "reset by tester[");
    state_is(b, 0, 0, 0);
    waits(0, 2, b, SYNC_FOREVER);
    await_sleepers("start", 2);
    EXPECT(2, sync_barrier_wait(b, 0));
    CHECK(job_end(&jobs[0]) + job_end(&jobs[1]) == 1);
}

/* Many rounds broken and tripped in turn: a late sleeper never mistakes one for the other. */
static void outcomes_are_never_mixed_up(void)
{
    lab_alone();
    sync_barrier *b = a_barrier("start", 2);
    for (int round = 0; round < 60; round++) {
        waits(0, 1, b, SYNC_FOREVER);
        await_sleepers("start", 1);
        if (round % 3 == 2) {
            EXPECT(1, sync_barrier_wait(b, SYNC_FOREVER));
            EXPECT(0, job_end(&jobs[0]));
        } else {
            EXPECT(0, round % 3 ? sync_barrier_reset(b) : sync_barrier_abort(b));
            EXPECT(0, sync_barrier_reset(b));
            broken_for(0, round % 3 ? SYNC_CAUSE_RESET : SYNC_CAUSE_ABORT, "by tester[");
        }
    }
}

/* ---- the action ---- */

static _Atomic int runs;
static int counts(void *argument)
{
    CHECK(argument == board);
    return atomic_fetch_add(&runs, 1) < 0;
}

static int waits_with(struct job *job)
{
    return sync_barrier_wait_with(job->handle, counts, board, job->timeout);
}

static void one_runs_the_action_before_anyone_leaves(void)
{
    lab_alone();
    sync_barrier *b = a_barrier("start", 3);
    for (int round = 1; round <= 5; round++) {
        for (int i = 0; i < 2; i++) {
            jobs[i] = (struct job){.call = waits_with, .handle = b, .timeout = SYNC_FOREVER};
            job_start(&jobs[i]);
        }
        await_sleepers("start", 2);
        NUMBER(round - 1, atomic_load(&runs));
        EXPECT(2, sync_barrier_wait_with(b, counts, board, SYNC_FOREVER));
        for (int i = 0; i < 2; i++) {
            CHECK(job_end(&jobs[i]) >= 0);
            NUMBER(round, atomic_load(&runs));
        }
    }
}

static int refuses(void *argument)
{
    (void)argument;
    return 42;
}

static void a_refusing_action_breaks_it(void)
{
    sync_error error;
    lab_alone();
    sync_barrier *b = a_barrier("start", 2);
    waits(0, 1, b, SYNC_FOREVER);
    await_sleepers("start", 1);
    EXPECT(SYNC_EBROKEN, sync_barrier_wait_with(b, refuses, NULL, SYNC_FOREVER));
    SAYS("returned 42");
    EXPECT(0, sync_last_error_info(&error));
    NUMBER(42, error.action_code);
    broken_for(0, SYNC_CAUSE_ACTION, "returned 42");
    NUMBER(42, jobs[0].error.action_code);
    state_is(b, 0, 1, 0);
}

static int takes_its_time(void *argument)
{
    (void)argument;
    raise_flag(0);
    await_flag(1);
    return 0;
}

static int runs_long(struct job *job)
{
    return sync_barrier_wait_with(job->handle, takes_its_time, NULL, SYNC_FOREVER);
}

static void nothing_cuts_into_the_action(void)
{
    sync_info info;
    lab_alone();
    sync_barrier *b = a_barrier("start", 3);
    waits(0, 1, b, SYNC_FOREVER);
    waits(1, 2, b, SYNC_MS(300));
    await_sleepers("start", 2);
    struct job runner = {.call = runs_long, .handle = b};
    job_start(&runner);
    await_flag(0);
    EXPECT(0, sync_object_info(sync_barrier_object(b), &info));
    NUMBER(getpid(), info.holder.pid);
    NUMBER(3, info.value);
    EXPECT(SYNC_EBUSY, sync_barrier_abort(b));
    SAYS("start: tester[");
    SAYS("runs the action");
    EXPECT(SYNC_EBUSY, sync_barrier_reset(b));
    EXPECT(SYNC_ETIMEDOUT, job_end(&jobs[1])); /* leaves alone, and breaks nothing */
    NUMBER(0, sync_barrier_is_broken(b));
    struct job early = {.call = waits_at_barrier, .handle = b, .timeout = SYNC_FOREVER};
    job_start(&early); /* of the next round: must wait for this one to end */
    await_sleepers("start", 2);
    raise_flag(1);
    EXPECT(2, job_end(&runner));
    CHECK(job_end(&jobs[0]) >= 0);
    await_sleepers("start", 1);
    EXPECT(1, sync_barrier_arrive(b));
    EXPECT(2, sync_barrier_arrive(b));
    EXPECT(0, job_end(&early));
}

/* ---- options ---- */

static void a_member_that_closes_before_it_arrived_breaks_it(void)
{
    sync_barrier *b;
    sync_barrier_options options = {.parties = 3, .members = 1};
    lab_alone();
    pid_t pid = fork();
    if (pid == 0) {
        EXPECT(0, sync_barrier_open(lab(), "start", &options, &b));
        raise_flag(0);
        EXPECT(SYNC_EBROKEN, sync_barrier_wait(b, SYNC_FOREVER));
        SAYS("start: broken: member tester[");
        SAYS("closed it");
        _exit(0);
    }
    await_flag(0);
    EXPECT(0, sync_barrier_open(lab(), "start", &options, &b));
    await_sleepers("start", 1);
    sync_barrier_close(b);
    joined(pid);
    EXPECT(0, sync_barrier_open(lab(), "start", NULL, &b));
    NUMBER(1, sync_barrier_is_broken(b));
}

static void bad_arguments_are_named(void)
{
    sync_barrier *b;
    lab_alone();
    POISON(&b);
    EXPECT(SYNC_EINVAL, sync_barrier_open(lab(), "b", NULL, &b));
    SAYS("give options");
    EXPECT(SYNC_EINVAL, sync_barrier_open(lab(), "b", &(sync_barrier_options){0}, &b));
    SAYS("parties is 0, must be 1-65535");
    EXPECT(SYNC_EINVAL,
           sync_barrier_open(lab(), "b", &(sync_barrier_options){.parties = 65536}, &b));
    CHECK(UNTOUCHED(&b));
    NUMBER(SY_NONE, record_of("b"));
    b = a_barrier("b", SYNC_BARRIER_PARTIES_MAX);
    EXPECT(SYNC_EINVAL, sync_barrier_wait(b, 5));
    NUMBER(0, sync_barrier_waiting(b));
    EXPECT(SYNC_EHANDLE, sync_barrier_wait(NULL, 0));
    EXPECT(SYNC_EHANDLE, sync_barrier_arrive(NULL));
    EXPECT(SYNC_EHANDLE, sync_barrier_abort(NULL));
    EXPECT(SYNC_EHANDLE, sync_barrier_reset(NULL));
    EXPECT(SYNC_EHANDLE, sync_barrier_waiting(NULL));
    EXPECT(SYNC_EHANDLE, sync_barrier_is_broken(NULL));
    sync_barrier_close(NULL);
    for (int i = 0; i < 65534; i++) {
        EXPECT(i, sync_barrier_arrive(b));
    }
    NUMBER(65534, sync_barrier_waiting(b));
    EXPECT(65534, sync_barrier_arrive(b));
    NUMBER(0, sync_barrier_waiting(b));
}

HARNESS_MAIN(CASE(everyone_gets_an_index_of_its_own), CASE(one_party_never_waits),
             CASE(arrive_counts_and_does_not_wait), CASE(a_timeout_breaks_it_for_all),
             CASE(a_try_is_no_arrival), CASE(abort_breaks_it), CASE(reset_sends_away_who_waits),
             CASE(outcomes_are_never_mixed_up), CASE(one_runs_the_action_before_anyone_leaves),
             CASE(a_refusing_action_breaks_it), CASE(nothing_cuts_into_the_action),
             CASE(a_member_that_closes_before_it_arrived_breaks_it), CASE(bad_arguments_are_named))
