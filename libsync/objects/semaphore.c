/* SPDX-License-Identifier: MIT */
/* The semaphore. Word: W(31) M(30: some sleeper wants more than one) available(29-0).
 *
 * Untracked: the word is all there is. Tracked: the permits of each process stand in its open
 * entry, written under the record's guard; that store is the commit, and `available` = total -
 * their sum is a cache, recomputed after the death of whoever held the guard, or permits. */
#include "objects/kind.h"

#define M SY_R
#define AVAILABLE 0x3fffffffu

static bool tracked(struct sy_hot *hot)
{
    return !(sy_hot_flags(hot) & SYNC_FLAG_UNTRACKED);
}

static uint32_t limit(struct sy_hot *hot)
{
    uint32_t maximum = sy_get(&hot->u.semaphore.maximum);
    return maximum ? maximum : SYNC_SEMAPHORE_MAX;
}

/* ---- facts ---- */

struct census {
    const struct sy_actor *actor;
    uint64_t held;
    bool thorough;
    bool dead_hold; /* somebody dead holds permits */
    bool forget;    /* take the permits of the dead away from them */
};

static bool count_one(struct sy_segment *segment, uint32_t process, uint32_t generation,
                      struct sy_open *entry, void *argument)
{
    struct census *census = argument;
    uint32_t permits = sy_get(&entry->permits);
    if (!permits) {
        return false;
    }
    bool dead = sy_process_dead(segment, process, generation, census->thorough);
    if (!dead) {
        census->held += permits;
        return false;
    }
    census->dead_hold = true;
    if (census->forget) {
        sy_store_sc(&entry->permits, 0);
    }
    return false;
}

/* Wake `count`. One who wants more than there is may swallow the wake of one who would go on, and
 * goes back to sleep; he has set M before he slept, so whoever wakes only some looks for it
 * afterwards. */
static uint32_t wake_some(struct sy_hot *hot, uint32_t count)
{
    uint32_t woken = (uint32_t)sy_futex_wake(&hot->word, (int)count);
    if (sy_load_sc(&hot->word) & M) {
        woken += (uint32_t)sy_futex_wake(&hot->word, INT_MAX);
    }
    return woken;
}

/* `word` was written over `before`. Nobody sleeps without a bound beside a permit when no sleeper
 * wants more than one, so W may go if fewer were woken than could be. */
static void wake(struct sy_hot *hot, uint32_t before, uint32_t word, uint32_t count)
{
    if (before & SY_W) {
        uint32_t woken = wake_some(hot, before & M ? INT_MAX : count);
        if (!(before & M) && woken < count && (word & AVAILABLE)) {
            sy_cas32(&hot->word, &word, word & AVAILABLE);
        }
    }
}

/* Guard held. Write the cache; W and M belong to the sleepers. With M all are woken and W goes in
 * the same CAS: those who still want more set it again. */
static void set_available(const struct sy_actor *actor, uint32_t record, uint32_t available,
                          bool more)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    uint32_t seen = sy_load(&hot->word), next;
    if (more) {
        sy_owe(actor, record, sy_hot_generation(hot));
    }
    do {
        next = available | (more && (seen & M) ? 0 : seen & (SY_W | M));
    } while (!sy_cas32(&hot->word, &seen, next));
    if (more) {
        uint32_t gained = available > (seen & AVAILABLE) ? available - (seen & AVAILABLE) : 1;
        wake(hot, seen, next, gained);
        sy_paid(actor);
    }
}

static void recompute(const struct sy_actor *actor, uint32_t record, bool thorough)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    struct census census = {.actor = actor, .thorough = thorough, .forget = true};
    sy_opens_visit(actor->segment, record, sy_hot_generation(hot), count_one, &census);
    uint64_t total = sy_get(&hot->u.semaphore.total);
    set_available(actor, record, total > census.held ? (uint32_t)(total - census.held) : 0, true);
}

static void semaphore_repair(const struct sy_actor *actor, uint32_t record)
{
    if (tracked(sy_hot_at(actor->segment, record))) {
        recompute(actor, record, false);
    }
}

static bool semaphore_recover(const struct sy_actor *actor, uint32_t record, bool thorough)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    struct census census = {.actor = actor, .thorough = thorough};
    struct sy_wait wait;
    if (!tracked(hot)) {
        return true;
    }
    sy_owner_bury(actor->segment, &hot->guard, sy_load(&hot->guard), thorough);
    sy_opens_visit(actor->segment, record, sy_hot_generation(hot), count_one, &census);
    /* Left by a dead owner, or by a reaper before this one. */
    uint32_t guard = sy_load(&hot->guard);
    bool guard_left = (guard & SY_OWNER) && (sy_admits(guard) || (guard & SY_OWNER) == actor->id);
    if (!census.dead_hold && !guard_left) {
        return true;
    }
    if (sy_record_guard(actor, record, &wait) == SY_WAIT) {
        return false;
    }
    recompute(actor, record, false);
    sy_record_unguard(actor, record);
    return true;
}

/* ---- steps ---- */

static int must_wait(struct sy_call *call, uint32_t seen, struct sy_wait *ret_wait)
{
    uint32_t mark = SY_W | (call->count > 1 ? M : 0);
    sy_word *word = &call->hot->word;
    if (call->published && (seen & mark) != mark) {
        if (!sy_cas32(word, &seen, seen | mark)) {
            return 0; /* look again */
        }
        seen |= mark;
    }
    *ret_wait = (struct sy_wait){.word = word, .value = seen, .until = INT64_MAX};
    return SY_WAIT;
}

/* Whoever has slept may have taken the wake of another who could go on as well. */
static void pass_on(struct sy_call *call, uint32_t left)
{
    if (call->actor.slept && left) {
        wake_some(call->hot, 1);
    }
}

static int semaphore_step(struct sy_call *call, struct sy_wait *ret_wait)
{
    struct sy_hot *hot = call->hot;
    bool guarded = tracked(hot);
    for (;;) {
        uint32_t seen = sy_load(&hot->word), available = seen & AVAILABLE;
        if (available < call->count) {
            if (must_wait(call, seen, ret_wait) == SY_WAIT) {
                return SY_WAIT;
            }
            continue;
        }
        if (!guarded) {
            /* A sleeper keeps W for those it may have been woken before. */
            uint32_t next = (seen - call->count) | (call->actor.slept ? SY_W : 0);
            if (sy_cas32(&hot->word, &seen, next)) {
                pass_on(call, next & AVAILABLE);
                return 0;
            }
            continue;
        }
        if (sy_record_guard(&call->actor, call->record, ret_wait) == SY_WAIT) {
            return SY_WAIT;
        }
        seen = sy_load(&hot->word);
        available = seen & AVAILABLE;
        if (available >= call->count) {
            sy_store_sc(&call->entry->permits, sy_get(&call->entry->permits) + call->count);
            set_available(&call->actor, call->record, available - call->count, false);
            if (call->actor.slept) {
                atomic_fetch_or(&hot->word, SY_W);
            }
            sy_record_unguard(&call->actor, call->record);
            pass_on(call, available - call->count);
            return 0;
        }
        sy_record_unguard(&call->actor, call->record);
    }
}

static int semaphore_leave(struct sy_call *call, int rc)
{
    if (call->actor.slept) {
        wake_some(call->hot, 1);
    }
    return rc;
}

static int release_untracked(struct sy_call *call)
{
    struct sy_hot *hot = call->hot;
    uint32_t seen = sy_load(&hot->word), next;
    do {
        if (call->count > limit(hot) - (seen & AVAILABLE)) {
            return SYNC_EOVERFLOW;
        }
        next = (seen & M ? seen & AVAILABLE : seen) + call->count;
        if (seen & SY_W) {
            sy_owe(&call->actor, call->record, call->generation);
        }
    } while (!sy_cas32(&hot->word, &seen, next));
    wake(hot, seen, next, call->count);
    sy_paid(&call->actor);
    return 0;
}

static int release_guarded(struct sy_call *call)
{
    struct sy_hot *hot = call->hot;
    uint32_t held = sy_get(&call->entry->permits), total = sy_get(&hot->u.semaphore.total);
    uint32_t surplus = call->count > held ? call->count - held : 0;
    if (surplus && sy_get(&hot->u.semaphore.maximum)) {
        return SYNC_EPERM;
    }
    if (surplus > limit(hot) - total) {
        return SYNC_EOVERFLOW;
    }
    /* Killed between the two, the dead one's permits return, as they were about to. */
    sy_store_sc(&hot->u.semaphore.total, total + surplus);
    sy_store_sc(&call->entry->permits, held - (call->count - surplus));
    uint32_t seen = sy_load(&hot->word);
    set_available(&call->actor, call->record, (seen & AVAILABLE) + call->count, true);
    return 0;
}

int sy_semaphore_release_step(struct sy_call *call, struct sy_wait *ret_wait)
{
    if (!tracked(call->hot)) {
        return release_untracked(call);
    }
    if (sy_record_guard(&call->actor, call->record, ret_wait) == SY_WAIT) {
        return SY_WAIT;
    }
    int rc = release_guarded(call);
    sy_record_unguard(&call->actor, call->record);
    return rc;
}

/* ---- the rest ---- */

static bool semaphore_closed(struct sy_call *call)
{
    struct sy_wait wait;
    uint32_t held = call->entry ? sy_get(&call->entry->permits) : 0;
    if (!held || !tracked(call->hot)) {
        return false;
    }
    /* A guard that cannot be had now is left to recovery: the entry goes with the permits in it. */
    while (sy_record_guard(&call->actor, call->record, &wait) == SY_WAIT) {
        struct sy_wait_word word = {wait.word, wait.value};
        if (sy_now() > call->deadline) {
            return true;
        }
        sy_futex_wait(&word, 1, sy_now() + 50000000);
        sy_futex_wake(wait.word, 1); /* perhaps another's */
        sy_owner_bury(call->segment, wait.word, sy_load(wait.word), true);
    }
    sy_store_sc(&call->entry->permits, 0);
    recompute(&call->actor, call->record, false);
    sy_record_unguard(&call->actor, call->record);
    return true;
}

static void semaphore_wake_all(struct sy_hot *hot)
{
    sy_futex_wake(&hot->word, INT_MAX);
    sy_futex_wake(&hot->guard, INT_MAX);
}

struct search {
    uint32_t process, generation;
    struct sy_open *found;
};
static bool find_entry(struct sy_segment *segment, uint32_t process, uint32_t generation,
                       struct sy_open *entry, void *argument)
{
    struct search *search = argument;
    (void)segment;
    if (process == search->process && generation == search->generation) {
        search->found = entry;
    }
    return search->found != NULL;
}

static enum sy_happened semaphore_did_it_happen(struct sy_segment *segment, uint32_t record,
                                                const struct sy_operation *operation)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    uint32_t index = sy_owner_index(sy_get(&operation->principal));
    struct sy_principal *principal = index == SY_NONE ? NULL : sy_principal_at(segment, index);
    if (!tracked(hot) || !principal) {
        return SY_IN_DOUBT; /* nobody's permits: the count alone cannot tell */
    }
    struct search search = {
        .process = sy_tenancy_process(sy_load(&principal->tenancy)),
        .generation = sy_get(&principal->process_generation),
    };
    sy_opens_visit(segment, record, sy_hot_generation(hot), find_entry, &search);
    uint64_t permits = search.found ? sy_get(&search.found->permits) : 0;
    return permits != sy_get(&operation->before) ? SY_HAPPENED : SY_NOT_HAPPENED;
}

static void semaphore_describe(struct sy_segment *segment, uint32_t record, sync_info *ret_info)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    ret_info->value = sy_load(&hot->word) & AVAILABLE;
    ret_info->maximum = sy_get(&hot->u.semaphore.maximum);
}

static bool semaphore_fresh(struct sy_segment *segment, uint32_t record)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    struct sy_cold *cold = sy_cold_at(segment, record);
    return (sy_load(&hot->word) & AVAILABLE) == sy_get(&cold->number[1]);
}

const struct sy_kind sy_semaphore_kind = {
    .number = SYNC_KIND_SEMAPHORE,
    .name = "semaphore",
    .step = semaphore_step,
    .leave = semaphore_leave,
    .recover = semaphore_recover,
    .repair = semaphore_repair,
    .closed = semaphore_closed,
    .wake_all = semaphore_wake_all,
    .did_it_happen = semaphore_did_it_happen,
    .describe = semaphore_describe,
    .fresh = semaphore_fresh,
};
