/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

static sy_word guard;
static struct sy_actor me;
static struct sy_wait wait;

static void begin(void)
{
    lab_alone();
    EXPECT(0, sy_begin(lab()->attachment, &me));
}

static void release(void)
{
    sy_guard_release(&me, &guard, 0, 1);
}

static void taken_and_released(void)
{
    begin();
    NUMBER(SY_GOT, sy_guard_try(&me, &guard, &wait));
    NUMBER(me.id, guard);
    release();
    NUMBER(0, guard);
    NUMBER(0, sy_get(&me.owed->record));
}

/* longjmp left it behind: it is this thread's, and what it guards is in doubt. */
static void ones_own_is_dirty(void)
{
    begin();
    NUMBER(SY_GOT, sy_guard_try(&me, &guard, &wait));
    NUMBER(SY_GOT_DIRTY, sy_guard_try(&me, &guard, &wait));
    release();
    NUMBER(0, guard);
    NUMBER(SY_GOT, sy_guard_try(&me, &guard, &wait));
}

static int tries(struct job *job)
{
    struct sy_actor actor;
    struct sy_wait told;
    POISON(&told);
    EXPECT(0, sy_begin(lab()->attachment, &actor));
    int got = sy_guard_try(&actor, &guard, &told);
    if (got == SY_TAKEN) {
        CHECK(told.word == &guard && told.guard);
        NUMBER(me.id, told.watch);
        NUMBER(me.id | SY_W, told.value);
        NUMBER(INT64_MAX, told.until);
    } else if (job->number) {
        sy_guard_release(&actor, &guard, 0, 1);
    }
    sy_done(&actor);
    return got;
}

static int another_tries(bool releases)
{
    struct job job = {.call = tries, .number = releases};
    job_start(&job);
    return job_end(&job);
}

static void anothers_is_waited_for(void)
{
    begin();
    NUMBER(SY_GOT, sy_guard_try(&me, &guard, &wait));
    NUMBER(SY_TAKEN, another_tries(true));
    NUMBER(me.id | SY_W, guard);
    release();
    NUMBER(0, sy_get(&guard) & SY_OWNER);
    NUMBER(0, sy_get(&me.owed->record));
    NUMBER(SY_GOT, another_tries(true));
}

static void the_deads_is_dirty(void)
{
    begin();
    NUMBER(SY_GOT, another_tries(false)); /* its thread ended with it */
    CHECK(sy_get(&guard) & SY_OWNER);
    NUMBER(SY_GOT_DIRTY, sy_guard_try(&me, &guard, &wait));
    NUMBER(me.id, sy_get(&guard) & SY_OWNER);
    release();
    NUMBER(0, sy_get(&guard) & SY_OWNER);
}

static void only_the_dead_are_buried(void)
{
    begin();
    guard = me.id;
    CHECK(!sy_owner_bury(look(), &guard, guard, true));
    NUMBER(me.id, guard);
    guard = 0;
    NUMBER(SY_GOT, another_tries(false));
    uint32_t dead = sy_get(&guard) & SY_OWNER;
    CHECK(sy_owner_bury(look(), &guard, sy_get(&guard), false));
    NUMBER(dead | SY_R | SY_W, guard);
    CHECK(!sy_owner_bury(look(), &guard, sy_get(&guard), false));
    guard = me.id; /* it moved on meanwhile: what was seen counts for nothing */
    sy_owner_bury(look(), &guard, dead, false);
    NUMBER(me.id, guard);
    guard = SY_BROKEN;
    CHECK(!sy_owner_bury(look(), &guard, SY_BROKEN, true));
    guard = SY_POISONED | SY_W;
    CHECK(!sy_owner_bury(look(), &guard, SY_POISONED | SY_W, true));
    NUMBER(SY_POISONED | SY_W, guard);
}

static void not_handed_back_by_a_stranger(void)
{
    begin();
    guard = me.id + 1;
    CHECK(!sy_owner_hand_back(&me, &guard, me.id, 0, 1));
    NUMBER(me.id + 1, guard);
    guard = me.id | SY_W;
    CHECK(sy_owner_hand_back(&me, &guard, me.id, 0, 1));
    NUMBER(0, sy_get(&guard) & SY_OWNER);
}

static void admission(void)
{
    CHECK(sy_admits(0) && sy_admits(SY_W) && sy_admits(SY_R | SY_W | 7) && sy_admits(SY_R | 7));
    CHECK(!sy_admits(7) && !sy_admits(SY_W | 7) && !sy_admits(SY_BROKEN) &&
          !sy_admits(SY_POISONED));
}

HARNESS_MAIN(CASE(taken_and_released), CASE(ones_own_is_dirty), CASE(anothers_is_waited_for),
             CASE(the_deads_is_dirty), CASE(only_the_dead_are_buried),
             CASE(not_handed_back_by_a_stranger), CASE(admission))
