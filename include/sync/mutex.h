/* SPDX-License-Identifier: MIT */
/* Mutex: recursive by default, owned by a thread or a handle, passed on when its owner dies. */
#ifndef SYNC_MUTEX_H
#define SYNC_MUTEX_H

#include <sync/object.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sync_mutex sync_mutex;

enum {
    SYNC_OWNER_THREAD = 0,
    SYNC_OWNER_HANDLE = 1 /* any thread of the process may release through this handle */
};

enum {
    SYNC_DEATH_REPORT = 0, /* the next owner gets SYNC_OWNER_DIED once */
    SYNC_DEATH_POISON = 1, /* the next owner must call sync_mutex_consistent before it releases */
    SYNC_DEATH_SILENT = 2
};

typedef struct sync_mutex_options {
    int32_t open;           /* SYNC_OPEN_… */
    int32_t non_recursive;  /* a second acquire by the owner is SYNC_EDEADLK */
    sync_timeout timeout;   /* this handle's default; 0: the object's, else the manager's */
    int32_t fifo;           /* hand on in order of arrival; costs a wake-up per hand-over */
    int32_t owner;          /* SYNC_OWNER_… */
    int32_t on_owner_death; /* SYNC_DEATH_… */
    int32_t unused;         /* zero */
    sync_timeout max_hold;  /* longer holds are shown as a warning; 0: none */
    uint64_t reserved[8];   /* zero, else SYNC_EINVAL */
} sync_mutex_options;

/* Open or create. Behaviour fields (non_recursive, fifo, owner, on_owner_death, max_hold) of an
 * existing mutex are compared, zeros included. Errors: SYNC_EINVAL, SYNC_EHANDLE, SYNC_ENOENT,
 * SYNC_EEXIST, SYNC_EMISMATCH, SYNC_EKIND, SYNC_ENONAMES, SYNC_ENOSLOT, SYNC_ENOSPC, SYNC_ENOMEM,
 * SYNC_EORPHANED. Thread-safe; the handle serves all threads of the process and its forked
 * children. Not for signal handlers. */
SYNC_API int sync_mutex_open(sync_manager *manager, const char *name,
                             const sync_mutex_options *options, sync_mutex **ret_mutex)
    SYNC_MUST_CHECK;

/* 0, or SYNC_OWNER_DIED (> 0: acquired, but the last owner died in it). Errors: SYNC_ETIMEDOUT,
 * SYNC_EDEADLK, SYNC_ELOST (this principal's ownership was broken and is not yet released),
 * SYNC_ENOTRECOVERABLE, SYNC_EDEPTH, SYNC_EINTR, SYNC_EORPHANED, SYNC_EINVAL, SYNC_EHANDLE,
 * SYNC_ENOSLOT. No syscall when uncontended. Not a cancellation point, not for signal handlers. */
SYNC_API int sync_mutex_acquire(sync_mutex *mutex, sync_timeout timeout) SYNC_MUST_CHECK;

/* Errors: SYNC_EPERM when this principal does not own it; SYNC_ELOST, once per depth, when its
 * ownership was broken. No syscall when nobody waits. */
SYNC_API int sync_mutex_release(sync_mutex *mutex);

/* 0 while it is still mine, SYNC_ELOST when broken, SYNC_EPERM when not held. No syscall: call it
 * before each instrument command. */
SYNC_API int sync_mutex_check(sync_mutex *mutex) SYNC_MUST_CHECK;

/* After SYNC_OWNER_DIED under SYNC_DEATH_POISON: what it protects is whole again. Errors:
 * SYNC_EPERM, SYNC_EINVAL when nobody died. */
SYNC_API int sync_mutex_consistent(sync_mutex *mutex);

/* 1 and the dead owner, from SYNC_OWNER_DIED until the release; else 0. ret_error may be NULL. */
SYNC_API int sync_previous_owner(sync_mutex *mutex, sync_error *ret_error);

/* The fencing token of the present ownership: greater than that of every ownership before it.
 * Errors: SYNC_EPERM, SYNC_ELOST. */
SYNC_API int sync_mutex_token(sync_mutex *mutex, uint64_t *ret_token);

/* 1 when held by anyone, else 0. */
SYNC_API int sync_mutex_is_locked(sync_mutex *mutex);

/* How deep this principal holds it, 0 when it does not. */
SYNC_API int sync_mutex_depth(sync_mutex *mutex);

/* All or none, under one deadline and in one order for all callers. SYNC_OWNER_DIED if it is so for
 * any. Errors as sync_mutex_acquire, and SYNC_EINVAL for count 0 or above 63. */
SYNC_API int sync_mutex_acquire_many(sync_mutex *const *mutexes, size_t count, sync_timeout timeout)
    SYNC_MUST_CHECK;

/* The last close, by this process, of something it still holds passes that on as a dead owner's and
 * leaves a trace in the event ring. NULL is ignored. */
SYNC_API void sync_mutex_close(sync_mutex *mutex);

SYNC_API sync_object *sync_mutex_object(sync_mutex *mutex);

/* SYNC_WITH(mutex, timeout) { … } runs its block with the mutex held and releases it however the
 * block is left, except by longjmp; a failed acquire skips the block (see sync_last_error). */
typedef struct sync_with {
    sync_mutex *mutex;
    int rc;
    int once;
} sync_with;
SYNC_API void sync_with_leave(sync_with *with);
#define SYNC_WITH(mutex_, timeout_) SYNC_WITH_LINE_(mutex_, timeout_, __LINE__)
#define SYNC_WITH_LINE_(mutex_, timeout_, line_) SYNC_WITH_NAME_(mutex_, timeout_, line_)
#define SYNC_WITH_NAME_(mutex_, timeout_, line_) /* a name of its own, so that blocks nest */      \
    for (sync_with sync_with_##line_ __attribute__((                                               \
             cleanup(sync_with_leave))) = {(mutex_), sync_mutex_acquire((mutex_), (timeout_)), 1}; \
         !SYNC_FAILED(sync_with_##line_.rc) && sync_with_##line_.once; sync_with_##line_.once = 0)

#ifdef __cplusplus
}
#endif
#endif
