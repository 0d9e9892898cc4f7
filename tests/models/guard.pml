/* SPDX-License-Identifier: MIT */
/* A record's guard: an owner word of executors and of the reaper, bare of depth, fence and reservation. What it guards is a fact and a cache of it.
 * Names with () are functions of libsync/shm/guard.c, or of the file named beside them.
 *
 * What must hold
 *   P1 exclusion   one living executor, or reaper, at a time is inside
 *   P2 no strand   when nothing else can move, nobody alive sleeps or waits: Spin's "invalid end state"; the re-check is left out
 *   P3 repair      whoever is inside, and past the repair, finds the cache to say what the fact says
 *   P4 no rest     when nothing else can move, the guard is free and the dead are done for
 *
 * The reaper is whoever holds the reaper byte: a process that can be killed like any other. There are as many as CRASHES allows, one after the other.
 *
 * Switches: CLIENTS n  ROUNDS n  KILLS n  CRASHES n (kills of a reaper)  TIMEOUTS n  STOPS n  NO_LIFE_WORD (as in mutex.pml)
 */
#ifndef CLIENTS
#define CLIENTS 3
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef TIMEOUTS
#define TIMEOUTS 0
#endif
#ifndef STOPS
#define STOPS 0
#endif
#define W 128
#define R 64
#define owner(w) ((w) & 15)
#define admits(w) (owner(w) == 0 || ((w) & R))
#define id(i) ((i) + 1)
#define REAPER CLIENTS                 /* its index; SY_REAPER is its owner id */

byte guard;
byte fact, cache;                      /* plain memory, written inside */
byte asleep[CLIENTS];                  /* kernel: 1 asleep on the guard */
byte watched[CLIENTS];                 /* kernel: the owner whose life word lies in the same futex_waitv */
bit  waiting[CLIENTS];                 /* waiting records */
bit  owed[CLIENTS];                    /* intent cells */
bit  reaper_owed;                      /* the reaper's, in the header */
byte holder;                           /* of the reaper byte: the how-manieth reaper. The kernel frees it with its holder */
bit  dead[CLIENTS], proved[CLIENTS], reaped[CLIENTS], done[CLIENTS];
bit  inside[CLIENTS + 1];              /* ghost */
byte kills = KILLS, crashes = CRASHES, timeouts = TIMEOUTS, stops = STOPS;

/* sy_owner_dead(), liveness.c, not thorough: a reaper is not found dead by it. */
#ifdef NO_LIFE_WORD
#define seems_dead(o) (o != id(REAPER) && proved[(o) - 1])
#define life_of(o) 0
#else
#define seems_dead(o) (o != id(REAPER) && dead[(o) - 1])
#define life_of(o) (o == id(REAPER) -> 0 : o)
#endif

#if CLIENTS == 2
#define EACH_CLIENT(f) f(0) f(1)
#elif CLIENTS == 3
#define EACH_CLIENT(f) f(0) f(1) f(2)
#else
#define EACH_CLIENT(f) f(0) f(1) f(2) f(3)
#endif

/* ---- the kernel ---- */
#define WAKE(i) asleep[i] = 0; watched[i] = 0
#define IF_ASLEEP(i) :: asleep[i] -> WAKE(i)
inline wake_one() { atomic { if EACH_CLIENT(IF_ASLEEP) :: else fi } }
inline wake_two() { atomic { if EACH_CLIENT(IF_ASLEEP) :: else fi; if EACH_CLIENT(IF_ASLEEP) :: else fi } }
#define ROUSE(i) if :: asleep[i] -> WAKE(i) :: else fi;
inline wake_all() { d_step { EACH_CLIENT(ROUSE) } }
#define IF_WATCHES(i) :: asleep[i] && watched[i] == id(v) -> WAKE(i)
#define ROUSE_WATCHER(i) if :: asleep[i] && watched[i] == id(v) -> WAKE(i) :: else fi;

/* ---- sy_guard_try() when it succeeds, and what sy_record_guard() does for the dirty, kinds.c ---- */
#define HOLDS(i) + inside[i]
#define check_exclusion assert((0 EACH_CLIENT(HOLDS) HOLDS(REAPER)) <= 1)                 /* P1 */
#define take(keep) dirty = (owner(guard) != 0); guard = me | keep; inside[me - 1] = 1; got = 1; check_exclusion
#ifdef MUTANT_OWN_ID_IS_CLEAN
#define own_is_dirty 0
#else
#define own_is_dirty 1
#endif
inline repair() {
#ifdef MUTANT_NO_REPAIR
  dirty = 0
#else
  if :: dirty -> cache = fact; dirty = 0 :: else fi
#endif
}
inline work() {
  assert(cache == fact);                                                                  /* P3 */
  fact = 1 - fact;
  cache = fact
}

/* ---- sy_owner_hand_back() ---- */
#ifdef MUTANT_WAKES_ONE
#define wake_next wake_one()
#else
#define wake_next wake_two()
#endif
#if defined(MUTANT_REAPER_OWES_NOTHING) || defined(MUTANT_REAPER_OWES_AFTER_THE_CAS)
#define owes_first (me != id(REAPER))
#else
#define owes_first true
#endif
inline hand_back(cell) {
  inside[me - 1] = 0;
  atomic { if :: guard == me -> guard = 0; got = 0 :: else -> assert(guard == (me | W)) fi };
  if
  :: got ->
     if :: owes_first -> cell = 1 :: else fi;                                             /* sy_owe() */
     guard = 0;
#ifdef MUTANT_REAPER_OWES_AFTER_THE_CAS
     cell = 1;
#endif
     wake_next;
     cell = 0;
     got = 0
  :: else
  fi
}

/* ---- a client: sy_wait_guard(), direct/wait.c ---- */
#define FORGET late = 0; w = 0; slept = 0; got = 0; dirty = 0; rounds = 0
proctype client(byte x) {
  byte me = x + 1, w, rounds = ROUNDS; bit slept, got, dirty, late;
  {
    do
    :: rounds == 0 -> break
    :: else -> rounds--; slept = 0;
       do
       :: got || late -> break
       :: atomic { !got && !late && admits(guard) -> take((slept || (guard & W) -> W : 0)) }
       :: atomic { !got && !late && !admits(guard) && seems_dead(owner(guard)) -> guard = guard | R | W };    /* sy_owner_bury() */
          wake_one()
       :: atomic { !got && !late && !admits(guard) && !seems_dead(owner(guard)) -> guard = guard | W;
            if :: waiting[x] -> w = guard :: else -> waiting[x] = 1 fi };
          d_step {                                           /* sleep_once() */
            if
            :: w != 0 && !seems_dead(owner(w)) -> slept = 1;
               if :: guard == w -> asleep[x] = 1; watched[x] = life_of(owner(w)) :: else fi
            :: else
            fi };
          if
          :: atomic { asleep[x] == 0 -> w = 0 }
          :: atomic { asleep[x] && timeouts > 0 -> timeouts--; WAKE(x); w = 0; late = 1 }
#if STOPS > 0
          :: atomic { slept && stops > 0 -> stops--; WAKE(x); w = 0; done[x] = 1 };
end_stopped: false
#endif
          fi
       :: atomic { !got && slept && timeouts > 0 -> timeouts--; late = 1 }
       od;
       if
       :: late ->                                            /* pass_guard_on() */
#ifndef MUTANT_WAKE_NOT_PASSED_ON
          wake_one();
#endif
          atomic { waiting[x] = 0; late = 0 }
       :: else ->
          repair();
          atomic { waiting[x] = 0; slept = 0 };
          work();
          hand_back(owed[x])
       fi
    od;
    atomic { done[x] = 1; FORGET }
  } unless { atomic { dead[x] -> FORGET } }
}

/* ---- who dies ---- */
#define IF_VICTIM(i) :: !dead[i] && !done[i] && (waiting[i] || owed[i] || (owner(guard) == id(i) && !(guard & R))) -> v = i
proctype killer() {
  byte v;
  do
  :: atomic { kills > 0 ->
       if EACH_CLIENT(IF_VICTIM) :: else -> goto over fi;
       kills--; dead[v] = 1; inside[v] = 0; WAKE(v);
#ifndef NO_LIFE_WORD
       if EACH_CLIENT(IF_WATCHES) :: else fi;
#endif
over:  v = 0 }
  :: break
  od
}

/* ---- the reaper: recovery.c. One that is killed is followed by another ---- */
#define IF_DEAD(i) :: atomic { dead[i] && !reaped[i] -> v = i; proved[i] = 1 }
#define SOME_DEAD(i) || (dead[i] && !reaped[i])
proctype reaper(byte number) {
  byte v, me = REAPER + 1; bit got, dirty, todo;
  {
    skip;
again:
#ifndef MUTANT_REAPERS_DEBT_FORGOTTEN
    if :: reaper_owed -> wake_all() :: else fi;              /* sy_reaper_begin(): what the one before owed */
#endif
    reaper_owed = 0;
end_idle:
    if EACH_CLIENT(IF_DEAD) fi;                              /* find_dead() */
    atomic {                                                 /* recover_owned(): sy_owner_bury() */
      if
      :: !admits(guard) && owner(guard) != me && seems_dead(owner(guard)) -> guard = guard | R | W; todo = 1
      :: else -> todo = 0
      fi };
    if :: todo -> wake_one() :: else fi;
    do
    :: atomic { guard & R -> take((guard & W)) }; break                                      /* sy_record_guard() */
#ifndef MUTANT_REAPER_PASSES_ITS_OWN_BY
    :: atomic { !admits(guard) && owner(guard) == me -> dirty = own_is_dirty; inside[REAPER] = 1; got = 1; check_exclusion }; break
#endif
    :: else -> break
    od;
    if
    :: got ->
       repair();
       work();                                               /* semaphores: the permits of the dead return */
       hand_back(reaper_owed)
    :: else
    fi;
    if :: owed[v] || waiting[v] -> wake_all() :: else fi;    /* replay_executor() */
    d_step { owed[v] = 0; waiting[v] = 0; EACH_CLIENT(ROUSE_WATCHER) };                      /* clear_executor() */
    reaped[v] = 1;
    atomic { v = 0; todo = 0 };
    goto again
  } unless { atomic { holder != number -> v = 0; got = 0; dirty = 0; todo = 0 } }
}
/* A reaper is killed at any step of its work, and the next one gets the byte. */
proctype reapers() {
  run reaper(0);
end_alive:
  do
  :: atomic { crashes > 0 && (false EACH_CLIENT(SOME_DEAD)) -> crashes--; holder++; inside[REAPER] = 0; run reaper(holder) }
  od
}

#define STILL(i) && (asleep[i] == 0) && (!dead[i] || reaped[i])
proctype monitor() {
end_watch:
  timeout ->
  assert(true EACH_CLIENT(STILL));                                                        /* P2 and P4 */
  assert(stops < STOPS || guard == 0 || guard == W)
}

init {
  atomic {
    byte i;
    for (i : 0 .. CLIENTS - 1) { run client(i) }
#if KILLS > 0
    run killer(); run reapers();
#endif
    run monitor();
    i = 0
  }
}
