/* SPDX-License-Identifier: MIT */
/* Killed while it does for the dead what they left undone; and killed while it breaks a mutex. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "direct/direct.h"
#include "lab.h"
#include "lab_manager.h"
#include "os/os.h"
#include "scenarios.h"

struct plan {
    bool mutex, semaphore, barrier; /* what the dead one had a part in, and others wait for */
    bool owes;                      /* it died between the commit of its release and the wake */
    bool managerd;                  /* the victim is managerd, and not one who reaps once */
    bool serves;                    /* the same from its main() on */
    bool watches;     /* the same in its loop: they say hello to it, and it sees one die */
    unsigned waiters; /* per object */
};

enum { DEAD = 0 };
enum { THEY_CAME = 0 }; /* in control->word */

static const struct plan *plan_of(struct crash_case *c)
{
    return c->scenario->argument;
}

static sync_mutex *mutex;
static sync_semaphore *semaphore;
static sync_barrier *barrier;

static void open_all(struct crash_case *c)
{
    sync_manager *manager = lab_connect(c);
    const sync_semaphore_options one = {.initial = 1, .maximum = 1};
    const sync_barrier_options three = {.parties = 3};
    if (plan_of(c)->mutex) {
        lab_must(c, "open", sync_mutex_open(manager, "m", NULL, &mutex));
    }
    if (plan_of(c)->semaphore) {
        lab_must(c, "open", sync_semaphore_open(manager, "s", &one, &semaphore));
    }
    if (plan_of(c)->barrier) {
        lab_must(c, "open", sync_barrier_open(manager, "b", &three, &barrier));
    }
}

/* Holds, and then sleeps in the barrier, if there is one, when it is killed. */
static void the_dead(struct crash_case *c)
{
    open_all(c);
    actor_begin(c);
    if (plan_of(c)->mutex) {
        lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE));
    }
    if (plan_of(c)->semaphore) {
        lab_must(c, "acquire", sync_semaphore_acquire(semaphore, LAB_PATIENCE));
    }
    actor_end(c, 0);
    actor_begin(c);
    if (plan_of(c)->barrier) {
        lab_must(c, "wait", sync_barrier_wait(barrier, LAB_PATIENCE));
    }
    for (;;) {
        pause();
    }
}

static void waits_for_mutex(struct crash_case *c)
{
    open_all(c);
    ACTOR_DO(c, lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE)));
    ACTOR_DO(c, lab_must(c, "release", sync_mutex_release(mutex)));
}

static void waits_for_semaphore(struct crash_case *c)
{
    open_all(c);
    ACTOR_DO(c, lab_must(c, "acquire", sync_semaphore_acquire(semaphore, LAB_PATIENCE)));
    ACTOR_DO(c, lab_must(c, "release", sync_semaphore_release(semaphore, 1)));
}

static void waits_for_barrier(struct crash_case *c)
{
    open_all(c);
    actor_begin(c);
    int rc = sync_barrier_wait(barrier, LAB_PATIENCE);
    if (rc != SYNC_EBROKEN) {
        actor_fail(c, "the barrier of a dead party: %d %s", rc, sync_last_error());
    }
    actor_end(c, rc);
}

/* Reaps until nothing is left to reap: what the cut-off one left undone is done by the next. */
static void last_reaper(struct crash_case *c)
{
    actor_begin(c);
    while (lab_reap(c) > 0) {
        continue;
    }
    actor_end(c, 0);
}

static bool start_sleeper(struct crash_case *c, void (*body)(struct crash_case *))
{
    int actor = actor_start(c, body);
    if (actor < 0) {
        return false;
    }
    actor_permit(c, (unsigned)actor, 1);
    return actor_until_asleep(c, (unsigned)actor);
}

/* The world as it is when the dead one's release has been committed, and the wake has not been
 * given. */
static bool leave_it_owing(struct crash_case *c)
{
    struct sy_hot *hot = lab_hot(c, "m");
    struct sy_executor *executor = lab_executor(c, DEAD);
    if (hot == NULL || executor == NULL) {
        return case_trouble(c, "the dead one has left no trace");
    }
    uint32_t record = (uint32_t)(hot - sy_hot_at(lab_of(c)->segment, 0));
    sy_put(&hot->u.mutex.depth, 0);
    sy_put(&executor->owed[0].generation, sy_state_generation(sy_load(&hot->state)));
    sy_store_sc(&executor->owed[0].record, record + 1);
    sy_store_sc(&hot->word, SY_W);
    return true;
}

/* The one that will die holds what the others then wait for. */
static bool they_come(struct crash_case *c)
{
    const struct plan *plan = plan_of(c);
    c->control->word[THEY_CAME] = 1;
    if (actor_start(c, the_dead) < 0) {
        return false;
    }
    actor_permit(c, DEAD, 1);
    if (!actor_until_done(c, DEAD, 1)) {
        return false;
    }
    actor_permit(c, DEAD, 1);
    if (plan->barrier && !actor_until_asleep(c, DEAD)) {
        return false;
    }
    for (unsigned i = 0; i < plan->waiters; i++) {
        if ((plan->mutex && !start_sleeper(c, waits_for_mutex)) ||
            (plan->semaphore && !start_sleeper(c, waits_for_semaphore))) {
            return false;
        }
    }
    if (plan->barrier && !start_sleeper(c, waits_for_barrier)) {
        return false;
    }
    return actor_start(c, last_reaper) >= 0;
}

static bool build(struct crash_case *c)
{
    return plan_of(c)->watches || they_come(c);
}

static void prepare(struct crash_case *c)
{
    if (plan_of(c)->managerd || plan_of(c)->watches) {
        lab_managerd_prepare(c);
    }
}

static void kill_the_dead(struct crash_case *c)
{
    if (!c->actor[DEAD].ended) {
        kill(c->actor[DEAD].pid, SIGKILL);
    }
    while (!c->actor[DEAD].ended) {
        actor_reap(c);
        usleep(20);
    }
    /* It has ended as it should. */
    c->actor[DEAD].status = 0;
}

static bool arrange(struct crash_case *c)
{
    if (plan_of(c)->watches) {
        return true;
    }
    if (plan_of(c)->owes && !leave_it_owing(c)) {
        return false;
    }
    kill_the_dead(c);
    return true;
}

/* managerd has nothing to do but to wait. */
static enum crash_nudge asleep(struct crash_case *c, unsigned nth)
{
    if (!plan_of(c)->watches || nth > 1) {
        return CRASH_ASLEEP;
    }
    if (nth == 0) {
        return they_come(c) ? CRASH_NUDGED : CRASH_ASLEEP;
    }
    kill_the_dead(c);
    return CRASH_NUDGED;
}

/* What the victim had no time to see happens all the same. */
static void aftermath(struct crash_case *c)
{
    if (!c->control->word[THEY_CAME] && !they_come(c)) {
        return;
    }
    kill_the_dead(c);
    for (unsigned i = 0; i + 1 < c->actors; i++) {
        actor_permit(c, i, CRASH_RESULTS);
    }
}

static void operate_reap(struct crash_case *c)
{
    if (plan_of(c)->serves) {
        lab_managerd_serve(c);
    } else if (plan_of(c)->watches) {
        for (;;) {
            lab_managerd_turn();
        }
    } else if (plan_of(c)->managerd) {
        lab_managerd_sweep();
    } else {
        lab_reap(c);
    }
}

/* Nothing of the dead may be left in any slot. */
static const char *check(struct crash_case *c)
{
    struct sy_segment *segment = lab_of(c)->segment;
    uint32_t count = sy_committed(segment, SY_PROCESSES);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_process *process = sy_process_at(segment, i);
        uint32_t pid = sy_load(&process->pid);
        if (sy_tenancy_state(sy_load(&process->tenancy)) != SY_SLOT_FREE &&
            (pid == (uint32_t)c->actor[DEAD].pid || pid == (uint32_t)c->victim.pid)) {
            return "a slot of the dead was never freed";
        }
    }
    return NULL;
}

#define REAP_AT(variable_, name_, points_, ...)                                                    \
    static const struct crash_scenario variable_ = {                                               \
        .name = "recovery " name_,                                                                 \
        .world = &lab_world,                                                                       \
        .newcomer = true,                                                                          \
        .points = points_,                                                                         \
        .modes = HEALED,                                                                           \
        .build = build,                                                                            \
        .prepare = prepare,                                                                        \
        .arrange = arrange,                                                                        \
        .operate = operate_reap,                                                                   \
        .asleep = asleep,                                                                          \
        .aftermath = aftermath,                                                                    \
        .check = check,                                                                            \
        .late_manager = true,                                                                      \
        .argument = &(const struct plan){__VA_ARGS__},                                             \
    }

#define REAP(variable_, name_, ...) REAP_AT(variable_, name_, CRASH_STORES, __VA_ARGS__)

REAP(of_mutex, "of a mutex, two wait", .mutex = true, .waiters = 2);
REAP(of_debt, "of a wake owed, two wait", .mutex = true, .waiters = 2, .owes = true);
REAP(of_semaphore, "of permits, two wait", .semaphore = true, .waiters = 2);
REAP(of_barrier, "of a barrier, one waits", .barrier = true);
REAP(of_all, "of everything", .mutex = true, .semaphore = true, .barrier = true, .waiters = 1);

REAP(by_managerd, "of everything by managerd", .mutex = true, .semaphore = true, .barrier = true,
     .waiters = 1, .managerd = true);
REAP(of_debt_by_managerd, "of a wake owed by managerd, two wait", .mutex = true, .waiters = 2,
     .owes = true, .managerd = true);

REAP(adopted, "by a managerd that adopts the segment", .mutex = true, .semaphore = true,
     .barrier = true, .waiters = 1, .serves = true);
REAP_AT(watched, "by a managerd that was greeted by all", CRASH_STORES_SLOWLY, .mutex = true,
        .semaphore = true, .waiters = 1, .watches = true);

const struct crash_scenario *const crash_recovery[] = {
    &adopted,    &watched, &by_managerd, &of_debt_by_managerd, &of_mutex, &of_debt, &of_semaphore,
    &of_barrier, &of_all,  NULL,
};
