/* SPDX-License-Identifier: MIT */
/* The recording of a storm: a file of its own, mapped by everybody who takes part. It shares
 * neither code nor memory with what it watches. Each thread appends to logs that it alone writes: a
 * call is written down before it is made, and again when it has returned, so that a killed one
 * stands there as "perhaps". */
#ifndef STORM_RECORD_H
#define STORM_RECORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define RECORD_MAGIC 0x3252454d524f5453ull
#define EXTENT_RECORDS 1023u

enum call {
    CALL_NONE,
    CALL_OPEN,
    CALL_CLOSE,
    CALL_ACQUIRE, /* mutex; token: the fence */
    CALL_MANY,    /* the same, one record for each of several in one call */
    CALL_RELEASE,
    CALL_CHECK,
    CALL_CONSISTENT,
    CALL_TAKE, /* semaphore; count: permits */
    CALL_GIVE,
    CALL_SET,
    CALL_CLEAR,
    CALL_WAIT,
    CALL_MEET, /* barrier; result: the index; count: the cause when it was broken */
    CALL_ABORT,
    CALL_RESET,
    CALL_BREAK,   /* token: which ownership is to end */
    CALL_EXIT,    /* the thread ends here, whatever it holds */
    CALL_UNLINK,  /* of a name nobody checks */
    CALL_KILL,    /* by the supervisor: object is the worker, count its incarnation */
    CALL_STOP,    /* from SIGSTOP to SIGCONT */
    CALL_MANAGER, /* what was done to the manager; count: the signal, 0 started */
    CALL_STALL,   /* the machine itself did not run for so long */
    CALL_FINAL,   /* of the fresh process at the end */
    CALLS
};

struct record {              /* 64 bytes; before first, after last */
    _Atomic uint64_t before; /* ns, CLOCK_MONOTONIC; 0: not written */
    _Atomic uint64_t after;  /* 0: never returned */
    uint64_t token;
    int64_t timeout; /* ns */
    uint64_t extra;  /* OWNER_DIED: pid of the dead one */
    uint32_t step;
    int32_t result;
    uint32_t count;
    uint16_t call;
    uint16_t object;
    uint64_t spare;
};

struct extent { /* 64 KiB */
    uint32_t worker, incarnation, thread;
    uint32_t place; /* among the extents of this thread */
    _Atomic uint32_t used;
    int32_t pid;
    uint64_t spare[5];
    struct record records[EXTENT_RECORDS];
};

#define WORKER_SUPERVISOR 0xffffu
#define WORKER_PULSE 0xfffeu
#define WORKER_FINAL 0xfffdu
#define THREAD_MAIN 0xffffu /* of a worker: at the end it closes what is left open */

struct recording { /* one extent's room at the front of the file */
    uint64_t magic;
    uint64_t seed;
    uint32_t seconds, workers, threads, objects;
    uint32_t capacity;      /* extents */
    _Atomic uint32_t taken; /* extents */
    _Atomic uint32_t ending;
    _Atomic uint32_t overflow; /* the file was too small */
    uint32_t recheck_off;      /* sleepers are woken, or sleep to their deadline */
    uint64_t began, ended;
    char manager[64];
};

/* A thread's end of it. */
struct writer {
    struct recording *recording;
    struct extent *extent;
    uint32_t worker, incarnation, thread, place;
    uint32_t step;
};

uint64_t record_now(void);
struct recording *record_create(const char *path, uint64_t megabytes);
struct recording *record_open(const char *path, uint64_t *ret_size);
void writer_open(struct writer *writer, struct recording *recording, uint32_t worker,
                 uint32_t incarnation, uint32_t thread);
/* Never NULL: when the file is full a record that nobody reads, and the storm ends. */
struct record *record_before(struct writer *writer, enum call call, uint32_t object,
                             int64_t timeout, uint32_t count);
void record_after(struct record *record, int result);
static inline struct extent *extent_at(struct recording *recording, uint32_t index)
{
    return (struct extent *)(void *)((char *)recording + sizeof(struct extent) * (index + 1u));
}
const char *call_name(uint32_t call);

#endif
