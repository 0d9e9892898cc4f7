/* SPDX-License-Identifier: MIT */
/* Killed in a mutex: alone, before others, among others, woken, overtaken, reserved for, leaving.
 */
#include <unistd.h>

#include "lab.h"
#include "os/os.h"
#include "scenarios.h"

#define NAME "m"

struct plan {
    sync_mutex_options options;
    unsigned depth;     /* the victim holds it so deep before its operation */
    bool holder;        /* actor 0 holds it instead */
    unsigned waiters;   /* come and sleep: before a holding victim's operation, or behind a waiting
                           victim */
    bool waiters_first; /* before a waiting victim */
    bool elder;         /* the first of them only: the others come behind it */
    bool barger;        /* the holder takes it again while the woken victim is on its way */
    bool candidate;     /* wait until a sleeper has asked for a reservation */
    bool dead_owner;    /* actor 0 dies in it first */
    bool leaves;        /* the victim's time is over before it is let go on */
    sync_timeout timeout; /* of the victim; 0: patience */
};

static const struct plan *plan_of(struct crash_case *c)
{
    return c->scenario->argument;
}

static sync_mutex *mutex;

static void open_it(struct crash_case *c)
{
    lab_must(c, "open", sync_mutex_open(lab_connect(c), NAME, &plan_of(c)->options, &mutex));
}

/* Poisoned is an answer, not a failure: under that policy whoever comes late is told so. */
static int acquire(struct crash_case *c)
{
    int rc = sync_mutex_acquire(mutex, LAB_PATIENCE);
    if (rc == SYNC_ENOTRECOVERABLE && plan_of(c)->options.on_owner_death == SYNC_DEATH_POISON) {
        return rc;
    }
    lab_must(c, "acquire", rc);
    if (rc == SYNC_OWNER_DIED && plan_of(c)->options.on_owner_death == SYNC_DEATH_POISON) {
        lab_must(c, "consistent", sync_mutex_consistent(mutex));
    }
    /* Exclusion, by a cell of the harness: whoever finds it taken has company. */
    _Atomic uint64_t *inside = (_Atomic uint64_t *)&c->control->word[0];
    uint64_t other = atomic_exchange(inside, (uint64_t)getpid());
    if (other != 0) {
        actor_fail(c, "acquired while process %llu is inside", (unsigned long long)other);
    }
    return rc;
}

static int release(struct crash_case *c, int acquired)
{
    if (SYNC_FAILED(acquired)) {
        return acquired;
    }
    atomic_store((_Atomic uint64_t *)&c->control->word[0], 0);
    return lab_must(c, "release", sync_mutex_release(mutex));
}

static void pair(struct crash_case *c)
{
    int rc;
    open_it(c);
    ACTOR_DO(c, rc = acquire(c));
    ACTOR_DO(c, release(c, rc));
}

static int release_and_acquire(struct crash_case *c, int *rc)
{
    release(c, *rc);
    return *rc = acquire(c);
}

static void barge(struct crash_case *c)
{
    int rc;
    open_it(c);
    ACTOR_DO(c, rc = acquire(c));
    ACTOR_DO(c, release_and_acquire(c, &rc));
    ACTOR_DO(c, release(c, rc));
}

/* Comes after everything, as somebody who knew nothing of it. */
static void newcomer(struct crash_case *c)
{
    int rc;
    actor_begin(c);
    open_it(c);
    rc = acquire(c);
    release(c, rc);
    actor_end(c, rc);
}

static void die_holding(struct crash_case *c)
{
    open_it(c);
    ACTOR_DO(c, sync_mutex_acquire(mutex, LAB_PATIENCE));
    actor_begin(c);
    _exit(0);
}

static unsigned first_waiter(struct crash_case *c)
{
    return plan_of(c)->holder || plan_of(c)->dead_owner;
}

static bool sleep_in_turn(struct crash_case *c, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        actor_permit(c, first_waiter(c) + i, 1);
        if (!actor_until_asleep(c, first_waiter(c) + i)) {
            return false;
        }
    }
    return true;
}

/* Of the waiters, how many come before a waiting victim. */
static unsigned elders(struct crash_case *c)
{
    return plan_of(c)->waiters_first ? plan_of(c)->waiters : plan_of(c)->elder;
}

static bool waiters_sleep(struct crash_case *c)
{
    return sleep_in_turn(c, elders(c), plan_of(c)->waiters);
}

static bool build(struct crash_case *c)
{
    const struct plan *plan = plan_of(c);
    if (plan->holder && actor_start(c, plan->barger ? barge : pair) < 0) {
        return false;
    }
    if (plan->dead_owner) {
        /* It exits while it holds, and counts as an actor that has gone on to its end. */
        if (actor_start(c, die_holding) < 0) {
            return false;
        }
        actor_permit(c, 0, 1);
        if (!actor_until_done(c, 0, 1)) {
            return false;
        }
    }
    for (unsigned i = 0; i < plan->waiters; i++) {
        if (actor_start(c, pair) < 0) {
            return false;
        }
    }
    if (actor_start(c, newcomer) < 0) {
        return false;
    }
    if (plan->holder) {
        actor_permit(c, 0, 1);
        if (!actor_until_done(c, 0, 1)) {
            return false;
        }
        if (!sleep_in_turn(c, 0, elders(c))) {
            return false;
        }
    }
    return true;
}

/* A sleeper asks for a reservation when it looks again after a millisecond; a wake for nothing, as
 * any sleeper must expect, makes it look. */
static bool has_candidate(struct crash_case *c)
{
    struct sy_hot *hot = lab_hot(c, NAME);
    if (hot != NULL && sy_load(&hot->u.mutex.candidate) != 0) {
        return true;
    }
    if (hot != NULL) {
        sy_futex_wake(&hot->word, CRASH_ACTORS);
    }
    return false;
}

static void prepare(struct crash_case *c)
{
    open_it(c);
    for (unsigned i = 0; i < plan_of(c)->depth; i++) {
        lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE));
    }
}

static bool arrange(struct crash_case *c)
{
    const struct plan *plan = plan_of(c);
    if (plan->depth > 0 && !waiters_sleep(c)) {
        return false;
    }
    if (plan->dead_owner) {
        actor_permit(c, 0, 1);
        for (unsigned look = 0; !c->actor[0].ended; look++) {
            actor_reap(c);
            usleep(20);
        }
    }
    return plan->depth == 0 || !plan->candidate || lab_until(c, has_candidate, "a candidate");
}

/* The victim has been woken and is held. Whoever was woken with it has taken the mutex, or sleeps
 * again: so it goes each time, whether the victim is stepped or runs. */
static bool others_settle(struct crash_case *c)
{
    for (unsigned i = elders(c); i < plan_of(c)->waiters; i++) {
        if (!actor_until_done_or_asleep(c, first_waiter(c) + i, 1)) {
            return false;
        }
    }
    return true;
}

static bool holder_releases(struct crash_case *c)
{
    const struct plan *plan = plan_of(c);
    actor_permit(c, 0, 1);
    if (plan->barger) {
        return actor_until_done_or_asleep(c, 0, 2);
    }
    return actor_until_done(c, 0, 2) && others_settle(c);
}

static enum crash_nudge asleep(struct crash_case *c, unsigned nth)
{
    const struct plan *plan = plan_of(c);
    if (!plan->holder) {
        return CRASH_PATIENCE;
    }
    if (plan->timeout != 0 && !plan->leaves) {
        return CRASH_NUDGED;
    }
    if (nth == 0) {
        if (!waiters_sleep(c)) {
            return CRASH_ASLEEP;
        }
        /* It looks again by itself before it asks for a reservation. */
        if (plan->candidate && !has_candidate(c)) {
            return CRASH_PATIENCE;
        }
        if (!plan->candidate) {
            sy_put(&lab_hot(c, NAME)->u.mutex.candidate, 0); /* stepped, it has waited for long */
        }
        if (!holder_releases(c)) {
            return CRASH_ASLEEP;
        }
        for (unsigned i = 0; plan->waiters_first && i < plan->waiters; i++) {
            actor_permit(c, first_waiter(c) + i, 1);
        }
        if (plan->leaves) {
            usleep(LAB_SHORT / 1000);
        }
        return CRASH_NUDGED;
    }
    /* Overtaken, or not yet the one for whom it is reserved: they release, and its turn comes. */
    for (unsigned i = 0; nth == 1 && i < first_waiter(c) + plan->waiters; i++) {
        actor_permit(c, i, 1);
    }
    return CRASH_NUDGED;
}

static void operate_acquire(struct crash_case *c)
{
    int rc = sync_mutex_acquire(mutex,
                                plan_of(c)->timeout != 0 ? plan_of(c)->timeout : LAB_PATIENCE);
    (void)rc;
}

static void operate_release(struct crash_case *c)
{
    (void)c;
    sync_mutex_release(mutex);
}

static void operate_releases(struct crash_case *c)
{
    for (unsigned i = 0; i < plan_of(c)->depth; i++) {
        sync_mutex_release(mutex);
    }
}

static void operate_consistent(struct crash_case *c)
{
    operate_acquire(c);
    sync_mutex_consistent(mutex);
    sync_mutex_release(mutex);
}

static void operate_pair(struct crash_case *c)
{
    operate_acquire(c);
    sync_mutex_release(mutex);
}

static void operate_close(struct crash_case *c)
{
    (void)c;
    sync_mutex_close(mutex);
}

static const char *check(struct crash_case *c)
{
    struct sy_hot *hot = lab_hot(c, NAME);
    if (hot == NULL) {
        return "the mutex is gone";
    }
    uint32_t word = sy_load(&hot->word) & (SY_OWNER | SY_R);
    if (word != 0 && word != SY_POISONED) {
        return "all have released, but it is not free";
    }
    if (word == SY_POISONED && plan_of(c)->options.on_owner_death != SYNC_DEATH_POISON) {
        return "poisoned without the policy";
    }
    return NULL;
}

#define MUTEX(variable_, name_, points_, operate_, ...)                                            \
    static const struct crash_scenario variable_ = {                                               \
        .name = "mutex " name_,                                                                    \
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
        .argument = &(const struct plan){__VA_ARGS__},                                             \
    }

MUTEX(acquire_free, "acquire, free", CRASH_EVERY, operate_acquire, .depth = 0);
MUTEX(acquire_again, "acquire, recursive", CRASH_EVERY, operate_acquire, .depth = 1, .waiters = 1);
MUTEX(release_alone, "release, nobody waits", CRASH_EVERY, operate_release, .depth = 1);
MUTEX(release_one, "release, one waits", CRASH_EVERY, operate_release, .depth = 1, .waiters = 1);
MUTEX(release_two, "release, two wait", CRASH_EVERY, operate_release, .depth = 1, .waiters = 2);
MUTEX(release_deep, "release from depth 3, one waits", CRASH_STORES, operate_releases, .depth = 3,
      .waiters = 1);
MUTEX(release_candidate, "release, hand-off to the first of two", CRASH_EVERY, operate_release,
      .depth = 1, .waiters = 2, .candidate = true);
MUTEX(release_fifo, "release, fifo, two wait", CRASH_EVERY, operate_release, .options = {.fifo = 1},
      .depth = 1, .waiters = 2);
MUTEX(wait_alone, "acquire, woken", CRASH_EVERY, operate_acquire, .holder = true);
MUTEX(wait_first, "acquire, woken, one behind it", CRASH_EVERY, operate_acquire, .holder = true,
      .waiters = 1);
MUTEX(wait_last, "acquire, last of three", CRASH_EVERY, operate_acquire, .holder = true,
      .waiters = 2, .waiters_first = true);
MUTEX(wait_barged, "acquire, woken and overtaken, two behind it", CRASH_EVERY, operate_acquire,
      .holder = true, .waiters = 2, .barger = true);
MUTEX(wait_candidate, "acquire, reserved for it, one behind it", CRASH_EVERY, operate_acquire,
      .holder = true, .waiters = 1, .candidate = true);
MUTEX(wait_fifo, "acquire, fifo, one behind it", CRASH_EVERY, operate_acquire,
      .options = {.fifo = 1}, .holder = true, .waiters = 1);
MUTEX(wait_fifo_second, "acquire, fifo, one before and one behind it", CRASH_EVERY, operate_acquire,
      .options = {.fifo = 1}, .holder = true, .waiters = 2, .elder = true);
MUTEX(wait_pair, "acquire and release, woken", CRASH_STORES, operate_pair, .holder = true);
MUTEX(wait_pair_fifo, "acquire and release, fifo, two behind it", CRASH_STORES, operate_pair,
      .options = {.fifo = 1}, .holder = true, .waiters = 2);
MUTEX(time_over, "acquire, time over, one behind it", CRASH_STORES_SLOWLY, operate_acquire,
      .holder = true, .waiters = 1, .waiters_first = true, .timeout = LAB_SHORT);
MUTEX(time_over_woken, "acquire, woken, overtaken, time over", CRASH_STORES_SLOWLY, operate_acquire,
      .holder = true, .waiters = 1, .barger = true, .leaves = true, .timeout = LAB_SHORT);
MUTEX(after_death, "acquire after a death", CRASH_EVERY, operate_acquire, .dead_owner = true);
MUTEX(after_death_poison, "acquire after a death, consistent", CRASH_STORES, operate_consistent,
      .options = {.on_owner_death = SYNC_DEATH_POISON}, .dead_owner = true);
MUTEX(after_death_poisoned, "acquire after a death, not consistent", CRASH_STORES, operate_pair,
      .options = {.on_owner_death = SYNC_DEATH_POISON}, .dead_owner = true);
MUTEX(handle_pair, "acquire and release by a handle", CRASH_EVERY, operate_pair,
      .options = {.owner = SYNC_OWNER_HANDLE});
MUTEX(handle_release, "release by a handle, two wait", CRASH_EVERY, operate_release,
      .options = {.owner = SYNC_OWNER_HANDLE}, .depth = 1, .waiters = 2);
MUTEX(handle_wait, "acquire by a handle, woken, one behind it", CRASH_EVERY, operate_acquire,
      .options = {.owner = SYNC_OWNER_HANDLE}, .holder = true, .waiters = 1);
MUTEX(close_held, "close while held, one waits", CRASH_STORES, operate_close, .depth = 1,
      .waiters = 1);

const struct crash_scenario *const crash_mutex[] = {
    &acquire_free,
    &acquire_again,
    &release_alone,
    &release_one,
    &release_two,
    &release_deep,
    &release_candidate,
    &release_fifo,
    &wait_alone,
    &wait_first,
    &wait_last,
    &wait_barged,
    &wait_candidate,
    &wait_fifo,
    &wait_fifo_second,
    &wait_pair,
    &wait_pair_fifo,
    &time_over,
    &time_over_woken,
    &after_death,
    &after_death_poison,
    &after_death_poisoned,
    &handle_pair,
    &handle_release,
    &handle_wait,
    &close_held,
    NULL,
};
