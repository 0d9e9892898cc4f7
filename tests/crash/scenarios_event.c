/* SPDX-License-Identifier: MIT */
/* Killed in an event: a set that has happened releases everyone it should. */
#include <unistd.h>

#include "lab.h"
#include "scenarios.h"

#define NAME "e"

struct plan {
    sync_event_options options;
    unsigned waiters; /* before a victim that sets, or behind a victim that waits */
    bool setter;      /* the victim waits; actor 0 sets */
    sync_timeout timeout;
};

static const struct plan *plan_of(struct crash_case *c)
{
    return c->scenario->argument;
}

static sync_event *event;

static void open_it(struct crash_case *c)
{
    lab_must(c, "open", sync_event_open(lab_connect(c), NAME, &plan_of(c)->options, &event));
}

/* Sets once when told, and then as often as it is asked to for those who wait rightly. */
static void set_it(struct crash_case *c)
{
    open_it(c);
    ACTOR_DO(c, lab_must(c, "set", sync_event_set(event)));
}

static void wait_for_it(struct crash_case *c)
{
    open_it(c);
    ACTOR_DO(c, lab_must(c, "wait", sync_event_wait(event, LAB_PATIENCE)));
}

static unsigned setter(struct crash_case *c)
{
    return plan_of(c)->waiters;
}

static unsigned spare_setters(struct crash_case *c)
{
    return plan_of(c)->waiters + 1;
}

static bool waiters_sleep(struct crash_case *c)
{
    for (unsigned i = 0; i < plan_of(c)->waiters; i++) {
        actor_permit(c, i, 1);
        if (!actor_until_asleep(c, i)) {
            return false;
        }
    }
    return true;
}

static bool build(struct crash_case *c)
{
    for (unsigned i = 0; i < plan_of(c)->waiters; i++) {
        if (actor_start(c, wait_for_it) < 0) {
            return false;
        }
    }
    for (unsigned i = 0; i < 1 + spare_setters(c); i++) {
        if (actor_start(c, set_it) < 0) {
            return false;
        }
    }
    return true;
}

static void prepare(struct crash_case *c)
{
    open_it(c);
}

static bool arrange(struct crash_case *c)
{
    return plan_of(c)->setter || waiters_sleep(c);
}

static enum crash_nudge asleep(struct crash_case *c, unsigned nth)
{
    if (!plan_of(c)->setter) {
        return CRASH_PATIENCE;
    }
    if (nth == 0) {
        if (!waiters_sleep(c)) {
            return CRASH_ASLEEP;
        }
        if (plan_of(c)->timeout != 0) {
            return CRASH_NUDGED;
        }
        actor_permit(c, setter(c), 1);
        if (!actor_until_done(c, setter(c), 1)) {
            return CRASH_ASLEEP;
        }
    }
    /* A waiter has been quicker: one more set. */
    if (nth > 0 && plan_of(c)->timeout == 0 && setter(c) + nth < c->actors) {
        actor_permit(c, setter(c) + nth, 1);
    }
    return CRASH_NUDGED;
}

/* Waiters and the setter of the story go on by themselves; the spare ones only when everybody waits
 * rightly. */
static void aftermath(struct crash_case *c)
{
    for (unsigned i = 0; i <= setter(c); i++) {
        actor_permit(c, i, 1);
    }
}

/* One more set while somebody waits: the victim's did not happen, or was used up by the dead. */
static bool relief(struct crash_case *c)
{
    bool waits = false;
    for (unsigned i = 0; i < setter(c); i++) {
        waits |= !c->actor[i].ended;
    }
    for (unsigned i = setter(c) + 1; i < c->actors; i++) {
        if (!c->actor[i].ended) {
            actor_permit(c, i, 1);
            if (waits) {
                return true;
            }
        }
    }
    return !waits;
}

static void operate_set(struct crash_case *c)
{
    (void)c;
    sync_event_set(event);
}

static void operate_set_clear(struct crash_case *c)
{
    (void)c;
    sync_event_set(event);
    sync_event_clear(event);
}

static void operate_wait(struct crash_case *c)
{
    int rc = sync_event_wait(event, plan_of(c)->timeout != 0 ? plan_of(c)->timeout : LAB_PATIENCE);
    (void)rc;
}

#define EVENT(variable_, name_, points_, operate_, ...)                                            \
    static const struct crash_scenario variable_ = {                                               \
        .name = "event " name_,                                                                    \
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
        .argument = &(const struct plan){__VA_ARGS__},                                             \
    }
#define AUTO .options = {.auto_reset = 1}

EVENT(set_alone, "set, nobody waits", CRASH_EVERY, operate_set, .waiters = 0);
EVENT(set_two, "set, two wait", CRASH_EVERY, operate_set, .waiters = 2);
EVENT(set_clear, "set and clear, two wait", CRASH_EVERY, operate_set_clear, .waiters = 2);
EVENT(wait_two, "wait, woken, two behind it", CRASH_EVERY, operate_wait, .waiters = 2,
      .setter = true);
EVENT(time_over, "wait, time over, one behind it", CRASH_STORES_SLOWLY, operate_wait, .waiters = 1,
      .setter = true, .timeout = LAB_SHORT);
EVENT(auto_set_alone, "auto, set, nobody waits", CRASH_EVERY, operate_set, AUTO, .waiters = 0);
EVENT(auto_set_two, "auto, set, two wait", CRASH_EVERY, operate_set, AUTO, .waiters = 2);
EVENT(auto_set_clear, "auto, set and clear, two wait", CRASH_STORES, operate_set_clear, AUTO,
      .waiters = 2);
EVENT(auto_wait, "auto, wait, woken, one behind it", CRASH_EVERY, operate_wait, AUTO, .waiters = 1,
      .setter = true);
EVENT(auto_wait_two, "auto, wait, woken, two behind it", CRASH_STORES, operate_wait, AUTO,
      .waiters = 2, .setter = true);

const struct crash_scenario *const crash_event[] = {
    &set_alone,    &set_two,        &set_clear, &wait_two,      &time_over, &auto_set_alone,
    &auto_set_two, &auto_set_clear, &auto_wait, &auto_wait_two, NULL,
};
