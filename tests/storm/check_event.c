/* SPDX-License-Identifier: MIT */
/* Events: nobody comes through without a set, and nobody waits beside one. */
#include <stdlib.h>

#include "check.h"

struct window { /* from the earliest it may have begun to the latest it may have ended */
    uint64_t from, to;
};

static int by_from(const void *a, const void *b)
{
    const struct window *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

static bool good(const struct entry *entry)
{
    return entry->after == NEVER || entry->result == 0;
}

/* Smallest `values` among those with keys[i] >= key, by pairs sorted by key. */
struct pair {
    uint64_t key, least;
};
static int by_key(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}
static void settle(struct pair *pairs, uint32_t count)
{
    qsort(pairs, count, sizeof(*pairs), by_key);
    for (uint32_t i = count; i-- > 1;) {
        if (pairs[i].least < pairs[i - 1].least) {
            pairs[i - 1].least = pairs[i].least;
        }
    }
}
static uint64_t least_from(const struct pair *pairs, uint32_t count, uint64_t key)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (pairs[middle].key >= key) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low < count ? pairs[low].least : NEVER;
}

/* When it may have been set: from the call of each set to the return of the first clear that was
 * called after that set had returned. */
static uint32_t maybe_set(const struct storm_log *log, const struct list *list,
                          struct window *windows)
{
    struct pair *clears = must_alloc(list->count, sizeof(*clears));
    uint32_t clear_count = 0, count = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *entry = &log->entries[list->items[i]];
        if (entry->call == CALL_CLEAR && entry->after != NEVER) {
            clears[clear_count++] = (struct pair){entry->before, entry->after};
        }
    }
    settle(clears, clear_count);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *entry = &log->entries[list->items[i]];
        if (entry->call == CALL_SET && good(entry)) {
            uint64_t end = entry->after == NEVER ? NEVER
                                                 : least_from(clears, clear_count, entry->after);
            windows[count++] = (struct window){entry->before, end};
        }
    }
    free(clears);
    return count;
}

static void check_manual(struct storm_log *log, const struct list *list)
{
    struct window *windows = must_alloc(list->count, sizeof(*windows));
    uint32_t count = maybe_set(log, list, windows);
    qsort(windows, count, sizeof(*windows), by_from);
    for (uint32_t i = 1; i < count; i++) { /* `to` becomes that of all up to here */
        if (windows[i - 1].to > windows[i].to) {
            windows[i].to = windows[i - 1].to;
        }
    }
    uint32_t at = 0;
    uint64_t last = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *entry = &log->entries[list->items[i]];
        if (entry->call != CALL_WAIT || entry->after == NEVER || entry->result != 0) {
            continue;
        }
        /* Entries come by `before`; windows that began before this wait returned may let it pass.
         */
        while (at < count && windows[at].from <= entry->before) {
            last = windows[at++].to;
        }
        bool passed = last >= entry->before && at > 0;
        passed = passed || (at < count && windows[at].from <= entry->after);
        if (!passed) {
            blame(log, RULE_EVENT, entry, "came through, and it was not set");
        }
    }
    free(windows);
}

/* Each set lets one through: at no time more have come through than sets had been called. */
static void check_automatic(struct storm_log *log, const struct list *list)
{
    uint64_t *sets = must_alloc(list->count, sizeof(*sets));
    uint64_t *waits = must_alloc(list->count, sizeof(*waits));
    uint32_t set_count = 0, wait_count = 0, at = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *entry = &log->entries[list->items[i]];
        if (entry->call == CALL_SET && good(entry)) {
            sets[set_count++] = entry->before;
        } else if (entry->call == CALL_WAIT && entry->after != NEVER && entry->result == 0) {
            waits[wait_count++] = entry->after;
        }
    }
    qsort(waits, wait_count, sizeof(*waits), by_number);
    for (uint32_t i = 0; i < wait_count; i++) {
        while (at < set_count && sets[at] <= waits[i]) {
            at++;
        }
        if (i + 1 > at) {
            blame(log, RULE_EVENT, NULL, "object %u: %u came through by %.6f s, after %u sets",
                  entry_at(log, (uint32_t)(list - log->by_object), 0)->object, i + 1,
                  (double)(waits[i] - log->recording->began) / 1e9, at);
            break;
        }
    }
    free(sets);
    free(waits);
}

static bool blocks(const struct entry *entry, bool automatic)
{
    return entry->call == CALL_CLEAR || (automatic && entry->call == CALL_WAIT && good(entry));
}

/* Certainly set from the return of a set to the call of whatever may have taken it back. */
static void check_waits(struct storm_log *log, uint32_t object, bool automatic)
{
    const struct list *list = &log->by_object[object];
    uint32_t room = list->count + log->stop_count + 1, blocker_count = 0, set_count = 0;
    struct pair *blockers = must_alloc(list->count, sizeof(*blockers));
    struct window *certain = must_alloc(list->count, sizeof(*certain));
    struct load *loads = must_alloc(room, sizeof(*loads));
    struct waiter *waiters = must_alloc(list->count, sizeof(*waiters));
    uint32_t load_count = 0, waiting = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *entry = &log->entries[list->items[i]];
        if (blocks(entry, automatic)) {
            blockers[blocker_count++] = (struct pair){entry->after, entry->before};
        }
        /* One that came through an automatic event is itself what took the set. */
        if (entry->call == CALL_WAIT && entry->after != NEVER &&
            entry->after - entry->before > SLACK / 5 && !(automatic && entry->result == 0)) {
            waiters[waiting++] = (struct waiter){entry, 1};
        }
    }
    settle(blockers, blocker_count);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *entry = &log->entries[list->items[i]];
        if (entry->call == CALL_SET && entry->after != NEVER && entry->result == 0) {
            uint64_t end = least_from(blockers, blocker_count, entry->before);
            if (end > entry->after) {
                certain[set_count++] = (struct window){entry->after, end};
            }
        }
    }
    qsort(certain, set_count, sizeof(*certain), by_from);
    uint64_t from = 0;
    for (uint32_t i = 0; i < set_count; i++) {
        if (certain[i].from > from) {
            loads[load_count++] = (struct load){from, certain[i].from, 1};
        }
        from = certain[i].to > from ? certain[i].to : from;
    }
    loads[load_count++] = (struct load){from, NEVER, 1};
    load_count += add_stopped_loads(log, object, 1, loads + load_count, room - load_count);
    check_idle(log, loads, load_count, 1, waiters, waiting);
    free(blockers);
    free(certain);
    free(loads);
    free(waiters);
}

void check_event(struct storm_log *log, uint32_t object)
{
    const struct list *list = &log->by_object[object];
    bool automatic = plan_object(object).automatic;
    if (automatic) {
        check_automatic(log, list);
    } else {
        check_manual(log, list);
    }
    check_waits(log, object, automatic);
}
