/* SPDX-License-Identifier: MIT */
/* Killed while coming and going: attach, open, growth, close, a thread's end, the last goodbye. */
#include <stdio.h>
#include <unistd.h>

#include "lab.h"
#include "scenarios.h"

#define NAME "m"

struct plan {
    unsigned names;   /* the victim has opened so many before */
    bool exists;      /* actor 0 has made the mutex */
    bool holds;       /* the victim holds it */
    unsigned waiters; /* sleep on it */
};

static const struct plan *plan_of(struct crash_case *c)
{
    return c->scenario->argument;
}

static sync_manager *manager;
static sync_mutex *mutex;

static void open_it(struct crash_case *c)
{
    manager = lab_connect(c);
    lab_must(c, "open", sync_mutex_open(manager, NAME, NULL, &mutex));
}

static void pair(struct crash_case *c)
{
    open_it(c);
    ACTOR_DO(c, lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE)));
    ACTOR_DO(c, lab_must(c, "release", sync_mutex_release(mutex)));
}

static void newcomer(struct crash_case *c)
{
    actor_begin(c);
    open_it(c);
    lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE));
    lab_must(c, "release", sync_mutex_release(mutex));
    /* And everything else that can be made is made as ever. */
    for (unsigned i = 0; i < plan_of(c)->names + 2; i++) {
        char name[16];
        sync_mutex *other;
        snprintf(name, sizeof name, "g%u", i);
        lab_must(c, "open", sync_mutex_open(manager, name, NULL, &other));
        lab_must(c, "acquire", sync_mutex_acquire(other, LAB_PATIENCE));
        lab_must(c, "release", sync_mutex_release(other));
    }
    actor_end(c, 0);
}

static bool build(struct crash_case *c)
{
    for (unsigned i = 0; i < plan_of(c)->waiters + plan_of(c)->exists; i++) {
        if (actor_start(c, pair) < 0) {
            return false;
        }
        /* Made before the victim comes. */
        if (plan_of(c)->exists && !actor_until_done(c, i, 0)) {
            return false;
        }
    }
    return actor_start(c, newcomer) >= 0;
}

static bool arrange(struct crash_case *c)
{
    for (unsigned i = 0; i < plan_of(c)->waiters; i++) {
        actor_permit(c, i, 1);
        if (!actor_until_asleep(c, i)) {
            return false;
        }
    }
    return true;
}

static void prepare_nothing(struct crash_case *c)
{
    (void)c;
}

static void prepare(struct crash_case *c)
{
    manager = lab_connect(c);
    for (unsigned i = 0; i < plan_of(c)->names; i++) {
        char name[16];
        sync_mutex *other;
        snprintf(name, sizeof name, "g%u", i);
        lab_must(c, "open", sync_mutex_open(manager, name, NULL, &other));
    }
}

static void prepare_open(struct crash_case *c)
{
    open_it(c);
    lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE));
    if (!plan_of(c)->holds) {
        lab_must(c, "release", sync_mutex_release(mutex));
    }
}

static void operate_attach(struct crash_case *c)
{
    manager = lab_connect(c);
}

static void operate_register(struct crash_case *c)
{
    open_it(c);
    lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE));
}

static void operate_open(struct crash_case *c)
{
    lab_must(c, "open", sync_mutex_open(manager, NAME, NULL, &mutex));
}

static void operate_close(struct crash_case *c)
{
    (void)c;
    sync_mutex_close(mutex);
}

static void operate_unlink(struct crash_case *c)
{
    (void)c;
    sync_mutex_close(mutex);
    sync_unlink(manager, NAME);
}

static void operate_goodbye(struct crash_case *c)
{
    (void)c;
    sync_manager_close(manager);
}

/* The operation is what the library does behind the end of the thread's function. */
static void operate_thread_end(struct crash_case *c)
{
    (void)c;
}

#define LIFE(variable_, name_, prepare_, operate_, ...)                                            \
    static const struct crash_scenario variable_ = {                                               \
        .name = name_,                                                                             \
        .world = &lab_world,                                                                       \
        .newcomer = true,                                                                          \
        .points = CRASH_STORES,                                                                    \
        .modes = HEALED,                                                                           \
        .build = build,                                                                            \
        .prepare = prepare_,                                                                       \
        .arrange = arrange,                                                                        \
        .operate = operate_,                                                                       \
        .argument = &(const struct plan){__VA_ARGS__},                                             \
    }

LIFE(attach, "attach", prepare_nothing, operate_attach, .names = 0);
LIFE(attach_second, "attach, others are there", prepare_nothing, operate_attach, .exists = true);
LIFE(attach_register, "attach, create, acquire", prepare_nothing, operate_register, .names = 0);
LIFE(open_new, "open, create", prepare, operate_open, .names = 0);
LIFE(open_existing, "open, existing", prepare, operate_open, .exists = true);
LIFE(open_grows, "open, create, the records grow", prepare, operate_open, .names = 64);
LIFE(close_free, "close, nobody else has it", prepare_open, operate_close, .names = 0);
LIFE(close_shared, "close, others have it", prepare_open, operate_close, .exists = true);
LIFE(unlink_name, "unlink", prepare_open, operate_unlink, .names = 0);
LIFE(goodbye, "manager close", prepare_open, operate_goodbye, .exists = true);
LIFE(goodbye_holding, "manager close while holding, one waits", prepare_open, operate_goodbye,
     .holds = true, .waiters = 1);

#define THREAD(variable_, name_, ...)                                                              \
    static const struct crash_scenario variable_ = {                                               \
        .name = name_,                                                                             \
        .world = &lab_world,                                                                       \
        .newcomer = true,                                                                          \
        .points = CRASH_STORES,                                                                    \
        .modes = HEALED,                                                                           \
        .build = build,                                                                            \
        .prepare = prepare_open,                                                                   \
        .arrange = arrange,                                                                        \
        .operate = operate_thread_end,                                                             \
        .in_thread = true,                                                                         \
        .argument = &(const struct plan){__VA_ARGS__},                                             \
    }

THREAD(thread_end, "thread ends, holds nothing", .names = 0);
THREAD(thread_end_holding, "thread ends while holding, one waits", .holds = true, .waiters = 1);

const struct crash_scenario *const crash_life[] = {
    &attach,          &attach_second, &attach_register,    &open_new,    &open_existing,
    &open_grows,      &close_free,    &close_shared,       &unlink_name, &goodbye,
    &goodbye_holding, &thread_end,    &thread_end_holding, NULL,
};
