/* SPDX-License-Identifier: MIT */
/* Semaphore: permits. Tracked (default): they belong to the process and return when it dies. */
#ifndef SYNC_SEMAPHORE_H
#define SYNC_SEMAPHORE_H

#include <sync/object.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sync_semaphore sync_semaphore;

#define SYNC_SEMAPHORE_MAX 1073741823u /* permits a semaphore can hold */

typedef struct sync_semaphore_options {
    int32_t open;         /* SYNC_OPEN_… */
    int32_t untracked;    /* permits are nobody's: those of the dead stay lost */
    sync_timeout timeout; /* this handle's default; 0: the object's, else the manager's */
    uint32_t initial;     /* counts at creation only */
    uint32_t maximum;     /* 0: unbounded */
    uint64_t reserved[8]; /* zero, else SYNC_EINVAL */
} sync_semaphore_options;

/* As sync_mutex_open. Needs options when it would create: SYNC_EINVAL without. Behaviour fields:
 * maximum, untracked. */
SYNC_API int sync_semaphore_open(sync_manager *manager, const char *name,
                                 const sync_semaphore_options *options,
                                 sync_semaphore **ret_semaphore) SYNC_MUST_CHECK;

/* One permit. Errors: SYNC_ETIMEDOUT, SYNC_EBUSY (a try met a process stopped inside this object),
 * SYNC_EINTR, SYNC_EORPHANED, SYNC_EINVAL, SYNC_EHANDLE, SYNC_ENOSLOT. */
SYNC_API int sync_semaphore_acquire(sync_semaphore *semaphore, sync_timeout timeout)
    SYNC_MUST_CHECK;

/* `count` permits at once or none. SYNC_EINVAL for 0 or more than the maximum. */
SYNC_API int sync_semaphore_acquire_many(sync_semaphore *semaphore, uint32_t count,
                                         sync_timeout timeout) SYNC_MUST_CHECK;

/* Give back `count`. Tracked: SYNC_EPERM for more than this process holds when a maximum is set,
 * else the surplus raises the total. SYNC_EOVERFLOW beyond the maximum: nothing is given back. */
SYNC_API int sync_semaphore_release(sync_semaphore *semaphore, uint32_t count);

/* Permits free at this instant. */
SYNC_API int sync_semaphore_value(sync_semaphore *semaphore, uint32_t *ret_value);

/* The last close by this process returns the permits it still holds, with a trace in the ring. */
SYNC_API void sync_semaphore_close(sync_semaphore *semaphore);

SYNC_API sync_object *sync_semaphore_object(sync_semaphore *semaphore);

#ifdef __cplusplus
}
#endif
#endif
