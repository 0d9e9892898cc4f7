/* SPDX-License-Identifier: MIT */
/* The rules: what each kind may do, as steps on the bytes of a record, for a principal, by an
 * executor. A step never sleeps; it succeeds, fails, or says what to wait for. Who sleeps
 * (direct/), or parks (the gateway), is not known here. */
#ifndef SY_KIND_H
#define SY_KIND_H

#include <limits.h>
#include <sync/barrier.h>
#include <sync/event.h>
#include <sync/mutex.h>
#include <sync/semaphore.h>

#include "shm/directory.h"
#include "shm/opens.h"
#include "shm/ring.h"

#define SY_WAIT INT_MIN             /* of a step: see *ret_wait */
#define SY_SUPERSEDED (INT_MIN + 1) /* of a step: broken; the name leads to a new incarnation */

/* One operation under way. */
struct sy_call {
    struct sy_actor actor;
    struct sy_segment *segment;
    struct sy_hot *hot;
    struct sy_cold *cold;
    struct sy_open *entry; /* of the principal's process; NULL where the kind needs none */
    uint32_t record, generation;
    uint32_t principal; /* owner id: for whom */
    bool published;     /* the waiting record says that we wait here */
    bool lingered;      /* spun or yielded: what is to be waited for now is slept for */
    int64_t began;      /* ns; the ticket */
    int64_t deadline;   /* ns */
    uint32_t count;     /* semaphore: permits */
    uint32_t died;      /* out: owner id of the dead owner that was taken over */
    uint64_t detail;    /* event: state at entry; barrier: generation arrived in */
    int index;          /* barrier: arrival index, -1 before arrival */
    int32_t cause;      /* out: why a barrier broke */
    uint32_t culprit;   /* out: who broke it, or is in the way */
    int (*action)(void *);
    void *argument;
    int action_code;
};

enum sy_happened { SY_NOT_HAPPENED, SY_HAPPENED, SY_IN_DOUBT };

struct sy_kind {
    uint32_t number; /* SYNC_KIND_… */
    const char *name;
    /* The operation that may wait. 0 or a positive status, an error, SY_WAIT or SY_SUPERSEDED. */
    int (*step)(struct sy_call *call, struct sy_wait *ret_wait);
    /* Gave up with `rc` (timeout, interrupt, deadlock): undo, and pass on what may be owed. The
     * returned code replaces rc. */
    int (*leave)(struct sy_call *call, int rc);
    /* Do for the dead what they left undone in this record; whoever is dead by the shared words
     * alone is known to be so, `thorough` also proves it. Idempotent, by anybody, at any time.
     * False when it could not be done now, as the guard is somebody's. */
    bool (*recover)(const struct sy_actor *actor, uint32_t record, bool thorough);
    /* The guard came from a dead owner: recompute what the facts say. Guard held. */
    void (*repair)(const struct sy_actor *actor, uint32_t record);
    /* The last handle of this process closed. True when it still held something. */
    bool (*closed)(struct sy_call *call);
    /* A count of ownerships that tells how long sections last; NULL: the kind has none. */
    sy_dword *(*turns)(struct sy_hot *hot);
    /* Wake everybody who sleeps on any word of the record; each looks for itself. */
    void (*wake_all)(struct sy_hot *hot);
    /* Did the operation take effect? From the commit alone. */
    enum sy_happened (*did_it_happen)(struct sy_segment *segment, uint32_t record,
                                      const struct sy_operation *operation);
    /* Kind-specific part of the info. */
    void (*describe)(struct sy_segment *segment, uint32_t record, sync_info *ret_info);
    /* Is the state that of a fresh one? Then the record may be given to another name. */
    bool (*fresh)(struct sy_segment *segment, uint32_t record);
};
extern const struct sy_kind sy_mutex_kind, sy_semaphore_kind, sy_event_kind, sy_barrier_kind;

/* By SYNC_KIND_…; NULL for a number that is not in the table. */
const struct sy_kind *sy_kind_of(uint32_t number);
const char *sy_kind_name(uint32_t number);

static inline uint32_t sy_hot_kind(struct sy_hot *hot)
{
    return sy_get(&hot->kind) & 0xff;
}
static inline uint32_t sy_hot_flags(struct sy_hot *hot)
{
    return sy_get(&hot->kind) >> 8; /* SYNC_FLAG_… */
}
static inline uint32_t sy_hot_generation(struct sy_hot *hot)
{
    return sy_state_generation(sy_get(&hot->state));
}

/* Take the record's guard, and put right what a dead owner of it left. SY_WAIT: taken. */
int sy_record_guard(const struct sy_actor *actor, uint32_t record, struct sy_wait *ret_wait);
void sy_record_unguard(const struct sy_actor *actor, uint32_t record);

/* What is to be seen of an object, without a lock. False when it is not in use. */
bool sy_describe(struct sy_segment *segment, uint32_t record, sync_info *ret_info);
/* Every object whose name begins with `prefix` (NULL: all), its counts from one walk over who has
 * what open, until `function` returns other than 0, which is returned. SYNC_ENOMEM. */
int sy_describe_all(struct sy_segment *segment, const char *prefix, sync_list_function function,
                    void *argument);
/* The same by a few loads: no count of opens and waiters, and the holder as sy_identify_principal
 * says. */
bool sy_describe_briefly(struct sy_segment *segment, uint32_t record, sync_info *ret_info);
void sy_describe_principal(struct sy_segment *segment, uint32_t owner,
                           sync_principal *ret_principal);
/* What sy_identify_principal leaves out: names of user and host, state. */
void sy_complete_principal(struct sy_segment *segment, sync_principal *principal);
/* Only what the segment says of it, without a system call: no user's name, no state. */
void sy_identify_principal(struct sy_segment *segment, uint32_t owner,
                           sync_principal *ret_principal);

/* ---- mutex ---- */
int sy_mutex_release(struct sy_call *call);
/* Give back, at depth 1, what was taken over from the dead `died`, as if it had not been taken: its
 * next owner is told of that death. False when it was broken since. */
bool sy_mutex_return_dead(struct sy_call *call, uint32_t died);
/* After a successful CAS into the word by a fast path outside. */
static inline void sy_mutex_took(struct sy_hot *hot, uint32_t me, int64_t now)
{
    sy_put(&hot->u.mutex.since, (uint64_t)now);
    sy_put(&hot->u.mutex.fence, sy_get(&hot->u.mutex.fence) + 1);
    /* After the fence: a breaker that finds this owner's depth knows that the fence is its token.
     */
    sy_store(&hot->u.mutex.depth, (uint64_t)me << 32 | 1);
}
/* How deep `principal` is in this record: what stands there may be another's. */
static inline uint32_t sy_mutex_depth_of(struct sy_hot *hot, uint32_t principal)
{
    uint64_t depth = sy_get(&hot->u.mutex.depth);
    return (uint32_t)(depth >> 32) == principal ? (uint32_t)depth & SY_DEPTH_MAX : 0;
}
static inline bool sy_mutex_inconsistent(struct sy_hot *hot)
{
    return (sy_get(&hot->u.mutex.depth) & SY_INCONSISTENT) != 0;
}
/* An old incarnation: its name leads to a newer one. */
static inline bool sy_mutex_broken(struct sy_hot *hot)
{
    return sy_hot_kind(hot) == SYNC_KIND_MUTEX && (sy_load(&hot->word) & SY_OWNER) == SY_BROKEN;
}
/* Was `principal` evicted from this record, and does it still owe releases? */
bool sy_mutex_evicted(struct sy_hot *hot, uint32_t principal);
/* break.c: evict the owner whose token is `token` (0: whoever it is). */
int sy_mutex_break(const struct sy_actor *actor, uint32_t record, uint64_t token, const char *why,
                   sync_principal *ret_evicted);
/* The record that a broken one's name leads to now; makes it if need be. */
int sy_mutex_successor(const struct sy_actor *actor, uint32_t broken, uint32_t *ret_record,
                       uint32_t *ret_generation);

/* ---- semaphore ---- */
int sy_semaphore_release_step(struct sy_call *call, struct sy_wait *ret_wait);

/* ---- event: async-signal-safe ---- */
void sy_event_set_step(const struct sy_actor *actor, struct sy_hot *hot, uint32_t record,
                       uint32_t generation);
void sy_event_clear_step(struct sy_hot *hot);
static inline bool sy_event_state(struct sy_hot *hot)
{
    return sy_load(&hot->word) & 1;
}

/* ---- barrier ---- */
#define SY_BARRIER_FIRST                                                                           \
    (1ull << 48) /* epoch 1: the zeroes in ends[] are of no epoch that counts */
int sy_barrier_arrive_step(struct sy_call *call, struct sy_wait *ret_wait);
/* Only the round `round` (1 + generation), or whichever runs now (0). 1: broken by this call; 0:
 * over or broken already; SYNC_EBUSY while another than `culprit` runs the action. */
int sy_barrier_break(const struct sy_actor *actor, uint32_t record, uint64_t round, int cause,
                     uint32_t culprit, int action_code);
int sy_barrier_reset_step(const struct sy_actor *actor, uint32_t record);
uint32_t sy_barrier_arrived(struct sy_hot *hot);
bool sy_barrier_broken(struct sy_hot *hot);

/* Guard held: nobody has it open, so it goes. A mutex leaves its last token behind. */
void sy_record_unlink(const struct sy_actor *actor, uint32_t record);

/* ---- deadlock.c ---- */
struct sy_cycle {
    uint32_t count;
    uint32_t principals[SYNC_CYCLE_MAX]; /* owner ids; the caller first */
    uint32_t records[SYNC_CYCLE_MAX];    /* what each of them waits for */
};
/* Is `principal`, waiting as published by `executor`, in a cycle in which everybody waits, no edge
 * changed while it was looked at twice, and whose youngest ticket is its own? When another's is the
 * youngest, that one is woken to look. */
bool sy_deadlock_find(struct sy_segment *segment, struct sy_executor *executor,
                      struct sy_cycle *ret_cycle, bool any_victim);

/* ---- recovery.c ---- */
/* What a sleeper does for its record when it looks again. False: see sy_kind.recover. */
bool sy_recover_record(const struct sy_actor *actor, uint32_t record, bool thorough);
/* Become the reaper: false when another one is at work, who will do. */
bool sy_reaper_begin(struct sy_segment *segment, struct sy_actor *ret_actor);
void sy_reaper_end(const struct sy_actor *actor);
void sy_reaper_forked(void);
/* The reaper: do everything that the dead left undone, and free their slots, in one pass over slots
 * and records. Returns how many slots were freed. */
int sy_reap(const struct sy_actor *actor);
/* The reaper: the same for one principal (owner id) whose slot says EXITED. */
void sy_reap_one(const struct sy_actor *actor, uint32_t principal);
/* retire.c: the reaper, when the names run low: those nobody has open, in a fresh state, go. Broken
 * incarnations that nobody needs go always. Returns how many. */
int sy_retire(const struct sy_actor *actor);

#endif
