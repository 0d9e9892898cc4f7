/* SPDX-License-Identifier: MIT */
/* Killed in a signal handler that sets an event, in the middle of a release that owes a wake
 * itself. */
#include <signal.h>

#include "lab.h"
#include "scenarios.h"

enum { ON_MUTEX, ON_EVENT, SETTER };

static sync_mutex *mutex;
static sync_event *event;

static void open_both(struct crash_case *c)
{
    lab_must(c, "open", sync_mutex_open(lab_connect(c), "m", NULL, &mutex));
    lab_must(c, "open", sync_event_open(lab_connect(c), "e", NULL, &event));
}

static void waits_for_mutex(struct crash_case *c)
{
    open_both(c);
    actor_begin(c);
    lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE));
    actor_end(c, lab_must(c, "release", sync_mutex_release(mutex)));
}

static void waits_for_event(struct crash_case *c)
{
    open_both(c);
    ACTOR_DO(c, lab_must(c, "wait", sync_event_wait(event, LAB_PATIENCE)));
}

static void setter(struct crash_case *c)
{
    open_both(c);
    ACTOR_DO(c, lab_must(c, "set", sync_event_set(event)));
}

static void set_in_handler(int signal)
{
    (void)signal;
    sync_event_set(event);
}

static bool build(struct crash_case *c)
{
    return actor_start(c, waits_for_mutex) >= 0 && actor_start(c, waits_for_event) >= 0 &&
           actor_start(c, setter) >= 0 && actor_start(c, waits_for_mutex) >= 0;
}

static void prepare(struct crash_case *c)
{
    open_both(c);
    lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE));
    signal(SIGUSR1, set_in_handler);
}

static bool arrange(struct crash_case *c)
{
    for (unsigned i = ON_MUTEX; i <= ON_EVENT; i++) {
        actor_permit(c, i, 1);
        if (!actor_until_asleep(c, i)) {
            return false;
        }
    }
    return true;
}

static void operate(struct crash_case *c)
{
    (void)c;
    sync_mutex_release(mutex);
}

static void aftermath(struct crash_case *c)
{
    actor_permit(c, ON_MUTEX, 1);
    actor_permit(c, ON_EVENT, 1);
}

/* Killed before its handler ran: somebody else sets it. */
static bool relief(struct crash_case *c)
{
    actor_permit(c, SETTER, 1);
    return true;
}

#define HANDLER(variable_, after_)                                                                 \
    static const struct crash_scenario variable_ = {                                               \
        .name = "event set in a handler, behind store " #after_ " of a release",                   \
        .newcomer = true,                                                                          \
        .world = &lab_world,                                                                       \
        .points = CRASH_EVERY,                                                                     \
        .modes = ALL_MODES,                                                                        \
        .build = build,                                                                            \
        .prepare = prepare,                                                                        \
        .arrange = arrange,                                                                        \
        .operate = operate,                                                                        \
        .aftermath = aftermath,                                                                    \
        .relief = relief,                                                                          \
        .signal_after = after_,                                                                    \
    }

HANDLER(store_2, 2);
HANDLER(store_3, 3);
HANDLER(store_4, 4);

const struct crash_scenario *const crash_handler[] = {&store_2, &store_3, &store_4, NULL};
