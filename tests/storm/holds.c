/* SPDX-License-Identifier: MIT */
/* From calls to holds, thread by thread. */
#include <stdlib.h>

#include "check_mutex.h"

static int by_place(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void acquired(struct storm_log *log, struct holds *holds, struct hold **open,
                     const struct entry *entry)
{
    if (entry->after == NEVER) {
        if (!*open) {
            holds->perhaps[holds->perhaps_count++].entry = entry;
        }
    } else if (entry->result < 0) {
        if (entry->call == CALL_MANY) {
            holds->failed[holds->failed_count++] = entry;
        }
        if (entry->result == SYNC_ELOST && (!*open || entry->call == CALL_MANY)) {
            blame(log, RULE_LOST, entry, "lost what it did not hold");
        }
    } else if (*open) {
        (*open)->depth++;
        if (entry->result == SYNC_OWNER_DIED) {
            blame(log, RULE_DIED, entry, "told of a death in its own hold");
        }
        if (plan_object(holds->object).non_recursive) {
            blame(log, RULE_CODE, entry, "a non-recursive mutex was taken twice");
        }
    } else {
        *open = &holds->holds[holds->count++];
        **open = (struct hold){.acquired = entry,
                               .token = entry->record->token,
                               .depth = 1,
                               /* Its token could not be asked for: already broken. */
                               .lost = entry->record->token == 0,
                               .end = entry->record->token ? NEVER : entry->after,
                               .over = NEVER};
    }
}

static void released(struct storm_log *log, struct hold **open, const struct entry *entry)
{
    struct hold *hold = *open;
    if (!hold) {
        return;
    }
    if (entry->after == NEVER) {
        hold->doubtful = hold->depth == 1;
        hold->end = hold->doubtful ? entry->before : hold->end;
        return;
    }
    hold->depth--;
    if (entry->result == SYNC_ELOST) {
        hold->lost = true;
        hold->end = entry->before < hold->end ? entry->before : hold->end;
        hold->over = entry->after < hold->over ? entry->after : hold->over;
    } else if (hold->lost) {
        blame(log, RULE_LOST, entry, "told once that it was lost, and then not");
    } else if (hold->depth == 0) {
        hold->released_well = entry;
        hold->end = entry->before;
        hold->over = entry->after;
    }
    if (hold->depth == 0) {
        *open = NULL;
    }
}

/* The thread's records ended while it held. */
static void left_open(const struct life *life, struct hold *hold)
{
    if (life->died_from == NEVER) {
        return; /* reported as a call that never returned */
    }
    hold->died = true;
    hold->end = life->died_from < hold->end ? life->died_from : hold->end;
    hold->over = life->died_by < hold->over ? life->died_by : hold->over;
}

static void checked(struct storm_log *log, struct hold *open, const struct entry *entry)
{
    if (open && entry->after != NEVER && entry->result == SYNC_ELOST) {
        open->lost = true;
        open->end = entry->before < open->end ? entry->before : open->end;
        open->over = entry->after < open->over ? entry->after : open->over;
    } else if (open && open->lost && entry->after != NEVER && entry->result == 0) {
        blame(log, RULE_LOST, entry, "told once that it was lost, and then not");
    }
}

/* A break ends what it hits, even if its holder has not noticed yet. */
static void cut(struct holds *holds)
{
    for (uint32_t i = 0; i < holds->count; i++) {
        struct hold *hold = &holds->holds[i];
        for (uint32_t j = 0; j < holds->break_count; j++) {
            const struct entry *entry = holds->breaks[j];
            bool possible = entry->after == NEVER || entry->result == 0;
            bool hit = entry->record->token == hold->token ||
                       (hold->lost && (!hold->token || entry->record->token < hold->token) &&
                        entry->after >= hold->acquired->before);
            if (possible && hit && entry->before < hold->end &&
                entry->after >= hold->acquired->before) {
                hold->end = entry->before;
            }
        }
    }
}

static void one_call(struct storm_log *log, struct holds *holds, struct hold **open,
                     const struct entry *entry)
{
    switch (entry->call) {
    case CALL_ACQUIRE:
    case CALL_MANY:
        acquired(log, holds, open, entry);
        break;
    case CALL_RELEASE:
        released(log, open, entry);
        break;
    case CALL_CHECK:
        checked(log, *open, entry);
        break;
    case CALL_BREAK:
        if (entry->after == NEVER || entry->result == 0) {
            holds->breaks[holds->break_count++] = entry;
        }
        break;
    default:
        break;
    }
}

void holds_build(struct storm_log *log, uint32_t object, struct holds *ret_holds)
{
    const struct list *list = &log->by_object[object];
    uint32_t *order = must_alloc(list->count, sizeof(*order));
    *ret_holds = (struct holds){.object = object};
    ret_holds->holds = must_alloc(list->count, sizeof(struct hold));
    ret_holds->perhaps = must_alloc(list->count, sizeof(struct doubt));
    ret_holds->failed = must_alloc(list->count, sizeof(struct entry *));
    ret_holds->breaks = must_alloc(list->count, sizeof(struct entry *));
    for (uint32_t i = 0; i < list->count; i++) {
        order[i] = list->items[i];
    }
    qsort(order, list->count, sizeof(*order), by_place); /* thread by thread, call by call */
    struct hold *open = NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct entry *entry = &log->entries[order[i]];
        one_call(log, ret_holds, &open, entry);
        bool last = i + 1 == list->count || log->entries[order[i + 1]].life != entry->life;
        if (last && open) {
            left_open(life_of(log, entry), open);
            open = NULL;
        }
    }
    cut(ret_holds);
    free(order);
}

void holds_free(struct holds *holds)
{
    free(holds->holds);
    free(holds->perhaps);
    free(holds->failed);
    free(holds->breaks);
}
