/* SPDX-License-Identifier: MIT */
/* The event: one word, one CAS a step. MANUAL by default, AUTO with -DAUTO.
 *
 * What must hold
 *   P1 pulse      (manual) a set releases everybody then waiting, even if clear follows at once
 *   P2 no strand  when nothing else can move, nobody alive sleeps on an event that is set (manual: or was set since its wait began)
 *   P3 one each   (auto) no set is consumed twice
 *
 * Switches: WAITERS n  SETTERS n  SETS n (by each)  CLEAR (each set is followed by a clear)  KILLS n  CRASHES n  TIMEOUTS n
 *   HANDLER   setter 0's first set is interrupted by a handler that sets another event; the cell of the inner level is its own
 */
#ifndef WAITERS
#define WAITERS 2
#endif
#ifndef SETTERS
#define SETTERS 1
#endif
#ifndef SETS
#define SETS 1
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
#define EXECUTORS (WAITERS + SETTERS)

#define W   128
#define SET 64
#define gen(w) ((w) & 63)

byte word;
byte since[WAITERS];                   /* generation at entry */
bit  asleep[WAITERS], waiting[EXECUTORS], owed[EXECUTORS];
bit  dead[EXECUTORS], reaped[EXECUTORS], finished[EXECUTORS];
byte kills = KILLS, crashes = CRASHES, timeouts = TIMEOUTS;
byte given, taken;                     /* ghosts: sets of an event that was not set, sets consumed */
#ifdef HANDLER
bit owed1, other_in_cell, other_set, other_woken, in_handler;
#endif

#if WAITERS == 2
#define EACH_WAITER(f) f(0) f(1)
#else
#define EACH_WAITER(f) f(0) f(1) f(2)
#endif
#if EXECUTORS == 3
#define EACH_EXECUTOR(f) f(0) f(1) f(2)
#elif EXECUTORS == 4
#define EACH_EXECUTOR(f) f(0) f(1) f(2) f(3)
#else
#define EACH_EXECUTOR(f) f(0) f(1) f(2) f(3) f(4)
#endif

#define IF_ASLEEP(i) :: asleep[i] -> asleep[i] = 0; woken = 1
inline wake_one() { atomic { if EACH_WAITER(IF_ASLEEP) :: else -> woken = 0 fi } }
#define ROUSE(i) asleep[i] = 0;
inline wake_all() { d_step { EACH_WAITER(ROUSE) } }
#define look(condition) atomic { !out && (condition) ->

/* ---- wait ---- */
#ifdef MUTANT_AUTO_FORGETS_W
#define TAKEN (word & (255 - SET))
#else
#define TAKEN ((word & (255 - SET)) | (slept -> W : 0))        /* who was woken keeps W for those still asleep */
#endif
#ifdef MUTANT_NO_GENERATION
#define was_set (word & SET)
#else
#define was_set ((word & SET) || gen(word) != since[x])
#endif
proctype waiter(byte x) {
  byte w; bit out, slept, woken, late;
  {
    atomic { since[x] = gen(word); waiting[x] = 1 };
    do
    :: look(timeouts > 0 && slept) timeouts--; out = 1; late = 1 }
#ifdef AUTO
#ifdef MUTANT_CONSUMED_BY_STORE
    :: look(word & SET) w = word };
       atomic { word = w & (255 - SET); w = 0; out = 1; taken++; assert(taken <= given) }
#else
    :: look(word & SET) word = TAKEN; out = 1; taken++; assert(taken <= given) }       /* P3 */
#endif
    :: look(!(word & SET)) word = word | W; w = word };
#else
    :: look(was_set) out = 1 }
    :: look(!was_set) word = word | W; w = word };
#endif
       d_step { if :: word == w -> asleep[x] = 1 :: else fi; slept = 1 };
end_asleep:                            /* P2 is judged by the monitor: to sleep on is right if nobody sets */
       if
       :: atomic { !asleep[x] -> w = 0 }
       :: atomic { asleep[x] && timeouts > 0 -> timeouts--; asleep[x] = 0; w = 0; out = 1; late = 1 }
       fi
    :: out -> break
    od;
#if defined(AUTO) && !defined(MUTANT_TIMEOUT_SWALLOWS_WAKE)
    if :: late && slept -> wake_one() :: else fi;
#endif
    atomic { waiting[x] = 0; finished[x] = 1; slept = 0; since[x] = 0; woken = 0; late = 0 }
  } unless { atomic { dead[x] -> w = 0; out = 0; slept = 0; woken = 0; late = 0 } }
}

/* ---- set: the cell is written before the commit that makes the wake owed ---- */
#ifdef MUTANT_OWED_AFTER_COMMIT
#define OWE      skip
#define LATE_OWE if :: w & W -> owed[x] = 1 :: else fi
#define may_commit true
#else
#define OWE      if :: word & W -> owed[x] = 1 :: else fi
#define LATE_OWE skip
#define may_commit (!(word & W) || owed[x])
#endif
#ifdef AUTO
#define already (word & SET)           /* the one before has not been taken yet, and its wake was given */
#ifdef MUTANT_AUTO_FORGETS_W
#define KEPT 0
#else
#define KEPT (w & W)
#endif
#else
#define already false
#define KEPT 0
#endif
inline set() {
  do
  :: already -> break
  :: else ->
     OWE;
     atomic {
       if
       :: !already && may_commit -> w = word; given = given + !(w & SET); word = ((gen(w) + 1) & 63) | SET | KEPT
       :: else -> goto again                           /* the CAS fails */
       fi };
     LATE_OWE;
     if
     :: w & W ->
#ifdef AUTO
        w = ((gen(w) + 1) & 63) | SET | W;
        wake_one();
        if :: atomic { !woken && word == w -> word = word & (255 - W) } :: else fi
#else
        wake_all()
#endif
     :: else
     fi;
     break;
again: skip
  od;
  atomic { owed[x] = 0; w = 0; woken = 0 }
}
#ifdef HANDLER
#define MAY_RUN provided (_pid != HANDLED_PID || !in_handler || dead[WAITERS])
#define HANDLED_PID (WAITERS + 1)
#else
#define MAY_RUN
#endif
proctype setter(byte x) MAY_RUN {
  byte n = SETS, w; bit woken;
  {
    do
    :: n == 0 -> break
    :: else -> n--;
       set();
#ifdef CLEAR
       word = word & (255 - SET)
#endif
    od;
    finished[x] = 1
  } unless { atomic { dead[x] -> n = 0; w = 0; woken = 0 } }
}
#ifdef HANDLER
/* A handler inside a set that owes a wake, by setter 0: it sets another event, which has a sleeper. */
#define X WAITERS
proctype handler() {
  bit saved;
  {
    if :: atomic { owed[X] -> in_handler = 1 } :: goto over fi;
#ifdef MUTANT_HANDLER_SHARES_CELL
    atomic { saved = owed[X]; owed[X] = 0; other_in_cell = 1 };
#else
    owed1 = 1;
#endif
    other_set = 1;
    other_woken = 1;
#ifdef MUTANT_HANDLER_SHARES_CELL
    atomic { owed[X] = saved; other_in_cell = 0 };
#else
    owed1 = 0;
#endif
over:
    in_handler = 0
  } unless { dead[X] }
}
proctype other_sleeper() {
end_unset:
  other_set;
  other_woken
}
#endif

/* ---- death and recovery ---- */
#ifdef MUTANT_OWED_AFTER_COMMIT
#define HAS_TRACE(i) !finished[i]
#elif defined(HANDLER)
#define HAS_TRACE(i) (waiting[i] || owed[i] || (i == WAITERS && in_handler))
#else
#define HAS_TRACE(i) (waiting[i] || owed[i])          /* nobody would notice the death of another */
#endif
#define IF_VICTIM(i) :: !dead[i] && HAS_TRACE(i) -> v = i
proctype killer() {
  byte v;
  do
  :: atomic { kills > 0 ->
       if EACH_EXECUTOR(IF_VICTIM) :: else -> goto over fi;
       kills--; dead[v] = 1;
       if :: v < WAITERS -> asleep[v] = 0 :: else fi;
over:  v = 0 }
  :: break
  od
}
#define CRASH  if :: atomic { crashes > 0 -> crashes--; goto again } :: true fi
#define IF_DEAD(i) :: atomic { dead[i] && !reaped[i] -> v = i }
proctype reaper() {
  byte v;
again:
  atomic { v = 0 };
end_idle:
  if EACH_EXECUTOR(IF_DEAD) fi;
#ifndef MUTANT_NO_REPLAY
#ifdef HANDLER
  if :: v == WAITERS && (owed1 || other_in_cell) -> other_woken = other_set :: else fi;
#endif
  if :: owed[v] || waiting[v] -> wake_all() :: else fi;
  CRASH;
#endif
  reaped[v] = 1;
  goto again
}

/* P2. Manual: a sleeper whose generation has passed has missed a set. */
#ifdef AUTO
#define STRANDED(i) && !(asleep[i] && !dead[i] && (word & SET))
#else
#define STRANDED(i) && !(asleep[i] && !dead[i] && ((word & SET) || gen(word) != since[i]))
#endif
proctype monitor() {
end_watch:
  timeout -> assert(true EACH_WAITER(STRANDED))
}

init {
  atomic {
    byte i;
    for (i : 0 .. EXECUTORS - 1) { if :: i < WAITERS -> run waiter(i) :: else -> run setter(i) fi };
    run monitor();
#ifdef HANDLER
    run handler(); run other_sleeper();
#endif
#if KILLS > 0
    run killer(); run reaper();
#endif
    i = 0
  }
}
