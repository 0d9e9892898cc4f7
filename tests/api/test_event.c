/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

#include <errno.h>

static void state_is(sync_event *event, uint32_t set, uint64_t sets)
{
    sync_info info;
    POISON(&info);
    NUMBER(set, sync_event_is_set(event));
    EXPECT(0, sync_object_info(sync_event_object(event), &info));
    NUMBER(SYNC_KIND_EVENT, info.kind);
    NUMBER(set, info.value);
    NUMBER(sets, info.generation_count);
}

static void manual_stays_set(void)
{
    lab_alone();
    sync_event *e = an_event("go", false);
    state_is(e, 0, 0);
    EXPECT(SYNC_ETIMEDOUT, sync_event_wait(e, 0));
    SAYS("go: not set at once");
    EXPECT(SYNC_ETIMEDOUT, sync_event_wait(e, SYNC_MS(10)));
    EXPECT(0, sync_event_set(e));
    state_is(e, 1, 1);
    for (int i = 0; i < 3; i++) {
        EXPECT(0, sync_event_wait(e, 0));
        EXPECT(0, sync_event_wait(e, SYNC_FOREVER));
        state_is(e, 1, 1);
    }
    EXPECT(0, sync_event_set(e));
    state_is(e, 1, 2);
    EXPECT(0, sync_event_clear(e));
    state_is(e, 0, 2);
    EXPECT(0, sync_event_clear(e));
    EXPECT(SYNC_ETIMEDOUT, sync_event_wait(e, 0));
}

static void auto_is_used_up_by_one(void)
{
    lab_alone();
    sync_event *e = an_event("go", true);
    EXPECT(0, sync_event_set(e));
    state_is(e, 1, 1);
    EXPECT(0, sync_event_wait(e, 0));
    state_is(e, 0, 1);
    EXPECT(SYNC_ETIMEDOUT, sync_event_wait(e, 0));
    EXPECT(0, sync_event_set(e));
    EXPECT(0, sync_event_set(e)); /* the one before is not taken yet: one is one */
    EXPECT(0, sync_event_wait(e, SYNC_FOREVER));
    EXPECT(SYNC_ETIMEDOUT, sync_event_wait(e, 0));
    EXPECT(0, sync_event_set(e));
    EXPECT(0, sync_event_clear(e));
    EXPECT(SYNC_ETIMEDOUT, sync_event_wait(e, 0));
}

static void initially_set_counts_at_creation(void)
{
    sync_event *e, *again;
    lab_alone();
    EXPECT(0, sync_event_open(lab(), "go", &(sync_event_options){.initially_set = 1}, &e));
    state_is(e, 1, 0);
    EXPECT(0, sync_event_wait(e, 0));
    EXPECT(0, sync_event_clear(e));
    EXPECT(0, sync_event_open(lab(), "go", &(sync_event_options){.initially_set = 1}, &again));
    state_is(again, 0, 0);
    EXPECT(0, sync_event_open(lab(), "go", &(sync_event_options){.initially_set = 0}, &again));
    NUMBER(1, sync_same(sync_event_object(e), sync_event_object(again)));
}

static struct job jobs[4];
static void four_wait(sync_event *e)
{
    sy_switches.recheck_off = true; /* a wake that is lost is seen to be lost */
    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct job){.call = waits_for_event, .handle = e, .timeout = SYNC_FOREVER};
        job_start(&jobs[i]);
    }
    await_sleepers("go", 4);
}

static void a_pulse_releases_everyone(void)
{
    lab_alone();
    sync_event *e = an_event("go", false);
    for (int round = 0; round < 20; round++) {
        four_wait(e);
        EXPECT(0, sync_event_set(e));
        EXPECT(0, sync_event_clear(e));
        for (int i = 0; i < 4; i++) {
            EXPECT(0, job_end(&jobs[i]));
        }
        state_is(e, 0, (uint64_t)round + 1);
    }
}

static int ended(void)
{
    int count = 0;
    for (int i = 0; i < 4; i++) {
        count += atomic_load(&jobs[i].done);
    }
    return count;
}

static void an_auto_set_releases_one(void)
{
    lab_alone();
    sync_event *e = an_event("go", true);
    four_wait(e);
    for (int i = 1; i <= 4; i++) {
        EXPECT(0, sync_event_set(e));
        AWAIT(ended() == i);
        await_sleepers("go", 4u - (uint32_t)i);
        state_is(e, 0, (uint64_t)i);
    }
    for (int i = 0; i < 4; i++) {
        EXPECT(0, job_end(&jobs[i]));
    }
}

/* A set may hit a waiter that gives up at that instant: another must go on, or it stays set. */
static void an_auto_set_is_never_lost(void)
{
    lab_alone();
    sync_event *e = an_event("go", true);
    for (int round = 0; round < 60; round++) {
        struct job hasty = {.call = waits_for_event, .handle = e, .timeout = SYNC_US(200)};
        struct job patient = {.call = waits_for_event, .handle = e, .timeout = SYNC_S(20)};
        job_start(&hasty);
        job_start(&patient);
        AWAIT(sleepers_on("go") >= 1 || atomic_load(&hasty.done));
        int64_t began = sy_now();
        EXPECT(0, sync_event_set(e));
        if (job_end(&hasty) == 0) {
            EXPECT(0, sync_event_set(e));
        }
        EXPECT(0, job_end(&patient));
        CHECK(sy_now() - began < 900000000); /* by a wake, not by the re-check */
        NUMBER(0, sync_event_is_set(e));
    }
}

static void info_tells_who_set_it(void)
{
    sync_info info;
    lab_alone();
    sync_event *e = an_event("stop", false);
    EXPECT(0, sync_note(lab(), "over-temperature"));
    EXPECT(0, sync_event_set(e));
    EXPECT(0, sync_object_info(sync_event_object(e), &info));
    NUMBER(getpid(), info.holder.pid);
    CHECK(strcmp(info.holder.note, "over-temperature") == 0);
    CHECK(info.holder.since > 0);
}

static void set_keeps_errno_and_the_last_error(void)
{
    lab_alone();
    sync_event *e = an_event("go", false);
    EXPECT(SYNC_EINVAL, sync_event_wait(e, -1));
    SAYS("negative");
    errno = EXDEV;
    EXPECT(0, sync_event_set(e));
    NUMBER(1, sync_event_is_set(e));
    NUMBER(EXDEV, errno);
    EXPECT(SYNC_EHANDLE, sync_event_set(NULL));
    NUMBER(EXDEV, errno);
    SAYS("negative");
    EXPECT(SYNC_EHANDLE, sync_event_clear(NULL));
    EXPECT(SYNC_EHANDLE, sync_event_is_set(NULL));
    EXPECT(SYNC_EHANDLE, sync_event_set((sync_event *)a_mutex("m", NULL)));
    EXPECT(SYNC_EHANDLE, sync_event_wait(NULL, 0));
    SAYS("NULL is not an open handle");
    sync_event_close(NULL);
}

HARNESS_MAIN(CASE(manual_stays_set), CASE(auto_is_used_up_by_one),
             CASE(initially_set_counts_at_creation), CASE(a_pulse_releases_everyone),
             CASE(an_auto_set_releases_one), CASE(an_auto_set_is_never_lost),
             CASE(info_tells_who_set_it), CASE(set_keeps_errno_and_the_last_error))
