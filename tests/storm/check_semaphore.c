/* SPDX-License-Identifier: MIT */
/* Semaphores: never more permits in certain hands than there are. */
#include <stdlib.h>

#include "check.h"

struct change {
    uint64_t at;
    int64_t count;
    const struct entry *entry;
};

static int by_time(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    if (x->at != y->at) {
        return x->at < y->at ? -1 : 1;
    }
    return x->count < y->count ? -1 : x->count > y->count;
}

static void check_sum(struct storm_log *log, struct change *changes, uint32_t count, int64_t most,
                      const char *what)
{
    int64_t sum = 0;
    qsort(changes, count, sizeof(*changes), by_time);
    for (uint32_t i = 0; i < count; i++) {
        sum += changes[i].count;
        if (sum > most && changes[i].count > 0) {
            blame(log, RULE_PERMITS, changes[i].entry, "%s: %lld of %lld", what, (long long)sum,
                  (long long)most);
        }
    }
}

/* Taken and given back by the same thread, or by its death. */
static uint32_t hands(const struct storm_log *log, const struct list *list, struct change *changes,
                      struct load *loads, uint32_t *ret_loads)
{
    uint32_t count = 0;
    *ret_loads = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *take = &log->entries[list->items[i]];
        const struct life *life = life_of(log, take);
        uint32_t last = life->first + life->count;
        if (take->call != CALL_TAKE || (take->after != NEVER && take->result != 0)) {
            continue;
        }
        const struct entry *give = take + 1 < log->entries + last ? take + 1 : NULL;
        uint64_t end = give ? give->before : NEVER;
        uint64_t over = give ? give->after : NEVER;
        end = end < life->died_from ? end : life->died_from;
        over = over < life->died_by ? over : life->died_by;
        bool perhaps = take->after == NEVER;
        if (!perhaps) {
            int64_t permits = take->record->count;
            changes[count++] = (struct change){take->after, permits, take};
            changes[count++] = (struct change){end, -permits, take};
        }
        loads[(*ret_loads)++] = (struct load){perhaps ? take->before : take->after, over,
                                              take->record->count};
    }
    return count;
}

static void check_tracked(struct storm_log *log, uint32_t object, uint32_t maximum)
{
    const struct list *list = &log->by_object[object];
    uint32_t room = list->count + log->stop_count, load_count, waiting = 0;
    struct change *changes = must_alloc(2 * (size_t)list->count, sizeof(*changes));
    struct load *loads = must_alloc(room, sizeof(*loads));
    struct waiter *waiters = must_alloc(list->count, sizeof(*waiters));
    uint32_t count = hands(log, list, changes, loads, &load_count);
    check_sum(log, changes, count, maximum, "permits in certain hands");
    load_count += add_stopped_loads(log, object, maximum, loads + load_count, room - load_count);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *entry = &log->entries[list->items[i]];
        if (entry->call == CALL_TAKE && entry->after != NEVER &&
            entry->after - entry->before > SLACK / 5) {
            waiters[waiting++] = (struct waiter){entry, entry->record->count};
        }
    }
    check_idle(log, loads, load_count, maximum, waiters, waiting);
    free(changes);
    free(loads);
    free(waiters);
}

/* Nobody's permits: taken in certainty never more than given perhaps, nor the other way round. */
static void check_untracked(struct storm_log *log, uint32_t object, uint32_t maximum)
{
    const struct list *list = &log->by_object[object];
    struct change *taken = must_alloc(list->count, sizeof(*taken));
    struct change *given = must_alloc(list->count, sizeof(*given));
    uint32_t taken_count = 0, given_count = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *entry = &log->entries[list->items[i]];
        int64_t permits = entry->record->count;
        bool returned = entry->after != NEVER, good = !returned || entry->result == 0;
        if (!good || (entry->call != CALL_TAKE && entry->call != CALL_GIVE)) {
            continue;
        }
        bool take = entry->call == CALL_TAKE;
        if (returned || !take) {
            taken[taken_count++] = (struct change){take ? entry->after : entry->before,
                                                   take ? permits : -permits, entry};
        }
        if (returned || take) {
            given[given_count++] = (struct change){take ? entry->before : entry->after,
                                                   take ? -permits : permits, entry};
        }
    }
    check_sum(log, taken, taken_count, maximum, "permits taken, beyond those given");
    check_sum(log, given, given_count, 0, "permits given, beyond the maximum");
    free(taken);
    free(given);
}

void check_semaphore(struct storm_log *log, uint32_t object)
{
    struct object semaphore = plan_object(object);
    if (semaphore.untracked) {
        check_untracked(log, object, semaphore.number);
    } else {
        check_tracked(log, object, semaphore.number);
    }
}
