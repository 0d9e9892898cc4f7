/* SPDX-License-Identifier: MIT */
/* The event. Word: SET(0) generation(1-30) W(31). One CAS each; set and is_set may run in signal
 * handlers. A generation that wraps while somebody sleeps costs that one a delay, never a hang. */
#include "objects/kind.h"

#define SET 1u
#define GENERATION 0x7ffffffeu

static bool automatic(struct sy_hot *hot)
{
    return (sy_hot_flags(hot) & SYNC_FLAG_AUTO_RESET) != 0;
}

/* Manual: W goes in the same CAS as all are woken; those who wait for the next set put it back.
 * Auto: one is woken and W stays for the rest, unless nobody was. */
void sy_event_set_step(const struct sy_actor *actor, struct sy_hot *hot, uint32_t record,
                       uint32_t generation)
{
    uint32_t seen = sy_load(&hot->word), next;
    bool one = automatic(hot), owes = false;
    do {
        if (one && (seen & SET)) {
            /* The one before still waits to be taken, and its wake was given. */
            if (owes) {
                sy_paid(actor);
            }
            return;
        }
        if ((seen & SY_W) && !owes) {
            sy_owe(actor, record, generation);
            owes = true;
        }
        next = ((seen + 2) & GENERATION) | SET | (one ? seen & SY_W : 0);
    } while (!sy_cas32(&hot->word, &seen, next));
    sy_put(&hot->u.event.set_by, actor->id);
    sy_put(&hot->u.event.since, (uint64_t)sy_now_coarse());
    atomic_fetch_add_explicit(&hot->u.event.sets, 1, memory_order_relaxed);
    if (seen & SY_W) {
        if (sy_futex_wake(&hot->word, one ? 1 : INT_MAX) == 0 && one) {
            sy_cas32(&hot->word, &next, next & ~SY_W);
        }
    }
    if (owes) {
        sy_paid(actor);
    }
}

void sy_event_clear_step(struct sy_hot *hot)
{
    atomic_fetch_and(&hot->word, ~SET);
}

/* detail: 1 + the generation at entry, so that a set followed by a clear still lets us through. */
static int event_step(struct sy_call *call, struct sy_wait *ret_wait)
{
    sy_word *word = &call->hot->word;
    bool one = automatic(call->hot);
    uint32_t seen = sy_load(word);
    if (!call->detail) {
        call->detail = 1 + (uint64_t)(seen & GENERATION);
    }
    for (;;) {
        if (one && (seen & SET)) {
            uint32_t keep = call->actor.slept ? SY_W : 0;
            if (sy_cas32(word, &seen, (seen & ~SET) | keep)) {
                return 0;
            }
        } else if (!one && ((seen & SET) || 1 + (uint64_t)(seen & GENERATION) != call->detail)) {
            return 0;
        } else if (!call->published || (seen & SY_W) || sy_cas32(word, &seen, seen | SY_W)) {
            *ret_wait = (struct sy_wait){
                .word = word, .value = call->published ? seen | SY_W : seen, .until = INT64_MAX};
            return SY_WAIT;
        }
    }
}

static int event_leave(struct sy_call *call, int rc)
{
    if (call->actor.slept && automatic(call->hot)) {
        sy_futex_wake(&call->hot->word, 1);
    }
    return rc;
}

static bool event_recover(const struct sy_actor *actor, uint32_t record, bool thorough)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    uint32_t seen = sy_load(&hot->word);
    (void)thorough;
    if ((seen & SET) && (seen & SY_W)) {
        sy_futex_wake(&hot->word, automatic(hot) ? 1 : INT_MAX);
    }
    return true;
}

static void event_repair(const struct sy_actor *actor, uint32_t record)
{
    (void)actor;
    (void)record; /* no step of this kind takes the guard */
}

static bool event_closed(struct sy_call *call)
{
    (void)call;
    return false;
}

static void event_wake_all(struct sy_hot *hot)
{
    sy_futex_wake(&hot->word, INT_MAX);
}

/* Sets are idempotent: one that came after `before` was read serves as ours. */
static enum sy_happened event_did_it_happen(struct sy_segment *segment, uint32_t record,
                                            const struct sy_operation *operation)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    bool moved = (sy_load(&hot->word) & GENERATION) != sy_get(&operation->before);
    if (sy_get(&operation->kind) != SY_OP_SET) {
        return SY_IN_DOUBT; /* an auto-reset event's set that was taken: documented as at most once
                             */
    }
    return moved ? SY_HAPPENED : SY_NOT_HAPPENED;
}

static void event_describe(struct sy_segment *segment, uint32_t record, sync_info *ret_info)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    uint32_t by = sy_get(&hot->u.event.set_by);
    ret_info->value = sy_event_state(hot);
    ret_info->generation_count = sy_get(&hot->u.event.sets);
    if (sy_owner_index(by) != SY_NONE) {
        sy_identify_principal(segment, by, &ret_info->holder);
        ret_info->holder.since = (int64_t)sy_get(&hot->u.event.since);
    }
}

static bool event_fresh(struct sy_segment *segment, uint32_t record)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    struct sy_cold *cold = sy_cold_at(segment, record);
    return sy_event_state(hot) == (sy_get(&cold->number[1]) != 0);
}

const struct sy_kind sy_event_kind = {
    .number = SYNC_KIND_EVENT,
    .name = "event",
    .step = event_step,
    .leave = event_leave,
    .recover = event_recover,
    .repair = event_repair,
    .closed = event_closed,
    .wake_all = event_wake_all,
    .did_it_happen = event_did_it_happen,
    .describe = event_describe,
    .fresh = event_fresh,
};
