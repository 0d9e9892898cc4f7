/* SPDX-License-Identifier: MIT */
/* Growth: memory first, then one store that says so. Killed between the two, the pages are there
 * and nobody counts on them. */
#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "shm/segment.h"

static const struct {
    int code;
    const char *what, *option;
} exhausted[SY_REGIONS] = {
    [SY_PROCESSES] = {SYNC_ENOSLOT, "process slots", "processes"},
    [SY_PRINCIPALS] = {SYNC_ENOSLOT, "principals", "principals"},
    [SY_EXECUTORS] = {SYNC_ENOSLOT, "thread slots", "threads"},
    [SY_HOTS] = {SYNC_ENONAMES, "names", "names"},
    [SY_COLDS] = {SYNC_ENONAMES, "names", "names"},
    [SY_BUCKETS] = {SYNC_ENONAMES, "buckets", "names"},
    [SY_CHUNKS] = {SYNC_ENOSLOT, "open-object chunks", "chunks"},
    [SY_RING] = {SYNC_ENOSPC, "event entries", "events"},
    [SY_ARENA] = {SYNC_ENOSPC, "arena chunks", "arena"},
};

static uint64_t bytes_of(struct sy_segment *segment, enum sy_region_id id, uint32_t count)
{
    uint64_t unit = segment->granularity;
    return ((uint64_t)count * sy_strides[id] + unit - 1) / unit * unit;
}

int sy_segment_grow(struct sy_segment *segment, enum sy_region_id id, uint32_t seen)
{
    const struct sy_geometry *region = &segment->regions[id];
    uint32_t old = sy_committed(segment, id);
    if (old > seen) {
        return 0;
    }
    if (old >= region->capacity) {
        return sy_fail(
            exhausted[id].code,
            "all %u %s of /dev/shm%s are taken; raise \"%s\" in managerd.conf and restart "
            "the lab, or close some: managerctl clients",
            region->capacity, exhausted[id].what, segment->shm_name, exhausted[id].option);
    }
    uint32_t more = region->capacity - old < region->step ? region->capacity - old : region->step;
    uint64_t from = bytes_of(segment, id, old), to = bytes_of(segment, id, old + more);
    if (to > from) {
        int fd = sy_segment_fd(segment);
        int rc = fd < 0 ? -EBADF : sy_allocate(fd, region->offset + from, to - from);
        if (rc < 0) {
            return sy_fail_errno(-rc, "growing %s of /dev/shm%s by %" PRIu64 " bytes",
                                 exhausted[id].what, segment->shm_name, to - from);
        }
    }
    uint32_t expected = old;
    sy_cas32(&segment->header->regions[id].committed, &expected, old + more);
    return sy_segment_reach(segment, id, old + more)
               ? 0
               : sy_fail(SYNC_EMEMLOCK,
                         "cannot map %s of /dev/shm%s: out of memory or RLIMIT_MEMLOCK (ulimit -l)",
                         exhausted[id].what, segment->shm_name);
}

bool sy_segment_reach(struct sy_segment *segment, enum sy_region_id id, uint32_t count)
{
    const struct sy_geometry *region = &segment->regions[id];
    uint32_t committed = sy_committed(segment, id);
    if (count > committed) {
        return false;
    }
    /* Mapping the same pages twice at the same place changes nothing, so threads need not exclude
     * each other, and a signal handler may do it too; only `mapped` must never shrink. */
    uint32_t mapped = sy_load(&segment->mapped[id]);
    if (count <= mapped) {
        return true;
    }
    uint64_t page = sy_page_size();
    uint64_t from = bytes_of(segment, id, mapped) / page * page;
    uint64_t to = bytes_of(segment, id, committed);
    if (to > from && sy_segment_map_file(segment, segment->start[id] + from, to - from,
                                         region->offset + from) < 0) {
        return false;
    }
    while (mapped < committed && !sy_cas32(&segment->mapped[id], &mapped, committed)) {}
    return true;
}
