/* SPDX-License-Identifier: MIT */
/* The barrier: one word {epoch, phase | W, T, count, or the runner of the action, or BROKEN}, no guard.
 *
 * What must hold
 *   P1 one truth    whoever waited in a round learns how that round ended, trip or break, however late it looks; no round ends both ways
 *   P2 no strand    when nothing else can move, nobody alive sleeps on a round that is over, that does not count it, or that a dead one keeps from ending
 *   P3 action       at most one runs in a round; nobody leaves with a trip before it is over, nobody breaks the round under it
 *   P4 full house   a round trips only when all have arrived
 *
 * Switches: PARTIES n  ROUNDS n  KILLS n  CRASHES n  TIMEOUTS n  ACTION (it may fail)  RESETS n (by a bystander, at any time)
 *   ABSENT (a party may not come)  AGAIN (a party that got "broken" tries its next round all the same)
 */
#ifndef PARTIES
#define PARTIES 2
#endif
#ifndef ROUNDS
#define ROUNDS 2
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
#ifndef RESETS
#define RESETS 0
#endif
#define RESETTER  PARTIES
#define REAPER    (PARTIES + 1)
#define EXECUTORS (PARTIES + 2)

/* low: count, or with T the runner + 1, or BROKEN; then W; phase, 2 bits; epoch, 4 bits */
#define low(s)        ((s) & 15)
#define BROKEN        15
#define T             16
#define W             32
#define generation(s) ((s) >> 6)
#define epoch_of(g)   ((g) >> 2)
#define make(e, p, l) ((e) << 8 | (p) << 6 | (l))
#define is_broken(s)  (((s) & T) && low(s) == BROKEN)
#define has_runner(s) (((s) & T) && low(s) != BROKEN)
#define GENERATIONS   32

short state;
byte ends[4];                          /* by epoch modulo 4: the generation in which it was broken */
byte detail[EXECUTORS];                /* waiting record: 1 + generation */
bit  asleep[PARTIES], owed[EXECUTORS];
bit  dead[EXECUTORS], reaped[PARTIES];
byte kills = KILLS, crashes = CRASHES, timeouts = TIMEOUTS, resets = RESETS;
byte died_in, arrived[PARTIES];        /* ghosts */
bit  tripped[GENERATIONS], broke[GENERATIONS], acting, acted[GENERATIONS];

#if PARTIES == 2
#define EACH_PARTY(f) f(0) f(1)
#else
#define EACH_PARTY(f) f(0) f(1) f(2)
#endif
#define ROUSE(i) asleep[i] = 0;
inline wake_all() { d_step { EACH_PARTY(ROUSE) } }

/* ---- ending a round. `seen` is the state looked at; the CAS compares all of it ---- */
inline name_end() {                    /* atomic maximum */
#ifdef MUTANT_END_STORED
  ends[epoch_of(generation(seen)) & 3] = generation(seen)
#else
  atomic { if :: ends[epoch_of(generation(seen)) & 3] < generation(seen) -> ends[epoch_of(generation(seen)) & 3] = generation(seen) :: else fi }
#endif
}
inline break_round(round, culprit) {   /* round: 1 + generation, or 0 for any */
  do
  :: atomic {
       seen = state;
       if
       :: is_broken(seen) || (round != 0 && round != 1 + generation(seen)) -> break
#ifndef MUTANT_BREAK_DURING_ACTION
       :: has_runner(seen) && low(seen) != culprit + 1 -> break
#endif
       :: else
       fi };
#ifndef MUTANT_END_AFTER_COMMIT
     name_end();
#endif
     owed[x] = (seen & W) != 0;
     if
     :: atomic { state == seen ->
          assert(!tripped[generation(seen)] && (!acting || low(seen) == culprit + 1));       /* P1, P3 */
          broke[generation(seen)] = 1;
          if :: has_runner(seen) -> acting = 0 :: else fi;
          state = make(epoch_of(generation(seen)) + 1, 0, T | BROKEN) };
        if :: seen & W -> wake_all() :: else fi;
#ifdef MUTANT_END_AFTER_COMMIT
        name_end();
#endif
        break
     :: else
     fi
  od;
  atomic { owed[x] = 0; seen = 0 }
}
#define trip(s) ((generation(s) + 1) << 6)

/* How did generation `mine` end? */
#ifdef MUTANT_NO_ENDS
#define ended_broken (epoch_of(generation(state)) != epoch_of(mine))
#else
#define ended_broken (epoch_of(generation(state)) != epoch_of(mine) && \
                      (epoch_of(generation(state)) > epoch_of(mine) + 3 || ends[epoch_of(mine) & 3] == mine))
#endif
inline learn() {
  atomic {
    out = 1;
    if
    :: ended_broken -> assert(broke[mine]); lost = 1                                         /* P1 */
    :: else -> assert(tripped[mine] && !(acting && generation(state) == mine))               /* P1, P3 */
    fi }
}

/* ---- a party ---- */
inline arrive() {
  do
  :: atomic { is_broken(state) -> out = 1; lost = 1; break }
  :: atomic { has_runner(state) -> state = state | W; seen = state };        /* the next round has not begun yet */
     d_step { if :: generation(state) == generation(seen) -> asleep[x] = 1 :: else fi; mine = generation(seen) };
     asleep[x] == 0
  :: atomic { !(state & T) -> seen = state; mine = generation(seen);
#ifndef MUTANT_ARRIVAL_BEFORE_RECORD
       detail[x] = 1 + mine;                                                 /* who dies now is in doubt, and breaks the round */
#endif
       owed[x] = low(seen) + 1 == PARTIES && (seen & W) };
     if
     :: atomic { state == seen && low(seen) + 1 < PARTIES -> state = state + 1; arrived[x] = 1 + mine };
#ifdef MUTANT_ARRIVAL_BEFORE_RECORD
        detail[x] = 1 + mine;
#endif
        break
     :: atomic { state == seen && low(seen) + 1 == PARTIES ->
#ifdef ACTION
          state = (seen & (255 * 256 + 192 + W)) | T | (x + 1);
          assert(!acting && !acted[mine]); acting = 1; acted[mine] = 1 };    /* P3 */
        owed[x] = 0;
        run_action()
#else
          assert(!broke[mine]); tripped[mine] = 1; state = trip(seen) };
        if :: seen & W -> wake_all() :: else fi
#endif
        ;
        owed[x] = 0;
        break
     :: atomic { state != seen -> detail[x] = 0; owed[x] = 0 }
     fi
  od;
  seen = 0
}
inline run_action() {
  if
  :: true ->                                                                 /* it succeeds */
     do
     :: atomic { has_runner(state) && low(state) == x + 1 -> seen = state; owed[x] = (seen & W) != 0 };
        if
        :: atomic { state == seen -> acting = 0; assert(!broke[mine]); tripped[mine] = 1; state = trip(seen) };
           if :: seen & W -> wake_all() :: else fi;
           break
        :: atomic { state != seen -> seen = 0 }
        fi
     :: else -> break
     od
  :: true -> break_round(1 + mine, x)                                        /* it fails */
  fi
}
proctype party(byte x) {
  byte mine, n = ROUNDS; short seen; bit out, lost;
  {
    do
    :: n == 0 -> break
#ifdef ABSENT
    :: n > 0 -> break
#endif
    :: n > 0 -> n--;
       atomic { out = 0; lost = 0 };
       arrive();
       do
       :: out -> break
       :: !out && generation(state) != mine -> learn()
       :: atomic { !out && generation(state) == mine -> state = state | W };
          d_step { if :: generation(state) == mine -> asleep[x] = 1 :: else fi };
end_asleep:                                                                  /* judged by the monitor */
          if
          :: asleep[x] == 0
          :: atomic { asleep[x] && timeouts > 0 -> timeouts--; asleep[x] = 0 };
             if :: generation(state) == mine -> break_round(1 + mine, x) :: else fi;
             if :: generation(state) != mine -> learn() :: else -> out = 1; lost = 1 fi      /* during an action one leaves alone */
          fi
       od;
       atomic { detail[x] = 0; arrived[x] = 0; mine = 0;
#ifndef AGAIN
         if :: lost -> n = 0 :: else fi
#endif
       }
    od;
    atomic { out = 0; lost = 0 }
  } unless { atomic { dead[x] -> mine = 0; n = 0; seen = 0; out = 0; lost = 0 } }
}

/* ---- a bystander resets ---- */
proctype resetter(byte x) {
  short seen;
  do
  :: resets > 0 -> resets--;
     do
     :: atomic { has_runner(state) || (!(state & T) && low(state) == 0) -> break }
     :: atomic { is_broken(state) -> state = make(epoch_of(generation(state)), 0, 0); break }        /* nobody sleeps on a broken one */
#ifdef MUTANT_RESET_IN_PLACE
     :: atomic { !(state & T) && low(state) > 0 -> state = generation(state) << 6; break }
#else
     :: !(state & T) && low(state) > 0 -> break_round(0, x)
#endif
     od
  :: break
  od
}

/* ---- death and recovery ---- */
#define IF_VICTIM(i) :: !dead[i] && (detail[i] || owed[i] || (has_runner(state) && low(state) == i + 1)) VICTIM_TOO(i) -> v = i
#ifdef MUTANT_ARRIVAL_BEFORE_RECORD
#define VICTIM_TOO(i) || (!dead[i] && arrived[i])
#else
#define VICTIM_TOO(i)
#endif
proctype killer() {
  byte v;
  do
  :: atomic { kills > 0 ->
       if EACH_PARTY(IF_VICTIM) :: else -> goto over fi;
       kills--; dead[v] = 1; asleep[v] = 0; died_in = (arrived[v] -> arrived[v] : detail[v]);
over:  v = 0 }
  :: break
  od
}
#define CRASH  if :: atomic { crashes > 0 -> crashes--; goto again } :: true fi
#define IF_DEAD(i) :: atomic { dead[i] && !reaped[i] -> v = i }
proctype reaper() {
  byte x = REAPER, v, round; short seen;
again:
  atomic { v = 0; round = 0; seen = 0 };
end_idle:
  if EACH_PARTY(IF_DEAD) fi;
  if
#ifndef MUTANT_DEAD_RUNNER_IGNORED
  :: has_runner(state) && low(state) == v + 1 -> round = 1 + generation(state); break_round(round, v)
#endif
#ifndef MUTANT_DEAD_WAITER_IGNORED
  :: !(state & T) && detail[v] == 1 + generation(state) -> round = detail[v]; break_round(round, v)
#endif
  :: !(has_runner(state) && low(state) == v + 1) && !(!(state & T) && detail[v] == 1 + generation(state))
#if defined(MUTANT_DEAD_RUNNER_IGNORED) || defined(MUTANT_DEAD_WAITER_IGNORED)
  :: else
#endif
  fi;
  CRASH;
#ifndef MUTANT_NO_REPLAY
  if :: owed[v] || detail[v] -> wake_all() :: else fi;
  CRASH;
#endif
  atomic { owed[v] = 0; detail[v] = 0; reaped[v] = 1 };
  goto again
}

/* When nothing else can move. */
#define STRANDED(i) && !(asleep[i] && !dead[i] && \
                       (detail[i] != 1 + generation(state) || has_runner(state) || died_in == 1 + generation(state) || low(state) == 0))
proctype monitor() {
end_watch:
  timeout -> assert(true EACH_PARTY(STRANDED))                               /* P2 */
}

init {
  atomic {
    byte i;
    for (i : 0 .. PARTIES - 1) { run party(i) };
    run monitor();
#if RESETS > 0
    run resetter(RESETTER);
#endif
#if KILLS > 0
    run killer(); run reaper();
#endif
    i = 0
  }
}
