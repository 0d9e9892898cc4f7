/* SPDX-License-Identifier: MIT */
/* Killed while taking several mutexes at once: what it had passes on. */
#include "lab.h"
#include "scenarios.h"

enum { MANY = 3, HOLDER = 0 };

struct plan {
    bool contended; /* the second is held by an actor; others wait for the first, and for the third
                     */
};

static const struct plan *plan_of(struct crash_case *c)
{
    return c->scenario->argument;
}

static sync_mutex *mutexes[MANY];

static void open_all(struct crash_case *c)
{
    static const char *const names[MANY] = {"m1", "m2", "m3"};
    for (unsigned i = 0; i < MANY; i++) {
        lab_must(c, "open", sync_mutex_open(lab_connect(c), names[i], NULL, &mutexes[i]));
    }
}

static void pair(struct crash_case *c, unsigned which)
{
    open_all(c);
    ACTOR_DO(c, lab_must(c, "acquire", sync_mutex_acquire(mutexes[which], LAB_PATIENCE)));
    ACTOR_DO(c, lab_must(c, "release", sync_mutex_release(mutexes[which])));
}

static void pair_first(struct crash_case *c)
{
    pair(c, 0);
}

static void pair_second(struct crash_case *c)
{
    pair(c, 1);
}

static void pair_third(struct crash_case *c)
{
    pair(c, 2);
}

static void newcomer(struct crash_case *c)
{
    actor_begin(c);
    open_all(c);
    lab_must(c, "acquire", sync_mutex_acquire_many(mutexes, MANY, LAB_PATIENCE));
    for (unsigned i = 0; i < MANY; i++) {
        lab_must(c, "release", sync_mutex_release(mutexes[i]));
    }
    actor_end(c, 0);
}

static bool build(struct crash_case *c)
{
    if (actor_start(c, pair_second) < 0 || actor_start(c, pair_first) < 0 ||
        actor_start(c, pair_third) < 0 || actor_start(c, newcomer) < 0) {
        return false;
    }
    if (!plan_of(c)->contended) {
        return true;
    }
    actor_permit(c, HOLDER, 1);
    return actor_until_done(c, HOLDER, 1);
}

static void prepare(struct crash_case *c)
{
    open_all(c);
}

/* While the victim waits for the second, others come for the ones it may hold meanwhile. */
static enum crash_nudge asleep(struct crash_case *c, unsigned nth)
{
    if (nth == 0) {
        actor_permit(c, 1, UINT32_MAX);
        actor_permit(c, 2, UINT32_MAX);
        actor_permit(c, HOLDER, 1);
        if (!actor_until_done(c, HOLDER, 2)) {
            return CRASH_ASLEEP;
        }
    }
    return CRASH_NUDGED;
}

static void operate(struct crash_case *c)
{
    (void)c;
    int rc = sync_mutex_acquire_many(mutexes, MANY, LAB_PATIENCE);
    for (unsigned i = 0; !SYNC_FAILED(rc) && i < MANY; i++) {
        sync_mutex_release(mutexes[i]);
    }
}

static const char *check(struct crash_case *c)
{
    static const char *const names[MANY] = {"m1", "m2", "m3"};
    for (unsigned i = 0; i < MANY; i++) {
        struct sy_hot *hot = lab_hot(c, names[i]);
        if (hot == NULL || (sy_load(&hot->word) & (SY_OWNER | SY_R)) != 0) {
            return "one of them is not free in the end";
        }
    }
    return NULL;
}

#define TAKE(variable_, name_, ...)                                                                \
    static const struct crash_scenario variable_ = {                                               \
        .name = "mutex acquire_many, " name_,                                                      \
        .world = &lab_world,                                                                       \
        .newcomer = true,                                                                          \
        .points = CRASH_STORES,                                                                    \
        .modes = ALL_MODES,                                                                        \
        .build = build,                                                                            \
        .prepare = prepare,                                                                        \
        .operate = operate,                                                                        \
        .asleep = asleep,                                                                          \
        .check = check,                                                                            \
        .argument = &(const struct plan){__VA_ARGS__},                                             \
    }

TAKE(all_free, "all free", .contended = false);
TAKE(one_held, "one held, others come", .contended = true);

const struct crash_scenario *const crash_many[] = {&all_free, &one_held, NULL};
