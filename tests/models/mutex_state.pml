/* SPDX-License-Identifier: MIT */
/* Part of mutex.pml: the words, the slots, and what the kernel does with sleepers. */
/* Slots: clients are executors and principals at once; then one more executor (the gateway or the breaker); then the session. */
#define OTHER        CLIENTS
#define EXECUTORS    (CLIENTS + 1)
#define SESSION_SLOT (CLIENTS + 1)
#define SLOTS        (CLIENTS + 2)

/* The owner word. R beside an owner: the owner named is dead, the word may be taken. */
#define W        128
#define R        64
#define BROKEN   63
#define POISONED 62
#define owner(w)   ((w) & 63)
#define free(w)    (owner(w) == 0)
#define admits(w)  (free(w) || ((w) & R))
#define id(slot, generation)  (1 + (slot) + SLOTS * (generation))
#define slot(i)    (((i) - 1) % SLOTS)
#define gen(i)     (((i) - 1) / SLOTS)
#define somebody(w) (!free(w) && owner(w) < POISONED)

#ifdef BREAK
#define RECORDS 2
#define FENCE_STEP 8           /* stands for 2^32 */
byte name;                     /* the incarnation the directory finds first */
byte evicted;                  /* in record 0 */
bit  previous;                 /* in record 1: record 0 has an evicted owner that has not answered */
byte depth[RECORDS];           /* {owner, count} in one word: here the owner, or 0 at depth 0 */
byte fence[RECORDS];
bit  answered;                 /* the evicted has had ELOST from its last release: in the code, evicted = 0 again */
#ifdef MUTANT_DEPTH_TELLS
#define told (depth[0] == 0)   /* also true of one that has the word and has not come to store its depth */
#else
#define told answered
#endif
byte last_token; bit broken;   /* ghosts */
#else
#define RECORDS 1
#endif
#define EVENT (RECORDS + 1)    /* the handler's object, in intent cells */

byte word[RECORDS];
byte sleepers[RECORDS];        /* the hint: how many wait */
byte asleep[EXECUTORS];        /* kernel: 1 + record whose word this executor sleeps on */
byte watched[EXECUTORS];       /* kernel: the owner whose life word lies in the same futex_waitv */
byte waiting[EXECUTORS];       /* waiting record: 1 + record */
byte owed[EXECUTORS];          /* intent cell of nesting level 0: 1 + record, or EVENT */
byte kill_count[SLOTS];        /* ghost: a killed process goes by this, for its slot may be alive again */
#define killed (kill_count[x] != born)
bit  dead[SLOTS], reaped[SLOTS], done[SLOTS];
byte tenancy[SLOTS];           /* generation */
bit  inside[SLOTS];            /* ghost: its acquire has returned, its release has not begun */
byte kills = KILLS, crashes = CRASHES, timeouts = TIMEOUTS, stops = STOPS, relets = RELETS;

#ifdef HANDOFF
byte candidate, reserved_for;  /* executors: here, who waits is its own executor */
bit  parked[EXECUTORS];        /* the park word has moved since this executor looked at it */
bit  passed[EXECUTORS];        /* waiting.detail: it let a reservation pass, and has not looked since */
bit  let_pass[EXECUTORS];      /* ghost of the same */
#ifdef MUTANT_WATCHES_WHO_RELEASED
byte released_by;
#endif
#define reserved_for_another (reserved_for != 0 && reserved_for != me && !is_dead(reserved_for))
#endif
#ifdef HANDLER
byte owed1;                    /* client 0's cell of nesting level 1 */
bit  in_handler, event_set, event_woken;
#endif
#ifdef SESSION
byte request;                  /* the session's operation record, in its principal slot */
#define IDLE     0
#define ACQUIRE  1
#define HELD     2
#define RELEASE  3
#define ANSWERED 4
#endif

/* What everybody can read off the shared words. Without life words only once the reaper has proved it (EXITED in the slot). */
#ifdef NO_LIFE_WORD
bit proved[SLOTS];
#define seems_dead(s) proved[s]
#else
#define seems_dead(s) dead[s]
#endif
#if defined(WRAP) || defined(MUTANT_GENERATION_IGNORED)
#define is_dead(i) seems_dead(slot(i))
#else
#define is_dead(i) (seems_dead(slot(i)) || tenancy[slot(i)] != gen(i))
#endif

/* Ghost: in truth. */
#ifdef WRAP
#define alive(i) (!dead[slot(i)])
#else
#define alive(i) (!dead[slot(i)] && tenancy[slot(i)] == gen(i))
#endif

#if CLIENTS == 1
#define EACH_CLIENT(f) f(0)
#elif CLIENTS == 2
#define EACH_CLIENT(f) f(0) f(1)
#elif CLIENTS == 3
#define EACH_CLIENT(f) f(0) f(1) f(2)
#else
#define EACH_CLIENT(f) f(0) f(1) f(2) f(3)
#endif
#ifdef SESSION
#define EACH_MORTAL(f) EACH_CLIENT(f) f(OTHER) f(SESSION_SLOT)
#define EACH_SLEEPER(f) EACH_CLIENT(f) f(OTHER)
#elif defined(BREAK)
#define EACH_MORTAL(f) EACH_CLIENT(f) f(OTHER)
#define EACH_SLEEPER(f) EACH_CLIENT(f)
#else
#define EACH_MORTAL(f) EACH_CLIENT(f)
#define EACH_SLEEPER(f) EACH_CLIENT(f)
#endif

/* ---- the kernel ---- */
#define WAKE(i)      asleep[i] = 0; watched[i] = 0
#define IF_ASLEEP(i) :: asleep[i] == r + 1 -> WAKE(i)
inline wake_one(r) {           /* FUTEX_WAKE(word, 1): whom it takes is left open */
  atomic { if EACH_SLEEPER(IF_ASLEEP) :: else fi }
}
inline wake_two(r) {           /* FUTEX_WAKE(word, 2): one call, under one lock of the kernel */
  atomic { if EACH_SLEEPER(IF_ASLEEP) :: else fi; if EACH_SLEEPER(IF_ASLEEP) :: else fi }
}
#define ROUSE(i)     if :: asleep[i] == r + 1 -> WAKE(i) :: else fi;
inline wake_all(r) { d_step { EACH_SLEEPER(ROUSE) } }
#ifdef NO_LIFE_WORD
#define life_of(i) 0
#define life_fires(v) skip
#define life_cleared(v) skip
#else
#define life_of(i) (i)
#define IF_WATCHES(i) :: asleep[i] && watched[i] == it -> WAKE(i)
inline life_fires(v) {         /* the robust list wakes one sleeper only */
  it = id(v, tenancy[v]); if EACH_SLEEPER(IF_WATCHES) :: else fi
}
#define ROUSE_WATCHER(i) if :: asleep[i] && watched[i] == id(v, tenancy[v]) -> WAKE(i) :: else fi;
inline life_cleared(v) {       /* clear_executor(): the word is about to be somebody else's */
  EACH_SLEEPER(ROUSE_WATCHER)
}
#endif
#ifdef HANDOFF
#define LOOK_AT_PARK parked[x] = 0;
#define park_moved parked[x]
#define HAS_LOOKED passed[x] = 0; let_pass[x] = 0;
#else
#define LOOK_AT_PARK
#define park_moved false
#define HAS_LOOKED
#endif
/* sleep_once(): futex_waitv {word == value, life of watch, own park word}. found_dead is its -EOWNERDEAD. */
inline sleep(value, watch) {
  d_step {
    if
    :: watch != 0 && is_dead(watch) -> found_dead = 1
    :: else ->
       slept = 1;
       if :: word[m] == (value) && !park_moved -> asleep[x] = m + 1; watched[x] = watch :: else fi
    fi }
}
