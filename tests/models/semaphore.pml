/* SPDX-License-Identifier: MIT */
/* The semaphore. Tracked: permits stand in the open entry of each process, written under the record's guard; that store is the commit, the
 * number available is a cache in the word, recomputed by whoever takes the guard from the dead. UNTRACKED: the word is all there is.
 *
 * What must hold
 *   P1 never too many   the living never hold more permits together than the total
 *   P2 no strand        when nothing else can move, nobody alive sleeps beside enough permits for it, nor on the guard
 *   P3 nothing lost     (tracked) when nothing else can move, the cache says total - permits of the living
 *   P4 guard            one living executor at a time is inside the guard
 *
 * Switches: CLIENTS n  PERMITS n  MANY (client 0 wants 2 at once)  KEEP (a client may keep what it took)  KILLS n  CRASHES n  TIMEOUTS n  UNTRACKED
 */
#ifndef CLIENTS
#define CLIENTS 3
#endif
#ifndef PERMITS
#define PERMITS 1
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
#ifdef MANY
#define wanted(x) (x == 0 -> 2 : 1)
#else
#define wanted(x) 1
#endif

#define W 128
#define M 64                           /* a sleeper wants more than one */
#define available(w) ((w) & 15)
#define R 64                           /* in the guard, an owner word */
#define owner(w) ((w) & 15)
#define admits(w) (owner(w) == 0 || ((w) & R))
#define REAPER CLIENTS
#define EXECUTORS (CLIENTS + 1)

byte word = PERMITS, guard;
byte permits[CLIENTS];                 /* the facts */
byte held[CLIENTS];                    /* ghost: what the client believes to hold */
byte asleep[EXECUTORS];                /* 1: on the word, 2: on the guard */
bit  waiting[CLIENTS], owed[EXECUTORS], in_guard[EXECUTORS];
bit  dead[EXECUTORS], reaped[CLIENTS], finished[CLIENTS];
byte kills = KILLS, crashes = CRASHES, timeouts = TIMEOUTS;

#if CLIENTS == 2
#define EACH_CLIENT(f) f(0) f(1)
#elif CLIENTS == 3
#define EACH_CLIENT(f) f(0) f(1) f(2)
#else
#define EACH_CLIENT(f) f(0) f(1) f(2) f(3)
#endif
#define ON_WORD 1
#define ON_GUARD 2

#define IF_ASLEEP(i) :: asleep[i] == on -> asleep[i] = 0; woken = 1
inline wake_one(on) { atomic { if EACH_CLIENT(IF_ASLEEP) :: else -> woken = 0 fi } }
#define ROUSE(i) if :: asleep[i] == on -> asleep[i] = 0; woken = 1 :: else fi;
inline wake_all(on) { d_step { woken = 0; EACH_CLIENT(ROUSE) } }

inline wake_n() {                      /* count, then all if a sleeper that wants more has come: it may have swallowed what was meant for another */
  wake_one(ON_WORD);
  if :: n > 1 && woken -> wake_one(ON_WORD); woken = 1 :: else fi;
#ifndef MUTANT_M_LOOKED_AT_ONCE
  if :: word & M -> wake_all(ON_WORD); woken = 1 :: else fi
#endif
}

/* ---- the guard ---- */
#define HOLDS(i) + (in_guard[i] && !dead[i])
#define HAS(i) + (dead[i] -> 0 : held[i])
#define FACT(i) + permits[i]
#define sum_of_facts (0 EACH_CLIENT(FACT))
inline guard_take(id) {                /* sets dirty */
  g_slept = 0;
  do
  :: atomic { admits(guard) -> dirty = (guard & R) != 0;
       guard = id | (((guard & W) || g_slept) -> W : 0);
       in_guard[id - 1] = 1;
       assert((0 EACH_CLIENT(HOLDS) + in_guard[REAPER]) <= 1);           /* P4 */
       break }
  :: atomic { owner(guard) == id && !admits(guard) -> dirty = 1; in_guard[id - 1] = 1; break }      /* a section it abandoned itself */
  :: atomic { !admits(guard) && owner(guard) != id && dead[owner(guard) - 1] -> guard = guard | R | W };
     wake_one(ON_GUARD)
  :: atomic { !admits(guard) && owner(guard) != id && !dead[owner(guard) - 1] -> guard = guard | W; g = guard };
     if
     :: id == REAPER + 1 -> atomic { guard != g || dead[owner(g) - 1] -> g = 0 }       /* it never sleeps, it comes again */
     :: else ->
        d_step { if :: guard == g && !dead[owner(g) - 1] -> asleep[x] = ON_GUARD :: else fi; g_slept = 1; g = 0 };
        asleep[x] == 0
     fi
  od;
  if
  :: dirty -> recompute()
  :: else
  fi;
  dirty = 0
}
inline guard_release(id) {
  in_guard[id - 1] = 0;
  atomic { if :: guard == id -> guard = 0; woken = 1 :: else -> owed[id - 1] = 1; woken = 0 fi };
  if
  :: !woken ->
     guard = 0;
     atomic { wake_one(ON_GUARD); wake_one(ON_GUARD) }
  :: else
  fi;
  atomic { owed[id - 1] = 0; woken = 0 }
}

/* ---- under the guard: from the facts to the cache ---- */
#define FORGET_DEAD(i) if :: dead[i] -> permits[i] = 0 :: else fi;
inline recompute() {
#ifdef MUTANT_NO_REPAIR                    /* the permits of the dead are added to the cache as it stands */
  atomic { if :: x == REAPER -> word = word + permits[v % CLIENTS]; permits[v % CLIENTS] = 0; wake_all(ON_WORD) :: else fi }
}
inline unused_recompute() {
#endif
  d_step { EACH_CLIENT(FORGET_DEAD) };
  owed[x] = 1;
  atomic { left = available(word); g = word; word = (PERMITS - sum_of_facts) | (word & M -> 0 : word & (W | M)) };
  if :: g & W -> wake_all(ON_WORD) :: else fi;
  atomic { owed[x] = 0; g = 0; left = 0 }
}

/* ---- acquire, release ---- */
#define passes_on (slept && left)
inline acquire() {
  slept = 0; waiting[x] = 1;
  do
  :: atomic { out == 0 && slept && timeouts > 0 -> timeouts--; out = 2 }
  :: atomic { out == 0 && available(word) >= n ->
#ifdef UNTRACKED
       word = ((word & (W | M)) | (available(word) - n)) | (slept -> W : 0); left = available(word); held[x] = n; out = 1 };
     if :: passes_on -> wake_n() :: else fi;
     left = 0
#else
       skip };
     guard_take(x + 1);
     if
     :: available(word) >= n ->
        permits[x] = permits[x] + n;                                     /* the commit */
        word = word - n;
        atomic { left = available(word); held[x] = n; out = 1; if :: slept -> word = word | W :: else fi }
     :: else
     fi;
     guard_release(x + 1);
     if :: out == 1 && passes_on -> wake_n() :: else fi;
     left = 0
#endif
  :: atomic { out == 0 && available(word) < n -> word = word | W | (n > 1 -> M : 0); w = word };
     d_step { if :: word == w -> asleep[x] = ON_WORD :: else fi; slept = 1; w = 0 };
end_asleep:                            /* judged by the monitor */
     if
     :: asleep[x] == 0
     :: atomic { asleep[x] && timeouts > 0 -> timeouts--; asleep[x] = 0; out = 2 }
     fi
  :: out != 0 -> break
  od;
#ifndef MUTANT_TIMEOUT_SWALLOWS_WAKE
  if :: out == 2 && slept -> wake_n() :: else fi;
#endif
  atomic { slept = 0; woken = 0; waiting[x] = 0;
    assert((0 EACH_CLIENT(HAS)) <= PERMITS) }                            /* P1 */
}
#ifdef MUTANT_MANY_IGNORED
#define wake_for_release wake_one(ON_WORD)
#define KEPT (w & (W | M))
#else
#define wake_for_release if :: w & M -> wake_all(ON_WORD) :: else -> wake_n() fi
#define KEPT (w & M -> 0 : w & W)
#endif
inline release() {
#ifndef UNTRACKED
  guard_take(x + 1);
  atomic { held[x] = 0; permits[x] = permits[x] - n };                   /* the commit */
#endif
  owed[x] = 1;
  atomic { held[x] = 0; w = word; word = (available(w) + n) | KEPT; g = word };
  if :: w & W -> wake_for_release :: else fi;
#ifdef UNTRACKED
  if :: atomic { (w & W) && !(w & M) && !woken && word == g -> word = available(g) } :: else fi;
#endif
  atomic { owed[x] = 0; w = 0; g = 0; woken = 0 };
#ifndef UNTRACKED
  guard_release(x + 1)
#endif
}

#ifdef KEEP
#define MAY_KEEP out == 1
#else
#define MAY_KEEP false
#endif
#define FORGET slept = 0; g_slept = 0; woken = 0; dirty = 0; w = 0; g = 0; left = 0; out = 0
proctype client(byte x) {
  byte v, w, g, left, out, n; bit slept, g_slept, woken, dirty;
  {
    n = wanted(x);
    acquire();
    if :: out == 1 -> release() :: MAY_KEEP :: else fi;
    atomic { finished[x] = 1; FORGET }
  } unless { atomic { dead[x] -> FORGET } }
}

/* ---- death and recovery ---- */
#define IF_VICTIM(i) :: !dead[i] && (waiting[i] || held[i] || permits[i] || owed[i] || owner(guard) == i + 1) -> v = i
proctype killer() {
  byte v;
  do
  :: atomic { kills > 0 ->
       if EACH_CLIENT(IF_VICTIM) :: else -> goto over fi;
       kills--; dead[v] = 1; asleep[v] = 0; in_guard[v] = 0;
over:  v = 0 }
  :: break
  od
}
#define CRASH  if :: atomic { crashes > 0 -> crashes--; in_guard[REAPER] = 0; goto again } :: true fi
#define IF_DEAD(i) :: atomic { dead[i] && !reaped[i] -> v = i }
proctype reaper() {
  byte x = REAPER, v, g, left; bit woken, dirty, g_slept;
again:
  atomic { v = 0; woken = 0; dirty = 0; g = 0; left = 0; g_slept = 0 };
end_idle:
  if EACH_CLIENT(IF_DEAD) fi;
#ifndef UNTRACKED
  if
#ifdef MUTANT_REAPER_SKIPS_BUSY_GUARD
  :: !admits(guard) && owner(guard) != REAPER + 1 && !dead[owner(guard) - 1]
#endif
#ifdef MUTANT_REAPER_LOOKS_ONLY_AT_PERMITS
  :: permits[v] == 0
  :: permits[v] != 0 ->
#else
  :: true ->
#endif
     guard_take(REAPER + 1);
     CRASH;
     recompute();
     CRASH;
     guard_release(REAPER + 1)
  fi;
  permits[v] = 0;                      /* the entry goes with the slot */
#endif
  CRASH;
#ifndef MUTANT_NO_REPLAY
  if :: owed[v] || waiting[v] -> wake_all(ON_WORD); wake_all(ON_GUARD) :: else fi;
#endif
  reaped[v] = 1;
  goto again
}

/* When nothing else can move. */
#define STRANDED(i) && !(asleep[i] == ON_WORD && !dead[i] && available(word) >= wanted(i))
proctype monitor() {
end_watch:
  timeout ->
  assert(true EACH_CLIENT(STRANDED));                                    /* P2 */
#ifndef UNTRACKED
  assert(available(word) == PERMITS - sum_of_facts)                      /* P3 */
#endif
}

init {
  atomic {
    byte i;
    for (i : 0 .. CLIENTS - 1) { run client(i) };
    run monitor();
#if KILLS > 0
    run killer(); run reaper();
#endif
    i = 0
  }
}
