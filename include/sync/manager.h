/* SPDX-License-Identifier: MIT */
/* The manager: the segment in which all objects of one laboratory live, and its daemon. */
#ifndef SYNC_MANAGER_H
#define SYNC_MANAGER_H

#include <sync/error.h>
#include <sync/time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sync_manager sync_manager;

typedef struct sync_manager_options {
    const char
        *label; /* who this process is, shown to others; NULL: the program's name; 31 bytes */
    sync_timeout
        timeout; /* default of all handles opened through this manager; 0: the manager's own */
    int32_t no_autostart;  /* do not start a missing manager */
    int32_t interruptible; /* waits end with SYNC_EINTR after a signal handler ran */
    const char *key_file;  /* remote managers only */
    uint64_t reserved[8];  /* zero, else SYNC_EINVAL */
} sync_manager_options;

/* Attach to a manager. address: "shm:NAME"; NULL means $SYNC_MANAGER, else "shm:default". Where
 * /etc/libsync/managerd.conf exists the segment is the system's, else the calling user's own. A
 * missing manager is started unless forbidden. A second connect of this process to the same segment
 * shares the attachment; each needs its own close.
 * Errors: SYNC_EINVAL, SYNC_EADDRESS, SYNC_ENOMANAGER, SYNC_EORPHANED, SYNC_EACCES, SYNC_EVERSION,
 * SYNC_EGARBAGE, SYNC_ENOSLOT, SYNC_ENOMEM, SYNC_EMEMLOCK, SYNC_ENOSPC, SYNC_ESYSTEM.
 * Thread-safe; not for signal handlers. After fork the child goes on with the same manager under an
 * identity of its own, and owns nothing. */
SYNC_API int sync_manager_connect(const char *address, const sync_manager_options *options,
                                  sync_manager **ret_manager) SYNC_MUST_CHECK;

/* Give the manager back. The last close also closes the handles still open through it: what they
 * hold passes on as a dead owner's. NULL is ignored. Not for signal handlers. */
SYNC_API void sync_manager_close(sync_manager *manager);

enum {
    SYNC_MANAGER_ABSENT = 0, /* no daemon; everything but autostart and central reaping works */
    SYNC_MANAGER_RUNNING = 1,
    SYNC_MANAGER_STALE = 2 /* its heartbeat is old: stopped, or dying */
};

typedef struct sync_manager_state {
    char address[256];   /* "shm:NAME" */
    char path[256];      /* of the segment, e.g. /dev/shm/libsync.1000.default */
    int32_t state;       /* SYNC_MANAGER_… */
    int32_t manager_pid; /* of the last manager that served the segment */
    uint32_t epoch;      /* raised by each start of the daemon */
    uint32_t layout;
    int32_t orphaned;
    int32_t private_to_user; /* 1: this user's own world, others do not see it */
    int64_t heartbeat;       /* ns, CLOCK_MONOTONIC */
    int64_t default_timeout; /* ns */
    uint32_t processes, processes_max;
    uint32_t threads, threads_max;
    uint32_t names, names_max;
    uint8_t reserved[256]; /* written as zero */
} sync_manager_state;

/* Errors: SYNC_EINVAL, SYNC_EHANDLE. Thread-safe, takes no lock. */
SYNC_API int sync_manager_info(sync_manager *manager, sync_manager_state *ret_state);

/* Say what the calling thread is doing: up to 63 bytes of UTF-8, shown wherever it holds or waits,
 * also after its death; NULL clears. Errors: SYNC_EINVAL, SYNC_EHANDLE, SYNC_ENOSLOT. */
SYNC_API int sync_note(sync_manager *manager, const char *why);

/* Make the waits that other threads of this process have begun return SYNC_EINTR. */
SYNC_API int sync_interrupt(sync_manager *manager);

#ifdef __cplusplus
}
#endif
#endif
