/* SPDX-License-Identifier: MIT */
#include "damage.h"

#include <string.h>

/* Numbers at which something might tip over. */
static uint32_t wild(struct fuzz_input *input)
{
    static const uint32_t favourites[] = {
        0,          1,          2,          15,         16,         17,
        31,         32,         33,         63,         64,         65,
        127,        128,        129,        0xffff,     0x10000,    0x1ffff,
        0x2ffff,    0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0x80020003,
        0xc0010002, 0xfffffffe, 0xffffffff, 4095,       4096,       16384};
    uint32_t how = fuzz_byte(input);
    if (how < 4) {
        return fuzz_word(input);
    }
    return how < 128 ? how - 4 : favourites[how % SY_COUNT(favourites)];
}

static void put(struct damaged *damaged, uint64_t offset, const void *from, size_t size)
{
    if (offset < damaged->size && size <= damaged->size - offset) {
        memcpy(damaged->bytes + offset, from, size);
    }
}

static void put32(struct damaged *damaged, uint64_t offset, uint32_t value)
{
    put(damaged, offset, &value, sizeof(value));
}

static uint64_t item(const struct damaged *damaged, enum sy_region_id id, uint32_t index)
{
    const struct sy_region *region = &damaged->layout.regions[id];
    return region->offset + (uint64_t)(index % region->capacity) * region->stride;
}

/* Fields worth to be hit, by region. */
static const struct {
    enum sy_region_id region;
    size_t offset;
} fields[] = {
    {SY_HOTS, offsetof(struct sy_hot, word)},
    {SY_HOTS, offsetof(struct sy_hot, guard)},
    {SY_HOTS, offsetof(struct sy_hot, state)},
    {SY_HOTS, offsetof(struct sy_hot, kind)},
    {SY_HOTS, offsetof(struct sy_hot, u.mutex.depth)},
    {SY_HOTS, offsetof(struct sy_hot, u.mutex.depth) + 4},
    {SY_HOTS, offsetof(struct sy_hot, u.mutex.reserved_for)},
    {SY_HOTS, offsetof(struct sy_hot, u.mutex.candidate)},
    {SY_HOTS, offsetof(struct sy_hot, u.mutex.evicted)},
    {SY_HOTS, offsetof(struct sy_hot, u.mutex.previous)},
    {SY_HOTS, offsetof(struct sy_hot, u.barrier.state)},
    {SY_HOTS, offsetof(struct sy_hot, u.barrier.state) + 4},
    {SY_COLDS, offsetof(struct sy_cold, hash)},
    {SY_COLDS, offsetof(struct sy_cold, next)},
    {SY_COLDS, offsetof(struct sy_cold, created_at)},
    {SY_COLDS, offsetof(struct sy_cold, number)},
    {SY_COLDS, offsetof(struct sy_cold, name_size)},
    {SY_COLDS, offsetof(struct sy_cold, name)},
    {SY_COLDS, offsetof(struct sy_cold, name) + 196},
    {SY_BUCKETS, 0},
    {SY_CHUNKS, offsetof(struct sy_chunk, owner)},
    {SY_CHUNKS, offsetof(struct sy_chunk, owner) + 4},
    {SY_CHUNKS, offsetof(struct sy_chunk, entries) + offsetof(struct sy_open, record)},
    {SY_CHUNKS, offsetof(struct sy_chunk, entries) + offsetof(struct sy_open, generation)},
    {SY_CHUNKS, offsetof(struct sy_chunk, entries) + offsetof(struct sy_open, permits)},
    {SY_PROCESSES, offsetof(struct sy_process, tenancy)},
    {SY_PROCESSES, offsetof(struct sy_process, tenancy) + 4},
    {SY_PROCESSES, offsetof(struct sy_process, pid)},
    {SY_PROCESSES, offsetof(struct sy_process, uid)},
    {SY_PROCESSES, offsetof(struct sy_process, pid_namespace)},
    {SY_PROCESSES, offsetof(struct sy_process, handlers)},
    {SY_PROCESSES, offsetof(struct sy_process, handlers) + 4},
    {SY_PRINCIPALS, offsetof(struct sy_principal, tenancy)},
    {SY_PRINCIPALS, offsetof(struct sy_principal, tenancy) + 4},
    {SY_PRINCIPALS, offsetof(struct sy_principal, process_generation)},
    {SY_PRINCIPALS, offsetof(struct sy_principal, note)},
    {SY_EXECUTORS, 0}, /* the life word */
    {SY_EXECUTORS, offsetof(struct sy_executor, has_life)},
    {SY_EXECUTORS, offsetof(struct sy_executor, epoch)},
    {SY_EXECUTORS, offsetof(struct sy_executor, owed)},
    {SY_EXECUTORS, offsetof(struct sy_executor, operation)},
    {SY_EXECUTORS, offsetof(struct sy_executor, operation) + 4},
    {SY_EXECUTORS, offsetof(struct sy_executor, waiting.count)},
    {SY_EXECUTORS, offsetof(struct sy_executor, waiting.principal)},
    {SY_EXECUTORS, offsetof(struct sy_executor, waiting.records)},
    {SY_EXECUTORS, offsetof(struct sy_executor, waiting.generations)},
    {SY_RING, 0},
};

static void hit_field(struct damaged *damaged, struct fuzz_input *input)
{
    uint32_t field = fuzz_byte(input) % (uint32_t)SY_COUNT(fields);
    uint32_t index = fuzz_byte(input);
    uint64_t offset = item(damaged, fields[field].region, index) + fields[field].offset;
    if (fields[field].region == SY_CHUNKS && fields[field].offset >= 32) {
        offset += fuzz_byte(input) % SY_OPENS_PER_CHUNK * sizeof(struct sy_open);
    }
    put32(damaged, offset, wild(input));
}

/* Chains that lead in circles, and owners that wait for each other. */
static void make_circle(struct damaged *damaged, struct fuzz_input *input)
{
    uint32_t first = fuzz_byte(input), length = 1 + fuzz_byte(input) % 20;
    uint32_t capacity = damaged->layout.regions[SY_COLDS].capacity;
    for (uint32_t i = 0; i < length; i++) {
        uint32_t next = (first + (i + 1) % length) % capacity;
        put32(damaged, item(damaged, SY_COLDS, first + i) + offsetof(struct sy_cold, next),
              next + 1);
    }
    uint32_t buckets = damaged->layout.regions[SY_BUCKETS].capacity;
    for (uint32_t i = 0; i < buckets; i += 1 + fuzz_byte(input) % 16) {
        put32(damaged, item(damaged, SY_BUCKETS, i), first % capacity + 1);
    }
}

static void hit_header(struct damaged *damaged, struct fuzz_input *input)
{
    uint64_t region = offsetof(struct sy_header, regions) +
                      fuzz_byte(input) % SY_REGIONS * sizeof(struct sy_region);
    static const size_t parts[] = {
        offsetof(struct sy_region, offset),    offsetof(struct sy_region, offset) + 4,
        offsetof(struct sy_region, stride),    offsetof(struct sy_region, capacity),
        offsetof(struct sy_region, committed), offsetof(struct sy_region, step)};
    static const size_t words[] = {
        offsetof(struct sy_header, size),        offsetof(struct sy_header, threads),
        offsetof(struct sy_header, granularity), offsetof(struct sy_header, state),
        offsetof(struct sy_header, epoch),       offsetof(struct sy_header, manager_pid),
        offsetof(struct sy_header, heartbeat),   offsetof(struct sy_header, next_record),
        offsetof(struct sy_header, next_thread), offsetof(struct sy_header, directory_epoch),
        offsetof(struct sy_header, ring_head),   offsetof(struct sy_header, magic),
        offsetof(struct sy_header, layout),      offsetof(struct sy_header, boot_id),
        offsetof(struct sy_header, name),        offsetof(struct sy_header, default_timeout)};
    uint32_t which = fuzz_byte(input);
    if (which < 160) {
        put32(damaged, region + parts[which % SY_COUNT(parts)], wild(input));
    } else {
        put32(damaged, words[which % SY_COUNT(words)], wild(input));
    }
}

static void hit_anywhere(struct damaged *damaged, struct fuzz_input *input)
{
    uint64_t offset = (uint64_t)fuzz_word(input) % damaged->size;
    size_t size = 1 + fuzz_byte(input) % 64;
    unsigned char some[64];
    for (size_t i = 0; i < size; i++) {
        some[i] = (unsigned char)fuzz_byte(input);
    }
    put(damaged, offset, some, size);
}

bool damage_one(struct damaged *damaged, struct fuzz_input *input)
{
    uint32_t how = fuzz_byte(input);
    if (how < 160) {
        hit_field(damaged, input);
    } else if (how < 190) {
        hit_anywhere(damaged, input);
    } else if (how < 215) {
        make_circle(damaged, input);
    } else if (how < 248) {
        hit_header(damaged, input);
    } else {
        return false;
    }
    return true;
}
