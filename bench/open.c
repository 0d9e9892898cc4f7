/* SPDX-License-Identifier: MIT */
/* What does it cost to open a name, among how many others? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/bench.h"

#define NAMES_MAX 1000000u
#define CAPACITY 1100000u
#define CHUNKS 40000u /* of 31 opens */
#define BATCH 100
#define BATCHES 200
#define NAME_SIZE 32

/* Records as large as the library's, in memory of the same sort. */
struct record {
    uint32_t hash, next, size, state;
    char room[32];
    char name[208];
};
struct state { /* a line of its own: a reader must know that the record is live */
    _Alignas(64) bench_word state;
};

struct table {
    uint32_t buckets; /* a power of two */
    bench_word *heads;
    struct record *records;
    struct state *states;
};

struct open {
    char (*names)[NAME_SIZE];
    uint32_t count; /* names known by now */
    sync_mutex **handles;
    struct table table;
    uint64_t random;
};

static uint32_t hash_of(const char *name, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t at = 0; at < size; at += 8) {
        uint64_t block = 0;
        memcpy(&block, name + at, size - at < 8 ? size - at : 8);
        h = (h ^ block) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    return (uint32_t)(h * 0xc4ceb9fe1a85ec53u >> 32);
}

static uint32_t probe(struct table *table, const char *name)
{
    size_t size = strlen(name);
    uint32_t hash = hash_of(name, size);
    for (uint32_t at = atomic_load(&table->heads[hash & (table->buckets - 1)]); at;) {
        struct record *record = &table->records[at - 1];
        if (record->hash == hash && record->size == size && memcmp(record->name, name, size) == 0 &&
            atomic_load(&table->states[at - 1].state)) {
            return at;
        }
        at = record->next;
    }
    return 0;
}

static void insert(struct table *table, const char *name, uint32_t at)
{
    struct record *record = &table->records[at];
    record->size = (uint32_t)strlen(name);
    record->hash = hash_of(name, record->size);
    memcpy(record->name, name, record->size);
    bench_word *head = &table->heads[record->hash & (table->buckets - 1)];
    record->next = atomic_load(head);
    atomic_store(&table->states[at].state, 1);
    atomic_store(head, at + 1);
}

static void *memory(size_t size)
{
    int fd = memfd_create("bench", MFD_CLOEXEC);
    void *at = fd < 0 || ftruncate(fd, (off_t)size) < 0
                   ? MAP_FAILED
                   : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        bench_die("no memory for the table");
    }
    close(fd);
    return at;
}

static void make_table(struct table *table)
{
    for (table->buckets = 1; table->buckets < CAPACITY; table->buckets *= 2) {}
    table->heads = memory(table->buckets * sizeof(*table->heads));
    table->records = memory(CAPACITY * sizeof(*table->records));
    table->states = memory(CAPACITY * sizeof(*table->states));
}

static uint32_t random_below(struct open *o, uint32_t limit)
{
    o->random ^= o->random << 13;
    o->random ^= o->random >> 7;
    o->random ^= o->random << 17;
    return (uint32_t)(o->random >> 16) % limit;
}

static void run(void *context, enum bench_side side, struct bench_figure *ret_figure)
{
    static sync_mutex *opened[BATCH];
    static const char *names[BATCH];
    static double batches[BATCHES];
    struct open *o = context;
    sync_manager *manager = bench_manager();
    for (int i = 0; i < BATCHES; i++) {
        uint32_t found = 0;
        for (int j = 0; j < BATCH; j++) {
            names[j] = o->names[random_below(o, o->count)];
        }
        int64_t began = bench_now();
        for (int j = 0; j < BATCH; j++) {
            if (side == BENCH_PEER) {
                found += probe(&o->table, names[j]) != 0;
            } else {
                found += sync_mutex_open(manager, names[j], NULL, &opened[j]) == 0;
            }
        }
        int64_t took = bench_now() - began;
        batches[i] = (double)took / BATCH;
        bench_sample(&ret_figure->samples, took / BATCH);
        if (found != BATCH) {
            bench_die("open: %u of %d found: %s", found, BATCH, sync_last_error());
        }
        for (int j = 0; j < BATCH && side == BENCH_SUBJECT; j++) {
            sync_mutex_close(opened[j]);
        }
    }
    ret_figure->value = bench_median(batches, BATCHES);
}

/* Bytes of the segment and of this process. */
static void sizes(double *ret_segment, double *ret_private)
{
    sync_manager_state state;
    struct stat status;
    char line[128];
    *ret_segment = *ret_private = 0;
    if (sync_manager_info(bench_manager(), &state) == 0 && stat(state.path, &status) == 0) {
        *ret_segment = (double)status.st_blocks * 512;
    }
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof(line), file)) {
        long kilobytes;
        if (sscanf(line, "RssAnon: %ld", &kilobytes) == 1) {
            *ret_private = (double)kilobytes * 1024;
        }
    }
    if (file) {
        fclose(file);
    }
}

static void grow(struct open *o, uint32_t count)
{
    sync_manager *manager = bench_manager();
    for (; o->count < count; o->count++) {
        snprintf(o->names[o->count], NAME_SIZE, "telescope/axis-%u", o->count);
        insert(&o->table, o->names[o->count], o->count);
        bench_check(sync_mutex_open(manager, o->names[o->count], NULL, &o->handles[o->count]),
                    "sync_mutex_open");
    }
}

static void run_open(void)
{
    static const uint32_t counts[] = {100, 10000, NAMES_MAX};
    static struct open o = {.random = 88172645463325252u};
    double before[2], after[2];
    bench_pin(0);
    o.names = memory(NAMES_MAX * sizeof(*o.names));
    o.handles = memory(NAMES_MAX * sizeof(*o.handles));
    make_table(&o.table);
    bench_lab_names(CAPACITY, CHUNKS);
    bench_manager();
    sizes(&before[0], &before[1]);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        char what[64];
        snprintf(what, sizeof(what), "open among %u names", counts[i]);
        if (bench_options.quick && counts[i] == NAMES_MAX) {
            continue;
        }
        int64_t began = bench_now();
        uint32_t first = o.count;
        grow(&o, counts[i]);
        double each = (double)(bench_now() - began) / (counts[i] - first);
        bench_compare(&(struct bench_case){.what = what,
                                           .unit = "ns",
                                           .bar = 3,
                                           .limit = counts[i] == NAMES_MAX ? 1000 : 0,
                                           .run = run,
                                           .context = &o});
        sizes(&after[0], &after[1]);
        bench_note("%u names: %.0f bytes of the segment each, %.0f of this process, which has them "
                   "all open; %.0f ns to create and open one",
                   counts[i], (after[0] - before[0]) / counts[i],
                   (after[1] - before[1]) / counts[i], each);
    }
}

const struct bench_question bench_open = {
    "open", "a name this process knows already, against a bare probe of a chained hash", run_open};
