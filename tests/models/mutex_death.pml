/* SPDX-License-Identifier: MIT */
/* Part of mutex.pml: who dies, and what recovery does about it: libsync/objects/recovery.c. */
/* ---- SIGKILL at any step, or the end of a lease. Only victims that have left a trace are of interest. ---- */
#define NAMES(w, i) (((w) & (255 - W)) == id(i, tenancy[i]))
#if defined(ALONE)
#define HAS_TRACE(i) (inside[i] && !owed[i])      /* a holder, in its critical section */
#elif defined(ONLY_HANDLER_DIES)
#define HAS_TRACE(i) (i == 0 && in_handler)
#elif defined(ONLY_GATEWAY_DIES)
#define HAS_TRACE(i) (i == OTHER && request != IDLE)
#elif defined(ONLY_BREAKER_DIES)
#define HAS_TRACE(i) (i == OTHER && broken)
#elif defined(ONLY_WOKEN_DIE)
#define HAS_TRACE(i) (waiting[i] && !asleep[i] && word[0] == 0)
#elif defined(BREAK)
#define HAS_TRACE(i) (waiting[i] || owed[i] || NAMES(word[0], i) || NAMES(word[1], i) || evicted == id(i, 0))
#elif defined(SESSION)
#define HAS_TRACE(i) (i >= OTHER -> request != IDLE : (waiting[i] || owed[i] || NAMES(word[0], i)))
#else
#define HAS_TRACE(i) (waiting[i] || owed[i] || NAMES(word[0], i))
#endif
#define IF_VICTIM(i) :: !dead[i] && !done[i] && HAS_TRACE(i) -> v = i
proctype killer() {
  byte v, it;
  do
  :: atomic { kills > 0 ->
       if EACH_MORTAL(IF_VICTIM) :: else -> goto over fi;
       kills--; dead[v] = 1; kill_count[v]++; inside[v] = 0;
       if :: v < EXECUTORS -> WAKE(v); life_fires(v) :: else fi;      /* a session has no life word */
over:
       v = 0; it = 0 }
  :: break
  od
}

/* ---- recovery: idempotent; a crash is a fresh start by the next reaper ---- */
#define CRASH  if :: atomic { crashes > 0 -> crashes--; goto again } :: true fi
inline replay(cell) {
  if
#ifdef HANDLER
  :: cell == EVENT -> event_woken = event_set
  :: atomic { cell != 0 && cell != EVENT -> m = cell - 1 };
#else
  :: atomic { cell != 0 -> m = cell - 1 };
#endif
#ifdef MUTANT_REPLAY_WAKES_ONE
     word[m] = word[m] | W;                              /* serves a free word, not BROKEN, where a wake was owed to all */
     CRASH;
     wake_one(m)
#else
     wake_all(m)
#endif
  :: else
  fi
}
inline recover_word(r) {       /* mutex_recover(): buries whoever is dead, not only v */
  atomic {
    if
    :: somebody(word[r]) && !admits(word[r]) && is_dead(owner(word[r])) -> word[r] = word[r] | R | W; todo = 1
#ifndef MUTANT_REAPER_WAKES_IF_IT_FREED
    :: admits(word[r]) && (word[r] & W) -> todo = 1      /* a wake is owed, whoever freed it */
#endif
    :: else -> todo = 0
    fi };
  CRASH;
  if :: todo -> wake_one(r) :: else fi;
  CRASH
}
#ifdef SESSION
#define LET_AGAIN (v == SESSION_SLOT)
#else
#define LET_AGAIN (v < CLIENTS)
#endif
#define IF_DEAD(i) :: atomic { dead[i] && !reaped[i] -> v = i; PROVE }
#ifdef NO_LIFE_WORD
#define PROVE proved[v] = 1
#else
#define PROVE skip
#endif
proctype reaper() {
  byte v, m; bit todo;
again:
  atomic { v = 0; m = 0; todo = 0 };
end_idle:
  if EACH_MORTAL(IF_DEAD) fi;                            /* find_dead() */
  recover_word(0);                                       /* recover_owned() */
#ifdef BREAK
  recover_word(1);
#endif
  if                                                     /* replay_executor() */
#if defined(MUTANT_NO_REPLAY)
  :: false ->
#elif defined(MUTANT_EXECUTOR_NOT_REPLAYED)
  :: v < CLIENTS ->
#else
  :: v < EXECUTORS ->
#endif
#ifndef MUTANT_OWED_NOT_REPLAYED
     replay(owed[v]);
#endif
#ifdef HANDLER
     if :: v == 0 -> replay(owed1) :: else fi;
#endif
     CRASH;
#ifndef MUTANT_WAITING_NOT_REPLAYED
     replay(waiting[v]);
     CRASH;
     if :: waiting[v] -> m = waiting[v] - 1; recover_word(m) :: else fi;
#endif
  :: else
  fi;
  d_step { if :: v < EXECUTORS -> owed[v] = 0; waiting[v] = 0; life_cleared(v) :: else fi };      /* clear_executor() */
  CRASH;
  atomic {                                               /* the slot is freed, and may be let again */
    reaped[v] = 1;
#ifdef MUTANT_DEATH_BETWEEN_SCANS
    if :: dead[SESSION_SLOT] -> reaped[SESSION_SLOT] = 1 :: else fi;       /* the dead asked for once more: one that the scan has not seen */
#endif
    if
    :: relets > 0 && LET_AGAIN ->
       relets--; tenancy[v]++; dead[v] = 0; reaped[v] = 0;
#ifdef NO_LIFE_WORD
       proved[v] = 0;
#endif
#ifdef SESSION
       done[v] = 1
#elif defined(WRAP)
       run client(v, id(v, 0), kill_count[v])
#else
       run client(v, id(v, tenancy[v]), kill_count[v])
#endif
    :: true
    fi;
#ifdef SESSION
    if :: v == OTHER -> dead[v] = 0; reaped[v] = 0; run gateway(OTHER, SESSION_SLOT, id(SESSION_SLOT, 0), kill_count[OTHER]) :: else fi
#endif
  };
  goto again
}
