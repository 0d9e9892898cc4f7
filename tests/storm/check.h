/* SPDX-License-Identifier: MIT */
/* The checker: what a recording proves against the library. Only what is certain counts: a hold
 * begins when its acquire has returned and ends before its release is called, or when its holder is
 * about to be killed; a call that never returned is "perhaps". */
#ifndef STORM_CHECK_H
#define STORM_CHECK_H

#include <sync/error.h>

#include "plan.h"
#include "record.h"

#define NEVER UINT64_MAX
#define SLACK 1500000000ull /* ns that anything may take beyond its timeout */

enum rule {
    RULE_EXCLUSION,
    RULE_TOKEN,
    RULE_DIED,
    RULE_LOST,
    RULE_PERMITS,
    RULE_EVENT,
    RULE_BARRIER,
    RULE_CAUSE,
    RULE_WAKE,
    RULE_TIME,
    RULE_CODE,
    RULE_SEED,
    RULES
};

struct life { /* of one thread */
    uint32_t worker, incarnation, thread;
    int32_t pid;
    uint32_t first, count;       /* entries */
    uint64_t died_from, died_by; /* NEVER when it lived to the end */
    bool exited;                 /* by itself, while holding */
};

struct entry { /* one call */
    struct record *record;
    uint64_t before, after; /* after: NEVER for "perhaps" */
    uint32_t life;
    uint16_t call, object;
    int32_t result;
};

struct span {
    uint64_t from, to;
    uint32_t worker;
};

struct list { /* indexes of entries, by `before` */
    uint32_t *items;
    uint32_t count;
};

struct storm_log {
    struct recording *recording;
    struct life *lives;
    uint32_t life_count;
    struct entry *entries;
    uint32_t entry_count;
    struct span *stops, *stalls;
    uint32_t stop_count, stall_count;
    struct list by_object[PLAN_OBJECTS];
    bool quiet;
    uint32_t found[RULES];
    /* figures */
    uint32_t holds, deaths_told, evicted, rounds, broken, perhaps, unknown_cause;
    uint64_t longest_idle_wait, latest_return;
};

/* load.c */
struct storm_log *log_load(const char *path, bool quiet);
void log_sort(struct storm_log *log, uint32_t object); /* its entries, by `before` */
void blame(struct storm_log *log, enum rule rule, const struct entry *entry, const char *format,
           ...) __attribute__((format(printf, 4, 5)));
/* How much of [from, to] the worker was stopped; how much the machine stood still. */
uint64_t stopped_in(const struct storm_log *log, uint32_t worker, uint64_t from, uint64_t to);
uint64_t stalled_in(const struct storm_log *log, uint64_t from, uint64_t to);
static inline const struct life *life_of(const struct storm_log *log, const struct entry *entry)
{
    return &log->lives[entry->life];
}
static inline struct entry *entry_at(const struct storm_log *log, uint32_t object, uint32_t place)
{
    return &log->entries[log->by_object[object].items[place]];
}
void *must_alloc(size_t count, size_t size);
int by_number(const void *a, const void *b); /* of uint64_t */

/* The rules. */
void check_calls(struct storm_log *log);
void check_plan(struct storm_log *log);
void check_mutex(struct storm_log *log, uint32_t object);
void check_semaphore(struct storm_log *log, uint32_t object);
void check_event(struct storm_log *log, uint32_t object);
void check_barrier(struct storm_log *log, uint32_t object);
void check_object(struct storm_log *log, uint32_t object);

/* idle.c: who waited although nothing was in the way? */
struct load { /* in use from … to */
    uint64_t from, to;
    uint32_t count;
};
/* Each wait for `wanted[i]` of `maximum` against the times something was in use. */
struct waiter {
    const struct entry *entry;
    uint32_t count;
};
void check_idle(struct storm_log *log, struct load *loads, uint32_t load_count, uint32_t maximum,
                const struct waiter *waiters, uint32_t waiter_count);
/* Entries of stopped processes that are in the middle of a call on the object. */
uint32_t add_stopped_loads(const struct storm_log *log, uint32_t object, uint32_t maximum,
                           struct load *loads, uint32_t room);

/* doctor.c: the number of the checker's own tests that failed. */
int doctor_run(const char *path, uint32_t *ret_passed);

#endif
