/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct record) == 64 && sizeof(struct extent) == 65536, "layout");
_Static_assert(sizeof(struct recording) <= sizeof(struct extent), "layout");

uint64_t record_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct recording *map(int fd, uint64_t size, int protection, int flags)
{
    void *at = mmap(NULL, size, protection, flags, fd, 0);
    close(fd);
    return at == MAP_FAILED ? NULL : at;
}

struct recording *record_create(const char *path, uint64_t megabytes)
{
    uint64_t size = megabytes << 20;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)size) < 0) {
        return NULL;
    }
    struct recording *recording = map(fd, size, PROT_READ | PROT_WRITE, MAP_SHARED);
    if (recording) {
        recording->magic = RECORD_MAGIC;
        recording->capacity = (uint32_t)(size / sizeof(struct extent)) - 1;
    }
    return recording;
}

/* Private and writable: the checker's own tests doctor what they read. */
struct recording *record_open(const char *path, uint64_t *ret_size)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0 || status.st_size < (off_t)sizeof(struct extent)) {
        return NULL;
    }
    *ret_size = (uint64_t)status.st_size;
    struct recording *recording = map(fd, *ret_size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    return recording && recording->magic == RECORD_MAGIC ? recording : NULL;
}

void writer_open(struct writer *writer, struct recording *recording, uint32_t worker,
                 uint32_t incarnation, uint32_t thread)
{
    *writer = (struct writer){
        .recording = recording, .worker = worker, .incarnation = incarnation, .thread = thread};
}

static struct extent *next_extent(struct writer *writer)
{
    struct recording *recording = writer->recording;
    uint32_t index = atomic_fetch_add(&recording->taken, 1);
    if (index >= recording->capacity) {
        atomic_store(&recording->overflow, 1);
        atomic_store(&recording->ending, 1);
        return NULL;
    }
    struct extent *extent = extent_at(recording, index);
    extent->worker = writer->worker;
    extent->incarnation = writer->incarnation;
    extent->thread = writer->thread;
    extent->place = writer->place++;
    extent->pid = (int32_t)getpid();
    return extent;
}

struct record *record_before(struct writer *writer, enum call call, uint32_t object,
                             int64_t timeout, uint32_t count)
{
    static _Thread_local struct record nowhere;
    if (!writer->extent || atomic_load(&writer->extent->used) == EXTENT_RECORDS) {
        writer->extent = next_extent(writer);
        if (!writer->extent) {
            return &nowhere;
        }
    }
    uint32_t at = atomic_load(&writer->extent->used);
    struct record *record = &writer->extent->records[at];
    record->call = (uint16_t)call;
    record->object = (uint16_t)object;
    record->timeout = timeout;
    record->count = count;
    record->step = writer->step;
    atomic_store(&record->before, record_now());
    atomic_store(&writer->extent->used, at + 1);
    return record;
}

void record_after(struct record *record, int result)
{
    record->result = result;
    atomic_store(&record->after, record_now());
}

const char *call_name(uint32_t call)
{
    static const char *const names[CALLS] = {
        "none",  "open", "close",  "acquire", "acquire_many", "release", "check", "consistent",
        "take",  "give", "set",    "clear",   "wait",         "meet",    "abort", "reset",
        "break", "exit", "unlink", "kill",    "stop",         "manager", "stall", "final"};
    return call < CALLS ? names[call] : "?";
}
