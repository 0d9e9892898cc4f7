/* SPDX-License-Identifier: MIT */
/* Part of mutex.pml: an operator breaks, as libsync/objects/break.c does. There is one breaker: the record's guard (guard.pml) sees to that. */
#ifdef BREAK
#define lost_rightly (broken && evicted == me)
inline finish_break() {        /* sy_mutex_successor(): by the breaker, or by whoever meets BROKEN under the name */
  f = fence[0];
  atomic {
    if :: name == 0 -> fence[1] = f + FENCE_STEP; word[1] = W; previous = 1; name = 1    /* one CAS of the bucket's head */
       :: else
    fi; f = 0 }
}

#ifdef ONLY_BREAKER_DIES
#define COUNT_ASLEEP(i) + (asleep[i] != 0)
#define MOMENT (0 EACH_CLIENT(COUNT_ASLEEP) >= CLIENTS - 1)
#else
#define MOMENT true
#endif
proctype breaker(byte x) {
  byte w, c, f, holder;
  {
    if
    :: atomic { depth[0] != 0 && depth[0] == owner(word[0]) && MOMENT -> c = fence[0]; holder = owner(word[0]) }  /* what the administrator saw */
    :: goto over
    fi;
evict:
    w = word[0];
    if
    :: free(w) || (w & R) -> goto over
    :: !free(w) && !(w & R) && is_dead(owner(w)) ->          /* sy_owner_bury(): its death is the next owner's to be told */
       atomic { if :: word[0] == w -> word[0] = w | R | W :: else fi };
       wake_one(0);
       goto over
    :: else
    fi;
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
      :: else -> owed[x] = 0; goto evict
      fi };
    wake_all(0);
    owed[x] = 0;
#ifndef MUTANT_BREAK_FREES_IN_PLACE
    finish_break();
#endif
over:
    atomic { owed[x] = 0; done[x] = 1; c = 0; w = 0; holder = 0 }
  } unless { atomic { dead[x] -> c = 0; w = 0; f = 0; holder = 0 } }
}
#else
#define lost_rightly false
#endif
