/* SPDX-License-Identifier: MIT */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "fuzz.h"

static char to_unlink[8][SY_PATH_MAX];
static size_t unlink_count;
static pid_t creator;

static void clean_up(void)
{
    while (unlink_count && getpid() == creator) {
        sy_shm_unlink(to_unlink[--unlink_count]);
    }
}

void lab_names(const char *what, char *ret_shm_name, char *ret_name)
{
    int private_to_user;
    snprintf(ret_name, 64, "fuzz-%s-%d", what, (int)getpid());
    fuzz_want(sy_segment_name(ret_name, ret_shm_name, SY_PATH_MAX, &private_to_user) == 0,
              "a name");
}

struct sy_segment *lab_create(const char *shm_name)
{
    const struct sy_segment_config config = {
        .capacities = {.processes = 16,
                       .threads = 32,
                       .principals = 64,
                       .records = 128,
                       .chunks = 32,
                       .ring = 64},
        .default_timeout = 1000000000,
        .uid = (uint32_t)geteuid(),
        .gid = (uint32_t)-1,
        .mode = 0600,
    };
    struct sy_segment *segment = NULL;
    sy_shm_unlink(shm_name);
    fuzz_want(sy_segment_create(shm_name, &config, &segment) == 0, sync_last_error());
    if (!unlink_count) {
        creator = getpid();
        atexit(clean_up);
    }
    snprintf(to_unlink[unlink_count++], SY_PATH_MAX, "%s", shm_name);
    while (sy_committed(segment, SY_PROCESSES) < 16 || sy_committed(segment, SY_PRINCIPALS) < 64 ||
           sy_committed(segment, SY_EXECUTORS) < 32 || sy_committed(segment, SY_CHUNKS) < 32) {
        for (enum sy_region_id i = 0; i < SY_REGIONS; i++) {
            sy_segment_grow(segment, i, sy_committed(segment, i));
        }
    }
    return segment;
}

/* ---- people ---- */

static uint32_t owner(struct sy_segment *segment, uint32_t index)
{
    return sy_principal_id(segment, index);
}

static void people(struct sy_segment *segment)
{
    for (uint32_t i = 1; i < 9; i++) {
        struct sy_process *process = sy_process_at(segment, i);
        /* 1-4 look alive, 5-6 are gone, 7 is in between, 8 never filled in its slot. */
        uint32_t state = i < 7 ? SY_SLOT_LIVE : i == 7 ? SY_SLOT_EXITED : SY_SLOT_CLAIMED;
        sy_put(&process->pid, i < 5 ? (uint32_t)getpid() : 4000000 + i);
        sy_put(&process->pid_namespace, segment->pid_namespace);
        snprintf(process->label, sizeof(process->label), "process-%u", i);
        sy_put(&process->handlers[1].claimed, i % 2);
        sy_put(&process->handlers[1].owed.record, i);
        sy_store(&process->tenancy, sy_tenancy(i, i, state));
    }
    for (uint32_t i = 1; i < 24; i++) {
        struct sy_principal *principal = sy_principal_at(segment, i < 16 ? i : i + 16);
        sy_put(&principal->kind, i < 16 ? SYNC_PRINCIPAL_THREAD : SYNC_PRINCIPAL_HANDLE);
        sy_put(&principal->process_generation, 1 + i % 8);
        snprintf(principal->note, sizeof(principal->note), "note %u", i);
        sy_store(&principal->tenancy,
                 sy_tenancy(i, 1 + i % 8, i % 11 == 0 ? SY_SLOT_EXITED : SY_SLOT_LIVE));
    }
}

/* ---- objects ---- */

static void fill(struct sy_hot *hot, struct sy_cold *cold, void *argument)
{
    const uint32_t *number = argument;
    if (sy_hot_kind(hot) == SYNC_KIND_BARRIER) {
        sy_put(&hot->u.barrier.state, SY_BARRIER_FIRST + number[0] % 2);
    } else if (sy_hot_kind(hot) == SYNC_KIND_SEMAPHORE) {
        sy_put(&hot->word, 3);
        sy_put(&hot->u.semaphore.total, 3);
        sy_put(&hot->u.semaphore.maximum, number[0]);
    }
    sy_put(&cold->number[0], number[0]);
    sy_put(&cold->number[1], 3);
}

static uint32_t make(const struct sy_actor *actor, const char *text, uint32_t kind, uint32_t flags,
                     uint32_t number)
{
    struct sy_name name = {text, (uint32_t)strlen(text), sy_hash(text, strlen(text))};
    uint32_t record = 0;
    bool created;
    fuzz_want(sy_directory_create(actor, &name, kind | flags << 8, fill, &number, SY_NONE, &record,
                                  &created) == 0,
              sync_last_error());
    return record;
}

static void wait_for(struct sy_segment *segment, uint32_t thread, uint32_t record, uint32_t whom)
{
    struct sy_waiting *waiting = &sy_executor_at(segment, thread)->waiting;
    sy_put(&waiting->principal, whom);
    sy_put(&waiting->ticket, (uint64_t)sy_now() + thread);
    sy_put(&waiting->records[0], record + 1);
    sy_put(&waiting->generations[0], sy_hot_generation(sy_hot_at(segment, record)));
    sy_store(&waiting->count, 1);
}

static void hold(struct sy_segment *segment, uint32_t record, uint32_t index, uint32_t bits)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    uint32_t id = owner(segment, index);
    sy_mutex_took(hot, id, sy_now());
    sy_put(&hot->word, id | bits);
}

static void open_by(struct sy_segment *segment, uint32_t chunk, uint32_t process, uint32_t record,
                    uint32_t permits)
{
    struct sy_chunk *at = sy_chunk_at(segment, chunk);
    struct sy_open *entry = &at->entries[record % SY_OPENS_PER_CHUNK];
    sy_put(&at->owner, (uint64_t)process << 32 | (process + 1));
    sy_put(&entry->generation, sy_hot_generation(sy_hot_at(segment, record)));
    sy_put(&entry->opens, 1);
    sy_put(&entry->permits, permits);
    sy_put(&entry->arrived, 1 + (SY_BARRIER_FIRST >> 32));
    sy_put(&entry->record, record + 1);
}

void lab_furnish(struct sy_segment *segment)
{
    uint32_t mutex[12], rest[8];
    char name[40];
    people(segment);
    struct sy_actor actor = {.segment = segment, .id = owner(segment, 1)};
    for (uint32_t i = 0; i < 12; i++) {
        static const uint32_t flags[] = {0, SYNC_FLAG_FIFO, SYNC_FLAG_OWNER_HANDLE,
                                         SYNC_FLAG_POISON};
        snprintf(name, sizeof(name), "laser/%u", i);
        mutex[i] = make(&actor, name, SYNC_KIND_MUTEX, flags[i % 4], 0);
    }
    for (uint32_t i = 0; i < 8; i++) {
        static const uint32_t kinds[] = {SYNC_KIND_SEMAPHORE, SYNC_KIND_EVENT, SYNC_KIND_BARRIER,
                                         SYNC_KIND_SEMAPHORE};
        static const uint32_t flags[] = {
            0, 0, 0, SYNC_FLAG_UNTRACKED, 0, SYNC_FLAG_AUTO_RESET, SYNC_FLAG_MEMBERS, 0};
        snprintf(name, sizeof(name), "kamera \xc3\xbc/%u", i);
        rest[i] = make(&actor, name, kinds[i % 4], flags[i], 3 + i % 2);
        open_by(segment, i % 4, 1 + i, rest[i], i % 4 == 0 ? 1 : 0);
        wait_for(segment, 8 + i, rest[i], owner(segment, 8 + i));
    }
    /* A cycle of three, two with dead owners, one broken, one poisoned. */
    for (uint32_t i = 0; i < 3; i++) {
        hold(segment, mutex[i], 1 + i, SY_W);
        wait_for(segment, 1 + i, mutex[(i + 1) % 3], owner(segment, 1 + i));
    }
    hold(segment, mutex[3], 4, SY_W);
    hold(segment, mutex[4], 11, SY_R | SY_W);
    sy_put(&sy_hot_at(segment, mutex[5])->word, SY_POISONED);
    hold(segment, mutex[6], 34, 0);
    sync_principal evicted;
    hold(segment, mutex[7], 2, SY_W);
    fuzz_want(sy_mutex_break(&actor, mutex[7], 0, "fuzz", &evicted) == 0, "a break");
    sy_put(&sy_hot_at(segment, mutex[8])->guard, owner(segment, 5));
    sy_put(&sy_hot_at(segment, mutex[9])->state,
           sy_state(sy_hot_generation(sy_hot_at(segment, mutex[9])), SY_RECORD_UNLINKED));
    sy_put(&sy_executor_at(segment, 6)->owed[0].record, mutex[3] + 1);
    sy_put(&sy_executor_at(segment, 5)->operation.kind, SY_OP_ARRIVE);
    sy_put(&sy_executor_at(segment, 5)->operation.record, rest[2] + 1);
}
