/* SPDX-License-Identifier: MIT */
/* Killed while breaking a mutex: it is broken and has a successor, or it is not. */
#include "direct/direct.h"
#include "lab.h"
#include "scenarios.h"

#define NAME "m"

enum { HOLDER, WAITER };

static sync_mutex *mutex;

static void open_it(struct crash_case *c)
{
    lab_must(c, "open", sync_mutex_open(lab_connect(c), NAME, NULL, &mutex));
}

static void take_and_give(struct crash_case *c)
{
    lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE));
    lab_must(c, "release", sync_mutex_release(mutex));
}

/* The evicted is told at its release, and is then a client like any other. */
static void holder(struct crash_case *c)
{
    open_it(c);
    ACTOR_DO(c, lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE)));
    actor_begin(c);
    int rc = sync_mutex_release(mutex);
    if (rc != SYNC_ELOST) {
        lab_must(c, "release", rc);
    }
    take_and_give(c);
    actor_end(c, rc);
}

static void waiter(struct crash_case *c)
{
    open_it(c);
    actor_begin(c);
    take_and_give(c);
    actor_end(c, 0);
}

static void newcomer(struct crash_case *c)
{
    actor_begin(c);
    open_it(c);
    take_and_give(c);
    actor_end(c, 0);
}

static bool build(struct crash_case *c)
{
    if (actor_start(c, holder) < 0 || actor_start(c, waiter) < 0 || actor_start(c, waiter) < 0 ||
        actor_start(c, newcomer) < 0) {
        return false;
    }
    actor_permit(c, HOLDER, 1);
    if (!actor_until_done(c, HOLDER, 1)) {
        return false;
    }
    for (unsigned i = WAITER; i < WAITER + 2; i++) {
        actor_permit(c, i, 1);
        if (!actor_until_asleep(c, i)) {
            return false;
        }
    }
    return true;
}

static void prepare(struct crash_case *c)
{
    open_it(c);
}

/* What `managerctl break` does. */
static void operate(struct crash_case *c)
{
    struct sync_object *object = (struct sync_object *)sync_mutex_object(mutex);
    struct sy_actor actor;
    sync_principal evicted;
    lab_must(c, "begin", sy_begin(object->attachment, &actor));
    sy_mutex_break(&actor, object->opened->record, 0, "killed anywhere", &evicted);
    sy_done(&actor);
}

static const char *check(struct crash_case *c)
{
    struct sy_hot *hot = lab_hot(c, NAME);
    return hot != NULL && (sy_load(&hot->word) & (SY_OWNER | SY_R)) == 0
               ? NULL
               : "it is not free in the end";
}

static const struct crash_scenario breaks = {
    .name = "mutex break, two wait",
    .world = &lab_world,
    .newcomer = true,
    .points = CRASH_STORES,
    .modes = ALL_MODES,
    .build = build,
    .prepare = prepare,
    .operate = operate,
    .check = check,
};

const struct crash_scenario *const crash_break[] = {&breaks, NULL};
