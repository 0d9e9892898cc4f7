/* SPDX-License-Identifier: MIT */
/* Codes, and everything known about the last failure of the calling thread. */
#ifndef SYNC_ERROR_H
#define SYNC_ERROR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SYNC_API __attribute__((visibility("default")))
#define SYNC_MUST_CHECK __attribute__((warn_unused_result))
#define SYNC_NORETURN __attribute__((noreturn))
#else
#define SYNC_API
#define SYNC_MUST_CHECK
#define SYNC_NORETURN
#endif

/* Every call returns 0 or a positive status on success, a negative code on failure. Outputs are
 * written on success only. SYNC_OWNER_DIED is a success with a duty: the lock is yours, and what it
 * protects may be half done. */
#define SYNC_FAILED(rc) ((rc) < 0)

enum {
    SYNC_OK = 0,
    SYNC_OWNER_DIED = 1, /* acquired; the previous owner died holding it */

    SYNC_EINVAL = -1,      /* an argument breaks a rule; the text names value and rule */
    SYNC_EPERM = -2,       /* not yours to release */
    SYNC_ETIMEDOUT = -3,   /* the time is over; the text says who was in the way */
    SYNC_EDEADLK = -4,     /* waiting would never end; the text shows the cycle */
    SYNC_ELOST = -5,       /* was yours, was broken by an operator */
    SYNC_EINTR = -6,       /* ended by a signal or by sync_interrupt */
    SYNC_EBUSY = -7,       /* in use by somebody the text names */
    SYNC_EOVERFLOW = -8,   /* a count would pass its maximum */
    SYNC_EBROKEN = -9,     /* barrier broken; the text gives the reason */
    SYNC_ENOSLOT = -10,    /* processes, threads or handles: the segment's slots are all taken */
    SYNC_ENONAMES = -11,   /* the segment's records are all taken */
    SYNC_EDEPTH = -12,     /* recursion deeper than the counter holds */
    SYNC_ENOMANAGER = -13, /* no manager's segment, and none may be started */
    SYNC_EORPHANED = -14,  /* the segment's name was taken away; nothing is granted any more */
    SYNC_ENOENT = -15,     /* no object of that name (SYNC_OPEN_EXISTING) */
    SYNC_EEXIST = -16,     /* the object exists (SYNC_OPEN_NEW) */
    SYNC_EMISMATCH = -17,  /* exists with another behaviour; the text names both values */
    SYNC_EKIND = -18,      /* exists as another kind */
    SYNC_ENOSPC = -19,     /* /dev/shm is full */
    SYNC_ENOMEM = -20,     /* out of memory */
    SYNC_EMEMLOCK = -21,   /* RLIMIT_MEMLOCK forbids mapping more of the segment */
    SYNC_EACCES = -22,     /* owner, mode or group of the segment refuse you */
    SYNC_EVERSION = -23,   /* a segment of another layout version */
    SYNC_EGARBAGE = -24,   /* not a segment, or a damaged one */
    SYNC_EADDRESS = -25,   /* unknown scheme, or not an address */
    SYNC_ENOTRECOVERABLE = -26, /* poisoned: an owner died and nobody made it consistent */
    SYNC_ESYSTEM = -27,         /* a system call failed unexpectedly; the text names it */
    SYNC_ECHILD = -28,          /* a child process failed; see its exception */
    SYNC_EMSGSIZE = -29,        /* the buffer is too small; ret_size holds the size needed */
    SYNC_EHANDLE = -30          /* not an open handle of this kind */
};

/* What is known of one who holds or waits. Strings end in NUL; unknown ones are empty. */
enum {
    SYNC_PRINCIPAL_NONE = 0,
    SYNC_PRINCIPAL_THREAD = 1,
    SYNC_PRINCIPAL_HANDLE = 2,
    SYNC_PRINCIPAL_SESSION = 3,
    SYNC_PRINCIPAL_JOB = 4,
    SYNC_PRINCIPAL_RESERVATION = 5
};

enum {
    SYNC_STATE_UNKNOWN = 0,
    SYNC_STATE_ALIVE = 1,
    SYNC_STATE_STOPPED = 2,
    SYNC_STATE_DUMPING = 3, /* writing a core dump; counts as alive until that is done */
    SYNC_STATE_SUSPECT = 4, /* looks dead, but cannot be proved from here */
    SYNC_STATE_DEAD = 5
};

typedef struct sync_principal {
    uint32_t principal; /* id in owner words: generation << 16 | slot + 1; 0: nobody */
    int32_t kind;       /* SYNC_PRINCIPAL_… */
    int32_t state;      /* SYNC_STATE_… */
    int32_t pid;        /* as seen in its own PID namespace */
    int32_t tid;
    uint32_t uid;
    int64_t since; /* ns, CLOCK_MONOTONIC; 0: unknown */
    char user[32];
    char host[64];
    char label[32];
    char thread[16];
    char note[64];
} sync_principal;

/* Why a barrier broke. */
enum {
    SYNC_CAUSE_NONE = 0,
    SYNC_CAUSE_TIMEOUT = 1,
    SYNC_CAUSE_ABORT = 2,
    SYNC_CAUSE_DIED = 3,
    SYNC_CAUSE_RESET = 4,
    SYNC_CAUSE_ACTION = 5,
    SYNC_CAUSE_LEFT = 6 /* a member closed it before it arrived */
};

#define SYNC_NAME_MAX 200 /* bytes of UTF-8, without the NUL */
#define SYNC_CYCLE_MAX 16

typedef struct sync_error {
    int32_t code;
    int32_t kind; /* SYNC_KIND_… of the object, 0 when none is concerned */
    char object[SYNC_NAME_MAX + 8];
    sync_principal holder; /* who is (or was) in the way */
    uint64_t token;        /* of the present ownership */
    uint32_t depth;
    uint32_t waiters; /* others that wait for it; 0 after a mere try */
    int64_t waited;   /* ns */
    int32_t cause;    /* SYNC_CAUSE_… of a broken barrier */
    int32_t action_code;
    uint32_t cycle_count;
    uint32_t reserved0;
    sync_principal cycle[SYNC_CYCLE_MAX]; /* of a deadlock, the caller first */
    uint8_t reserved[256];                /* written as zero */
} sync_error;

/* The name and meaning of a code. Static storage. Thread-, signal- and fork-safe. */
SYNC_API const char *sync_strerror(int code);

/* The short name of a code, such as "SYNC_ETIMEDOUT"; "SYNC_E?" for an unknown one. As above. */
SYNC_API const char *sync_strcode(int code);

/* The full text of the calling thread's last failure, "" if there was none. It lives until the
 * thread's next failing call. Not for signal handlers. */
SYNC_API const char *sync_last_error(void);

/* The same as fields. Errors: SYNC_EINVAL when ret_error is NULL. Not for signal handlers. */
SYNC_API int sync_last_error_info(sync_error *ret_error);

#ifdef __cplusplus
}
#endif
#endif
