/* SPDX-License-Identifier: MIT */
/* Barrier: parties that go on together, or learn why they cannot. */
#ifndef SYNC_BARRIER_H
#define SYNC_BARRIER_H

#include <sync/object.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sync_barrier sync_barrier;

#define SYNC_BARRIER_PARTIES_MAX 65535u

typedef struct sync_barrier_options {
    int32_t open;         /* SYNC_OPEN_… */
    uint32_t parties;     /* 1 … SYNC_BARRIER_PARTIES_MAX */
    sync_timeout timeout; /* this handle's default; 0: the object's, else the manager's */
    int32_t members; /* each process that has it open is a party whose death or close breaks it */
    int32_t unused;  /* zero */
    uint64_t reserved[8]; /* zero, else SYNC_EINVAL */
} sync_barrier_options;

/* As sync_mutex_open. Needs options when it would create. Behaviour fields: parties, members. */
SYNC_API int sync_barrier_open(sync_manager *manager, const char *name,
                               const sync_barrier_options *options, sync_barrier **ret_barrier)
    SYNC_MUST_CHECK;

/* Arrive and wait for the rest: the arrival index 0 … parties-1. A timeout breaks the barrier for
 * all (SYNC_ETIMEDOUT here, SYNC_EBROKEN with the cause there); so do abort, reset and the death of
 * a party that waits. It stays broken until sync_barrier_reset. Errors: SYNC_EBROKEN,
 * SYNC_ETIMEDOUT, SYNC_EINTR (breaks it too), SYNC_EORPHANED, SYNC_EINVAL, SYNC_EHANDLE,
 * SYNC_ENOSLOT. */
SYNC_API int sync_barrier_wait(sync_barrier *barrier, sync_timeout timeout) SYNC_MUST_CHECK;

/* As sync_barrier_wait; the last to arrive runs its own action before anyone leaves. A non-zero
 * return breaks the barrier with that code. While the action runs no timeout, abort or reset breaks
 * the barrier: a waiter whose time is over leaves alone with SYNC_ETIMEDOUT. */
SYNC_API int sync_barrier_wait_with(sync_barrier *barrier, int (*action)(void *), void *argument,
                                    sync_timeout timeout) SYNC_MUST_CHECK;

/* Arrive without waiting for the others: the arrival index. While the action of the round before
 * runs it waits for that, within the default timeout: SYNC_EBUSY then. */
SYNC_API int sync_barrier_arrive(sync_barrier *barrier);

/* Break it for all. SYNC_EBUSY while an action runs. */
SYNC_API int sync_barrier_abort(sync_barrier *barrier);

/* Fresh again; those now waiting get SYNC_EBROKEN. SYNC_EBUSY while an action runs. */
SYNC_API int sync_barrier_reset(sync_barrier *barrier);

/* How many have arrived in this round. */
SYNC_API int sync_barrier_waiting(sync_barrier *barrier);

/* 1 when broken, else 0. */
SYNC_API int sync_barrier_is_broken(sync_barrier *barrier);

SYNC_API void sync_barrier_close(sync_barrier *barrier);

SYNC_API sync_object *sync_barrier_object(sync_barrier *barrier);

#ifdef __cplusplus
}
#endif
#endif
