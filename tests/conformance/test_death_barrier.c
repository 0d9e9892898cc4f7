/* SPDX-License-Identifier: MIT */
/* Deaths at barriers and events: those who wait learn it, or never notice. */
#include "tests/support.h"

static const sync_barrier_options three = {.parties = 3}, members = {.parties = 3, .members = 1};
static const sync_barrier_options *options = &three;

static sync_barrier *opened(void)
{
    sync_barrier *barrier;
    EXPECT(0, sync_barrier_open(lab(), "start", options, &barrier));
    return barrier;
}

static void arrives_and_waits(void)
{
    sync_barrier *barrier = opened();
    EXPECT(0, sync_note(lab(), "homing"));
    raise_flag(0);
    CHECK(sync_barrier_wait(barrier, SYNC_FOREVER) >= 0);
}

static void broken_by_the_death_of(pid_t pid, sync_barrier *barrier, struct job *job)
{
    EXPECT(SYNC_EBROKEN, job_end(job));
    NUMBER(SYNC_CAUSE_DIED, job->error.cause);
    NUMBER(pid, job->error.holder.pid);
    HOLDS(job->text, "start: broken: tester[");
    HOLDS(job->text, " died");
    NUMBER(1, sync_barrier_is_broken(barrier));
    sync_info info;
    EXPECT(0, sync_object_info(sync_barrier_object(barrier), &info));
    NUMBER(SYNC_CAUSE_DIED, info.cause);
    EXPECT(0, sync_barrier_reset(barrier));
    NUMBER(0, sync_barrier_waiting(barrier));
}

static void a_waiting_party_dies(void)
{
    pid_t pid = spawn(arrives_and_waits);
    await_flag(0);
    await_sleepers("start", 1);
    sync_barrier *barrier = opened();
    struct job job = {.call = waits_at_barrier, .handle = barrier, .timeout = SYNC_S(15)};
    job_start(&job);
    await_sleepers("start", 2);
    killed(pid);
    broken_by_the_death_of(pid, barrier, &job);
    HOLDS(job.text, "\"homing\"");
}
IN_EACH_LAB(a_waiting_party_dies)

/* Died before anybody else came: who comes then does not wait for three in vain. */
static void a_party_died_before_we_came(void)
{
    pid_t pid = spawn(arrives_and_waits);
    await_flag(0);
    await_sleepers("start", 1);
    killed(pid);
    sync_barrier *barrier = opened();
    struct job job = {.call = waits_at_barrier, .handle = barrier, .timeout = SYNC_S(15)};
    job_start(&job);
    EXPECT(SYNC_EBROKEN, job_end(&job));
    NUMBER(SYNC_CAUSE_DIED, job.error.cause);
    NUMBER(pid, job.error.holder.pid);
}
IN_EACH_LAB(a_party_died_before_we_came)

static void only_opens(void)
{
    opened();
    raise_flag(0);
    for (;;) {
        pause();
    }
}

static void a_member_dies_before_it_arrived(void)
{
    options = &members;
    pid_t pid = spawn(only_opens);
    await_flag(0);
    sync_barrier *barrier = opened();
    struct job job = {.call = waits_at_barrier, .handle = barrier, .timeout = SYNC_S(15)};
    job_start(&job);
    await_sleepers("start", 1);
    killed(pid);
    broken_by_the_death_of(pid, barrier, &job);
}
IN_EACH_LAB(a_member_dies_before_it_arrived)

/* Without `members` it is nobody's business who has it open. */
static void a_stranger_dies(void)
{
    pid_t pid = spawn(only_opens);
    await_flag(0);
    sync_barrier *barrier = opened();
    struct job job = {.call = waits_at_barrier, .handle = barrier, .timeout = SYNC_S(15)};
    job_start(&job);
    await_sleepers("start", 1);
    killed(pid);
    struct sy_actor actor = {.segment = look()};
    sy_reap(&actor);
    NUMBER(1, sync_barrier_waiting(barrier));
    EXPECT(1, sync_barrier_arrive(barrier));
    EXPECT(2, sync_barrier_arrive(barrier));
    EXPECT(0, job_end(&job));
}
IN_EACH_LAB(a_stranger_dies)

static int stays(void *argument)
{
    raise_flag(1);
    for (;;) {
        pause();
    }
    return argument != NULL;
}

static void runs_the_action(void)
{
    sync_barrier *barrier = opened();
    raise_flag(0);
    await_flag(2);
    EXPECT(0, sync_barrier_wait_with(barrier, stays, NULL, SYNC_FOREVER));
}

static void who_runs_the_action_dies(void)
{
    pid_t pid = spawn(runs_the_action);
    await_flag(0);
    sync_barrier *barrier = opened();
    struct job jobs[2] = {{.call = waits_at_barrier, .handle = barrier, .timeout = SYNC_S(15)},
                          {.call = waits_at_barrier, .handle = barrier, .timeout = SYNC_S(15)}};
    job_start(&jobs[0]);
    job_start(&jobs[1]);
    await_sleepers("start", 2);
    raise_flag(2);
    await_flag(1);
    killed(pid);
    EXPECT(SYNC_EBROKEN, job_end(&jobs[0]));
    NUMBER(SYNC_CAUSE_DIED, jobs[0].error.cause);
    broken_by_the_death_of(pid, barrier, &jobs[1]);
}
IN_EACH_LAB(who_runs_the_action_dies)

static int arrives_and_is_cancelled(struct job *job)
{
    raise_flag(0);
    CHECK(sync_barrier_wait(job->handle, SYNC_FOREVER) < 0);
    raise_flag(1);
    return 0;
}

/* A wait is no cancellation point: the thread ends when the wait does. */
static void a_cancelled_thread_waits_on(void)
{
    sync_barrier *barrier = opened();
    struct job job = {.call = arrives_and_is_cancelled, .handle = barrier};
    job_start(&job);
    await_sleepers("start", 1);
    CHECK(pthread_cancel(job.thread) == 0);
    struct timespec some = {1, 200000000}; /* time for a re-check, with its system calls */
    nanosleep(&some, NULL);
    NUMBER(1, sync_barrier_waiting(barrier));
    NUMBER(1, sleepers_on("start"));
    EXPECT(0, sync_barrier_abort(barrier));
    CHECK(pthread_join(job.thread, NULL) == 0);
    CHECK(atomic_load(&board->flag[1])); /* it came out of the wait by the front door */
    EXPECT(0, sync_barrier_reset(barrier));
}
IN_EACH_LAB(a_cancelled_thread_waits_on)

/* ---- events ---- */

static void sets_and_stays(void)
{
    EXPECT(0, sync_event_set(an_event("stop", false)));
    raise_flag(0);
    for (;;) {
        pause();
    }
}

static void a_set_outlives_its_setter(void)
{
    pid_t pid = spawn(sets_and_stays);
    await_flag(0);
    killed(pid);
    sync_event *event = an_event("stop", false);
    EXPECT(0, sync_event_wait(event, 0));
    sync_info info;
    EXPECT(0, sync_object_info(sync_event_object(event), &info));
    NUMBER(1, info.value);
}
IN_EACH_LAB(a_set_outlives_its_setter)

static void waits_for_ever(void)
{
    EXPECT(0, sync_event_wait(an_event("stop", true), SYNC_FOREVER));
}

/* A set that went to a waiter which died at that instant is another's: never lost with it. */
static void a_dead_waiter_keeps_no_set(void)
{
    pid_t pid = spawn(waits_for_ever);
    AWAIT(record_of("stop") != SY_NONE);
    await_sleepers("stop", 1);
    sync_event *event = an_event("stop", true);
    struct job job = {.call = waits_for_event, .handle = event, .timeout = SYNC_S(15)};
    job_start(&job);
    await_sleepers("stop", 2);
    stopped(pid); /* it may be the one woken, and cannot act on it */
    EXPECT(0, sync_event_set(event));
    killed(pid);
    EXPECT(0, job_end(&job));
    NUMBER(0, sync_event_is_set(event));
}
IN_EACH_LAB(a_dead_waiter_keeps_no_set)

HARNESS_MAIN(CASES_IN_EACH_LAB(a_waiting_party_dies),
             CASES_IN_EACH_LAB(a_party_died_before_we_came),
             CASES_IN_EACH_LAB(a_member_dies_before_it_arrived), CASES_IN_EACH_LAB(a_stranger_dies),
             CASES_IN_EACH_LAB(who_runs_the_action_dies),
             CASES_IN_EACH_LAB(a_cancelled_thread_waits_on),
             CASES_IN_EACH_LAB(a_set_outlives_its_setter),
             CASES_IN_EACH_LAB(a_dead_waiter_keeps_no_set))
