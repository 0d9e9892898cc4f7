/* SPDX-License-Identifier: MIT */
/* Killed in a barrier: all survivors of a round trip it, or all learn that it broke. */
#include <stdatomic.h>
#include <unistd.h>

#include "lab.h"
#include "scenarios.h"

#define NAME "b"

struct plan {
    uint32_t parties;
    bool members;
    bool action;     /* everybody brings one */
    unsigned before; /* parties that wait before the victim's operation */
    unsigned after;  /* parties that come while the victim waits */
    sync_timeout timeout;
};

static const struct plan *plan_of(struct crash_case *c)
{
    return c->scenario->argument;
}

static sync_barrier *barrier;

static void open_it(struct crash_case *c)
{
    const sync_barrier_options options = {.parties = plan_of(c)->parties,
                                          .members = plan_of(c)->members};
    lab_must(c, "open", sync_barrier_open(lab_connect(c), NAME, &options, &barrier));
}

static int action(void *argument)
{
    struct crash_case *c = argument;
    atomic_fetch_add((_Atomic uint64_t *)&c->control->word[0], 1);
    return 0;
}

static int arrive_and_wait(struct crash_case *c, sync_timeout timeout)
{
    return plan_of(c)->action ? sync_barrier_wait_with(barrier, action, c, timeout)
                              : sync_barrier_wait(barrier, timeout);
}

/* A broken barrier is an answer; any other failure is not. */
static int party_result(struct crash_case *c, int rc)
{
    return rc == SYNC_EBROKEN ? rc : lab_must(c, "wait", rc);
}

static void party(struct crash_case *c)
{
    open_it(c);
    ACTOR_DO(c, party_result(c, arrive_and_wait(c, LAB_PATIENCE)));
}

enum { STAND_IN = 1 };

static unsigned parties(struct crash_case *c)
{
    return plan_of(c)->before + plan_of(c)->after;
}

/* Stands in for a victim that never arrived, or says that too few will. */
static void spare(struct crash_case *c)
{
    actor_begin(c);
    int rc = 0;
    if (c->control->word[STAND_IN]) {
        open_it(c);
        rc = parties(c) + 1 < plan_of(c)->parties
                 ? lab_must(c, "abort", sync_barrier_abort(barrier))
                 : party_result(c, arrive_and_wait(c, LAB_PATIENCE));
    }
    actor_end(c, rc);
}

/* Whatever happened: after a reset it is as new. */
static void restorer(struct crash_case *c)
{
    actor_begin(c);
    open_it(c);
    int rc = lab_must(c, "reset", sync_barrier_reset(barrier));
    if (sync_barrier_is_broken(barrier) != 0) {
        actor_fail(c, "still broken after a reset");
    }
    if (sync_barrier_waiting(barrier) != 0) {
        actor_fail(c, "%d have arrived right after a reset", sync_barrier_waiting(barrier));
    }
    actor_end(c, rc);
}

static bool some_sleep(struct crash_case *c, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        actor_permit(c, i, 1);
        if (!actor_until_asleep(c, i)) {
            return false;
        }
    }
    return true;
}

static bool build(struct crash_case *c)
{
    for (unsigned i = 0; i < parties(c); i++) {
        if (actor_start(c, party) < 0) {
            return false;
        }
    }
    return actor_start(c, spare) >= 0 && actor_start(c, restorer) >= 0;
}

static void prepare(struct crash_case *c)
{
    open_it(c);
}

/* Members count from their open: nobody is to miss it. */
static bool arrange(struct crash_case *c)
{
    for (unsigned i = 0; i < parties(c); i++) {
        if (!actor_until_done(c, i, 0)) {
            return false;
        }
    }
    return some_sleep(c, 0, plan_of(c)->before);
}

static enum crash_nudge asleep(struct crash_case *c, unsigned nth)
{
    if (plan_of(c)->timeout != 0) {
        return CRASH_NUDGED;
    }
    if (plan_of(c)->after == 0) {
        return CRASH_ASLEEP;
    }
    if (nth == 0) {
        unsigned last = parties(c) - 1;
        if (!some_sleep(c, plan_of(c)->before, last)) {
            return CRASH_ASLEEP;
        }
        actor_permit(c, last, 1);
        if (!actor_until_done(c, last, 1)) {
            return CRASH_ASLEEP;
        }
    }
    return CRASH_NUDGED;
}

static void aftermath(struct crash_case *c)
{
    for (unsigned i = 0; i < parties(c); i++) {
        actor_permit(c, i, 1);
    }
}

static bool relief(struct crash_case *c)
{
    unsigned waiting = 0;
    for (unsigned i = 0; i < parties(c); i++) {
        waiting += !c->actor[i].ended;
    }
    if (waiting > 0 && c->control->word[STAND_IN]) {
        return false;
    }
    if (waiting > 0) {
        c->control->word[STAND_IN] = 1;
    }
    actor_permit(c, parties(c), 1);
    if (waiting == 0) {
        actor_permit(c, parties(c) + 1, 1);
    }
    return true;
}

static void operate_wait(struct crash_case *c)
{
    int rc = arrive_and_wait(c, plan_of(c)->timeout != 0 ? plan_of(c)->timeout : LAB_PATIENCE);
    (void)rc;
}

static void operate_arrive(struct crash_case *c)
{
    (void)c;
    sync_barrier_arrive(barrier);
}

static void operate_abort(struct crash_case *c)
{
    (void)c;
    sync_barrier_abort(barrier);
}

static void operate_reset(struct crash_case *c)
{
    (void)c;
    sync_barrier_reset(barrier);
}

static void operate_close(struct crash_case *c)
{
    (void)c;
    sync_barrier_close(barrier);
}

/* All of one round come to the same answer. */
static const char *check(struct crash_case *c)
{
    unsigned broken = 0, through = 0;
    for (unsigned i = 0; i < parties(c); i++) {
        c->control->actor[i].result[0] == SYNC_EBROKEN ? broken++ : through++;
    }
    if (broken > 0 && through > 0) {
        return "some of the parties went through, others were told that it broke";
    }
    if (plan_of(c)->action && through > 0 && c->control->word[0] == 0) {
        return "they went through, but nobody's action ran";
    }
    if (plan_of(c)->action && c->control->word[0] > 1 && !c->control->word[STAND_IN]) {
        return "the action ran more than once in a round";
    }
    return NULL;
}

#define BARRIER(variable_, name_, points_, operate_, ...)                                          \
    static const struct crash_scenario variable_ = {                                               \
        .name = "barrier " name_,                                                                  \
        .world = &lab_world,                                                                       \
        .points = points_,                                                                         \
        .modes = ALL_MODES,                                                                        \
        .build = build,                                                                            \
        .prepare = prepare,                                                                        \
        .arrange = arrange,                                                                        \
        .operate = operate_,                                                                       \
        .asleep = asleep,                                                                          \
        .aftermath = aftermath,                                                                    \
        .relief = relief,                                                                          \
        .check = check,                                                                            \
        .argument = &(const struct plan){__VA_ARGS__},                                             \
    }

BARRIER(first, "wait, first of three", CRASH_EVERY, operate_wait, .parties = 3, .after = 2);
BARRIER(second, "wait, second of three", CRASH_EVERY, operate_wait, .parties = 3, .before = 1,
        .after = 1);
BARRIER(last, "wait, last of three", CRASH_EVERY, operate_wait, .parties = 3, .before = 2);
BARRIER(arrives, "arrive, first of three", CRASH_EVERY, operate_arrive, .parties = 3, .before = 1,
        .after = 1);
BARRIER(arrives_last, "arrive, last of three", CRASH_EVERY, operate_arrive, .parties = 3,
        .before = 2);
BARRIER(action_first, "wait with an action, first of three", CRASH_STORES, operate_wait,
        .parties = 3, .action = true, .after = 2);
BARRIER(action_last, "wait with an action, last of three", CRASH_EVERY, operate_wait, .parties = 3,
        .action = true, .before = 2);
BARRIER(aborts, "abort, two wait", CRASH_EVERY, operate_abort, .parties = 3, .before = 2);
BARRIER(resets, "reset, two wait", CRASH_EVERY, operate_reset, .parties = 3, .before = 2);
BARRIER(time_over, "wait, time over, one waits", CRASH_STORES_SLOWLY, operate_wait, .parties = 3,
        .before = 1, .timeout = LAB_SHORT);
BARRIER(member_last, "members, wait, last of three", CRASH_STORES, operate_wait, .parties = 3,
        .members = true, .before = 2);
BARRIER(member_first, "members, wait, first of three", CRASH_STORES, operate_wait, .parties = 3,
        .members = true, .after = 2);
BARRIER(member_closes, "members, close, two wait", CRASH_STORES, operate_close, .parties = 3,
        .members = true, .before = 2);

const struct crash_scenario *const crash_barrier[] = {
    &first,  &second, &last,      &arrives,     &arrives_last, &action_first,  &action_last,
    &aborts, &resets, &time_over, &member_last, &member_first, &member_closes, NULL,
};
