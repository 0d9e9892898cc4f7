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

#ifdef BREAK
#define RECORDS 2
#define FENCE_STEP 8           /* stands for 2^32 */
byte name;                     /* the incarnation the directory finds first */
byte evicted;                  /* in record 0 */
bit  previous;                 /* in record 1: record 0 has an evicted owner that has not answered */
byte depth[RECORDS];           /* {owner, count} in one word: here the owner, or 0 at depth 0 */
byte fence[RECORDS];
bit  answered;                 /* the evicted has had ELOST from its last release: it says so itself, in record 0 */
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
byte asleep[EXECUTORS];        /* kernel: 1 + record whose word this executor sleeps on */
byte watched[EXECUTORS];       /* kernel: the owner whose life word lies in the same futex_waitv */
byte waiting[EXECUTORS];       /* waiting record: 1 + record */
byte owed[EXECUTORS];          /* intent cell of nesting level 0: 1 + record, or EVENT */
byte kill_count[SLOTS];        /* ghost: a killed process goes by this, for its slot may be alive again */
#define killed (kill_count[x] != born)
bit  dead[SLOTS], reaped[SLOTS], done[SLOTS];
byte tenancy[SLOTS];           /* generation */
bit  inside[SLOTS];            /* ghost: believes to own the mutex */
byte kills = KILLS, crashes = CRASHES, timeouts = TIMEOUTS, stops = STOPS, relets = RELETS;

#ifdef HANDOFF
byte candidate, reserved_for;
bit  expired;                  /* reserved_until has passed */
#define reserved_for_another (reserved_for != 0 && reserved_for != me && !is_dead(reserved_for) && !expired)
#define no_reservation (c == 0)
#else
#define reserved_for_another false
#define no_reservation true
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
#define executor(i) (slot(i) == SESSION_SLOT -> OTHER : slot(i))
#else
#define executor(i) slot(i)
#endif

#if defined(WRAP) || defined(MUTANT_GENERATION_IGNORED)
#define is_dead(i) (dead[slot(i)])
#else
#define is_dead(i) (dead[slot(i)] || tenancy[slot(i)] != gen(i))
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
#define EACH_EXECUTOR(f) EACH_CLIENT(f) f(OTHER)
#ifdef SESSION
#define EACH_MORTAL(f) EACH_CLIENT(f) f(OTHER) f(SESSION_SLOT)
#elif defined(BREAK)
#define EACH_MORTAL(f) EACH_CLIENT(f) f(OTHER)
#else
#define EACH_MORTAL(f) EACH_CLIENT(f)
#endif

/* ---- the kernel ---- */
#define WAKE(i)      asleep[i] = 0; watched[i] = 0
#define IF_ASLEEP(i) :: asleep[i] == r + 1 -> WAKE(i); woken = 1
inline wake_one(r) {           /* FUTEX_WAKE(word, 1): whom it takes is left open */
  atomic { if EACH_EXECUTOR(IF_ASLEEP) :: else -> woken = 0 fi }
}
#define ROUSE(i)     if :: asleep[i] == r + 1 -> WAKE(i) :: else fi;
inline wake_all(r) { d_step { EACH_EXECUTOR(ROUSE) } }
#ifdef NO_LIFE_WORD
#define life_of(i) 0
#define life_fires(v) skip
#else
#define life_of(i) i
#define IF_WATCHES(i) :: asleep[i] && watched[i] == it -> WAKE(i)
inline life_fires(v) {         /* the robust list wakes one sleeper only */
  it = id(v, tenancy[v]); if EACH_EXECUTOR(IF_WATCHES) :: else fi
}
#endif
inline sleep(value, watch) {   /* futex_waitv {word == value, life of watch, own park word} */
  d_step {
    if :: word[m] == (value) && !(watch != 0 && is_dead(watch)) -> asleep[x] = m + 1; watched[x] = watch :: else fi;
    slept = 1 }
}

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

/* ---- SIGKILL at any step, or the end of a lease. Only victims that have left a trace are of interest. ---- */
#define NAMES(w, i) (((w) & (255 - W)) == id(i, tenancy[i]))
#if defined(ALONE)
#define HAS_TRACE(i) inside[i]         /* a holder, in its critical section */
#elif defined(ONLY_HANDLER_DIES)
#define HAS_TRACE(i) (i == 0 && in_handler)
#elif defined(ONLY_GATEWAY_DIES)
#define HAS_TRACE(i) (i == OTHER && request != IDLE)
#elif defined(ONLY_BREAKER_DIES)
#define HAS_TRACE(i) (i == OTHER && broken)
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

/* ---- recovery: idempotent; a crash is a fresh start ---- */
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
inline recover_word(r) {
  atomic {
    if
    :: owner(word[r]) == id(v, tenancy[v]) && !(word[r] & R) -> word[r] = word[r] | R | W; woken = 1
    :: else -> woken = 0
    fi };
  CRASH;
#ifdef MUTANT_REAPER_WAKES_IF_IT_FREED
  if :: woken -> wake_one(r) :: else fi;
#else
  if :: admits(word[r]) && (word[r] & W) -> wake_one(r) :: else fi;
#endif
  CRASH
}
#ifdef SESSION
#define LET_AGAIN (v == SESSION_SLOT)
#else
#define LET_AGAIN (v < CLIENTS)
#endif
#define IF_DEAD(i) :: atomic { dead[i] && !reaped[i] -> v = i }
proctype reaper() {
  byte v, m; bit woken;
again:
  atomic { v = 0; m = 0; woken = 0 };
end_idle:
  if EACH_MORTAL(IF_DEAD) fi;
  recover_word(0);
#ifdef BREAK
  recover_word(1);
#endif
#ifdef MUTANT_DEATH_BETWEEN_SCANS
  v = 0; if EACH_MORTAL(IF_DEAD) fi;                   /* the dead asked for once more: one that the scan has not seen */
#endif
  if
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
     CRASH
#endif
  :: else
  fi;
  atomic {
    reaped[v] = 1;
    if :: v < EXECUTORS -> owed[v] = 0; waiting[v] = 0 :: else fi;
    if
    :: relets > 0 && LET_AGAIN ->
       relets--; tenancy[v]++; dead[v] = 0; reaped[v] = 0;
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
