/* SPDX-License-Identifier: MIT */
/* A recording as lives and calls. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

static const char *const rule_names[RULES] = {"exclusion", "tokens", "owner died", "evicted",
                                              "permits",   "events", "barriers",   "causes",
                                              "wakes",     "time",   "codes",      "seed"};

void *must_alloc(size_t count, size_t size)
{
    void *room = calloc(count ? count : 1, size);
    if (!room) {
        fprintf(stderr, "check: out of memory\n");
        exit(1);
    }
    return room;
}

int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

void blame(struct storm_log *log, enum rule rule, const struct entry *entry, const char *format,
           ...)
{
    if (log->found[rule]++ >= 12 || log->quiet) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    printf("BROKEN %s: ", rule_names[rule]);
    vprintf(format, arguments);
    va_end(arguments);
    if (entry) {
        char name[64];
        const struct life *life = life_of(log, entry);
        plan_name(entry->object, name, sizeof(name));
        printf(
            " [%s %s by %u.%u.%u pid %d, step %u, result %d, timeout %lld ms, at %.6f s, took %.3f "
            "ms]",
            call_name(entry->call), name, life->worker, life->incarnation, life->thread, life->pid,
            entry->record->step, entry->result, (long long)entry->record->timeout / 1000000,
            (double)(entry->before - log->recording->began) / 1e9,
            entry->after == NEVER ? -1.0 : (double)(entry->after - entry->before) / 1e6);
    }
    printf("\n");
}

static uint64_t overlap(uint64_t a_from, uint64_t a_to, uint64_t b_from, uint64_t b_to)
{
    uint64_t from = a_from > b_from ? a_from : b_from, to = a_to < b_to ? a_to : b_to;
    return to > from ? to - from : 0;
}

uint64_t stopped_in(const struct storm_log *log, uint32_t worker, uint64_t from, uint64_t to)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < log->stop_count; i++) {
        if (log->stops[i].worker == worker) {
            sum += overlap(log->stops[i].from, log->stops[i].to, from, to);
        }
    }
    return sum;
}

uint64_t stalled_in(const struct storm_log *log, uint64_t from, uint64_t to)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < log->stall_count; i++) {
        sum += overlap(log->stalls[i].from, log->stalls[i].to, from, to);
    }
    return sum;
}

/* ---- reading ---- */

static int by_thread(const void *a, const void *b)
{
    const struct extent *x = *(const struct extent *const *)a,
                        *y = *(const struct extent *const *)b;
    const uint32_t xs[] = {x->worker, x->incarnation, x->thread, x->place};
    const uint32_t ys[] = {y->worker, y->incarnation, y->thread, y->place};
    for (int i = 0; i < 4; i++) {
        if (xs[i] != ys[i]) {
            return xs[i] < ys[i] ? -1 : 1;
        }
    }
    return 0;
}

static struct entry entry_of(struct record *record, uint32_t life)
{
    uint64_t after = atomic_load(&record->after);
    return (struct entry){.record = record,
                          .before = atomic_load(&record->before),
                          .after = after ? after : NEVER,
                          .life = life,
                          .call = record->call,
                          .object = record->object,
                          .result = record->result};
}

static void read_extent(struct storm_log *log, struct extent *extent)
{
    uint32_t used = atomic_load(&extent->used);
    struct life *life = log->life_count ? &log->lives[log->life_count - 1] : NULL;
    if (!life || extent->place == 0) {
        life = &log->lives[log->life_count++];
        *life = (struct life){.worker = extent->worker,
                              .incarnation = extent->incarnation,
                              .thread = extent->thread,
                              .pid = extent->pid,
                              .first = log->entry_count,
                              .died_from = NEVER,
                              .died_by = NEVER};
    }
    for (uint32_t i = 0; i < used && i < EXTENT_RECORDS; i++) {
        log->entries[log->entry_count++] = entry_of(&extent->records[i], log->life_count - 1);
        life->count++;
    }
}

static void note_death(struct storm_log *log, const struct entry *kill)
{
    for (uint32_t i = 0; i < log->life_count; i++) {
        struct life *life = &log->lives[i];
        if (life->worker == kill->object && life->incarnation == kill->record->count &&
            !life->exited) {
            life->died_from = kill->before;
            life->died_by = kill->after;
        }
    }
}

/* Deaths, stops and stalls, once all calls are there. */
static void read_fates(struct storm_log *log)
{
    for (uint32_t i = 0; i < log->life_count; i++) {
        struct life *life = &log->lives[i];
        struct entry *last = life->count ? &log->entries[life->first + life->count - 1] : NULL;
        if (last && last->call == CALL_EXIT && life->worker < WORKER_FINAL) {
            life->exited = true;
            life->died_from = last->before;
            life->died_by = last->before + 100000000; /* it only has to return */
        }
    }
    for (uint32_t i = 0; i < log->entry_count; i++) {
        struct entry *entry = &log->entries[i];
        uint32_t by = life_of(log, entry)->worker;
        struct span span = {entry->before, entry->after, entry->object};
        if (by == WORKER_SUPERVISOR && entry->call == CALL_KILL) {
            note_death(log, entry);
        } else if (by == WORKER_SUPERVISOR && entry->call == CALL_STOP) {
            log->stops[log->stop_count++] = span;
        } else if (by == WORKER_PULSE && entry->call == CALL_STALL) {
            log->stalls[log->stall_count++] = span;
        }
    }
}

static struct storm_log *sorting;
static int by_before(const void *a, const void *b)
{
    const struct entry *x = &sorting->entries[*(const uint32_t *)a];
    const struct entry *y = &sorting->entries[*(const uint32_t *)b];
    return x->before < y->before ? -1 : x->before > y->before;
}

void log_sort(struct storm_log *log, uint32_t object)
{
    sorting = log;
    qsort(log->by_object[object].items, log->by_object[object].count, sizeof(uint32_t), by_before);
}

static void sort_by_object(struct storm_log *log)
{
    uint32_t counts[PLAN_OBJECTS] = {0};
    uint32_t workers = log->recording->workers;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < log->entry_count; i++) {
            struct entry *entry = &log->entries[i];
            if (life_of(log, entry)->worker > workers || entry->object >= PLAN_OBJECTS) {
                continue;
            }
            if (pass) {
                struct list *list = &log->by_object[entry->object];
                list->items[list->count++] = i;
            } else {
                counts[entry->object]++;
            }
        }
        for (uint32_t i = 0; i < PLAN_OBJECTS && !pass; i++) {
            log->by_object[i].items = must_alloc(counts[i], sizeof(uint32_t));
        }
    }
    for (uint32_t i = 0; i < PLAN_OBJECTS; i++) {
        log_sort(log, i);
    }
}

struct storm_log *log_load(const char *path, bool quiet)
{
    struct storm_log *log = must_alloc(1, sizeof(*log));
    uint64_t size;
    log->recording = record_open(path, &size);
    log->quiet = quiet;
    if (!log->recording || log->recording->objects != PLAN_OBJECTS) {
        fprintf(stderr, "check: %s is no recording of this version\n", path);
        exit(2);
    }
    uint32_t taken = atomic_load(&log->recording->taken);
    if (taken > log->recording->capacity) {
        taken = log->recording->capacity;
    }
    if ((taken + 1) * sizeof(struct extent) > size) {
        fprintf(stderr, "check: %s is cut short\n", path);
        exit(2);
    }
    struct extent **extents = must_alloc(taken, sizeof(*extents));
    uint64_t total = 0;
    for (uint32_t i = 0; i < taken; i++) {
        extents[i] = extent_at(log->recording, i);
        total += atomic_load(&extents[i]->used);
    }
    qsort(extents, taken, sizeof(*extents), by_thread);
    log->lives = must_alloc(taken, sizeof(*log->lives));
    log->entries = must_alloc(total, sizeof(*log->entries));
    log->stops = must_alloc(total, sizeof(*log->stops));
    log->stalls = must_alloc(total, sizeof(*log->stalls));
    for (uint32_t i = 0; i < taken; i++) {
        read_extent(log, extents[i]);
    }
    free(extents);
    read_fates(log);
    sort_by_object(log);
    return log;
}
