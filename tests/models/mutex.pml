/* SPDX-License-Identifier: MIT */
/* The mutex, whole: hand-off, generations, owner watch, timeouts, break, a handler inside a release, an executor that is not the principal.
 * Names with () are functions of libsync/objects/mutex.c, or of the file named beside them.
 *
 * What must hold
 *   P1 exclusion    no two living principals believe they own the mutex (an evicted one, which will be told, apart)
 *   P2 no strand    when nothing else can move, nobody who is alive and not stopped sleeps or waits: Spin's "invalid end state".
 *                   The re-check that bounds every sleep is left out on purpose: it would hide every lost wake
 *   P3 fence        tokens rise strictly over successful acquisitions, across break too
 *   P4 told         the evicted gets ELOST from its release and from nested acquires; nobody else ever gets it
 *   P5 this one     break of token N evicts the principal that had N, not a later owner
 *   P6 no heritage  the new tenant of a slot never finds itself the owner by an old tenant's word
 *   P7 prompt       where nobody is stopped, no reservation has to run out: whoever it bars is woken
 *   P8 one delay    who let a reservation pass gets no other before it has looked again
 *
 * Switches (`run` has the combinations that are tractable)
 *   CLIENTS n  ROUNDS n  KILLS n  CRASHES n (of the reaper)  TIMEOUTS n  RELETS n (slots let out again)
 *   STOPS n   waiters that never run again: as they sleep, or after they were woken and before they look
 *   HANDOFF   candidate and reservation; with FIFO whoever has waited longest, which is left open
 *   PROMPT    time passes only when nothing else can move
 *   BREAK     one eviction by token, a second incarnation of the record
 *   NESTED    the owner acquires again, by a handle that finds the new incarnation
 *   HANDLER   event_set in a handler, inside a release that owes a wake
 *   SESSION   a principal whose executor, the gateway, may die
 *   POISON    who got OWNER_DIED releases without consistent()
 *   RETURNS   who got OWNER_DIED may give that back as if it had not come
 *   WRAP      the 14 bits of generation have come round: old and new tenant bear one id
 *   ONLY_BREAKER_DIES (and acts when all others wait), ONLY_HANDLER_DIES, ONLY_GATEWAY_DIES, ONLY_WOKEN_DIE  for larger numbers of clients
 *   NO_LIFE_WORD  the fallback without futex_waitv or robust list: sleepers watch the word alone
 *   ALONE     no reaper at all: a holder killed in its section must be noticed by the sleepers
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
#ifndef RELETS
#define RELETS 0
#endif

#include "mutex_state.pml"
#include "mutex_break.pml"

/* ---- acquire ----
 * A load and the CAS that succeeds on it are one step: what others do in between can only make the CAS fail. */
#define GOT   0
#define LEFT  1                /* timed out, or refused */
#define LOST  2                /* evicted */
#define AGAIN 3
#define now_word word[m]
/* One pass of mutex_step(): a first one before publish() only tries, later ones have counted themselves in. */
#define looks(condition) atomic { result == AGAIN && (counted || !waiting[x]) && (condition) -> LOOK_AT_PARK
#ifdef MUTANT_LEAVER_IS_SILENT
#define leaver_wakes false
#elif defined(MUTANT_LEAVE_BY_WORD)
#define leaver_wakes (now_word & W)
#else
#define leaver_wakes slept
#endif
#ifdef BREAK
#define is_broken    (owner(now_word) == BROKEN)
#define must_be_told (evicted == me && !told && (m == 1 -> previous : is_broken))   /* owes_releases(), sy_mutex_evicted() */
#else
#define is_broken false
#define must_be_told false
#endif
#ifdef POISON
#define is_poisoned (owner(now_word) == POISONED)
#else
#define is_poisoned false
#endif
#define goes_on (!must_be_told && !is_broken && !is_poisoned)
#ifdef MUTANT_R_IGNORED_IN_OWN_TEST
#define is_mine (owner(now_word) == me)
#else
#define is_mine ((now_word & (255 - W)) == me)
#endif
#define is_others (!admits(now_word) && !is_mine)
#ifdef HANDOFF
#define barred (now_word == W && reserved_for_another)
#else
#define barred false
#endif

#define BELIEVES(i) + (inside[i] && !dead[i] && !out(i))
#ifdef BREAK
#define out(i) (broken && evicted == id(i, 0) && !answered)
#define check_not_untold assert(!(broken && m == 1 && evicted == me && !answered))       /* P4 */
#else
#define out(i) false
#define check_not_untold skip
#endif
#define check_exclusion assert((0 EACH_CLIENT(BELIEVES) BELIEVES(SESSION_SLOT)) <= 1)    /* P1 */

inline withdraw() {
  atomic {
#ifdef HANDOFF
    if :: candidate == me -> candidate = 0 :: else fi;
#endif
    if
    :: counted -> counted = 0;
#ifdef MUTANT_HINT_CLEARED_BY_TAKER
       sleepers[m] = 0
#elif !defined(MUTANT_COUNTED_OUT_WHEN_WOKEN)
       sleepers[m]--
#endif
    :: else
    fi }
}

#ifdef ALONE
#define MANAGER_STALE 1
#else
#define MANAGER_STALE 0        /* the reaper wakes who watched the dead, when it clears the slot */
#endif
#if defined(POISON) || defined(RETURNS)
#define FORGET_DEATH skip
#else
#define FORGET_DEATH died = 0
#endif
inline took() {                /* fence and depth are plain fields that only the owner stores: sy_mutex_took(), kind.h */
#ifdef BREAK
  f = fence[m];
  fence[m] = f + 1;            /* not one step with the load: the owner may be evicted in between */
  atomic {
    depth[m] = me;
    if :: m == name -> assert(f + 1 > last_token); last_token = f + 1 :: else fi;         /* P3; without break it follows from P1 */
    f = 0 };
#endif
  if :: waiting[x] -> withdraw() :: else fi;
#ifndef MUTANT_NO_HEIR
  if :: heir && sleepers[m] -> wake_one(m) :: else fi;        /* nobody released: the heir looks again and watches me */
#endif
  atomic { waiting[x] = 0; slept = 0; inside[p] = alive(me); heir = 0; check_exclusion; FORGET_DEATH }
}

/* After a sleep that found its owner dead: sy_recover_record() by the sleeper; then it looks again. */
inline recover_own() {
  if
  :: atomic { somebody(now_word) && !admits(now_word) && is_dead(owner(now_word)) -> now_word = now_word | R | W; found_dead = 0 };
     wake_one(m)
  :: atomic { admits(now_word) && (now_word & W) -> found_dead = 0 };
     wake_one(m)
  :: else -> found_dead = 0
  fi
}

/* What may end a sleep. SIGSTOP takes a sleeper out of the futex queue; one that was woken keeps its wake. */
inline sleeps() {
  if
  :: atomic { asleep[x] == 0 -> w = 0; HAS_LOOKED
#ifdef MUTANT_COUNTED_OUT_WHEN_WOKEN
     if :: sleepers[m] -> sleepers[m]-- :: else fi
#endif
     };
     if :: found_dead -> recover_own() :: else fi
  :: atomic { asleep[x] && timeouts > 0 -> timeouts--; WAKE(x); w = 0; HAS_LOOKED; result = LEFT }
#ifdef HANDOFF
#ifndef MUTANT_RESERVATION_NEVER_ENDS
#ifdef PROMPT
  :: atomic { asleep[x] && w == W && timeout -> assert(false) }                           /* P7 */
#else
  :: atomic { asleep[x] && w == W -> WAKE(x); w = 0; HAS_LOOKED }                         /* its 5 ms are over */
#endif
#endif
#endif
#if STOPS > 0
  :: atomic { !found_dead && stops > 0 -> stops--; WAKE(x); w = 0; done[x] = 1 };
end_stopped: false
#endif
  fi
}

inline acquire() {
  atomic {
    slept = 0; died = 0;
    if
    :: now_word == 0 -> now_word = me; result = GOT; check_not_untold                     /* sy_fast_acquire(), direct/fast.h */
    :: else -> result = AGAIN
    fi };
  if :: result == AGAIN -> wait_for() :: else fi;
  if :: result == GOT -> took() :: else fi
}

inline wait_for() {            /* sy_wait_for(), direct/wait.c, around mutex_step() */
  do
  :: result != AGAIN -> break
  :: atomic { result == AGAIN && !waiting[x] -> waiting[x] = m + 1; HAS_LOOKED }          /* publish() */
  :: atomic { result == AGAIN && waiting[x] && !counted -> counted = 1; sleepers[m]++ }   /* count_in() */
  :: looks(slept && timeouts > 0) timeouts--; result = LEFT }                             /* the deadline has passed */
#ifdef SESSION
  :: looks(is_dead(me)) result = LEFT }                                                   /* the lease is over and the gateway has noticed */
#endif
#ifdef POISON
  :: looks(is_poisoned) result = LEFT }
#endif
#ifdef BREAK
  :: looks(must_be_told) result = LOST }
  :: looks(m == 1 && previous && (told || is_dead(evicted))) previous = 0 }               /* owes_releases() */
  :: looks(is_broken && !must_be_told) withdraw(); waiting[x] = 0 };                      /* on to the new incarnation: sy_move_on(), direct/handle.c */
     finish_break();
     m = name
#endif
  :: looks(goes_on && owner(now_word) >= POISONED) assert(false) }                        /* no such slot */
#ifdef MUTANT_HANDOFF_IS_OWNERSHIP
  :: looks(goes_on && is_mine) slept = 1; result = GOT }
#else
  :: looks(goes_on && is_mine) assert(false) }                                            /* P6 */
#endif
  :: looks(goes_on && admits(now_word) && !is_mine && !barred)
       died = owner(now_word); heir = died != 0;
#ifdef MUTANT_W_DROPPED
       now_word = me;
#else
       now_word = me | ((slept || (now_word & W)) -> W : 0);
#endif
       result = GOT; check_not_untold }
  :: looks(goes_on && is_others && is_dead(owner(now_word)))                              /* taken over in one step */
       died = owner(now_word); heir = MANAGER_STALE; now_word = me | W; result = GOT; check_not_untold }
#ifdef HANDOFF
#ifndef PROMPT
  :: looks(goes_on && barred)                                                             /* but its time is over */
#ifndef MUTANT_PASSED_MARK_DROPPED
       passed[slot(reserved_for)] = 1;
#endif
       let_pass[slot(reserved_for)] = 1;
       now_word = me | W; result = GOT; check_not_untold }
#endif
  :: looks(goes_on && counted && barred)
#ifdef MUTANT_WATCHES_WHO_RELEASED
       c = released_by;
#else
       c = reserved_for;
#endif
       w = W };
     sleep(W, life_of(c));
     c = 0;
     sleeps()
#endif
  :: looks(goes_on && counted && is_others && !is_dead(owner(now_word))) now_word = now_word | W; w = now_word };
#ifdef HANDOFF
     if :: candidate != me -> candidate = me :: true fi;     /* ask_for_reservation(): 1 ms has passed or not; whose ticket is younger is left open */
#endif
     sleep(w, life_of(owner(w)));
     sleeps()
  od;
  if
  :: result != GOT -> withdraw();                            /* mutex_leave() */
#ifdef HANDOFF
     if :: atomic { reserved_for == me -> reserved_for = 0 } :: else fi;
#endif
     if :: leaver_wakes && (waiting[x] || result == LEFT) -> wake_one(m) :: else fi;
     atomic { waiting[x] = 0; slept = 0 }
  :: else
  fi
}

/* ---- release: GOT (it was mine) or LOST. sy_mutex_release(), release_to_waiters() ---- */
#ifdef MUTANT_HANDOFF_IS_OWNERSHIP
#define FREE_WORD(c) ((c) | W)
#else
#define FREE_WORD(c) W
#endif
#if defined(BREAK) && !defined(MUTANT_W_GOES_UNANSWERED)
#define evicted_unanswered (m == 1 && previous)      /* else the evicted could come in by the fast path, untold */
#else
#define evicted_unanswered false
#endif
#ifdef MUTANT_RELEASE_WAKES_ONE
#define wake_for_release wake_one
#else
#define wake_for_release wake_two
#endif
#ifdef POISON
#define inconsistent (died != 0)
#else
#define inconsistent false
#endif
#define OLDEST(i) :: waiting[i] && !passed[i] && !is_dead(id(i, tenancy[i])) -> c = id(i, tenancy[i])
inline choose_heir() {
#ifdef FIFO
  if EACH_CLIENT(OLDEST) :: else -> c = 0 fi;                /* oldest_waiter() */
#else
  c = candidate;
  if :: c != 0 && passed[slot(c)] -> c = 0 :: else fi;
#endif
  assert(c == 0 || !let_pass[slot(c)]);                      /* P8 */
  if :: c != 0 && is_dead(c) -> c = 0 :: else fi;
  reserved_for = c
}
inline release() {
#ifdef BREAK
  depth[m] = 0;                /* before the word: break reads word, depth, token in this order */
#endif
  atomic {
    inside[p] = 0;
    if
    :: now_word == me && !inconsistent -> now_word = 0; result = GOT
    :: is_mine && (inconsistent || now_word != me) -> result = AGAIN; owed[x] = m + 1
    :: else -> result = LOST
    fi };
  if
#ifdef POISON
  :: atomic { result == AGAIN && inconsistent -> now_word = POISONED };
     wake_all(m);
     atomic { owed[x] = 0; died = 0; result = GOT }
#endif
  :: result == AGAIN && !inconsistent ->
     atomic {
       c = 0;
#ifdef HANDOFF
       choose_heir();
#ifdef MUTANT_WATCHES_WHO_RELEASED
       released_by = me;
#endif
#endif
       w = (c != 0 || evicted_unanswered -> FREE_WORD(c) : 0) };
     atomic {
       if
       :: now_word == (me | W) -> now_word = w; result = GOT
       :: else -> result = LOST
       fi };
     if
     :: result == GOT ->
#ifdef HANDOFF
        if :: c != 0 -> d_step { WAKE(slot(c)); parked[slot(c)] = 1 } :: else fi;
#endif
        wake_for_release(m)
     :: else
     fi;
     atomic { c = 0; w = 0; owed[x] = 0 }
  :: result != AGAIN
  fi;
#ifdef BREAK
  if
  :: result == LOST -> depth[m] = me;                        /* put back, and released as the evicted */
     depth[m] = 0;
     if :: atomic { m == 0 && evicted == me -> answered = 1 } :: else fi
  :: else
  fi
#endif
}
#ifdef RETURNS
/* sy_mutex_return_dead(): as if it had not been taken over */
inline return_dead() {
  atomic { inside[p] = 0; owed[x] = m + 1 };
  atomic { assert(is_mine); now_word = died | R | W };
  wake_one(m);
  atomic { owed[x] = 0; result = GOT }
}
#endif

#ifdef HANDLER
/* ---- a signal handler inside a release of client 0: event_set, with the cell of its own nesting level ---- */
proctype handler() {
  byte saved;
  {
    if :: atomic { owed[0] != 0 -> in_handler = 1 } :: goto over fi;     /* inside a release that owes a wake */
#ifdef MUTANT_HANDLER_SHARES_CELL
    atomic { saved = owed[0]; owed[0] = EVENT };
#else
    owed1 = EVENT;
#endif
    event_set = 1;             /* the commit; W was set */
    event_woken = 1;           /* FUTEX_WAKE(all) */
#ifdef MUTANT_HANDLER_SHARES_CELL
    owed[0] = saved;
#else
    owed1 = 0;
#endif
over:
    in_handler = 0
  } unless { dead[0] }
}
proctype event_sleeper() {     /* P2 for the event: once set, the sleeper gets its wake */
end_unset:
  event_set;
  event_woken
}
#define MAY_RUN provided (_pid != 1 || !in_handler || dead[0])      /* client 0 is process 1 */
#else
#define MAY_RUN
#endif

/* ---- the programs ---- */
#define FORGET result = 0; m = 0; w = 0; c = 0; f = 0; slept = 0; counted = 0; died = 0; heir = 0; found_dead = 0    /* fewer states */
#define LOCALS byte m, w, c, f, died, result; bit slept, counted, heir, found_dead

proctype client(byte x; byte me; byte born) MAY_RUN {
  byte p = x, rounds = ROUNDS; LOCALS;
  {
    do
    :: rounds == 0 -> break
    :: else -> rounds--;
       acquire();
       assert(result != LOST);                           /* P4 */
       if
       :: result == GOT ->
#ifdef NESTED
          if
          :: atomic { x == 0 && m != name -> m = name };
             acquire();
             assert(result == LOST);                     /* P4 */
             m = 0
          :: true
          fi;
#endif
          if
#ifdef RETURNS
          :: died -> return_dead()
#endif
          :: release()
          fi;
          assert(result == GOT || lost_rightly)          /* P4 */
       :: else
       fi
    od;
    atomic { done[x] = 1; FORGET }
  } unless { atomic { killed -> rounds = 0; FORGET } }
}

#ifdef SESSION
/* The gateway executes for the session. A new one goes on from the operation record; did_it_happen is read off the word. */
proctype gateway(byte x; byte p; byte me; byte born) {
  LOCALS;
  {
    if :: request == IDLE -> request = ACQUIRE :: else fi;
    if
    :: request == ACQUIRE ->
       if
       :: atomic { is_mine -> inside[p] = alive(me); result = GOT }
       :: else -> acquire()
       fi;
       if :: atomic { result == GOT && !is_dead(me) -> request = HELD } :: else -> request = ANSWERED fi
    :: else
    fi;
    if :: request == HELD -> request = RELEASE :: else fi;
    if
    :: request == RELEASE ->
       if :: is_mine -> release(); assert(result == GOT || is_dead(me)) :: else -> inside[p] = 0 fi;
       request = ANSWERED
    :: else
    fi;
    atomic { done[x] = 1; done[p] = 1; FORGET }
  } unless { atomic { killed -> FORGET } }
}
#endif

#include "mutex_death.pml"

init {
  atomic {
    byte i;
    for (i : 0 .. CLIENTS - 1) { run client(i, id(i, 0), 0) }
#ifdef SESSION
    run gateway(OTHER, SESSION_SLOT, id(SESSION_SLOT, 0), kill_count[OTHER]);
#endif
#ifdef BREAK
    run breaker(OTHER);
#endif
#ifdef HANDLER
    run handler(); run event_sleeper();
#endif
#if KILLS > 0
    run killer();
#ifndef ALONE
    run reaper();
#endif
#endif
    i = 0
  }
}
