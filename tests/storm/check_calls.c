/* SPDX-License-Identifier: MIT */
/* What holds for every call by itself: it returns, in time, with a code it may return; and it is
 * the one that the seed says. */
#include "check.h"

static bool waits(uint32_t call)
{
    return call == CALL_ACQUIRE || call == CALL_MANY || call == CALL_TAKE || call == CALL_WAIT ||
           call == CALL_MEET;
}

/* A process that is stopped inside the guard of a semaphore costs others that long. */
static uint64_t stopped_inside(const struct storm_log *log, const struct entry *entry)
{
    uint64_t sum = 0;
    const struct list *list = &log->by_object[entry->object];
    for (uint32_t i = 0; i < log->stop_count; i++) {
        const struct span *stop = &log->stops[i];
        if (stop->to <= entry->before || stop->from >= entry->after) {
            continue;
        }
        for (uint32_t j = 0; j < list->count; j++) {
            const struct entry *other = &log->entries[list->items[j]];
            if (life_of(log, other)->worker == stop->worker && other->before < stop->to &&
                other->after > stop->from) {
                sum += stop->to - stop->from;
                break;
            }
        }
    }
    return sum;
}

static void check_time(struct storm_log *log, const struct entry *entry)
{
    const struct life *life = life_of(log, entry);
    if (entry->after == NEVER) {
        if (life->died_from == NEVER) {
            blame(log, RULE_TIME, entry, "never returned, and nobody killed it");
        }
        return;
    }
    uint64_t limit = waits(entry->call) ? (uint64_t)entry->record->timeout : 0;
    uint64_t took = entry->after - entry->before;
    uint64_t late = took > limit ? took - limit : 0;
    if (late > SLACK / 50) {
        uint64_t excused = stopped_in(log, life->worker, entry->before, entry->after) +
                           stalled_in(log, entry->before, entry->after);
        late = late > excused ? late - excused : 0;
    }
    if (late > SLACK / 4 && entry->object < PLAN_OBJECTS) {
        uint64_t excused = stopped_inside(log, entry);
        late = !waits(entry->call) && late > excused ? late - excused
               : waits(entry->call)                  ? late
                                                     : 0;
    }
    if (late > log->latest_return) {
        log->latest_return = late;
    }
    if (late > SLACK) {
        blame(log, RULE_TIME, entry, "%.0f ms later than it may be", (double)late / 1e6);
    }
}

static bool may_return(const struct entry *entry, const struct object *object)
{
    int rc = entry->result;
    switch (entry->call) {
    case CALL_ACQUIRE:
    case CALL_MANY:
        return rc == 0 || (rc == SYNC_OWNER_DIED && !object->silent) || rc == SYNC_ETIMEDOUT ||
               rc == SYNC_EDEADLK || rc == SYNC_ELOST;
    case CALL_RELEASE:
        return rc == 0 || rc == SYNC_ELOST;
    case CALL_CHECK:
    case CALL_CONSISTENT:
        return rc == 0 || rc == SYNC_ELOST;
    case CALL_TAKE:
        return rc == 0 || rc == SYNC_ETIMEDOUT || (rc == SYNC_EBUSY && entry->record->timeout == 0);
    case CALL_GIVE:
        return rc == 0 || (rc == SYNC_EOVERFLOW && object->untracked);
    case CALL_WAIT:
        return rc == 0 || rc == SYNC_ETIMEDOUT;
    case CALL_MEET:
        return (rc >= 0 && rc < (int)object->number) || rc == SYNC_ETIMEDOUT || rc == SYNC_EBROKEN;
    case CALL_BREAK:
        return rc == 0 || rc == SYNC_EPERM || rc == SYNC_EBUSY;
    case CALL_UNLINK:
        return rc == 0 || rc == SYNC_EBUSY || rc == SYNC_ENOENT;
    default:
        return rc == 0;
    }
}

void check_calls(struct storm_log *log)
{
    for (uint32_t i = 0; i < log->entry_count; i++) {
        const struct entry *entry = &log->entries[i];
        if (life_of(log, entry)->worker > log->recording->workers) {
            continue;
        }
        struct object object = plan_object(entry->object);
        check_time(log, entry);
        log->perhaps += entry->after == NEVER;
        if (entry->after != NEVER && !may_return(entry, &object)) {
            blame(log, RULE_CODE, entry, "%s is no answer to that call",
                  entry->result < 0 ? "this error" : "this status");
        }
    }
}

/* ---- the plan ---- */

static bool belongs(const struct step *step, const struct entry *entry)
{
    static const uint32_t calls[STEP_KINDS] = {
        [STEP_SECTION] = 1u << CALL_CHECK,
        [STEP_MANY] = 1u << CALL_MANY,
        [STEP_PERMITS] = 1u << CALL_TAKE | 1u << CALL_GIVE,
        [STEP_FLOW] = 1u << CALL_TAKE | 1u << CALL_GIVE,
        [STEP_SET] = 1u << CALL_SET,
        [STEP_CLEAR] = 1u << CALL_CLEAR,
        [STEP_WAIT] = 1u << CALL_WAIT,
        [STEP_MEET] = 1u << CALL_MEET | 1u << CALL_RESET,
        [STEP_ABORT] = 1u << CALL_ABORT,
        [STEP_REOPEN] = 1u << CALL_CLOSE,
        [STEP_CHURN] = 1u << CALL_CLOSE | 1u << CALL_UNLINK,
        [STEP_EXIT] = 1u << CALL_EXIT,
    };
    const uint32_t mutex = 1u << CALL_ACQUIRE | 1u << CALL_RELEASE | 1u << CALL_CONSISTENT;
    uint32_t allowed = calls[step->kind] | 1u << CALL_OPEN;
    if (step->kind <= STEP_HAMMER || step->kind == STEP_EXIT) {
        allowed |= mutex;
    }
    uint32_t objects = step->kind == STEP_NESTED ? 2 : step->kind == STEP_MANY ? step->count : 1;
    bool named = false;
    for (uint32_t i = 0; i < objects; i++) {
        named = named || step->objects[i] == entry->object;
    }
    return named && (allowed & 1u << entry->call) != 0;
}

void check_plan(struct storm_log *log)
{
    for (uint32_t i = 0; i < log->life_count; i++) {
        const struct life *life = &log->lives[i];
        uint64_t key = plan_key(log->recording->seed, life->worker, life->incarnation,
                                life->thread);
        struct step step;
        uint32_t at = UINT32_MAX;
        bool planned = life->worker < log->recording->workers && life->thread != THREAD_MAIN;
        for (uint32_t j = 0; j < life->count && planned; j++) {
            const struct entry *entry = &log->entries[life->first + j];
            if (entry->record->step != at) {
                if (entry->record->step != at + 1) {
                    blame(log, RULE_SEED, entry, "step %u follows step %u", entry->record->step,
                          at);
                }
                at = entry->record->step;
                plan_step(key, at, &step);
            }
            if (!belongs(&step, entry)) {
                blame(log, RULE_SEED, entry, "the seed plans another call for this step");
                break;
            }
        }
    }
}
