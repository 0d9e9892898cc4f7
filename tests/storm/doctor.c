/* SPDX-License-Identifier: MIT */
/* Can the checker fail? Each test damages a good recording in memory, in one way, and looks whether
 * the rule that forbids it says so. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_mutex.h"

/* Does the damage and says on which object; false: the recording has no place for it. */
typedef bool damage_function(struct storm_log *log, uint32_t *ret_object);

static struct entry *entry_of(const struct entry *entry)
{
    return (struct entry *)(uintptr_t)entry;
}

static int by_token(const void *a, const void *b)
{
    const struct hold *x = a, *y = b;
    return x->token < y->token ? -1 : x->token > y->token;
}

/* Two holds of one mutex, one right after the other, both released in peace. */
static bool find_pair(struct storm_log *log, uint32_t *ret_object, struct hold *ret_one,
                      struct hold *ret_two)
{
    for (uint32_t object = 0; object < PLAN_OBJECTS; object++) {
        struct holds holds;
        bool found = false;
        if (plan_object(object).kind != OBJECT_MUTEX || plan_object(object).silent) {
            continue;
        }
        holds_build(log, object, &holds);
        qsort(holds.holds, holds.count, sizeof(*holds.holds), by_token);
        for (uint32_t i = 1; i < holds.count && !found; i++) {
            const struct hold *one = &holds.holds[i - 1], *two = &holds.holds[i];
            found = one->token && two->token == one->token + 1 && one->released_well &&
                    two->released_well && one->acquired->result == 0 &&
                    two->acquired->result == 0 && one->acquired->call == CALL_ACQUIRE &&
                    two->acquired->call == CALL_ACQUIRE && holds.perhaps_count == 0 &&
                    one->end > one->acquired->after + 1000 && two->acquired->after > one->over;
            *ret_one = *one;
            *ret_two = *two;
        }
        holds_free(&holds);
        *ret_object = object;
        if (found) {
            return true;
        }
    }
    return false;
}

static bool overlap(struct storm_log *log, uint32_t *ret_object)
{
    struct hold one, two;
    if (!find_pair(log, ret_object, &one, &two)) {
        return false;
    }
    entry_of(two.acquired)->before = one.acquired->after + 10;
    entry_of(two.acquired)->after = one.acquired->after + 20;
    return true;
}

static bool swapped_tokens(struct storm_log *log, uint32_t *ret_object)
{
    struct hold one, two;
    if (!find_pair(log, ret_object, &one, &two)) {
        return false;
    }
    one.acquired->record->token = two.token;
    two.acquired->record->token = one.token;
    return true;
}

static bool same_token(struct storm_log *log, uint32_t *ret_object)
{
    struct hold one, two;
    if (!find_pair(log, ret_object, &one, &two)) {
        return false;
    }
    two.acquired->record->token = one.token;
    return true;
}

static bool invented_death(struct storm_log *log, uint32_t *ret_object)
{
    struct hold one, two;
    if (!find_pair(log, ret_object, &one, &two)) {
        return false;
    }
    entry_of(two.acquired)->result = SYNC_OWNER_DIED;
    return true;
}

static bool invented_loss(struct storm_log *log, uint32_t *ret_object)
{
    struct hold one, two;
    if (!find_pair(log, ret_object, &one, &two)) {
        return false;
    }
    entry_of(one.released_well)->result = SYNC_ELOST;
    /* Unless it was broken in that very moment. */
    for (uint32_t i = 0; i < log->by_object[*ret_object].count; i++) {
        struct entry *entry = entry_at(log, *ret_object, i);
        entry->call = entry->call == CALL_BREAK ? CALL_NONE : entry->call;
    }
    return true;
}

/* One waits long, and whatever else happened to the mutex in that time is left out. */
static bool lost_wake(struct storm_log *log, uint32_t *ret_object)
{
    struct hold one, two;
    if (!find_pair(log, ret_object, &one, &two)) {
        return false;
    }
    struct entry *waiter = entry_of(two.acquired);
    for (uint32_t i = 0; i < log->by_object[*ret_object].count; i++) {
        struct entry *entry = entry_at(log, *ret_object, i);
        entry->call = entry == waiter || entry == one.released_well || entry == one.acquired ||
                              entry == two.released_well
                          ? entry->call
                          : CALL_NONE;
    }
    waiter->after += 3 * SLACK;
    entry_of(two.released_well)->before = waiter->after;
    entry_of(two.released_well)->after = waiter->after;
    waiter->record->timeout = 20000000000;
    log->stop_count = log->stall_count = 0;
    return true;
}

/* The first entry of that call and result, of an object that passes. */
static struct entry *find(struct storm_log *log, uint32_t call, int result, bool untracked,
                          uint32_t *ret_object)
{
    for (uint32_t object = 0; object < PLAN_OBJECTS; object++) {
        for (uint32_t i = 0; i < log->by_object[object].count; i++) {
            struct entry *entry = entry_at(log, object, i);
            if (entry->call == call && entry->result == result && entry->after != NEVER &&
                life_of(log, entry)->died_from == NEVER &&
                plan_object(object).untracked == untracked) {
                *ret_object = object;
                return entry;
            }
        }
    }
    return NULL;
}

static bool death_not_told(struct storm_log *log, uint32_t *ret_object)
{
    for (uint32_t object = 0; object < PLAN_OBJECTS; object++) {
        struct holds holds;
        struct entry *told = NULL;
        if (plan_object(object).kind != OBJECT_MUTEX || plan_object(object).silent) {
            continue;
        }
        holds_build(log, object, &holds);
        qsort(holds.holds, holds.count, sizeof(*holds.holds), by_token);
        for (uint32_t i = 1; i < holds.count; i++) {
            const struct hold *one = &holds.holds[i - 1], *two = &holds.holds[i];
            if (one->token && one->died && !one->doubtful && holds.holds[0].token &&
                two->acquired->result == SYNC_OWNER_DIED) {
                told = entry_of(two->acquired);
            }
        }
        holds_free(&holds);
        for (uint32_t i = 0; told && i < log->by_object[object].count; i++) {
            struct entry *entry = entry_at(log, object, i);
            if (entry->call == CALL_MANY && entry->result < 0) {
                entry->call = CALL_NONE; /* to none of these was it told either */
            }
        }
        if (told) {
            told->result = 0;
            *ret_object = object;
            return true;
        }
    }
    return false;
}

/* Does the damaged recording show a hold that ended well after its eviction? One whose holder was
 * killed before its last release does not. */
static bool ended_well(struct storm_log *log, uint32_t object, const struct entry *eviction)
{
    struct holds holds;
    bool shown = false;
    holds_build(log, object, &holds);
    for (uint32_t i = 0; i < holds.count; i++) {
        const struct hold *hold = &holds.holds[i];
        shown = shown || (hold->token && hold->token == eviction->record->token &&
                          hold->released_well && hold->released_well->before >= eviction->after);
    }
    holds_free(&holds);
    return shown;
}

static bool eviction_not_told(struct storm_log *log, uint32_t *ret_object)
{
    for (uint32_t object = 0; object < PLAN_OBJECTS; object++) {
        struct holds holds;
        bool found = false;
        if (plan_object(object).kind != OBJECT_MUTEX) {
            continue;
        }
        holds_build(log, object, &holds);
        for (uint32_t i = 0; i < holds.count * holds.break_count && !found; i++) {
            const struct hold *hold = &holds.holds[i / holds.break_count];
            const struct entry *entry = holds.breaks[i % holds.break_count];
            if (!hold->lost || !hold->token || entry->record->token != hold->token ||
                entry->result != 0 || entry->after == NEVER) {
                continue;
            }
            for (uint32_t j = 0; j < log->by_object[object].count; j++) {
                struct entry *release = entry_at(log, object, j);
                if (release->life == hold->acquired->life && release->result == SYNC_ELOST &&
                    release->before >= entry->after) {
                    release->result = 0;
                }
            }
            found = ended_well(log, object, entry);
        }
        holds_free(&holds);
        *ret_object = object;
        if (found) {
            return true;
        }
    }
    return false;
}

static bool permit_too_many(struct storm_log *log, uint32_t *ret_object)
{
    struct entry *entry = find(log, CALL_TAKE, 0, false, ret_object);
    if (entry) {
        entry->record->count = plan_object(*ret_object).number + 1;
    }
    return entry != NULL;
}

static bool permit_from_nowhere(struct storm_log *log, uint32_t *ret_object)
{
    struct entry *entry = find(log, CALL_TAKE, 0, true, ret_object);
    for (uint32_t i = 0; entry && i < log->by_object[*ret_object].count; i++) {
        struct entry *give = entry_at(log, *ret_object, i);
        give->result = give->call == CALL_GIVE ? SYNC_EOVERFLOW : give->result;
    }
    return entry != NULL;
}

static bool came_through_unset(struct storm_log *log, uint32_t *ret_object)
{
    struct entry *entry = find(log, CALL_WAIT, 0, false, ret_object);
    for (uint32_t i = 0; entry && i < log->by_object[*ret_object].count; i++) {
        struct entry *set = entry_at(log, *ret_object, i);
        set->call = set->call == CALL_SET ? CALL_NONE : set->call;
    }
    return entry != NULL;
}

static bool index_twice(struct storm_log *log, uint32_t *ret_object)
{
    struct entry *entry = find(log, CALL_MEET, 0, false, ret_object);
    uint32_t rounds = 0;
    for (uint32_t i = 0; entry && i < log->by_object[*ret_object].count; i++) {
        struct entry *meet = entry_at(log, *ret_object, i);
        if (meet->call == CALL_MEET && meet->result == 0 && meet->after != NEVER) {
            meet->result = 1;
            rounds++;
        }
    }
    return rounds > 50;
}

static bool broken_for_nothing(struct storm_log *log, uint32_t *ret_object)
{
    struct entry *entry = find(log, CALL_MEET, SYNC_EBROKEN, false, ret_object);
    if (entry) {
        entry->record->count = SYNC_CAUSE_ACTION;
    }
    return entry != NULL;
}

static bool returned_late(struct storm_log *log, uint32_t *ret_object)
{
    struct entry *entry = find(log, CALL_WAIT, SYNC_ETIMEDOUT, false, ret_object);
    if (entry) {
        entry->after += (uint64_t)entry->record->timeout + 4 * SLACK;
        log->stop_count = log->stall_count = 0;
    }
    return entry != NULL;
}

static bool never_returned(struct storm_log *log, uint32_t *ret_object)
{
    struct entry *entry = find(log, CALL_TAKE, SYNC_ETIMEDOUT, false, ret_object);
    if (entry) {
        entry->after = NEVER;
    }
    return entry != NULL;
}

static bool wrong_code(struct storm_log *log, uint32_t *ret_object)
{
    struct entry *entry = find(log, CALL_RELEASE, 0, false, ret_object);
    if (entry) {
        entry->result = SYNC_EPERM;
    }
    return entry != NULL;
}

static bool another_plan(struct storm_log *log, uint32_t *ret_object)
{
    struct entry *entry = find(log, CALL_SET, 0, false, ret_object);
    if (entry) {
        entry->call = CALL_CLEAR;
    }
    return entry != NULL;
}

static const struct {
    const char *name;
    enum rule rule;
    damage_function *damage;
} tests[] = {
    {"two holds overlap", RULE_EXCLUSION, overlap},
    {"tokens go back", RULE_TOKEN, swapped_tokens},
    {"a token is given twice", RULE_TOKEN, same_token},
    {"a death that was none", RULE_DIED, invented_death},
    {"a death that is not told", RULE_DIED, death_not_told},
    {"a mutex lost that nobody broke", RULE_LOST, invented_loss},
    {"an eviction that is not told", RULE_LOST, eviction_not_told},
    {"a permit too many", RULE_PERMITS, permit_too_many},
    {"a permit from nowhere", RULE_PERMITS, permit_from_nowhere},
    {"a wait that passes a clear event", RULE_EVENT, came_through_unset},
    {"a barrier's index given twice", RULE_BARRIER, index_twice},
    {"a barrier broken for nothing", RULE_CAUSE, broken_for_nothing},
    {"a wake lost", RULE_WAKE, lost_wake},
    {"a call that returns late", RULE_TIME, returned_late},
    {"a call that never returns", RULE_TIME, never_returned},
    {"a code that call never gives", RULE_CODE, wrong_code},
    {"a step the seed does not plan", RULE_SEED, another_plan},
};

/* 0: found; 1: not found; 2: no place for it in this recording. */
static int one_test(struct storm_log *log, uint32_t number)
{
    uint32_t object = 0;
    if (!tests[number].damage(log, &object)) {
        return 2;
    }
    switch (tests[number].rule) {
    case RULE_TIME:
    case RULE_CODE:
        check_calls(log);
        break;
    case RULE_SEED:
        check_plan(log);
        break;
    default:
        log_sort(log, object);
        check_object(log, object);
    }
    return log->found[tests[number].rule] ? 0 : 1;
}

int doctor_run(const char *path, uint32_t *ret_passed)
{
    struct storm_log *log = log_load(path, true);
    int failed = 0;
    *ret_passed = 0;
    for (uint32_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        int status = -1;
        fflush(stdout);
        pid_t pid = fork(); /* its copy is damaged, not ours */
        if (pid == 0) {
            _exit(one_test(log, i));
        }
        if (pid > 0) {
            waitpid(pid, &status, 0);
        }
        if (status == 0) {
            ++*ret_passed;
        } else {
            failed++;
            printf("FAILED: %s: %s\n", tests[i].name,
                   WIFEXITED(status) && WEXITSTATUS(status) == 2
                       ? "the recording has no place for it, let it last longer"
                       : "not found by the checker");
        }
    }
    return failed;
}
