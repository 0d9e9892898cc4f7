/* SPDX-License-Identifier: MIT */
/* Sleeping. Every sleep ends by a wake, at the deadline, or when it is time to look again: once a
 * second, and every 50 ms while the manager does not beat. */
#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "base/error.h"
#include "direct/direct.h"
#include "os/fault.h"

#define RECHECK 1000000000ll     /* ns */
#define RECHECK_STALE 50000000ll /* ns */
#define TRY_GUARD 20000ll        /* ns a mere try spins for a guard */
#define SPINS_MOST 600           /* pauses */
#define SPINS_LEAST 4
#define BURST_MOST 16
#define PATIENCE_MOST 128
#define YIELDS 2
#define VAIN_MOST 15

static sy_word cpus = 1;

void sy_wait_prepare(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    sy_put(&cpus, count > 1 ? (uint32_t)count : 1);
}

/* Until the word changes, or the budget is gone. A spin that was in vain took the CPU from somebody
 * who may be the one waited for: the next one is shorter. `turns` counts ownerships, where there
 * are any: where many went by during a spin the sections are short, and to let more of them go by
 * before the first look is cheaper than to take the line away in the middle of each. */
static void spin(sy_word *word, uint32_t value, sy_dword *turns)
{
    uint32_t left = sy_self.spins ? sy_self.spins : SPINS_MOST / 4;
    sy_self.spins = left;
    uint64_t before = turns ? sy_get(turns) : 0;
    uint32_t burst = turns && sy_self.patience ? sy_self.patience : 1;
    for (; left && sy_get(word) == value; burst += burst < BURST_MOST) {
        for (uint32_t i = 0; i < burst && left; i++, left--) {
            sy_pause();
        }
    }
    if (turns && sy_get(turns) - before > 2) {
        sy_self.patience += sy_self.patience < PATIENCE_MOST ? sy_self.patience + 1 : 0;
    } else if (turns) {
        sy_self.patience /= 2;
    }
    sy_self.spins = left ? sy_self.spins * 2 : sy_self.spins / 4 * 3;
    if (sy_self.spins > SPINS_MOST) {
        sy_self.spins = SPINS_MOST;
    } else if (sy_self.spins < SPINS_LEAST) {
        sy_self.spins = SPINS_LEAST;
    }
}

/* Those awaited are more than there are CPUs: to let them have this one is what brings the change
 * about, and saves a sleep and a wake. Where it was in vain it is left out the next few times. */
static void yield(sy_word *word, uint32_t value)
{
    if (sy_self.left_out < sy_self.vain) {
        sy_self.left_out++;
        return;
    }
    for (int i = 0; i < YIELDS && sy_get(word) == value; i++) {
        sched_yield();
    }
    sy_self.left_out = 0;
    sy_self.vain = sy_get(word) != value ? 0 : sy_self.vain * 2 + 1;
    if (sy_self.vain > VAIN_MOST) {
        sy_self.vain = VAIN_MOST;
    }
}

static void linger(const struct sy_wait *wait, sy_dword *turns)
{
    if (sy_switches.spin_off) {
        return;
    }
    if (wait->crowd > sy_get(&cpus)) {
        yield(wait->word, wait->value);
    } else if (sy_get(&cpus) > 1) {
        spin(wait->word, wait->value, turns);
    }
}

/* ---- the waiting record ---- */

static void publish(struct sy_call *call)
{
    struct sy_executor *executor = call->actor.executor;
    if (executor) {
        struct sy_waiting *waiting = &executor->waiting;
        sy_put(&waiting->principal, call->principal);
        sy_put(&waiting->ticket, (uint64_t)call->began);
        sy_put(&waiting->deadline, (uint64_t)call->deadline);
        sy_put(&waiting->detail, call->detail);
        sy_put(&waiting->records[0], call->record + 1);
        sy_put(&waiting->generations[0], call->generation);
        sy_store_sc(&waiting->count, 1);
    }
    call->published = true;
}

static void withdraw(struct sy_call *call)
{
    if (call->published && call->actor.executor) {
        sy_store(&call->actor.executor->waiting.count, 0);
    }
    call->published = false;
}

/* Who watches somebody also sleeps on its park word; who does not sleeps on the record's word
 * alone, by the cheaper call. */
void sy_rouse(struct sy_segment *segment, struct sy_executor *executor)
{
    atomic_fetch_add(&executor->park, 1);
    sy_futex_wake(&executor->park, 1);
    uint32_t record = sy_load(&executor->waiting.count) ? sy_get(&executor->waiting.records[0]) : 0;
    struct sy_hot *hot = record ? sy_hot_at(segment, record - 1) : NULL;
    const struct sy_kind *kind = hot ? sy_kind_of(sy_hot_kind(hot)) : NULL;
    if (kind) {
        kind->wake_all(hot);
    }
}

/* ---- one sleep ---- */

static int sleep_once(struct sy_attachment *attachment, struct sy_call *call,
                      const struct sy_wait *wait, uint32_t park, int64_t now, bool interruptible)
{
    struct sy_segment *segment = attachment->segment;
    struct sy_wait_word words[SY_WAIT_WORDS];
    size_t count = 0;
    int64_t limit = wait->until < call->deadline ? wait->until : call->deadline;
    if (!sy_switches.recheck_off) {
        int64_t recheck = sy_manager_stale(segment, now) ? RECHECK_STALE : RECHECK;
        int64_t soon = now + recheck;
        limit = soon < limit ? soon : limit;
    }
    if (wait->word) {
        words[count++] = (struct sy_wait_word){wait->word, wait->value};
    }
    if (wait->watch && sy_owner_life(segment, wait->watch, &words[count])) {
        count++;
    } else if (wait->watch && sy_owner_dead(segment, wait->watch, false)) {
        return -EOWNERDEAD; /* since the step looked */
    }
    if (call->actor.executor && (wait->watch || !count)) {
        words[count++] = (struct sy_wait_word){&call->actor.executor->park, park};
    }
    if (!count) {
        return 0;
    }
    call->actor.slept = true;
    if (interruptible && count > 1) {
        /* futex_waitv goes on by itself after a handler with SA_RESTART; a wait on one word does
         * not. */
        count = 1;
        limit = now + RECHECK_STALE < limit ? now + RECHECK_STALE : limit;
    }
    return sy_futex_wait(words, count, limit);
}

static int look_for_cycle(struct sy_call *call, const struct sy_kind *kind, struct sy_cycle *cycle)
{
    cycle->count = 0;
    return kind->number == SYNC_KIND_MUTEX && call->actor.executor &&
           sy_deadlock_find(call->segment, call->actor.executor, cycle, false);
}

/* A mere try may meet a guard for the instant its owner needs; one that is stopped there is told.
 */
static bool try_goes_on(const struct sy_wait *wait, int64_t *give_up)
{
    if (!wait->guard) {
        return false;
    }
    if (!*give_up) {
        *give_up = sy_now() + TRY_GUARD;
    }
    sy_pause();
    return sy_now() < *give_up;
}

static int finish(struct sy_call *call, int rc)
{
    withdraw(call);
    if (call->actor.slept) {
        atomic_fetch_add_explicit(&call->cold->contended, 1, memory_order_relaxed);
    }
    return rc;
}

/* The wake that a sleeper on a guard was given belongs to the guard. */
static void pass_guard_on(struct sy_call *call, bool *slept_on_guard)
{
    if (*slept_on_guard) {
        sy_futex_wake(&call->hot->guard, 1);
        *slept_on_guard = false;
    }
}

static int give_up(struct sy_call *call, const struct sy_kind *kind, int rc,
                   const struct sy_cycle *cycle)
{
    rc = kind->leave(call, rc);
    if (rc < 0) {
        sy_report(call, kind, rc, cycle);
    }
    return finish(call, rc);
}

static void note_slow(struct sy_call *call)
{
    int64_t waited = call->actor.slept ? sy_now_coarse() - call->began : 0;
    if (waited > RECHECK) {
        sy_ring_add(call->segment, &(struct sy_ring_event){.type = SY_EVENT_SLOW,
                                                           .record = call->record,
                                                           .generation = call->generation,
                                                           .principal = call->principal,
                                                           .value = (uint64_t)waited});
    }
}

int sy_wait_for(struct sy_attachment *attachment, const struct sy_kind *kind, struct sy_call *call,
                bool interruptible)
{
    uint32_t interrupts = sy_get(&attachment->interrupts);
    struct sy_cycle cycle = {0};
    struct sy_wait wait;
    int64_t guard_limit = 0;
    bool slept_on_guard = false, woken = false;
    int64_t now = call->began; /* read again only when we wait again after a sleep */
    for (;;) {
        uint32_t park = call->actor.executor ? sy_load(&call->actor.executor->park) : 0;
        int rc = kind->step(call, &wait);
        if (rc == SY_WAIT && woken) {
            now = sy_now();
            woken = false;
        }
        if (rc != SY_WAIT || !wait.guard || now >= call->deadline) {
            pass_guard_on(call, &slept_on_guard);
        }
        if (rc != SY_WAIT) {
            if (rc < 0 && rc != SY_SUPERSEDED) {
                if (call->published) {
                    kind->leave(call, rc);
                }
                sy_report(call, kind, rc, NULL);
            } else {
                note_slow(call);
            }
            return finish(call, rc);
        }
        if (now >= call->deadline) {
            if (call->published || !try_goes_on(&wait, &guard_limit)) {
                bool guard = wait.guard && !call->published;
                /* Who only ever tries, or waits for less than a look takes, looks now and then. */
                if (sy_keep_up(attachment, now)) {
                    sy_recover_record(&call->actor, call->record, true);
                }
                return give_up(call, kind, guard ? SYNC_EBUSY : SYNC_ETIMEDOUT, NULL);
            }
            continue;
        }
        if (sy_get(&attachment->interrupts) != interrupts) {
            return give_up(call, kind, SYNC_EINTR, NULL);
        }
        if (!call->lingered && wait.word) {
            call->lingered = true;
            linger(&wait, kind->turns ? kind->turns(call->hot) : NULL);
            continue;
        }
        if (!call->published) {
            publish(call);
            if (sy_keep_up(attachment, now)) {
                sy_recover_record(&call->actor, call->record, true);
            }
            continue;
        }
        if (sy_get(&call->segment->header->state) == SY_STATE_ORPHANED) {
            return give_up(call, kind, SYNC_EORPHANED, NULL);
        }
        if (look_for_cycle(call, kind, &cycle)) {
            return give_up(call, kind, SYNC_EDEADLK, &cycle);
        }
        int slept = sleep_once(attachment, call, &wait, park, now, interruptible);
        slept_on_guard = wait.guard;
        woken = true;
        if (slept == -EINTR && interruptible) {
            return give_up(call, kind, SYNC_EINTR, NULL);
        }
        if (slept == -EOWNERDEAD) {
            sy_recover_record(&call->actor, call->record, false);
        } else if (slept == -ETIMEDOUT && sy_now() < call->deadline) {
            /* Time to look again, for ourselves and for the record. */
            sy_keep_up(attachment, sy_now());
            sy_recover_record(&call->actor, call->record, true);
        }
    }
}

int sy_wait_guard(struct sy_attachment *attachment, struct sy_call *call,
                  int (*step)(struct sy_call *, struct sy_wait *), const char *verb)
{
    struct sy_wait wait;
    bool slept_on_guard = false;
    call->lingered = true;
    for (;;) {
        uint32_t park = call->actor.executor ? sy_load(&call->actor.executor->park) : 0;
        int rc = step(call, &wait);
        if (rc != SY_WAIT) {
            return finish(call, rc);
        }
        if (sy_now() >= call->deadline) {
            pass_guard_on(call, &slept_on_guard);
            sync_principal holder;
            sy_describe_principal(call->segment, wait.watch, &holder);
            finish(call, 0);
            return sy_fail(SYNC_EBUSY,
                           "%.200s: %s: %s[%d] is inside this object and does not go on",
                           call->cold->name, verb, holder.label, holder.pid);
        }
        if (!call->published) {
            publish(call);
            continue;
        }
        int slept = sleep_once(attachment, call, &wait, park, sy_now(), false);
        slept_on_guard = wait.guard;
        if (slept == -ETIMEDOUT || slept == -EOWNERDEAD) {
            sy_recover_record(&call->actor, call->record, slept == -ETIMEDOUT);
        }
    }
}
