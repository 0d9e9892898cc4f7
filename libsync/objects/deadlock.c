/* SPDX-License-Identifier: MIT */
/* Deadlocks: who waits for what, and who owns that. Edges read at different times may never have
 * stood side by side, so a cycle counts only when a second pass finds every edge unchanged. The
 * youngest ticket is the victim; the others go on waiting. */
#include "objects/kind.h"

struct edge {
    uint32_t waiter; /* owner id of the executor that waits */
    uint32_t for_whom;
    uint64_t ticket;
    uint32_t record, generation;
    uint32_t word; /* of the record */
    uint64_t fence;
};

/* The executor that waits on behalf of `principal`: its own, or for a handle any thread of its
 * process. */
static struct sy_executor *waiter_for(struct sy_segment *segment, uint32_t principal,
                                      uint32_t *ret_id)
{
    uint32_t index = sy_owner_index(principal);
    if (index < segment->threads) {
        *ret_id = principal;
        struct sy_executor *executor = sy_executor_at(segment, index);
        return executor && sy_load_sc(&executor->waiting.count) ? executor : NULL;
    }
    uint32_t count = sy_committed(segment, SY_EXECUTORS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_executor *executor = sy_executor_at(segment, i);
        struct sy_principal *thread = sy_principal_at(segment, i);
        if (executor && thread && sy_load_sc(&executor->waiting.count) &&
            sy_get(&executor->waiting.principal) == principal) {
            *ret_id = sy_owner_id(i, sy_tenancy_generation(sy_load(&thread->tenancy)));
            return executor;
        }
    }
    return NULL;
}

/* The edge out of `principal`, and in *ret_owner who is at its other end. */
static bool edge_of(struct sy_segment *segment, uint32_t principal, struct edge *ret_edge,
                    uint32_t *ret_owner)
{
    struct sy_executor *executor = waiter_for(segment, principal, &ret_edge->waiter);
    if (!executor || sy_load_sc(&executor->waiting.count) != 1 ||
        sy_owner_dead(segment, principal, false)) {
        return false;
    }
    ret_edge->for_whom = sy_get(&executor->waiting.principal);
    ret_edge->ticket = sy_get(&executor->waiting.ticket);
    ret_edge->record = sy_get(&executor->waiting.records[0]) - 1;
    ret_edge->generation = sy_get(&executor->waiting.generations[0]);
    struct sy_hot *hot = sy_hot_at(segment, ret_edge->record);
    if (ret_edge->for_whom != principal || !hot || sy_hot_kind(hot) != SYNC_KIND_MUTEX ||
        sy_hot_generation(hot) != ret_edge->generation || !sy_state_in_use(sy_load(&hot->state))) {
        return false;
    }
    ret_edge->word = sy_load_sc(&hot->word) & ~SY_W;
    ret_edge->fence = sy_get(&hot->u.mutex.fence);
    *ret_owner = ret_edge->word & SY_OWNER;
    return !(ret_edge->word & SY_R) && sy_owner_index(*ret_owner) != SY_NONE &&
           *ret_owner != principal && sy_load_sc(&executor->waiting.count) == 1;
}

static bool same(const struct edge *a, const struct edge *b)
{
    return a->waiter == b->waiter && a->for_whom == b->for_whom && a->ticket == b->ticket &&
           a->record == b->record && a->generation == b->generation && a->word == b->word &&
           a->fence == b->fence;
}

/* Follow the edges from `first` back to it. Returns their number, 0 when they end elsewhere. */
static uint32_t chase(struct sy_segment *segment, uint32_t first, struct edge *edges)
{
    uint32_t at = first;
    for (uint32_t count = 0; count < SYNC_CYCLE_MAX;) {
        uint32_t owner;
        if (!edge_of(segment, at, &edges[count], &owner)) {
            return 0;
        }
        count++;
        if (owner == first) {
            return count;
        }
        at = owner;
    }
    return 0;
}

bool sy_deadlock_find(struct sy_segment *segment, struct sy_executor *executor,
                      struct sy_cycle *ret_cycle, bool any_victim)
{
    struct edge edges[SYNC_CYCLE_MAX], again[SYNC_CYCLE_MAX];
    uint32_t first = sy_get(&executor->waiting.principal);
    /* Published before, looked at after: of those who close a cycle together the last one sees it.
     */
    atomic_thread_fence(memory_order_seq_cst);
    uint32_t count = chase(segment, first, edges);
    if (!count || chase(segment, first, again) != count) {
        return false;
    }
    uint32_t youngest = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!same(&edges[i], &again[i])) {
            return false;
        }
        if (edges[i].ticket > edges[youngest].ticket ||
            (edges[i].ticket == edges[youngest].ticket &&
             edges[i].waiter > edges[youngest].waiter)) {
            youngest = i;
        }
        ret_cycle->principals[i] = edges[i].for_whom;
        ret_cycle->records[i] = edges[i].record;
    }
    ret_cycle->count = count;
    if (youngest == 0 || any_victim) {
        return true;
    }
    struct sy_executor *victim = sy_executor_at(segment, sy_owner_index(edges[youngest].waiter));
    if (victim && segment->writable) {
        atomic_fetch_add(&victim->park, 1);
        sy_futex_wake(&victim->park, 1);
    }
    return false;
}
