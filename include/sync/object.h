/* SPDX-License-Identifier: MIT */
/* What all kinds have in common: names, options, inspection. */
#ifndef SYNC_OBJECT_H
#define SYNC_OBJECT_H

#include <sync/manager.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sync_object sync_object;

enum {
    SYNC_KIND_MUTEX = 1,
    SYNC_KIND_SEMAPHORE = 2,
    SYNC_KIND_EVENT = 3,
    SYNC_KIND_BARRIER = 4,
    SYNC_KIND_CONDITION = 5,
    SYNC_KIND_QUEUE = 6,
    SYNC_KIND_DICT = 7,
    SYNC_KIND_VALUE = 8,
    SYNC_KIND_RWLOCK = 9 /* number reserved */
};

/* The member `open` of every options struct. Opening never replaces an object. Options NULL: take
 * the object as it is, or create one with defaults. */
enum {
    SYNC_OPEN_OR_CREATE = 0,
    SYNC_OPEN_EXISTING = 1, /* SYNC_ENOENT when there is none */
    SYNC_OPEN_NEW = 2       /* SYNC_EEXIST when there is one */
};

typedef struct sync_info {
    char name[SYNC_NAME_MAX + 8];
    int32_t kind;    /* SYNC_KIND_… */
    int32_t created; /* 1: this handle's open created it */
    uint32_t id;     /* of the record, with generation: tells incarnations of one name apart */
    uint32_t generation;
    int64_t created_at; /* ns, CLOCK_MONOTONIC */
    int64_t timeout;    /* default of the object, ns */
    uint32_t opens;     /* processes that have it open */
    uint32_t waiters;
    int64_t longest_wait; /* ns, of those now waiting */
    /* mutex: the holder; barrier: who runs the action; event: who set it last */
    sync_principal holder;
    uint64_t token;
    uint32_t depth;
    int32_t owner_died; /* the mutex passed on from a dead owner and is not released since */
    int32_t poisoned;
    int32_t broken;            /* mutex: this incarnation was broken; barrier: broken */
    int32_t cause;             /* of a broken barrier */
    uint32_t value;            /* semaphore: available; event: 1 when set; barrier: arrived */
    uint32_t maximum;          /* semaphore: 0 unbounded; barrier: parties */
    uint64_t generation_count; /* event: sets so far; barrier: trips so far */
    int64_t max_hold;
    uint32_t flags; /* SYNC_FLAG_… */
    uint32_t contended, timeouts, deaths;
    uint8_t reserved[256]; /* written as zero */
} sync_info;

enum {
    SYNC_FLAG_NON_RECURSIVE = 1,
    SYNC_FLAG_FIFO = 2,
    SYNC_FLAG_OWNER_HANDLE = 4,
    SYNC_FLAG_POISON = 8,
    SYNC_FLAG_SILENT = 16,
    SYNC_FLAG_UNTRACKED = 32,
    SYNC_FLAG_AUTO_RESET = 64,
    SYNC_FLAG_MEMBERS = 128
};

/* A view of the object, taken without any lock and without the daemon; numbers that belong together
 * may be an instant apart. Errors: SYNC_EINVAL, SYNC_EHANDLE. */
SYNC_API int sync_object_info(sync_object *object, sync_info *ret_info);

/* 1 when both handles lead to the same object, else 0. */
SYNC_API int sync_same(sync_object *a, sync_object *b);

/* Called for each object whose name begins with prefix (NULL: all); a non-zero return ends the walk
 * and is returned. The info lives until the callback returns. Errors: SYNC_EINVAL, SYNC_EHANDLE,
 * SYNC_ENOMEM. */
typedef int (*sync_list_function)(const sync_info *info, void *argument);
SYNC_API int sync_list(sync_manager *manager, const char *prefix, sync_list_function function,
                       void *argument);

/* Remove a name nobody has open. Errors: SYNC_EINVAL, SYNC_ENOENT, SYNC_EBUSY naming a user of it.
 */
SYNC_API int sync_unlink(sync_manager *manager, const char *name);

#ifdef __cplusplus
}
#endif
#endif
