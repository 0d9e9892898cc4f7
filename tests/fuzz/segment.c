/* SPDX-License-Identifier: MIT */
/* A scribbled segment: whatever stands in it, managerd and managerctl refuse it, or go through it
 * in bounded time without a step outside. Damage before it is opened, and, in a second phase,
 * after. */
#include "shm/segment.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "damage.h"
#include "lab.h"
#include "managerd/managerd.h"

static unsigned char *pristine;
static uint64_t full_size;
static char shm_name[SY_PATH_MAX], name[64];
static int file = -1, epoll = -1;
static struct damaged damaged;

void fuzz_segment_begin(void)
{
    char original[SY_PATH_MAX], unused[64];
    lab_names("whole", original, unused);
    struct sy_segment *segment = lab_create(original);
    lab_furnish(segment);
    full_size = segment->size;
    pristine = malloc(full_size);
    int fd = sy_shm_open(original, O_RDONLY, 0);
    fuzz_want(fd >= 0 && pristine && pread(fd, pristine, full_size, 0) == (ssize_t)full_size,
              "a copy of the segment");
    close(fd);
    lab_names("damaged", shm_name, name);
    sy_segment_free(lab_create(shm_name)); /* for its being unlinked at exit */
    file = sy_shm_open(shm_name, O_RDWR, 0);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    fuzz_want(file >= 0 && epoll >= 0 && ftruncate(file, (off_t)full_size) == 0, "a file");
    damaged.bytes = mmap(NULL, full_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    fuzz_want(damaged.bytes != MAP_FAILED, "a mapping");
    memcpy(&damaged.layout, pristine, sizeof(damaged.layout));
    sy_segment_free(segment);
    /* Those who look alive hold their bytes. */
    for (uint32_t i = 1; i < 5; i++) {
        sy_byte_lock(file, SY_BYTE_PROCESS(i));
    }
}

/* ---- what managerd does ---- */

static void look_at_all(struct sy_segment *segment)
{
    uint32_t records = sy_committed(segment, SY_HOTS);
    for (uint32_t i = 0; i < records + 2; i++) {
        sync_info info;
        if (sy_describe(segment, i, &info)) {
            fuzz_want(memchr(info.name, 0, sizeof(info.name)) != NULL, "a name ends");
        }
        struct sy_hot *hot = sy_hot_at(segment, i);
        if (hot) {
            sync_principal who;
            sy_describe_principal(segment, sy_get(&hot->word), &who);
            sy_describe_principal(segment, sy_get(&hot->guard), &who);
        }
    }
    uint32_t executors = sy_committed(segment, SY_EXECUTORS);
    for (uint32_t i = 0; i < executors; i++) {
        struct sy_executor *executor = sy_executor_at(segment, i);
        struct sy_cycle cycle = {0};
        if (executor && sy_deadlock_find(segment, executor, &cycle, true)) {
            fuzz_want(cycle.count >= 1 && cycle.count <= SYNC_CYCLE_MAX, "a cycle's length");
        }
    }
    for (uint64_t i = 0; i < 70; i++) {
        struct sy_entry entry;
        sy_ring_read(segment, sy_get(&segment->header->ring_head) - i, &entry);
    }
    struct sy_name wanted = {"laser/1", 7, 0};
    for (wanted.hash = 0; wanted.hash < 64; wanted.hash++) {
        sy_directory_find(segment, &wanted);
    }
}

static void manage(struct sy_segment *segment)
{
    struct reaper *reaper = reaper_new(segment, epoll);
    fuzz_want(reaper != NULL, "a reaper");
    reaper_sweep(reaper);
    reaper_sweep(reaper);
    reaper_report(segment);
    reaper_free(reaper);
    sy_segment_check_orphan(segment);
}

/* What `managerctl break` does, for a thread that is registered. */
static void operate(struct sy_segment *segment, struct fuzz_input *input)
{
    struct sy_actor actor = {.segment = segment, .id = 1u << 16 | 2};
    for (int i = 0; i < 3; i++) {
        sync_principal evicted;
        uint32_t record = fuzz_byte(input) % 32;
        struct sy_hot *hot = sy_hot_at(segment, record);
        if (hot && sy_hot_kind(hot) == SYNC_KIND_MUTEX &&
            sy_state_of(sy_get(&hot->state)) == SY_RECORD_LIVE) {
            sy_mutex_break(&actor, record, 0, "fuzz", &evicted);
        }
    }
}

void fuzz_segment(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct sy_segment *segment = NULL;
    uint32_t how = fuzz_byte(&input);
    memcpy(damaged.bytes, pristine, full_size);
    damaged.size = full_size;
    for (int i = 0; i < 32 && input.size && damage_one(&damaged, &input); i++) {}
    if (how >= 250) {
        /* Cut, or longer than it says: only its refusal is looked for. */
        uint64_t cut = how & 1 ? fuzz_word(&input) % full_size : full_size + 1 + fuzz_byte(&input);
        fuzz_want(ftruncate(file, (off_t)cut) == 0, "a cut");
        int rc = sy_segment_open(shm_name, how & 2, &segment);
        fuzz_want(rc < 0 && *sync_last_error(), "a segment of the wrong size is refused");
        fuzz_views(name);
        fuzz_want(ftruncate(file, (off_t)full_size) == 0, "a repair");
        return;
    }
    int rc = sy_segment_open(shm_name, true, &segment);
    fuzz_want(rc == 0 || *sync_last_error(), "a segment, or why not");
    if (rc == 0) {
        for (int i = 0; i < 16 && (how & 1) && input.size && damage_one(&damaged, &input); i++) {}
        look_at_all(segment);
        if (how & 2) {
            fuzz_views(name);
        }
        manage(segment);
        if (how & 4) {
            operate(segment, &input);
        }
        look_at_all(segment);
        sy_segment_free(segment);
    }
    fuzz_views(name);
}
