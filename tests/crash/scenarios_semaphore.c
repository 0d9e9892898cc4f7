/* SPDX-License-Identifier: MIT */
/* Killed in a semaphore: its permits return if they are tracked, and whoever waits for permits that
 * are there goes on. */
#include <unistd.h>

#include "lab.h"
#include "scenarios.h"

#define NAME "s"

struct plan {
    sync_semaphore_options options;
    uint32_t takes;   /* permits of the victim at a time; 0: 1 */
    uint32_t holds;   /* permits the victim has taken before its operation */
    uint32_t holder;  /* permits of actor 0 */
    unsigned waiters; /* come and sleep: before a holding victim's operation, or behind a waiting
                         victim */
    uint32_t wants;   /* permits of each waiter; 0: 1 */
    bool leaves;      /* the victim's time is over before it is let go on */
    sync_timeout timeout;
};

static const struct plan *plan_of(struct crash_case *c)
{
    return c->scenario->argument;
}

static sync_semaphore *semaphore;

static void open_it(struct crash_case *c)
{
    lab_must(c, "open",
             sync_semaphore_open(lab_connect(c), NAME, &plan_of(c)->options, &semaphore));
}

static void hold(struct crash_case *c)
{
    open_it(c);
    ACTOR_DO(c, lab_must(c, "acquire",
                         sync_semaphore_acquire_many(semaphore, plan_of(c)->holder, LAB_PATIENCE)));
    ACTOR_DO(c, lab_must(c, "release", sync_semaphore_release(semaphore, plan_of(c)->holder)));
}

static void wait_for_it(struct crash_case *c)
{
    uint32_t wants = plan_of(c)->wants == 0 ? 1 : plan_of(c)->wants;
    open_it(c);
    ACTOR_DO(c,
             lab_must(c, "acquire", sync_semaphore_acquire_many(semaphore, wants, LAB_PATIENCE)));
    ACTOR_DO(c, lab_must(c, "release", sync_semaphore_release(semaphore, wants)));
}

/* Gives back what an untracked semaphore has lost by the dead. */
static void giver(struct crash_case *c)
{
    open_it(c);
    actor_begin(c);
    uint32_t value = 0;
    lab_must(c, "value", sync_semaphore_value(semaphore, &value));
    if (value < plan_of(c)->options.initial) {
        lab_must(c, "give", sync_semaphore_release(semaphore, plan_of(c)->options.initial - value));
    }
    actor_end(c, 0);
}

/* Takes all there are: those of the dead among them. */
static void newcomer(struct crash_case *c)
{
    uint32_t all = plan_of(c)->options.initial;
    actor_begin(c);
    open_it(c);
    lab_must(c, "acquire", sync_semaphore_acquire_many(semaphore, all, LAB_PATIENCE));
    actor_end(c, lab_must(c, "release", sync_semaphore_release(semaphore, all)));
}

static unsigned first_waiter(struct crash_case *c)
{
    return plan_of(c)->holder > 0;
}

static bool waiters_sleep(struct crash_case *c)
{
    for (unsigned i = 0; i < plan_of(c)->waiters; i++) {
        actor_permit(c, first_waiter(c) + i, 1);
        if (!actor_until_asleep(c, first_waiter(c) + i)) {
            return false;
        }
    }
    return true;
}

static bool build(struct crash_case *c)
{
    const struct plan *plan = plan_of(c);
    if (plan->holder > 0 && actor_start(c, hold) < 0) {
        return false;
    }
    for (unsigned i = 0; i < plan->waiters; i++) {
        if (actor_start(c, wait_for_it) < 0) {
            return false;
        }
    }
    if ((plan->options.untracked && actor_start(c, giver) < 0) || actor_start(c, newcomer) < 0) {
        return false;
    }
    if (plan->holder == 0) {
        return true;
    }
    actor_permit(c, 0, 1);
    return actor_until_done(c, 0, 1);
}

static uint32_t takes(struct crash_case *c)
{
    return plan_of(c)->takes == 0 ? 1 : plan_of(c)->takes;
}

static void prepare(struct crash_case *c)
{
    open_it(c);
    if (plan_of(c)->holds > 0) {
        lab_must(c, "acquire",
                 sync_semaphore_acquire_many(semaphore, plan_of(c)->holds, LAB_PATIENCE));
    }
}

static bool arrange(struct crash_case *c)
{
    return plan_of(c)->holds == 0 || waiters_sleep(c);
}

static enum crash_nudge asleep(struct crash_case *c, unsigned nth)
{
    const struct plan *plan = plan_of(c);
    if (plan->holder == 0) {
        return CRASH_PATIENCE;
    }
    if (plan->timeout != 0 && !plan->leaves) {
        return nth == 0 && !waiters_sleep(c) ? CRASH_ASLEEP : CRASH_NUDGED;
    }
    if (nth == 0) {
        if (!waiters_sleep(c)) {
            return CRASH_ASLEEP;
        }
        actor_permit(c, 0, 1);
        if (!actor_until_done(c, 0, 2)) {
            return CRASH_ASLEEP;
        }
        /* Whoever was woken with it has what it wanted, or sleeps again. */
        for (unsigned i = 0; i < plan->waiters; i++) {
            if (!actor_until_done_or_asleep(c, first_waiter(c) + i, 1)) {
                return CRASH_ASLEEP;
            }
        }
        if (plan->leaves) {
            usleep(LAB_SHORT / 1000);
        }
    }
    /* Overtaken: they give back, and its turn comes. */
    for (unsigned i = 0; nth == 1 && i < plan->waiters; i++) {
        actor_permit(c, first_waiter(c) + i, 1);
    }
    return CRASH_NUDGED;
}

static unsigned the_giver(struct crash_case *c)
{
    return first_waiter(c) + plan_of(c)->waiters;
}

static void aftermath(struct crash_case *c)
{
    for (unsigned i = 0; i < the_giver(c); i++) {
        actor_permit(c, i, CRASH_RESULTS);
    }
}

/* What the dead had of an untracked semaphore is lost, until somebody gives as much. */
static bool relief(struct crash_case *c)
{
    if (!plan_of(c)->options.untracked || c->actor[the_giver(c)].ended) {
        return false;
    }
    actor_permit(c, the_giver(c), 1);
    return true;
}

static void operate_acquire(struct crash_case *c)
{
    int rc = sync_semaphore_acquire_many(
        semaphore, takes(c), plan_of(c)->timeout != 0 ? plan_of(c)->timeout : LAB_PATIENCE);
    (void)rc;
}

static void operate_release(struct crash_case *c)
{
    sync_semaphore_release(semaphore, takes(c));
}

static void operate_pair(struct crash_case *c)
{
    operate_acquire(c);
    operate_release(c);
}

static void operate_close(struct crash_case *c)
{
    (void)c;
    sync_semaphore_close(semaphore);
}

/* The newcomer had them all: none are lost. */
static const char *check(struct crash_case *c)
{
    struct sy_hot *hot = lab_hot(c, NAME);
    if (hot == NULL) {
        return "the semaphore is gone";
    }
    uint32_t available = sy_load(&hot->word) & 0x3fffffff;
    return available == plan_of(c)->options.initial ? NULL
                                                    : "there are other permits than at first";
}

#define SEMAPHORE(variable_, name_, points_, operate_, ...)                                        \
    static const struct crash_scenario variable_ = {                                               \
        .name = "semaphore " name_,                                                                \
        .world = &lab_world,                                                                       \
        .newcomer = true,                                                                          \
        .points = points_,                                                                         \
        .modes = ALL_MODES,                                                                        \
        .build = build,                                                                            \
        .prepare = prepare,                                                                        \
        .arrange = arrange,                                                                        \
        .operate = operate_,                                                                       \
        .asleep = asleep,                                                                          \
        .check = check,                                                                            \
        .aftermath = aftermath,                                                                    \
        .relief = relief,                                                                          \
        .argument = &(const struct plan){__VA_ARGS__},                                             \
    }
#define TRACKED(initial_) .options = {.initial = initial_, .maximum = initial_}
#define UNTRACKED(initial_) .options = {.initial = initial_, .maximum = initial_, .untracked = 1}

SEMAPHORE(acquire_free, "acquire, free", CRASH_EVERY, operate_acquire, TRACKED(2));
SEMAPHORE(acquire_free_untracked, "untracked, acquire, free", CRASH_EVERY, operate_acquire,
          UNTRACKED(2));
SEMAPHORE(release_alone, "release, nobody waits", CRASH_EVERY, operate_release, TRACKED(1),
          .holds = 1);
SEMAPHORE(release_one, "release, one waits", CRASH_EVERY, operate_release, TRACKED(1), .holds = 1,
          .waiters = 1);
SEMAPHORE(release_two, "release of two, two wait", CRASH_EVERY, operate_release, TRACKED(2),
          .holds = 2, .takes = 2, .waiters = 2);
SEMAPHORE(release_for_two, "release of two, one waits for two", CRASH_EVERY, operate_release,
          TRACKED(2), .holds = 2, .takes = 2, .waiters = 1, .wants = 2);
SEMAPHORE(release_part, "release of one of two, one waits for two", CRASH_STORES, operate_release,
          TRACKED(2), .holds = 2, .waiters = 1, .wants = 2);
SEMAPHORE(wait_first, "acquire, woken, one behind it", CRASH_EVERY, operate_acquire, TRACKED(1),
          .holder = 1, .waiters = 1);
SEMAPHORE(wait_two, "acquire of two, woken, two behind it", CRASH_EVERY, operate_acquire,
          TRACKED(2), .holder = 2, .takes = 2, .waiters = 2);
SEMAPHORE(wait_pair, "acquire and release, woken, two behind it", CRASH_STORES, operate_pair,
          TRACKED(1), .holder = 1, .waiters = 2);
SEMAPHORE(untracked_release, "untracked, release, one waits", CRASH_EVERY, operate_release,
          UNTRACKED(3), .holds = 3, .takes = 3, .waiters = 1);
SEMAPHORE(untracked_wait, "untracked, acquire, woken, one behind it", CRASH_EVERY, operate_acquire,
          UNTRACKED(3), .holder = 3, .waiters = 1);
SEMAPHORE(time_over, "acquire, time over, one behind it", CRASH_STORES_SLOWLY, operate_acquire,
          TRACKED(1), .holder = 1, .waiters = 1, .timeout = LAB_SHORT);
SEMAPHORE(time_over_woken, "acquire, woken when time is over, one behind it", CRASH_STORES_SLOWLY,
          operate_acquire, TRACKED(1), .holder = 1, .waiters = 1, .leaves = true,
          .timeout = LAB_SHORT);
SEMAPHORE(close_holding, "close while holding, one waits", CRASH_STORES, operate_close, TRACKED(1),
          .holds = 1, .waiters = 1);

const struct crash_scenario *const crash_semaphore[] = {
    &acquire_free,      &acquire_free_untracked,
    &release_alone,     &release_one,
    &release_two,       &release_for_two,
    &release_part,      &wait_first,
    &wait_two,          &wait_pair,
    &untracked_release, &untracked_wait,
    &time_over,         &time_over_woken,
    &close_holding,     NULL,
};
