/* SPDX-License-Identifier: MIT */
/* The segment: its file, its mapping, its growth. */
#ifndef SY_SEGMENT_H
#define SY_SEGMENT_H

#include "os/os.h"
#include "shm/layout.h"

#define SY_PATH_MAX 128
#define SY_NONE 0xffffffffu /* no such index */

struct sy_capacities {
    uint32_t processes, threads, principals, records, chunks, ring;
};
extern const struct sy_capacities sy_default_capacities;

struct sy_segment_config {
    struct sy_capacities capacities;
    int64_t default_timeout; /* ns */
    uint32_t uid, gid;       /* owner of the file; gid -1: unchanged */
    uint32_t mode;
};

extern const uint32_t sy_strides[SY_REGIONS]; /* bytes of an item */

/* A process' view. Never unmapped while threads of the process are registered in it: their life
 * words lie here, and the kernel's walk over them stops at the first hole. */
struct sy_segment {
    unsigned char *base;
    struct sy_header *header;
    /* Copied from the header when it was checked: what others may scribble on later is not
     * believed. */
    struct sy_geometry {
        uint64_t offset;
        uint32_t capacity, step;
    } regions[SY_REGIONS];
    uint32_t threads, granularity;
    unsigned char *start[SY_REGIONS];
    sy_word mapped[SY_REGIONS]; /* items this process can reach */
    struct sy_chunk *room;      /* of this process' chunks, the one that had room last */
    _Atomic int
        fd; /* only through sy_segment_fd: a number that closefrom() may have given to others */
    bool writable;
    dev_t device;
    ino_t inode;
    uint64_t pid_namespace;
    _Atomic bool reaping; /* this process holds the reaper byte through `fd` */
    _Atomic bool reaped;  /* it has looked for what reapers before it left; under that byte */
    uint32_t process;     /* own slot, SY_NONE for those who only look */
    uint64_t size;
    char shm_name[SY_PATH_MAX]; /* "/libsync.UID.NAME" */
};

/* "/libsync.NAME" where the system's manager is installed, else "/libsync.UID.NAME". *ret_private
 * is 1 for the latter. SYNC_EADDRESS when the name does not fit. */
int sy_segment_name(const char *name, char *to, size_t size, int *ret_private);

/* Make a new segment, whole or not at all; SYNC_EEXIST when the name is taken. */
int sy_segment_create(const char *shm_name, const struct sy_segment_config *config,
                      struct sy_segment **ret_segment);
/* Open what exists and check that it is ours. Errors: SYNC_ENOMANAGER (no such file), SYNC_EACCES,
 * SYNC_EVERSION, SYNC_EGARBAGE, SYNC_ENOMEM, SYNC_EMEMLOCK. */
int sy_segment_open(const char *shm_name, bool writable, struct sy_segment **ret_segment);
/* For those who only looked, and for tests. */
void sy_segment_free(struct sy_segment *segment);

/* Can this process reach items below `count`? Maps on when the region has grown. */
bool sy_segment_reach(struct sy_segment *segment, enum sy_region_id region, uint32_t count);
/* Give memory to more items, by anybody, without a lock: to allocate twice is harmless, and the
 * larger `committed` wins. Nothing to do when there are more than the `seen` that the caller has
 * searched. SYNC_ENOSPC, or the code of the region when it is at its capacity. */
int sy_segment_grow(struct sy_segment *segment, enum sy_region_id region, uint32_t seen);
/* The descriptor, if it is still ours; else the file opened again by its name, with the own byte
 * taken again; else -1. Never touches a descriptor that is somebody else's. */
int sy_segment_fd(struct sy_segment *segment);
/* 0, or -errno. */
int sy_segment_map_file(struct sy_segment *segment, void *address, size_t size, uint64_t offset);
/* Has the name been taken away? Marks the header, once. */
bool sy_segment_check_orphan(struct sy_segment *segment);

static inline uint32_t sy_committed(struct sy_segment *segment, enum sy_region_id region)
{
    uint32_t count = sy_load(&segment->header->regions[region].committed);
    uint32_t capacity = segment->regions[region].capacity;
    return count < capacity ? count : capacity;
}

/* Item `index` of a region, or NULL when no such item can be reached: indexes come from shared
 * memory and are not trusted. */
static inline void *sy_item(struct sy_segment *segment, enum sy_region_id region, uint32_t index,
                            size_t size)
{
    if (sy_unlikely(index >= sy_load(&segment->mapped[region])) &&
        (index == SY_NONE || !sy_segment_reach(segment, region, index + 1))) {
        return NULL;
    }
    return segment->start[region] + (size_t)index * size;
}
#define SY_ITEM(name_, region_, type_)                                                             \
    static inline type_ *name_(struct sy_segment *segment, uint32_t index)                         \
    {                                                                                              \
        return sy_item(segment, region_, index, sizeof(type_));                                    \
    }
SY_ITEM(sy_process_at, SY_PROCESSES, struct sy_process)
SY_ITEM(sy_principal_at, SY_PRINCIPALS, struct sy_principal)
SY_ITEM(sy_executor_at, SY_EXECUTORS, struct sy_executor)
SY_ITEM(sy_hot_at, SY_HOTS, struct sy_hot)
SY_ITEM(sy_cold_at, SY_COLDS, struct sy_cold)
SY_ITEM(sy_bucket_at, SY_BUCKETS, sy_word)
SY_ITEM(sy_chunk_at, SY_CHUNKS, struct sy_chunk)
SY_ITEM(sy_entry_at, SY_RING, struct sy_entry)

#endif
