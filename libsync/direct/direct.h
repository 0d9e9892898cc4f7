/* SPDX-License-Identifier: MIT */
/* The direct path: this process works on the mapped segment itself. */
#ifndef SY_DIRECT_H
#define SY_DIRECT_H

#include <pthread.h>

#include "objects/kind.h"

#define SY_DEFAULT_TIMEOUT 60000000000ll /* ns, where nobody said otherwise */

/* One record this process has open, shared by all its handles for it. */
struct sy_opened {
    struct sy_opened *next; /* in its hash chain */
    uint32_t record, generation;
    uint32_t hash; /* of its name */
    uint32_t handles;
    struct sy_open *_Atomic entry; /* NULL in a forked child until it is used */
};

/* This process' view of one segment. */
struct sy_attachment {
    struct sy_segment *segment;
    struct sy_attachment *next; /* of all, under the list lock */
    uint32_t references;        /* connects; under the list lock */
    bool separate;              /* not shared with other connects: tests, one client per thread */
    bool private_to_user;
    pthread_mutex_t
        lock; /* opened table, handles, process slot; never held over user code, nor over a sleep
                 but the second that the last close of a semaphore may need its guard */
    struct sy_opened **opened;
    uint32_t opened_size, opened_count;
    sy_word generation; /* raised in a forked child: its threads and entries register again */
    sy_word interrupts; /* sync_interrupt calls */
    int hello;          /* socket to the manager, -1; checked by hello_inode before it is closed */
    ino_t hello_inode;
    _Atomic int64_t kept_at; /* ns, when the byte and the hello were last seen to */
    char name[64];
    char label[SY_LABEL];
};

/* A thread of this process in one segment. */
struct sy_thread {
    struct sy_thread *next; /* of the same thread, other segments */
    struct sy_attachment *attachment;
    struct sy_executor *executor;
    uint32_t index, id;
    uint32_t generation;    /* of the attachment when it registered */
    _Atomic uint32_t level; /* operations under way, one inside the other by signal handlers */
    int cancel_state;       /* of the thread, while an operation has cancellation off */
};

/* Initial-exec: no malloc at first touch, so a signal handler may look. */
struct sy_self {
    struct sy_attachment *attachment; /* of `thread`, the one used last */
    struct sy_thread *thread;
    uint32_t id;
    uint32_t holds;    /* mutexes this thread owns, over all segments */
    uint32_t spins;    /* how long its next spin may last: longer after one that paid */
    uint32_t patience; /* pauses before its first look: more where sections are short */
    uint32_t vain;     /* how many yields to leave out, and how many were: more after vain ones */
    uint32_t left_out;
};
extern __thread struct sy_self sy_self __attribute__((tls_model("initial-exec")));
extern sy_word *sy_alive; /* 1; 0 in a process forked behind our back */

/* attachment.c */
int sy_attach(const char *name, const sync_manager_options *options, bool separate,
              struct sy_attachment **ret_attachment);
void sy_detach(struct sy_attachment *attachment);
/* The byte, the hello, the orphan check; false: they were looked at just now. */
bool sy_keep_up(struct sy_attachment *attachment, int64_t now);
/* After SYNC_ENOSLOT or SYNC_ENONAMES: free what the dead have; true: try again. */
bool sy_make_room(struct sy_segment *segment, int rc);
int sy_refuse_orphan(struct sy_attachment *attachment);
/* launch.c: run managerd for this name; 0 when it says that the segment is there. */
int sy_launch_manager(const char *name);
/* hello.c: greet the manager (best effort, nothing is awaited). */
void sy_greet(struct sy_attachment *attachment);
void sy_hello_close(struct sy_attachment *attachment);

/* thread.c */
/* The calling thread in this segment, registered if need be. Not in handlers. */
int sy_enlist(struct sy_attachment *attachment);
/* Begin an operation: the actor with a cell of its own for owed wakes. Ends with sy_done. */
int sy_begin(struct sy_attachment *attachment, struct sy_actor *ret_actor);
void sy_done(const struct sy_actor *actor);
/* The same for sync_event_set: never registers, never fails; returns the handler cell to give to
 * sy_done_handler, or -1. */
int sy_begin_handler(struct sy_attachment *attachment, struct sy_actor *ret_actor);
void sy_done_handler(struct sy_attachment *attachment, const struct sy_actor *actor, int cell);
void sy_threads_forked(void);
/* The process ends in order: the calling thread leaves every segment. */
void sy_thread_exit(void);

/* fork.c */
int sy_fork_prepare(void); /* once per process: atfork and the wipe page */
void sy_fork_notice(void); /* called when *sy_alive is 0 */
/* attachment.c, in a forked child: a new identity for this segment. Signal-safe part first. */
void sy_attachments_hold(bool hold); /* around a fork */
void sy_attachments_forked(void);
int sy_reattach(struct sy_attachment *attachment);

/* wait.c */
void sy_wait_prepare(void); /* before the first wait of this process */
/* Run kind->step until it does not wait any more, sleeping in between. The text of the failure is
 * set. */
int sy_wait_for(struct sy_attachment *attachment, const struct sy_kind *kind, struct sy_call *call,
                bool interruptible);
/* Make a sleeper look again, whatever words it sleeps on. */
void sy_rouse(struct sy_segment *segment, struct sy_executor *executor);
/* A step that only ever waits for the guard. */
int sy_wait_guard(struct sy_attachment *attachment, struct sy_call *call,
                  int (*step)(struct sy_call *, struct sy_wait *), const char *verb);

/* opened.c, under attachment->lock. One handle more for the record this process has open by that
 * name, or NULL. While it has an entry the record is LIVE, or UNLINKING in vain. */
struct sy_opened *sy_opened_known(struct sy_attachment *a, const struct sy_name *name);
/* The same for a record, which is entered if need be. SYNC_ENOENT when it is not LIVE any more. */
int sy_opened_get(struct sy_attachment *a, uint32_t record, uint32_t generation,
                  struct sy_opened **ret_opened);
int sy_opened_enter(struct sy_attachment *a, struct sy_opened *o);
/* One handle less; the last one gives the entry back. With `keep` the struct itself stays: a thread
 * may still look through a handle that has just moved on from it. */
void sy_opened_put(struct sy_attachment *a, struct sy_opened *o, bool keep);
/* The open entry of a handle's record; takes the lock when a forked child has none yet. */
int sy_opened_entry(struct sync_object *object, struct sy_open **ret_entry);

/* handle.c: what mutexes, semaphores, … have in common. */
struct sync_object { /* first member of every handle */
    uint32_t magic;  /* SY_MAGIC_OF(kind); 0 once closed */
    uint32_t kind;
    struct sy_hot *_Atomic hot; /* moves, with `opened`, when a broken mutex is superseded */
    struct sy_attachment *attachment;
    struct sync_manager *manager;
    struct sync_object *next, *previous; /* of its manager */
    struct sy_opened *_Atomic opened;
    sync_timeout timeout;          /* the handle's own, 0: none */
    uint32_t principal;            /* owner id of the handle; 0: threads own */
    uint32_t principal_generation; /* of the attachment when it was claimed */
    sy_word previous_record;       /* mutex: the broken incarnation before, + 1 */
    bool created, interruptible;
    sync_principal *died;  /* mutex: who died in it last, from the heap; NULL: nobody */
    pthread_mutex_t local; /* owner = handle: depth changes of its threads exclude each other */
};
#define SY_MAGIC_OF(kind_) (0x53594e00u | (kind_))

struct sync_manager {
    uint32_t magic;
    struct sy_attachment *attachment;
    struct sync_object *handles;                     /* both under the attachment's lock */
    struct sync_object *spare[SYNC_KIND_RWLOCK + 1]; /* closed ones, per kind */
    sync_timeout timeout;
    bool interruptible;
};
#define SY_MANAGER_MAGIC 0x53594d47u

struct sy_open_request {
    uint32_t kind, flags;
    int32_t open;         /* SYNC_OPEN_… */
    bool given;           /* options were not NULL */
    bool needs_options;   /* to create */
    sync_timeout timeout; /* the handle's */
    int64_t max_hold;
    uint32_t number[2];
    uint64_t fence_floor; /* mutex: tokens begin above it */
    const char *(*differs)(const struct sy_open_request *request, struct sy_hot *hot,
                           struct sy_cold *cold, char *text, size_t size);
    sy_fill_function *fill;
};
int sy_open_handle(struct sync_manager *manager, const char *name,
                   const struct sy_open_request *request, size_t size,
                   struct sync_object **ret_object);
void sy_close_handle(struct sync_object *object);
/* The manager is closed: all its handles, and their memory. */
void sy_handles_drop(struct sync_manager *manager);
/* Prepare a call on the handle's record: actor, entry, principal, deadline. sy_done when over. */
int sy_prepare(struct sync_object *object, sync_timeout timeout, struct sy_call *ret_call);
/* The handle's record was superseded: go over to the new incarnation. */
int sy_move_on(struct sync_object *object, struct sy_call *call);
/* The timeout in force: the call's, the handle's, the object's, the manager's. */
int64_t sy_deadline_of(struct sync_object *object, sync_timeout timeout, int64_t now);

/* The record, when it is certain to be still ours: a forked child that has not used the handle yet
 * has no open entry, and the record may have another tenant. Signal-safe. */
static inline struct sy_hot *sy_handle_hot(struct sync_object *object)
{
    struct sy_opened *opened = sy_load(&object->opened);
    return sy_likely(sy_load(&opened->entry) != NULL && sy_get(sy_alive)) ||
                   sy_record_live(object->attachment->segment, opened->record, opened->generation)
               ? sy_load(&object->hot)
               : NULL;
}

static inline bool sy_timeout_bad(sync_timeout timeout)
{
    return sy_unlikely(timeout < 1000 && timeout != 0 && timeout != SYNC_DEFAULT);
}
int sy_refuse_timeout(sync_timeout timeout);
int sy_refuse_handle(const char *call, const void *handle);

static inline struct sy_cold *sy_handle_cold(struct sync_object *object)
{
    return sy_cold_at(object->attachment->segment, sy_load(&object->opened)->record);
}

/* report.c: the texts of failures, with who is in the way. */
int sy_report(struct sy_call *call, const struct sy_kind *kind, int rc,
              const struct sy_cycle *cycle);
int sy_report_died(struct sy_call *call, const sync_principal *dead);

#endif
