/* SPDX-License-Identifier: MIT */
/* Lost wakes: somebody waited although what he waited for was to be had all the while. */
#include <stdlib.h>

#include "check.h"

struct edge {
    uint64_t at;
    int64_t change;
};

static int by_time(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->at != y->at) {
        return x->at < y->at ? -1 : 1;
    }
    return x->change > y->change ? -1 : x->change < y->change;
}

uint32_t add_stopped_loads(const struct storm_log *log, uint32_t object, uint32_t maximum,
                           struct load *loads, uint32_t room)
{
    const struct list *list = &log->by_object[object];
    uint32_t count = 0;
    for (uint32_t i = 0; i < log->stop_count && count < room; i++) {
        const struct span *stop = &log->stops[i];
        for (uint32_t j = 0; j < list->count; j++) {
            const struct entry *entry = &log->entries[list->items[j]];
            if (entry->before > stop->to) {
                break;
            }
            if (life_of(log, entry)->worker == stop->worker && entry->after > stop->from) {
                loads[count++] = (struct load){stop->from, stop->to, maximum};
                break;
            }
        }
    }
    return count;
}

static void check_one(struct storm_log *log, const struct edge *edges, uint32_t count,
                      uint32_t maximum, const struct waiter *waiter)
{
    const struct entry *entry = waiter->entry;
    uint64_t idle_from = 0, longest = 0, from = 0, to = 0;
    int64_t used = 0;
    for (uint32_t i = 0; i <= count; i++) {
        uint64_t at = i < count ? edges[i].at : NEVER;
        bool admits = used + waiter->count <= (int64_t)maximum;
        uint64_t begin = idle_from > entry->before ? idle_from : entry->before;
        uint64_t end = at < entry->after ? at : entry->after;
        if (admits && end > begin && end - begin > longest) {
            longest = end - begin;
            from = begin;
            to = end;
        }
        if (i == count || at >= entry->after) {
            break;
        }
        used += edges[i].change;
        if (!admits || used + waiter->count > (int64_t)maximum) {
            idle_from = at;
        }
    }
    if (longest > SLACK / 5) {
        uint64_t excused = stopped_in(log, life_of(log, entry)->worker, from, to) +
                           stalled_in(log, from, to);
        longest = longest > excused ? longest - excused : 0;
    }
    if (longest > log->longest_idle_wait) {
        log->longest_idle_wait = longest;
    }
    if (longest > SLACK) {
        blame(log, RULE_WAKE, entry, "it could have gone on for %.0f ms since %.6f s",
              (double)longest / 1e6, (double)(from - log->recording->began) / 1e9);
    }
}

void check_idle(struct storm_log *log, struct load *loads, uint32_t load_count, uint32_t maximum,
                const struct waiter *waiters, uint32_t waiter_count)
{
    struct edge *edges = must_alloc(2 * (size_t)load_count, sizeof(*edges));
    uint32_t count = 0;
    for (uint32_t i = 0; i < load_count; i++) {
        if (loads[i].to > loads[i].from) {
            edges[count++] = (struct edge){loads[i].from, loads[i].count};
            edges[count++] = (struct edge){loads[i].to, -(int64_t)loads[i].count};
        }
    }
    qsort(edges, count, sizeof(*edges), by_time);
    for (uint32_t i = 0; i < waiter_count; i++) {
        check_one(log, edges, count, maximum, &waiters[i]);
    }
    free(edges);
}
