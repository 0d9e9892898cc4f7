/* SPDX-License-Identifier: MIT */
/* Barriers: each index once per round, all of a round released together, and broken for a reason.
 */
#include <stdlib.h>

#include "check.h"

#define PARTIES_MAX 8u

struct side { /* the calls that returned one index */
    uint64_t *begun, *returned;
    uint32_t count;
};

/* Killed; or told "broken" without a cause, as a sleeper is that comes back several breaks later:
 * its own round may have been complete (docs: a barrier remembers how its last rounds ended). */
static bool in_doubt(const struct entry *entry)
{
    return entry->call == CALL_MEET &&
           (entry->after == NEVER ||
            (entry->result == SYNC_EBROKEN && entry->record->count == SYNC_CAUSE_NONE));
}

/* Whoever came back with an index was in a complete round: everybody else of that round had begun.
 */
static void check_pair(struct storm_log *log, uint32_t object, const struct side *one,
                       const struct side *other, const uint64_t *doubts, uint32_t doubt_count)
{
    uint32_t begun = 0, doubtful = 0;
    for (uint32_t i = 0; i < one->count; i++) {
        while (begun < other->count && other->begun[begun] <= one->returned[i]) {
            begun++;
        }
        while (doubtful < doubt_count && doubts[doubtful] <= one->returned[i]) {
            doubtful++;
        }
        if (i + 1 > begun + doubtful) {
            blame(log, RULE_BARRIER, NULL,
                  "object %u: by %.6f s %u calls returned one index, and only %u another had begun",
                  object, (double)(one->returned[i] - log->recording->began) / 1e9, i + 1,
                  begun + doubtful);
            return;
        }
    }
    if (one->count > other->count + doubt_count) {
        blame(log, RULE_BARRIER, NULL, "object %u: one index %u times, another %u times", object,
              one->count, other->count);
    }
}

/* A party that was released long after the last of its round had come. */
static void check_late(struct storm_log *log, const struct list *list, uint32_t parties,
                       const uint64_t *doubts, uint32_t doubt_count)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *entry = &log->entries[list->items[i]];
        if (entry->call != CALL_MEET || entry->after == NEVER || entry->result < 0 ||
            entry->result + 1 == (int)parties || entry->after - entry->before < SLACK) {
            continue;
        }
        uint64_t tripped = 0;
        for (uint32_t j = 0; j < list->count; j++) {
            const struct entry *last = &log->entries[list->items[j]];
            if (last->call == CALL_MEET && last->result + 1 == (int)parties &&
                last->after != NEVER && last->before <= entry->after && last->after > tripped) {
                tripped = last->after;
            }
        }
        for (uint32_t j = 0; j < doubt_count; j++) {
            tripped = doubts[j] <= entry->after ? NEVER : tripped;
        }
        uint64_t late = tripped < entry->after ? entry->after - tripped : 0;
        uint64_t excused = late > SLACK ? stopped_in(log, life_of(log, entry)->worker, tripped,
                                                     entry->after) +
                                              stalled_in(log, tripped, entry->after)
                                        : 0;
        if (late > SLACK + excused) {
            blame(log, RULE_WAKE, entry, "its round was complete %.0f ms before it came back",
                  (double)late / 1e6);
        }
    }
}

/* ---- causes ---- */

struct cause {
    uint64_t from, to;
    uint32_t code; /* of enum sync_cause */
};

static bool gives_cause(const struct storm_log *log, const struct entry *entry, bool members,
                        struct cause *ret_cause)
{
    const struct life *life = life_of(log, entry);
    *ret_cause = (struct cause){entry->before, entry->after, SYNC_CAUSE_NONE};
    if (entry->call == CALL_ABORT || entry->call == CALL_RESET) {
        ret_cause->code = entry->call == CALL_ABORT ? SYNC_CAUSE_ABORT : SYNC_CAUSE_RESET;
    } else if (entry->call == CALL_MEET && entry->after != NEVER &&
               (entry->result == SYNC_ETIMEDOUT ||
                (in_doubt(entry) &&
                 entry->after - entry->before >= (uint64_t)entry->record->timeout))) {
        ret_cause->code = SYNC_CAUSE_TIMEOUT;
    } else if ((entry->call == CALL_MEET && entry->after == NEVER) ||
               (members && entry->call == CALL_OPEN && life->died_from != NEVER)) {
        /* Found out by whoever looks again. */
        *ret_cause = (struct cause){life->died_from, life->died_by + 2 * SLACK, SYNC_CAUSE_DIED};
    } else if (members && entry->call == CALL_CLOSE) {
        /* At the end every other process leaves without closing: a death like any other. */
        bool gone = life->thread == THREAD_MAIN && life->worker % 2 == 0;
        ret_cause->code = gone ? SYNC_CAUSE_DIED : SYNC_CAUSE_LEFT;
        ret_cause->to = gone ? NEVER : ret_cause->to;
    }
    return ret_cause->code != SYNC_CAUSE_NONE;
}

/* It stays broken until a reset: a cause counts if no reset lay wholly between it and the call. */
static bool explained(const struct cause *causes, uint32_t count, uint64_t reset,
                      const struct entry *entry, uint32_t code)
{
    for (uint32_t i = 0; i < count; i++) {
        if ((code == SYNC_CAUSE_NONE || causes[i].code == code) && causes[i].from <= entry->after &&
            causes[i].to >= reset) {
            return true;
        }
    }
    return false;
}

static uint64_t last_reset(const struct storm_log *log, const struct list *list,
                           const struct entry *entry)
{
    uint64_t reset = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *other = &log->entries[list->items[i]];
        if (other->before > entry->before) {
            break;
        }
        if (other->call == CALL_RESET && other->result == 0 && other->after <= entry->before) {
            reset = other->before;
        }
    }
    return reset;
}

static void check_causes(struct storm_log *log, uint32_t object, bool members)
{
    const struct list *list = &log->by_object[object];
    struct cause *causes = must_alloc(list->count, sizeof(*causes));
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *entry = &log->entries[list->items[i]];
        if (gives_cause(log, entry, members, &causes[count])) {
            count++;
        }
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *entry = &log->entries[list->items[i]];
        if (entry->call != CALL_MEET || entry->after == NEVER || entry->result != SYNC_EBROKEN) {
            continue;
        }
        uint32_t code = entry->record->count;
        log->broken++;
        log->unknown_cause += code == SYNC_CAUSE_NONE;
        if (!explained(causes, count, last_reset(log, list, entry), entry, code)) {
            blame(log, RULE_CAUSE, entry, "broken by cause %u, which nobody gave", code);
        }
    }
    free(causes);
}

void check_barrier(struct storm_log *log, uint32_t object)
{
    const struct list *list = &log->by_object[object];
    struct object barrier = plan_object(object);
    struct side sides[PARTIES_MAX] = {0};
    uint64_t *doubts = must_alloc(list->count, sizeof(*doubts));
    uint32_t doubt_count = 0;
    for (uint32_t i = 0; i < barrier.number; i++) {
        sides[i].begun = must_alloc(list->count, sizeof(uint64_t));
        sides[i].returned = must_alloc(list->count, sizeof(uint64_t));
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *entry = &log->entries[list->items[i]];
        if (in_doubt(entry)) {
            doubts[doubt_count++] = entry->before;
        } else if (entry->call == CALL_MEET && entry->result >= 0 &&
                   entry->result < (int)barrier.number) {
            struct side *side = &sides[entry->result];
            side->begun[side->count] = entry->before;
            side->returned[side->count++] = entry->after;
        }
    }
    log->rounds += sides[barrier.number - 1].count;
    for (uint32_t i = 0; i < barrier.number; i++) {
        qsort(sides[i].returned, sides[i].count, sizeof(uint64_t), by_number);
    }
    for (uint32_t i = 0; i < barrier.number * barrier.number; i++) {
        uint32_t one = i / barrier.number, other = i % barrier.number;
        if (one != other) {
            check_pair(log, object, &sides[one], &sides[other], doubts, doubt_count);
        }
    }
    check_late(log, list, barrier.number, doubts, doubt_count);
    check_causes(log, object, barrier.members);
    for (uint32_t i = 0; i < barrier.number; i++) {
        free(sides[i].begun);
        free(sides[i].returned);
    }
    free(doubts);
}
