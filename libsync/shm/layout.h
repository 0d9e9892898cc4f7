/* SPDX-License-Identifier: MIT */
/* Every shared byte. Offsets and indexes, never pointers; each field names its guard: who may write
 * it, and when. "owner" is the principal in the record's word; "guard" the record's guard word.
 * Readers without a slot (managerctl) take everything as a hint and check generations around it. */
#ifndef SY_LAYOUT_H
#define SY_LAYOUT_H

#include <assert.h>
#include <pthread.h>

#include "base/base.h"

#define SY_MAGIC 0x5355594c43434e53u /* "SNCCLYUS" */
#define SY_LAYOUT_VERSION 1u

/* ---- owner words: mutexes and guards -------------------------------------------------------- */

/* W: somebody may sleep on this word; its next release wakes. Set by whoever is about to sleep;
 *    legal to be set when nobody sleeps, illegal to be clear while somebody sleeps without a bound.
 * R: the owner named beside it is dead; the word may be taken, and the taker learns who died. */
#define SY_W 0x80000000u
#define SY_R 0x40000000u
#define SY_OWNER 0x3fffffffu /* generation (14 bits) << 16 | principal + 1; 0: free */
#define SY_SLOT 0x0000ffffu
#define SY_POISONED 0x0001ffffu /* owner field: an owner died and nobody made it consistent */
#define SY_BROKEN 0x0002ffffu   /* owner field: broken; the name leads to a new incarnation */
#define SY_PRINCIPALS_MAX 65533u
/* Whoever holds the reaper byte, whichever process that is: dead when nobody holds it. */
#define SY_REAPER_INDEX 65533u
#define SY_REAPER (1u << 16 | (SY_REAPER_INDEX + 1))

/* In the low half of a mutex' depth: from OWNER_DIED to consistent(), under SYNC_DEATH_POISON. */
#define SY_INCONSISTENT 0x80000000u
#define SY_DEPTH_MAX 0x7fffffffu

static inline uint32_t sy_owner_id(uint32_t principal, uint32_t generation)
{
    return (generation & 0x3fffu) << 16 | (principal + 1);
}

/* ---- tenancy: one commit word per slot ------------------------------------------------------- */

/* generation << 32 | process + 1 << 16 | state. The generation is raised when a slot is given out,
 * so that the dead stay readable until somebody else moves in. */
enum {
    SY_SLOT_FREE = 0,
    SY_SLOT_CLAIMED = 1, /* given out, not yet filled in; belongs to `process` */
    SY_SLOT_LIVE = 2,
    SY_SLOT_EXITED =
        3 /* its thread ended, or its handle closed, while holding: recovery frees it */
};
static inline uint64_t sy_tenancy(uint32_t generation, uint32_t process, uint32_t state)
{
    return (uint64_t)generation << 32 | (uint64_t)(process + 1) << 16 | state;
}
static inline uint32_t sy_tenancy_generation(uint64_t tenancy)
{
    return (uint32_t)(tenancy >> 32);
}
static inline uint32_t sy_tenancy_process(uint64_t tenancy)
{
    return ((uint32_t)tenancy >> 16) - 1;
}
static inline uint32_t sy_tenancy_state(uint64_t tenancy)
{
    return (uint32_t)tenancy & 0xffffu;
}

#define SY_LABEL 32
#define SY_NOTE 64
#define SY_HANDLER_CELLS 8

/* Which witnesses of its death a process can give. */
#define SY_WITNESS_BYTE 1u
#define SY_WITNESS_START_TIME 2u
#define SY_WITNESS_PIDFS 4u

/* A wake that its executor owes to the sleepers of a record: written before the commit that makes
 * it owed, cleared after the wake. record + 1; 0: none. */
struct sy_owed {
    sy_word record;
    sy_word generation;
};

struct sy_process { /* 256 bytes; written by its process, but tenancy by recovery when it is dead */
    sy_dword tenancy;
    sy_word pid;
    sy_word uid;
    sy_dword pid_namespace;
    sy_dword start_time;
    sy_dword pidfs_inode;
    sy_dword attached_at; /* ns */
    sy_word witnesses;
    sy_word hello_epoch; /* of the manager it greeted last */
    char label[SY_LABEL];
    char reserved[40];
    /* Signal handlers in threads that never registered: claimed by CAS 0 -> 1. */
    struct {
        sy_word claimed;
        struct sy_owed owed;
        sy_word unused;
    } handlers[SY_HANDLER_CELLS];
};

struct sy_principal { /* 256 bytes; written by its own thread or process; tenancy as above */
    sy_dword tenancy;
    sy_word kind;               /* SYNC_PRINCIPAL_… */
    sy_word process_generation; /* low 32 bits of its process' generation */
    sy_word tid;
    sy_word record; /* handle: what it is a handle of, + 1 */
    sy_dword since; /* ns */
    sy_dword until; /* reservations, sessions: ns, 0 none */
    char note[SY_NOTE];
    char thread[16];
    char reserved[136];
};

#define SY_LEVELS 8 /* 0: normal, 1-7: signal handlers, each inside the one before */
#define SY_WAIT_MAX 63

enum {
    SY_OP_NONE,
    SY_OP_ACQUIRE,
    SY_OP_RELEASE,
    SY_OP_SET,
    SY_OP_ARRIVE,
    SY_OP_CREATE,
    SY_OP_BREAK
};

/* What its executor is in the middle of, for did_it_happen. `kind` is written last and cleared
 * first. */
struct sy_operation {
    sy_word kind;   /* SY_OP_… */
    sy_word record; /* + 1 */
    sy_word generation;
    sy_word principal; /* for whom */
    sy_dword sequence;
    sy_dword before; /* what the kind's commit said before */
};

/* What its executor sleeps for. Published (count last) before the first sleep, withdrawn (count
 * first) after the last, and after any wake it may have swallowed was passed on. */
struct sy_waiting {
    sy_word count; /* records waited for; 0: not waiting */
    sy_word principal;
    sy_dword ticket;   /* ns when it began: the smaller goes first */
    sy_dword deadline; /* ns */
    sy_dword detail;   /* barrier: 1 + the generation it arrived in; mutex: 1 when it let a
                          reservation   pass, by whoever met that; 0 by the waiter when it looks */
    sy_word records[SY_WAIT_MAX + 1]; /* record + 1 */
    sy_word generations[SY_WAIT_MAX + 1];
};

struct sy_executor { /* 1024 bytes; written by its own thread */
    /* Locked once at registration, robust and process-shared: the kernel fires it at the thread's
     * death, whatever kills it. Its word is slept on by those who wait for this thread. */
    pthread_mutex_t life;
    char life_room[64 - sizeof(pthread_mutex_t)];
    sy_word park;     /* counts up to wake this thread alone; written by anybody */
    sy_word has_life; /* the kernel knows the robust list */
    sy_dword epoch;   /* directory epoch it reads in; 0: not reading */
    struct sy_owed owed[SY_LEVELS];
    char reserved0[48];
    struct sy_operation operation;
    struct sy_waiting waiting;
    char reserved[1024 - 192 - 32 - 544];
};

/* ---- records --------------------------------------------------------------------------------- */

/* FREE -> PRIVATE -> LIVE -> UNLINKING -> UNLINKED -> FREE. All but the last step by the holder of
 * the record's guard; UNLINKING goes back to LIVE when somebody turns out to have it open. */
enum {
    SY_RECORD_FREE,
    SY_RECORD_PRIVATE,   /* being filled by the guard's owner; linked to nothing */
    SY_RECORD_LIVE,      /* whole; linked unless its creator died just before */
    SY_RECORD_UNLINKING, /* the guard's owner is looking whether anybody has it open */
    SY_RECORD_UNLINKED   /* its name is free again; out of its chain when `removed` is set */
};
static inline uint32_t sy_state(uint32_t generation, uint32_t state)
{
    return generation << 8 | state;
}
static inline uint32_t sy_state_generation(uint32_t word)
{
    return word >> 8;
}
static inline uint32_t sy_state_of(uint32_t word)
{
    return word & 0xff;
}
/* Somebody may use it: an unlinker that is looking has decided nothing yet. */
static inline bool sy_state_in_use(uint32_t word)
{
    return sy_state_of(word) == SY_RECORD_LIVE || sy_state_of(word) == SY_RECORD_UNLINKING;
}

#define SY_BARRIER_ENDS 4

struct sy_hot {    /* 64 bytes, in a dense array */
    sy_word word;  /* the kind's commit word */
    sy_word guard; /* owner word of an executor; what it guards is named per kind */
    sy_word state; /* generation (24 bits) << 8 | SY_RECORD_…; a commit word */
    sy_word kind;  /* SYNC_KIND_… | flags << 8; fixed while LIVE */
    union {
        struct {            /* 48 bytes */
            sy_dword fence; /* owner; the token */
            sy_dword since; /* owner; ns, coarse */
            sy_dword depth; /* owner, after the fence; 0 before its releasing commit: owner id << 32
                               | SY_INCONSISTENT | count. Names its owner, so that nobody takes the
                               depth of the one before for that of the one in the word. */
            sy_dword reserved_until; /* owner; ns */
            sy_word reserved_for; /* owner, before its releasing commit; the one it names may take
                                     it back; counts while FREE|W */
            sy_word candidate;    /* owner id of a waiter that asks for a reservation; CAS */
            sy_word evicted; /* guard: owner id that a break took away, believed beside BROKEN only;
                                0 by the evicted when it has given up its last depth */
            sy_word previous; /* set at creation: older incarnation + 1 while its evicted owes a
                                 release; cleared by CAS */
        } mutex;
        struct {
            sy_word total;   /* guard; permits in being; grows by releases beyond what is held */
            sy_word maximum; /* fixed; 0 unbounded */
        } semaphore;
        struct {
            sy_word set_by; /* hint */
            sy_word unused;
            sy_dword since; /* hint; ns of the last set */
            sy_dword sets;  /* hint */
        } event;
        struct {
            sy_dword state; /* the commit word, see objects/barrier.c */
            sy_dword cause; /* low 16 bits of the epoch << 48 | low 10 of the phase << 38 | cause <<
                               30 | owner id of the culprit; CAS, the first of its round wins */
            sy_dword ends[SY_BARRIER_ENDS]; /* atomic maximum of {epoch, phase} per epoch % 4 */
        } barrier;
    } u;
};

struct sy_cold { /* 256 bytes; filled before the record is linked, fixed while LIVE */
    sy_word hash;
    sy_word next;      /* in its bucket's chain, record + 1; written at linking and by the reaper */
    sy_dword timeout;  /* ns, 0: the manager's */
    sy_word number[2]; /* semaphore: maximum, initial; barrier: parties */
    _Atomic uint16_t name_size;
    _Atomic uint16_t deaths;
    char name[204];      /* NUL at name_size; begins in the line that a search reads anyway */
    sy_dword created_at; /* ns; once UNLINKED and out of its chain: the epoch of that */
    sy_dword max_hold;
    sy_word contended; /* counters, hints; any acquirer, so in a line that others seldom read */
    sy_word timeouts;
};

/* ---- opens ----------------------------------------------------------------------------------- */

struct sy_open { /* 32 bytes; `permits` under the record's guard, the rest by the process alone */
    sy_word record; /* + 1; 0: free entry */
    sy_word generation;
    sy_word opens; /* 1 while the process has it open */
    sy_word permits;
    sy_dword arrived; /* barrier: 1 + generation this process last arrived in */
    sy_dword reserved;
};
#define SY_OPENS_PER_CHUNK 31u
struct sy_chunk {   /* 1024 bytes; belongs to one process */
    sy_dword owner; /* generation << 32 | process + 1; CAS from 0, cleared by recovery */
    char reserved[24];
    struct sy_open entries[SY_OPENS_PER_CHUNK];
};

/* ---- event ring ------------------------------------------------------------------------------ */

enum {
    SY_EVENT_NONE,
    SY_EVENT_SLOW,     /* value: ns waited */
    SY_EVENT_DIED,     /* principal died; record 0: a process or thread without a hold */
    SY_EVENT_TAKEN,    /* principal took over from the dead `other` */
    SY_EVENT_TIMEDOUT, /* principal gave up; other: the holder */
    SY_EVENT_BROKEN,   /* mutex broken by principal; other: the evicted */
    SY_EVENT_BARRIER,  /* barrier broken; value: cause */
    SY_EVENT_CLOSED,   /* closed while held */
    SY_EVENT_DEADLOCK,
    SY_EVENT_CREATED,
    SY_EVENT_UNLINKED,
    SY_EVENT_MANAGER, /* value: 1 started, 2 stopped, 3 orphaned */
    SY_EVENT_NOTE
};

struct sy_entry {      /* 128 bytes */
    sy_dword sequence; /* 1 + place since the beginning, written last; 0 while being written */
    sy_dword time;     /* ns, CLOCK_MONOTONIC */
    sy_word type;
    sy_word record; /* + 1 */
    sy_word generation;
    sy_word principal;
    sy_word other;
    sy_word pid; /* of principal, which may be gone when this is read */
    sy_dword value;
    char text[80];
};

/* ---- the whole ------------------------------------------------------------------------------- */

enum sy_region_id {
    SY_PROCESSES,
    SY_PRINCIPALS,
    SY_EXECUTORS,
    SY_HOTS,
    SY_COLDS,
    SY_BUCKETS, /* sy_word: record + 1 of the newest in the chain; never rehashed */
    SY_CHUNKS,
    SY_RING,
    SY_ARENA, /* 64 KiB chunks for the kinds that own variable space */
    SY_REGIONS
};

struct sy_region { /* fixed at creation, but committed */
    uint64_t offset;
    uint32_t stride;
    uint32_t capacity;
    sy_word committed; /* items that have memory; raised by CAS after the memory is there */
    uint32_t step;     /* items per growth */
};

/* Bytes locked through open file descriptions lie far behind the data. */
#define SY_BYTE_BASE 0x100000000000u
#define SY_BYTE_MANAGER (SY_BYTE_BASE + 0)
#define SY_BYTE_REAPER (SY_BYTE_BASE + 1)
#define SY_BYTE_PROCESS(index) (SY_BYTE_BASE + 16 + (index))

enum { SY_STATE_RUNNING = 1, SY_STATE_ORPHANED = 2 };

struct sy_header { /* 4096 bytes */
    /* line 0-3: fixed at creation */
    uint64_t magic;
    uint32_t layout;
    uint32_t fingerprint; /* of all sizes, of the word order and of libc's mutex */
    uint64_t size;        /* of the file */
    uint64_t created_at;
    uint32_t uid, mode;
    uint32_t threads; /* principals below are threads' */
    uint32_t granularity;
    char boot_id[40];
    char name[64];
    struct sy_region regions[SY_REGIONS];
    /* read by every acquire, hardly ever written */
    _Alignas(64) sy_word state; /* SY_STATE_…; to ORPHANED by anybody, never back */
    sy_word epoch;              /* manager starts; by the manager */
    sy_dword default_timeout;   /* ns; by the manager */
    sy_word manager_pid;        /* by the manager; 0 after a clean stop */
    sy_word manager_uid;
    sy_dword manager_start_time;
    /* the manager's beat, every 250 ms */
    _Alignas(64) sy_dword heartbeat; /* ns */
    /* hints where to look for a free one; anybody */
    _Alignas(64) sy_word next_process;
    sy_word next_thread;
    sy_word next_principal;
    sy_word next_record;
    sy_word next_chunk;
    sy_dword directory_epoch; /* raised by the reaper when it unlinks */
    sy_dword fence_floor;     /* atomic maximum of the tokens of unlinked mutexes: the next of any
                                 name begins above */
    _Alignas(64) sy_dword ring_head; /* entries ever claimed */
    struct sy_owed reaper_owed;      /* the reaper's cell; by whoever holds the reaper byte */
};
#define SY_HEADER_SIZE 4096u

static_assert(sizeof(struct sy_process) == 256, "layout");
static_assert(sizeof(struct sy_principal) == 256, "layout");
static_assert(sizeof(struct sy_waiting) == 544, "layout");
static_assert(sizeof(struct sy_operation) == 32, "layout");
static_assert(sizeof(struct sy_executor) == 1024, "layout");
static_assert(sizeof(struct sy_hot) == 64, "layout");
static_assert(sizeof(struct sy_cold) == 256, "layout");
static_assert(sizeof(struct sy_open) == 32 && sizeof(struct sy_chunk) == 1024, "layout");
static_assert(sizeof(struct sy_entry) == 128, "layout");
static_assert(sizeof(struct sy_header) <= SY_HEADER_SIZE, "layout");
static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "lock-free words");

#endif
