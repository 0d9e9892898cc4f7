/* SPDX-License-Identifier: MIT */
/* Mutexes: holds never overlap, tokens only rise, deaths are told once, the evicted are told. */
#include <stdlib.h>

#include "check_mutex.h"

static int by_token(const void *a, const void *b)
{
    const struct hold *x = a, *y = b;
    return x->token < y->token ? -1 : x->token > y->token;
}

static int by_start(const void *a, const void *b)
{
    const struct hold *x = a, *y = b;
    return x->acquired->after < y->acquired->after ? -1 : x->acquired->after > y->acquired->after;
}

/* Whoever took it before, whatever the tokens say. */
static void check_exclusion(struct storm_log *log, const struct holds *holds)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < holds->count; i++) {
        const struct hold *hold = &holds->holds[i];
        if (hold->end <= hold->acquired->after) {
            continue; /* broken before its acquire had returned */
        }
        if (hold->acquired->after < end) {
            blame(log, RULE_EXCLUSION, hold->acquired, "held while another still held it, %.3f ms",
                  (double)(end - hold->acquired->after) / 1e6);
        }
        if (hold->end > end) {
            end = hold->end;
        }
    }
}

static void check_tokens(struct storm_log *log, const struct holds *holds)
{
    uint64_t end = 0, begun = 0, token = 0;
    for (uint32_t i = 0; i < holds->count; i++) {
        const struct hold *hold = &holds->holds[i];
        if (!hold->token || hold->end <= hold->acquired->after) {
            continue;
        }
        if (hold->token == token) {
            blame(log, RULE_TOKEN, hold->acquired, "token %#llx was given twice",
                  (unsigned long long)token);
        } else if (hold->acquired->after < end || hold->acquired->after < begun) {
            blame(log, RULE_TOKEN, hold->acquired,
                  "token %#llx is greater than that of a later hold",
                  (unsigned long long)hold->token);
        }
        token = hold->token;
        end = hold->end > end ? hold->end : end;
        begun = hold->acquired->before > begun ? hold->acquired->before : begun;
    }
}

/* A killed call that may have held it, or be why it was reported; each explains one report. */
static bool perhaps(const struct storm_log *log, struct holds *holds, const struct hold *taker)
{
    for (uint32_t i = 0; i < holds->perhaps_count; i++) {
        struct doubt *doubt = &holds->perhaps[i];
        if (!doubt->used && doubt->entry->before <= taker->acquired->after &&
            life_of(log, doubt->entry)->died_from <= taker->acquired->after) {
            doubt->used = true;
            return true;
        }
    }
    return false;
}

/* Broken in between: whoever was told, or was about to be, lost it before it could be seen here. */
static bool broken_between(const struct holds *holds, const struct hold *from,
                           const struct hold *to)
{
    for (uint32_t i = 0; i < holds->break_count; i++) {
        const struct entry *entry = holds->breaks[i];
        if (entry->record->token >= from->token && entry->record->token < to->token) {
            return true;
        }
    }
    return false;
}

/* A hold that was broken before its token could be asked for stands nowhere in the order. */
static bool unknown_between(const struct holds *holds, const struct hold *from,
                            const struct hold *to)
{
    for (uint32_t i = 0; i < holds->count && !holds->holds[i].token; i++) {
        const struct hold *hold = &holds->holds[i];
        if (hold->acquired->before <= to->acquired->after && (!from || hold->over >= from->end)) {
            return true;
        }
    }
    return false;
}

static void check_deaths(struct storm_log *log, struct holds *holds)
{
    struct object object = plan_object(holds->object);
    const struct hold *previous = NULL;
    for (uint32_t i = 0; i < holds->count; i++) {
        struct hold *hold = &holds->holds[i];
        bool told = hold->acquired->result == SYNC_OWNER_DIED;
        bool caused = previous && (previous->died || previous->doubtful);
        if (!hold->token) {
            continue; /* these come first */
        }
        log->deaths_told += told;
        if (told && !caused && !perhaps(log, holds, hold) &&
            !unknown_between(holds, previous, hold)) {
            blame(log, RULE_DIED, hold->acquired, "told of a death nobody died");
        } else if (!told && previous && previous->died && !previous->doubtful && !object.silent &&
                   !broken_between(holds, previous, hold) &&
                   !unknown_between(holds, previous, hold)) {
            blame(log, RULE_DIED, hold->acquired, "not told that the owner before died");
        }
        previous = hold;
    }
}

static void check_evicted(struct storm_log *log, const struct holds *holds)
{
    for (uint32_t i = 0; i < holds->count; i++) {
        const struct hold *hold = &holds->holds[i];
        bool explained = false;
        for (uint32_t j = 0; j < holds->break_count; j++) {
            const struct entry *entry = holds->breaks[j];
            bool possible = entry->result == 0 || entry->after == NEVER;
            /* Its next ownership may be hit when it gave this one back in the same instant. */
            bool hit = !hold->token || entry->record->token <= hold->token;
            explained = explained || (possible && hit && entry->before <= hold->over &&
                                      entry->after >= hold->acquired->before);
            if (entry->result == 0 && entry->after != NEVER && hold->token &&
                entry->record->token == hold->token && hold->released_well &&
                hold->released_well->before >= entry->after) {
                blame(log, RULE_LOST, hold->released_well, "evicted, and not told");
            }
        }
        log->evicted += hold->lost;
        if (hold->lost && !explained) {
            blame(log, RULE_LOST, hold->acquired,
                  "lost it (released at %.6f s), and nobody took it "
                  "away",
                  (double)(hold->over - log->recording->began) / 1e9);
        }
    }
}

/* Times it was in somebody's hands, or may have been. A hold begins when its acquire returned: who
 * was given it and did not run is the one who lost time, not who waited behind it. */
static void check_waits(struct storm_log *log, const struct holds *holds)
{
    const struct list *list = &log->by_object[holds->object];
    uint32_t room = holds->count + holds->perhaps_count + holds->failed_count + log->stop_count;
    struct load *loads = must_alloc(room, sizeof(*loads));
    struct waiter *waiters = must_alloc(list->count, sizeof(*waiters));
    uint32_t count = 0, waiting = 0;
    for (uint32_t i = 0; i < holds->count; i++) {
        const struct hold *hold = &holds->holds[i];
        /* Of several it may have been the first that was had. */
        uint64_t from = hold->acquired->call == CALL_MANY ? hold->acquired->before
                                                          : hold->acquired->after;
        loads[count++] = (struct load){from, hold->over, 1};
    }
    for (uint32_t i = 0; i < holds->perhaps_count; i++) {
        const struct entry *entry = holds->perhaps[i].entry;
        loads[count++] = (struct load){entry->before, life_of(log, entry)->died_by, 1};
    }
    for (uint32_t i = 0; i < holds->failed_count; i++) {
        loads[count++] = (struct load){holds->failed[i]->before, holds->failed[i]->after, 1};
    }
    count += add_stopped_loads(log, holds->object, 1, loads + count, room - count);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *entry = &log->entries[list->items[i]];
        if (entry->call == CALL_ACQUIRE && entry->after != NEVER &&
            entry->after - entry->before > SLACK / 5) {
            waiters[waiting++] = (struct waiter){entry, 1};
        }
    }
    check_idle(log, loads, count, 1, waiters, waiting);
    free(loads);
    free(waiters);
}

void check_mutex(struct storm_log *log, uint32_t object)
{
    struct holds holds;
    holds_build(log, object, &holds);
    qsort(holds.holds, holds.count, sizeof(*holds.holds), by_start);
    check_exclusion(log, &holds);
    qsort(holds.holds, holds.count, sizeof(*holds.holds), by_token);
    check_tokens(log, &holds);
    check_deaths(log, &holds);
    check_evicted(log, &holds);
    check_waits(log, &holds);
    log->holds += holds.count;
    holds_free(&holds);
}
