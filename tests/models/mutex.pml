/* SPDX-License-Identifier: MIT */
/* The mutex, whole: hand-off, generations, owner watch, timeouts, break, a handler inside a release, an executor that is not the principal.
 *
 * What must hold
 *   P1 exclusion    no two living principals believe they own the mutex (an evicted one, which will be told, apart)
 *   P2 no strand    when nothing else can move, nobody who is alive and not stopped sleeps or waits: Spin's "invalid end state".
 *                   The re-check that bounds every sleep is left out on purpose: it would hide every lost wake
 *   P3 fence        tokens rise strictly over successful acquisitions, across break too
 *   P4 told         the evicted gets ELOST from its release and from nested acquires; nobody else ever gets it
 *   P5 this one     break of token N evicts the principal that had N, not a later owner
 *   P6 no heritage  the new tenant of a slot never finds itself the owner by an old tenant's word
 *
 * Switches (`run` has the combinations that are tractable)
 *   CLIENTS n  ROUNDS n  KILLS n  CRASHES n (of the reaper)  TIMEOUTS n  STOPS n (waiters that never run again)  RELETS n (slots let out again)
 *   HANDOFF   candidate and reservation
 *   BREAK     one eviction by token, a second incarnation of the record
 *   NESTED    the owner acquires again, by a handle that finds the new incarnation
 *   HANDLER   event_set in a handler, inside a release that owes a wake
 *   SESSION   a principal whose executor, the gateway, may die
 *   POISON    who got OWNER_DIED releases without consistent()
 *   WRAP      the 14 bits of generation have come round: old and new tenant bear one id
 *   ONLY_BREAKER_DIES (and acts when all others wait), ONLY_HANDLER_DIES, ONLY_GATEWAY_DIES  for larger numbers of clients
 *   NO_LIFE_WORD  the fallback without futex_waitv or robust list: sleepers watch the word alone
 *   ALONE     no reaper at all: a killed holder must be noticed by the sleepers
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

/* ---- acquire ----
 * A load and the CAS that succeeds on it are one step: what others do in between can only make the CAS fail. */
#define GOT   0
#define LEFT  1                /* timed out, or refused */
#define LOST  2                /* evicted */
#define AGAIN 3
#define now_word word[m]
#define looks(condition) atomic { result == AGAIN && (condition) ->
#ifdef MUTANT_TIMEOUT_SWALLOWS_WAKE
#define leaver_wakes false
#elif defined(MUTANT_LEAVE_BY_WORD) || defined(MUTANT_W_CLEARED_UNCOUNTED)   /* uncounted clearing alone does no harm: who has slept keeps W, who leaves wakes one */
#define leaver_wakes (now_word & W)    /* a releaser that counted the sleepers of an earlier FREE|W may have cleared it */
#else
#define leaver_wakes true
#endif
#ifdef BREAK
#define is_broken    (owner(now_word) == BROKEN)
#define must_be_told (evicted == me && !told && (is_broken || (m == 1 && previous)))
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

#ifdef BREAK
inline finish_break() {        /* by the breaker, or by whoever meets BROKEN under the name */
  f = fence[0];
  atomic {
    if :: name == 0 -> fence[1] = f + FENCE_STEP; word[1] = W; previous = 1; name = 1    /* one CAS of the bucket's head */
       :: else
    fi; f = 0 }
}
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

inline won() {                 /* fence and depth are plain fields that only the owner stores */
#ifdef BREAK
  f = fence[m];
  fence[m] = f + 1;            /* not one step with the load: the owner may be evicted in between */
  atomic {
    depth[m] = me; inside[p] = 1;
    if :: m == name -> assert(f + 1 > last_token); last_token = f + 1 :: else fi;         /* P3 */
    f = 0; check_exclusion }
#else
  atomic { inside[p] = !is_dead(me); check_exclusion }       /* without break, P3 follows from P1 */
#endif
}

inline acquire() {
  atomic {
    slept = 0;
    if
    :: now_word == 0 -> now_word = me; result = GOT; check_not_untold                     /* fast path */
    :: else -> waiting[x] = m + 1; result = AGAIN
    fi };
  if
  :: result == GOT
  :: else ->
    do
    :: result != AGAIN -> break
    :: looks(slept && timeouts > 0) timeouts--; result = LEFT }                           /* the deadline has passed */
#ifdef SESSION
    :: looks(is_dead(me)) result = LEFT }                                                 /* the lease is over and the gateway has noticed */
#endif
#ifdef POISON
    :: looks(is_poisoned) result = LEFT }
#endif
#ifdef BREAK
    :: looks(must_be_told) result = LOST }
    :: looks(is_broken && !must_be_told) skip };                                          /* on to the new incarnation */
       finish_break();
       atomic { m = name; slept = 0; waiting[x] = m + 1 }
#endif
    :: looks(goes_on && owner(now_word) >= POISONED) assert(false) }                      /* no such slot */
#ifdef MUTANT_HANDOFF_IS_OWNERSHIP
    :: looks(goes_on && is_mine) slept = 1; result = GOT }
#else
    :: looks(goes_on && is_mine) assert(false) }                                          /* P6 */
#endif
    :: looks(goes_on && admits(now_word) && !is_mine && !(now_word == W && reserved_for_another))
#ifdef BREAK
         if :: m == 1 && previous && (told || is_dead(evicted)) -> previous = 0 :: else fi;
#endif
#ifdef POISON
         inconsistent = (now_word & R) != 0;
#endif
#ifdef MUTANT_W_DROPPED
         now_word = me; slept = 0;
#else
         slept = slept || (now_word & W); now_word = me | (slept -> W : 0);
#endif
         result = GOT; check_not_untold };
#ifdef HANDOFF
       if :: candidate == me -> candidate = 0 :: else fi;
#endif
#ifndef MUTANT_NO_HEIR
       if :: slept -> wake_one(m) :: else fi                                              /* the heir looks again and watches me */
#endif
#ifdef HANDOFF
    :: looks(goes_on && now_word == W && reserved_for_another) skip };
       sleep(W, 0);
       if :: asleep[x] == 0
#ifndef MUTANT_RESERVATION_NEVER_ENDS
          :: atomic { asleep[x] -> WAKE(x); expired = 1 }                                 /* its 5 ms are over */
#endif
       fi
#endif
    :: looks(goes_on && !admits(now_word) && !is_mine && is_dead(owner(now_word))) now_word = now_word | R | W };
       wake_one(m)
    :: looks(goes_on && !admits(now_word) && !is_mine && !is_dead(owner(now_word)))
#ifdef HANDOFF
         if :: candidate != me -> candidate = me :: true fi;                              /* 1 ms has passed; whose ticket is younger is left open */
#endif
         now_word = now_word | W; w = now_word };
       sleep(w, life_of(owner(w)));
       if
       :: atomic { asleep[x] == 0 -> w = 0 }
       :: atomic { asleep[x] && timeouts > 0 -> timeouts--; WAKE(x); w = 0; result = LEFT }
       :: atomic { asleep[x] && stops > 0 -> stops--; WAKE(x); done[x] = 1 };             /* SIGSTOP takes a sleeper out of the futex queue */
end_stopped: false
       fi
    od;
    if
    :: result == LEFT ->
#ifdef HANDOFF
       if :: candidate == me -> candidate = 0 :: else fi;
#endif
       if :: leaver_wakes -> wake_one(m) :: else fi                                       /* it may have taken a wake that another needs */
    :: else
    fi;
    atomic { waiting[x] = 0; woken = 0; slept = 0 }
  fi;
  if :: result == GOT -> won() :: else fi
}

/* ---- release: GOT (it was mine) or LOST ---- */
#ifdef BREAK
#define w_may_go (m == 0 || !previous)      /* else the evicted could come in by the fast path, untold */
#else
#define w_may_go true
#endif
#ifdef MUTANT_HANDOFF_IS_OWNERSHIP
#define FREE_WORD (c | W)
#else
#define FREE_WORD W
#endif
inline release() {
#ifdef BREAK
  depth[m] = 0;                /* before the word: break reads word, depth, token in this order */
#endif
  atomic {
    inside[p] = 0;
    if
    :: now_word == me -> now_word = 0; result = GOT
    :: now_word == (me | W) -> result = AGAIN;
       owed[x] = m + 1;
#ifdef HANDOFF
       reserved_for = candidate; expired = 0; c = candidate
#endif
    :: else -> result = LOST
    fi };
  if
#ifdef POISON
  :: atomic { result == AGAIN && inconsistent -> inconsistent = 0; now_word = POISONED };
     wake_all(m);
     atomic { owed[x] = 0; result = GOT }
  :: result == AGAIN && !inconsistent -> slow_release()
#else
  :: result == AGAIN -> slow_release()
#endif
  :: result != AGAIN
  fi;
#ifdef BREAK
  if :: atomic { result == LOST && m == 0 && evicted == me -> answered = 1 } :: else fi
#endif
}
inline slow_release() {
  atomic {
    if
    :: now_word == (me | W) -> now_word = FREE_WORD; result = GOT
    :: else -> result = LOST
    fi };
  if
  :: result == GOT ->
#ifdef HANDOFF
     if :: c != 0 -> d_step { WAKE(executor(c)) } :: else fi;                             /* its park word */
#endif
     wake_one(m);
#ifdef MUTANT_W_CLEARED_UNCOUNTED
     if :: atomic { now_word == W -> now_word = 0 } :: else fi
#else
     if :: atomic { !woken && no_reservation && w_may_go && now_word == W -> now_word = 0 } :: else fi
#endif
  :: else
  fi;
  atomic { c = 0; woken = 0; owed[x] = 0 }
}

#ifdef BREAK
/* ---- break of token N, under the record's guard: there is one breaker ---- */
#ifdef ONLY_BREAKER_DIES
#define COUNT_WAITING(i) + (waiting[i] != 0)
#define MOMENT (0 EACH_CLIENT(COUNT_WAITING) >= CLIENTS - 1)
#else
#define MOMENT true
#endif
proctype breaker(byte x) {
  byte m, w, c, f, holder; bit woken;
  {
    if
    :: atomic { depth[0] != 0 && depth[0] == owner(word[0]) && MOMENT -> c = fence[0]; holder = owner(word[0]) }  /* what the administrator saw */
    :: goto over
    fi;
    w = word[0];
    if :: free(w) || (w & R) -> goto over :: else fi;
#ifdef MUTANT_BREAK_TRUSTS_TOKEN
#elif defined(MUTANT_BREAK_TRUSTS_COUNT)
    if :: depth[0] == 0 -> goto over :: else fi;
#else
    if :: depth[0] != owner(w) -> goto over :: else fi;      /* it has the word but has not stored its token: the fence is its predecessor's */
#endif
    if :: fence[0] != c -> goto over :: else fi;
    evicted = owner(w);
#ifndef MUTANT_BREAK_WITHOUT_INTENT
    owed[x] = 1;
#endif
    atomic {
      if
      :: word[0] == w -> broken = 1; assert(evicted == holder);                           /* P5 */
#ifdef MUTANT_BREAK_FREES_IN_PLACE
         word[0] = W
#else
         word[0] = BROKEN
#endif
      :: else -> goto over
      fi };
    wake_all(0);
#ifndef MUTANT_BREAK_FREES_IN_PLACE
    finish_break();
#endif
over:
    atomic { owed[x] = 0; done[x] = 1; c = 0; w = 0; holder = 0 }
  } unless { atomic { dead[x] -> c = 0; w = 0; f = 0; holder = 0; m = 0 } }
}
#define lost_rightly (broken && evicted == me)
#else
#define lost_rightly false
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
#ifdef POISON
#define FORGET_POISON inconsistent = 0;
#else
#define FORGET_POISON
#endif
#define FORGET FORGET_POISON result = 0; m = 0; w = 0; c = 0; f = 0; woken = 0; slept = 0      /* fewer states */

proctype client(byte x; byte me; byte born) MAY_RUN {
  byte p = x, m, w, c, f, rounds = ROUNDS, result; bit woken, slept;
#ifdef POISON
  bit inconsistent;
#endif
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
          release();
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
  byte m, w, c, f, result; bit woken, slept;
  {
    if :: request == IDLE -> request = ACQUIRE :: else fi;
    if
    :: request == ACQUIRE ->
       if
       :: atomic { is_mine -> inside[p] = !is_dead(me); result = GOT }
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
