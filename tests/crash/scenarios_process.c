/* SPDX-License-Identifier: MIT */
/* Killed in what a process does to itself: fork, exit, and operations after a closefrom; and while
 * it makes room, as all slots are the dead's. */
#include <stdlib.h>
#include <unistd.h>

#include "lab.h"
#include "lab_manager.h"
#include "scenarios.h"

struct plan {
    bool mutex, permit; /* what the victim holds */
    bool waits;         /* somebody waits for each */
    bool full;          /* all slots of processes are of dead ones */
};

static const struct plan *plan_of(struct crash_case *c)
{
    return c->scenario->argument;
}

static sync_mutex *mutex;
static sync_semaphore *semaphore;

static void open_both(struct crash_case *c)
{
    const sync_semaphore_options one = {.initial = 1, .maximum = 1};
    lab_must(c, "open", sync_mutex_open(lab_connect(c), "m", NULL, &mutex));
    lab_must(c, "open", sync_semaphore_open(lab_connect(c), "s", &one, &semaphore));
}

static int take_and_return_mutex(struct crash_case *c)
{
    lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE));
    return lab_must(c, "release", sync_mutex_release(mutex));
}

static int take_and_return_permit(struct crash_case *c)
{
    lab_must(c, "acquire", sync_semaphore_acquire(semaphore, LAB_PATIENCE));
    return lab_must(c, "release", sync_semaphore_release(semaphore, 1));
}

static void wants_mutex(struct crash_case *c)
{
    open_both(c);
    ACTOR_DO(c, take_and_return_mutex(c));
}

static void wants_permit(struct crash_case *c)
{
    open_both(c);
    ACTOR_DO(c, take_and_return_permit(c));
}

static void newcomer(struct crash_case *c)
{
    actor_begin(c);
    open_both(c);
    take_and_return_mutex(c);
    actor_end(c, take_and_return_permit(c));
}

enum { ON_MUTEX, ON_PERMIT, NEWCOMER, CHILD };

/* The child of the victim: another process, to which nothing belongs. */
static void child(struct crash_case *c)
{
    actor_become(CHILD);
    alarm(60); /* nobody waits for it if the worker is killed */
    ACTOR_DO(c, take_and_return_mutex(c));
    ACTOR_DO(c, take_and_return_permit(c));
    _exit(0);
}

/* No such process, and none will be: above any pid_max. */
enum { NOBODY = 0x7ffffff0 };

static bool fill_with_dead(struct crash_case *c)
{
    struct sy_segment *segment = lab_of(c)->segment;
    uint32_t count = segment->regions[SY_PROCESSES].capacity;
    struct sy_process_facts facts;
    sy_self_facts(&facts);
    while (sy_committed(segment, SY_PROCESSES) < count) {
        if (sy_segment_grow(segment, SY_PROCESSES, sy_committed(segment, SY_PROCESSES)) != 0) {
            return case_trouble(c, "the processes do not grow");
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        struct sy_process *slot = sy_process_at(segment, i);
        sy_put(&slot->pid, NOBODY - i);
        sy_put(&slot->pid_namespace, facts.pid_namespace);
        sy_store_sc(&slot->tenancy, sy_tenancy(1, i, SY_SLOT_LIVE));
    }
    return true;
}

static bool build(struct crash_case *c)
{
    if (plan_of(c)->full) {
        return fill_with_dead(c) && actor_start(c, newcomer) >= 0;
    }
    return actor_start(c, wants_mutex) >= 0 && actor_start(c, wants_permit) >= 0 &&
           actor_start(c, newcomer) >= 0;
}

static void prepare(struct crash_case *c)
{
    open_both(c);
    if (plan_of(c)->mutex) {
        lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE));
    }
    if (plan_of(c)->permit) {
        lab_must(c, "acquire", sync_semaphore_acquire(semaphore, LAB_PATIENCE));
    }
}

static void prepare_closed(struct crash_case *c)
{
    prepare(c);
    for (int fd = 3; fd < 256; fd++) {
        close(fd);
    }
}

static void prepare_nothing(struct crash_case *c)
{
    (void)c;
}

static bool arrange(struct crash_case *c)
{
    for (unsigned i = ON_MUTEX; plan_of(c)->waits && i <= ON_PERMIT; i++) {
        actor_permit(c, i, 1);
        if (!actor_until_asleep(c, i)) {
            return false;
        }
    }
    return true;
}

/* A child that has come to be takes part. */
static void aftermath(struct crash_case *c)
{
    if (lab_adopt(c)) {
        for (unsigned i = 0; i < c->actors; i++) {
            actor_permit(c, i, CRASH_RESULTS);
        }
    }
}

static void operate_fork(struct crash_case *c)
{
    if (fork() == 0) {
        child(c);
    }
}

static void operate_exit(struct crash_case *c)
{
    (void)c;
    exit(0);
}

static void operate_return_all(struct crash_case *c)
{
    (void)c;
    sync_semaphore_release(semaphore, 1);
    sync_mutex_release(mutex);
}

static void operate_take_all(struct crash_case *c)
{
    lab_must(c, "acquire", sync_semaphore_acquire(semaphore, LAB_PATIENCE));
    lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE));
}

static void operate_open(struct crash_case *c)
{
    open_both(c);
}

static const char *check(struct crash_case *c)
{
    struct sy_hot *lock = lab_hot(c, "m"), *permits = lab_hot(c, "s");
    if (lock == NULL || permits == NULL) {
        return "one of them is gone";
    }
    if ((sy_load(&lock->word) & (SY_OWNER | SY_R)) != 0) {
        return "all have released, but the mutex is not free";
    }
    return (sy_load(&permits->word) & 0x3fffffff) == 1 ? NULL : "the permit is not there";
}

#define PROCESS(variable_, name_, points_, prepare_, operate_, ...)                                \
    static const struct crash_scenario variable_ = {                                               \
        .name = name_,                                                                             \
        .world = &lab_world,                                                                       \
        .points = points_,                                                                         \
        .modes = HEALED,                                                                           \
        .build = build,                                                                            \
        .prepare = prepare_,                                                                       \
        .arrange = arrange,                                                                        \
        .operate = operate_,                                                                       \
        .aftermath = aftermath,                                                                    \
        .check = check,                                                                            \
        .late_manager = true,                                                                      \
        .argument = &(const struct plan){__VA_ARGS__},                                             \
    }
#define HOLDING .mutex = true, .permit = true, .waits = true

PROCESS(forks, "fork", CRASH_EVERY, prepare, operate_fork, .waits = false);
PROCESS(forks_holding, "fork while holding, two wait", CRASH_EVERY, prepare, operate_fork, HOLDING);
PROCESS(ends, "exit, holds nothing", CRASH_STORES, prepare, operate_exit, .waits = false);
PROCESS(ends_holding, "exit while holding, two wait", CRASH_STORES, prepare, operate_exit, HOLDING);
PROCESS(closed_take, "acquire both after a closefrom", CRASH_STORES, prepare_closed,
        operate_take_all, .waits = false);
PROCESS(closed_return, "release both after a closefrom, two wait", CRASH_STORES, prepare_closed,
        operate_return_all, HOLDING);
PROCESS(makes_room, "attach, all slots are of the dead", CRASH_STORES, prepare_nothing,
        operate_open, .full = true);

const struct crash_scenario *const crash_process[] = {
    &forks, &forks_holding, &ends, &ends_holding, &closed_take, &closed_return, &makes_room, NULL,
};
