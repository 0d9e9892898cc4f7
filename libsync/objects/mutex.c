/* SPDX-License-Identifier: MIT */
/* The mutex. Its word is an owner word (shm/guard.h); the word's CAS is the commit of every
 * operation. Nobody becomes owner but by its own CAS: what a releaser hands on is a reservation,
 * which bars others for 5 ms and never longer, so a stopped waiter stops nobody. */
#include "objects/kind.h"
#include "os/fault.h"

#define RESERVATION 5000000 /* ns */
#define RESERVATION_FIFO                                                                           \
    50000000             /* ns: order matters more there than a heir that is slow to wake */
#define PATIENCE 1000000 /* ns of waiting, after which a waiter asks for a reservation */

static bool flagged(struct sy_hot *hot, uint32_t flag)
{
    return (sy_hot_flags(hot) & flag) != 0;
}

static struct sy_executor *executor_of(struct sy_segment *segment, uint32_t owner)
{
    uint32_t index = sy_owner_index(owner);
    return index < segment->threads ? sy_executor_at(segment, index) : NULL;
}

/* The candidate word names executors: it is their park words that are woken. */
static bool goes_before(struct sy_call *call, uint32_t candidate)
{
    struct sy_executor *other = executor_of(call->segment, candidate);
    return other && !sy_owner_dead(call->segment, candidate, false) &&
           sy_get(&other->waiting.count) && !sy_get(&other->waiting.detail) &&
           sy_get(&other->waiting.ticket) <= (uint64_t)call->began;
}

static void ask_for_reservation(struct sy_call *call, int64_t now)
{
    sy_word *candidate = &call->hot->u.mutex.candidate;
    uint32_t seen = sy_get(candidate);
    if (flagged(call->hot, SYNC_FLAG_FIFO) || now - call->began < PATIENCE) {
        return;
    }
    while (seen != call->actor.id && (seen == 0 || !goes_before(call, seen))) {
        if (sy_cas32(candidate, &seen, call->actor.id)) {
            break;
        }
    }
}

/* How many wait, as a hint that is never too low while they live: whoever counts himself in does so
 * before he looks at the word, so an owner that finds nobody is seen by all who come later. The
 * dead leave it too high, which costs a wake that wakes nobody. */
static sy_word *sleepers(struct sy_call *call)
{
    return &call->cold->number[0];
}

static void count_in(struct sy_call *call)
{
    if (!call->detail) {
        atomic_fetch_add(sleepers(call), 1);
        call->detail = 1;
    }
}

static void withdraw(struct sy_call *call)
{
    uint32_t me = call->actor.id;
    if (call->published && sy_get(&call->hot->u.mutex.candidate) == me) {
        sy_cas32(&call->hot->u.mutex.candidate, &me, 0);
    }
    if (call->detail) {
        atomic_fetch_sub(sleepers(call), 1);
        call->detail = 0;
    }
}

/* Read only while the word is FREE|W: a stale pair costs fairness, never exclusion. One who let a
 * reservation pass, as he is stopped, gets none until he has looked again: he costs the others one.
 */
static bool reserved_for_another(struct sy_call *call, int64_t now, int64_t *ret_until)
{
    uint32_t who = sy_get(&call->hot->u.mutex.reserved_for);
    int64_t until = (int64_t)sy_get(&call->hot->u.mutex.reserved_until);
    if (!who || who == call->actor.id || until > now + RESERVATION_FIFO ||
        sy_owner_dead(call->segment, who, false)) {
        return false;
    }
    if (until <= now) {
        struct sy_executor *late = executor_of(call->segment, who);
        if (late) {
            sy_put(&late->waiting.detail, 1);
        }
        return false;
    }
    *ret_until = until;
    return true;
}

bool sy_mutex_evicted(struct sy_hot *hot, uint32_t principal)
{
    return sy_mutex_broken(hot) && sy_load(&hot->u.mutex.evicted) == principal;
}

/* Does the caller still owe releases to the incarnation before this one? */
static bool owes_releases(struct sy_call *call)
{
    uint32_t previous = sy_get(&call->hot->u.mutex.previous);
    struct sy_hot *old = previous ? sy_hot_at(call->segment, previous - 1) : NULL;
    if (!previous) {
        return false;
    }
    if (old && sy_mutex_evicted(old, call->principal)) {
        return true;
    }
    /* By the word of the evicted alone: its depth may not be written yet. */
    uint32_t evicted = old ? sy_load(&old->u.mutex.evicted) : 0;
    if (!old || !sy_mutex_broken(old) || !evicted || sy_owner_dead(call->segment, evicted, false)) {
        sy_cas32(&call->hot->u.mutex.previous, &previous, 0);
    }
    return false;
}

/* The word was `seen` and is ours now. */
static int took(struct sy_call *call, uint32_t seen, bool dead)
{
    struct sy_hot *hot = call->hot;
    int64_t now = sy_now_coarse();
    sy_mutex_took(hot, call->principal, now);
    withdraw(call);
    if (!(seen & SY_R) && !dead) {
        return 0; /* the release that woke us woke another, who looks again and watches us */
    }
    /* Nobody released, so somebody must wake the heir. Those who watched the dead are woken when
     * its slot is cleared, which a manager that runs is about to do. */
    if ((!dead || sy_manager_stale(call->segment, now)) && sy_load_sc(sleepers(call))) {
        sy_futex_wake(&hot->word, 1);
    }
    call->died = seen & SY_OWNER;
    atomic_fetch_add_explicit(&call->cold->deaths, 1, memory_order_relaxed);
    sy_ring_add(call->segment, &(struct sy_ring_event){.type = SY_EVENT_TAKEN,
                                                       .record = call->record,
                                                       .generation = call->generation,
                                                       .principal = call->principal,
                                                       .other = call->died});
    if (flagged(hot, SYNC_FLAG_POISON)) {
        sy_put(&hot->u.mutex.depth, sy_get(&hot->u.mutex.depth) | SY_INCONSISTENT);
    }
    return flagged(hot, SYNC_FLAG_SILENT) ? 0 : SYNC_OWNER_DIED;
}

static int again(struct sy_call *call)
{
    struct sy_hot *hot = call->hot;
    if (flagged(hot, SYNC_FLAG_NON_RECURSIVE)) {
        return SYNC_EDEADLK;
    }
    withdraw(call);
    if (sy_mutex_depth_of(hot, call->principal) >= SY_DEPTH_MAX) {
        return SYNC_EDEPTH;
    }
    sy_put(&hot->u.mutex.depth, sy_get(&hot->u.mutex.depth) + 1);
    return 0;
}

static int mutex_step(struct sy_call *call, struct sy_wait *ret_wait)
{
    struct sy_hot *hot = call->hot;
    if (owes_releases(call)) {
        return SYNC_ELOST;
    }
    if (call->published) {
        count_in(call);
        sy_put(&call->actor.executor->waiting.detail, 0);
    }
    uint32_t seen = sy_load_sc(&hot->word);
    for (;;) {
        uint32_t owner = seen & SY_OWNER;
        if (sy_admits(seen)) {
            int64_t until;
            if (seen == SY_W && reserved_for_another(call, sy_now(), &until)) {
                /* Watched, as it may take the word and die before we look again. */
                *ret_wait = (struct sy_wait){.word = &hot->word,
                                             .value = seen,
                                             .watch = sy_get(&hot->u.mutex.reserved_for),
                                             .until = until};
                return SY_WAIT;
            }
            uint32_t keep = call->actor.slept ? SY_W : seen & SY_W;
            if (sy_cas32(&hot->word, &seen, call->principal | keep)) {
                return took(call, seen, false);
            }
        } else if (owner == call->principal) {
            if (sy_load(&hot->u.mutex.depth) >> 32 != owner) {
                /* A handle's: the other thread has the word, and its depth is about to be written.
                 */
                *ret_wait = (struct sy_wait){.until = sy_now() + 100000};
                return SY_WAIT;
            }
            return again(call);
        } else if (owner == SY_BROKEN) {
            withdraw(call);
            return sy_mutex_evicted(hot, call->principal) ? SYNC_ELOST : SY_SUPERSEDED;
        } else if (owner == SY_POISONED) {
            return SYNC_ENOTRECOVERABLE;
        } else if (sy_owner_dead(call->segment, owner, false)) {
            /* Taken over in one step: R is for those who only find the dead. */
            if (sy_cas32(&hot->word, &seen, call->principal | SY_W)) {
                return took(call, seen, true);
            }
        } else if (!call->published) {
            /* W and the candidate are for those who are about to sleep and have said so. */
            *ret_wait = (struct sy_wait){
                .word = &hot->word, .value = seen, .watch = owner, .until = INT64_MAX};
            return SY_WAIT;
        } else if ((seen & SY_W) || sy_cas32(&hot->word, &seen, seen | SY_W)) {
            ask_for_reservation(call, sy_now());
            *ret_wait = (struct sy_wait){
                .word = &hot->word, .value = seen | SY_W, .watch = owner, .until = INT64_MAX};
            return SY_WAIT;
        }
    }
}

/* Whoever has slept wakes one, whatever the word says: its W went with the release that woke us,
 * and others may sleep behind (tests/models/mutex.pml). */
static int mutex_leave(struct sy_call *call, int rc)
{
    uint32_t me = call->actor.id;
    withdraw(call);
    sy_cas32(&call->hot->u.mutex.reserved_for, &me, 0); /* it would bar others for nobody */
    if (call->actor.slept) {
        sy_futex_wake(&call->hot->word, 1);
    }
    return rc;
}

/* FIFO pays for its order: the releaser looks through all who wait. */
static uint32_t oldest_waiter(struct sy_call *call)
{
    uint32_t at = 0, id, oldest = 0;
    uint64_t ticket = UINT64_MAX;
    struct sy_executor *executor;
    while ((executor = sy_next_waiter(call->segment, call->record, call->generation, &at, &id))) {
        if (!sy_get(&executor->waiting.detail) && sy_get(&executor->waiting.ticket) < ticket) {
            ticket = sy_get(&executor->waiting.ticket);
            oldest = id;
        }
    }
    return oldest;
}

/* By the last release of an owner that others wait for. With a reservation the word stays FREE|W,
 * which no fast path takes; without, it is free to whoever comes first, as in sy_owner_hand_back.
 */
static int release_to_waiters(struct sy_call *call)
{
    struct sy_hot *hot = call->hot;
    uint32_t mine = call->principal | SY_W;
    uint32_t heir = flagged(hot, SYNC_FLAG_FIFO) ? oldest_waiter(call)
                                                 : sy_get(&hot->u.mutex.candidate);
    struct sy_executor *executor = heir ? executor_of(call->segment, heir) : NULL;
    if (executor && !sy_get(&executor->waiting.detail) &&
        !sy_owner_dead(call->segment, heir, false)) {
        int64_t time = flagged(hot, SYNC_FLAG_FIFO) ? RESERVATION_FIFO : RESERVATION;
        sy_put(&hot->u.mutex.reserved_until, (uint64_t)(sy_now() + time));
        sy_put(&hot->u.mutex.reserved_for, heir);
    } else {
        sy_put(&hot->u.mutex.reserved_for, 0);
        executor = NULL;
    }
    bool keep = executor || sy_get(&hot->u.mutex.previous);
    sy_owe(&call->actor, call->record, call->generation);
    if (!sy_cas32(&hot->word, &mine, keep ? SY_W : 0)) {
        sy_paid(&call->actor);
        return SY_WAIT; /* broken since */
    }
    if (executor) {
        atomic_fetch_add(&executor->park, 1);
        sy_futex_wake(&executor->park, 1);
    }
    /* Two: one to take it; and one that looks again, watches whoever did, and stands in for the
     * first if that one is stopped. */
    sy_futex_wake(&hot->word, 2);
    sy_paid(&call->actor);
    return 0;
}

int sy_mutex_release(struct sy_call *call)
{
    struct sy_hot *hot = call->hot;
    uint32_t seen = sy_load(&hot->word), me = call->principal;
    if ((seen & SY_OWNER) != me || (seen & SY_R)) {
        if (sy_mutex_evicted(hot, me)) {
            if (sy_mutex_depth_of(hot, me) > 1) {
                sy_put(&hot->u.mutex.depth, sy_get(&hot->u.mutex.depth) - 1);
            } else {
                sy_put(&hot->u.mutex.depth, 0);
                sy_store(&hot->u.mutex.evicted, 0);
            }
            return SYNC_ELOST;
        }
        return SYNC_EPERM;
    }
    if (sy_mutex_depth_of(hot, me) > 1) {
        sy_put(&hot->u.mutex.depth, sy_get(&hot->u.mutex.depth) - 1);
        return 0;
    }
    if (sy_mutex_inconsistent(hot)) {
        sy_owe(&call->actor, call->record, call->generation);
        while ((seen & SY_OWNER) == me && !sy_cas32(&hot->word, &seen, SY_POISONED)) {}
        sy_futex_wake(&hot->word, INT_MAX);
        sy_paid(&call->actor);
        return 0;
    }
    uint64_t depth = sy_get(&hot->u.mutex.depth);
    sy_put(&hot->u.mutex.depth, 0);
    uint32_t expected = me;
    if (sy_cas32(&hot->word, &expected, 0)) {
        return 0;
    }
    if (expected == (me | SY_W) && release_to_waiters(call) == 0) {
        return 0;
    }
    sy_put(&hot->u.mutex.depth, depth);
    return sy_mutex_release(call); /* broken between the look and the CAS: as the evicted */
}

bool sy_mutex_return_dead(struct sy_call *call, uint32_t died)
{
    struct sy_hot *hot = call->hot;
    uint32_t seen = sy_load(&hot->word);
    bool done = false;
    uint64_t depth = sy_get(&hot->u.mutex.depth);
    sy_owe(&call->actor, call->record, call->generation);
    sy_put(&hot->u.mutex.depth, 0); /* before the word is anybody else's */
    while (!done && (seen & (SY_OWNER | SY_R)) == call->principal) {
        done = sy_cas32(&hot->word, &seen, died | SY_R | SY_W);
    }
    if (done) {
        sy_futex_wake(&hot->word, 1);
    } else {
        sy_put(&hot->u.mutex.depth, depth);
    }
    sy_paid(&call->actor);
    return done;
}

static bool mutex_recover(const struct sy_actor *actor, uint32_t record, bool thorough)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    uint32_t seen = sy_load(&hot->word);
    if (!sy_owner_bury(actor->segment, &hot->word, seen, thorough) && sy_admits(seen) &&
        (seen & SY_W)) {
        sy_futex_wake(&hot->word, 1); /* free with W: a wake is owed, whoever freed it */
    }
    return true;
}

/* The guard of a mutex excludes breakers, who publish no other fact than `evicted`, read only
 * beside a BROKEN word: nothing to put right. */
static void mutex_repair(const struct sy_actor *actor, uint32_t record)
{
    (void)actor;
    (void)record;
}

/* The handle, or any thread of this process: with the last handle nobody can release it. */
static bool ours(struct sy_call *call, uint32_t owner)
{
    uint32_t index = sy_owner_index(owner);
    struct sy_principal *principal = index == SY_NONE ? NULL
                                                      : sy_principal_at(call->segment, index);
    uint64_t tenancy = principal ? sy_load(&principal->tenancy) : 0;
    return owner == call->principal ||
           (principal && index < call->segment->threads &&
            sy_owner_id(index, sy_tenancy_generation(tenancy)) == owner &&
            sy_tenancy_process(tenancy) == call->segment->process);
}

/* As if the owner had died: the next one is told. */
static bool mutex_closed(struct sy_call *call)
{
    uint32_t seen = sy_load(&call->hot->word);
    while (ours(call, seen & SY_OWNER) && !(seen & SY_R)) {
        if (sy_cas32(&call->hot->word, &seen, seen | SY_R | SY_W)) {
            sy_futex_wake(&call->hot->word, 1);
            return true;
        }
    }
    return false;
}

static sy_dword *mutex_turns(struct sy_hot *hot)
{
    return &hot->u.mutex.fence;
}

static void mutex_wake_all(struct sy_hot *hot)
{
    sy_futex_wake(&hot->word, INT_MAX);
}

static enum sy_happened mutex_did_it_happen(struct sy_segment *segment, uint32_t record,
                                            const struct sy_operation *operation)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    uint32_t word = sy_load(&hot->word), who = sy_get(&operation->principal);
    bool mine = (word & SY_OWNER) == who && !(word & SY_R);
    uint64_t depth = mine ? sy_mutex_depth_of(hot, who) : 0, before = sy_get(&operation->before);
    /* The first acquisition commits by the word; killed before the depth was written, it is 1. */
    if (mine && depth == 0) {
        depth = 1;
    }
    return depth != before ? SY_HAPPENED : SY_NOT_HAPPENED;
}

static void mutex_describe(struct sy_segment *segment, uint32_t record, sync_info *ret_info)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    uint32_t word = sy_load(&hot->word), owner = word & SY_OWNER;
    ret_info->token = sy_get(&hot->u.mutex.fence);
    ret_info->broken = owner == SY_BROKEN;
    ret_info->poisoned = owner == SY_POISONED;
    if (sy_owner_index(owner) != SY_NONE) {
        sy_identify_principal(segment, owner, &ret_info->holder);
        ret_info->holder.since = (int64_t)sy_get(&hot->u.mutex.since);
        ret_info->depth = sy_mutex_depth_of(hot, owner);
        ret_info->value = !(word & SY_R);
        ret_info->owner_died = (word & SY_R) || sy_mutex_inconsistent(hot);
        if (word & SY_R) {
            ret_info->holder.state = SYNC_STATE_DEAD;
            ret_info->depth = 0;
        }
    }
}

static bool mutex_fresh(struct sy_segment *segment, uint32_t record)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    uint32_t word = sy_load(&hot->word);
    if (sy_mutex_broken(hot)) {
        uint32_t evicted = sy_load(&hot->u.mutex.evicted);
        return !evicted || sy_owner_dead(segment, evicted, false);
    }
    return (word & ~SY_W) == 0;
}

const struct sy_kind sy_mutex_kind = {
    .number = SYNC_KIND_MUTEX,
    .name = "mutex",
    .step = mutex_step,
    .leave = mutex_leave,
    .recover = mutex_recover,
    .repair = mutex_repair,
    .closed = mutex_closed,
    .turns = mutex_turns,
    .wake_all = mutex_wake_all,
    .did_it_happen = mutex_did_it_happen,
    .describe = mutex_describe,
    .fresh = mutex_fresh,
};
