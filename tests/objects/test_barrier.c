/* SPDX-License-Identifier: MIT */
/* Sleepers that wake late, after many rounds: each still learns how its own round ended. */
#include "tests/support.h"

static struct sy_call late[16];

static int arrives_late(sync_barrier *barrier, struct sy_call *call)
{
    struct sy_wait wait;
    EXPECT(0, sy_prepare(sync_barrier_object(barrier), SYNC_FOREVER, call));
    call->published = true; /* as the one who sleeps */
    int rc = sy_barrier_kind.step(call, &wait);
    sy_done(&call->actor);
    return rc;
}

static int looks_again(struct sy_call *call)
{
    struct sy_wait wait;
    return sy_barrier_kind.step(call, &wait);
}

static void tripped_is_tripped_however_late(void)
{
    lab_alone();
    sync_barrier *b = a_barrier("b", 2);
    EXPECT(SY_WAIT, arrives_late(b, &late[0]));
    EXPECT(SY_WAIT, looks_again(&late[0]));
    EXPECT(1, sync_barrier_arrive(b));
    EXPECT(0, looks_again(&late[0]));
    for (int i = 0; i < 100; i++) {
        EXPECT(0, sync_barrier_arrive(b));
        EXPECT(1, sync_barrier_arrive(b));
    }
    EXPECT(0, looks_again(&late[0]));
}

static void broken_is_broken_and_tripped_before_is_not(void)
{
    lab_alone();
    sync_barrier *b = a_barrier("b", 2);
    EXPECT(SY_WAIT, arrives_late(b, &late[0])); /* a round that trips */
    EXPECT(1, sync_barrier_arrive(b));
    EXPECT(SY_WAIT, arrives_late(b, &late[1])); /* the next, which breaks */
    EXPECT(0, sync_barrier_abort(b));
    EXPECT(0, sync_barrier_reset(b));
    EXPECT(SY_WAIT, arrives_late(b, &late[2])); /* and one that trips again */
    EXPECT(1, sync_barrier_arrive(b));
    EXPECT(0, looks_again(&late[0]));
    EXPECT(SYNC_EBROKEN, looks_again(&late[1]));
    NUMBER(SYNC_CAUSE_ABORT, late[1].cause);
    EXPECT(0, looks_again(&late[2]));
}

/* Of three epochs it is remembered how they ended; before that, in doubt, for broken. */
static void several_breaks_later(void)
{
    lab_alone();
    sync_barrier *b = a_barrier("b", 2);
    for (int i = 0; i < 3; i++) {
        EXPECT(SY_WAIT, arrives_late(b, &late[2 * i]));
        EXPECT(1, sync_barrier_arrive(b));
        EXPECT(SY_WAIT, arrives_late(b, &late[2 * i + 1]));
        EXPECT(0, sync_barrier_reset(b));
    }
    for (int i = 0; i < 3; i++) {
        EXPECT(0, looks_again(&late[2 * i]));
        EXPECT(SYNC_EBROKEN, looks_again(&late[2 * i + 1]));
    }
    for (int i = 0; i < 8; i++) {
        EXPECT(0, sync_barrier_abort(b));
        EXPECT(0, sync_barrier_reset(b));
    }
    EXPECT(SYNC_EBROKEN, looks_again(&late[1]));
}

/* The phase fills 16 bits: what comes after is another epoch, and nothing is taken for broken. */
static void the_phase_wraps(void)
{
    lab_alone();
    sync_barrier *b = a_barrier("b", 2);
    struct sy_hot *hot = hot_of("b");
    sy_put(&hot->u.barrier.state, 5ull << 48 | 0xfffeull << 32);
    for (int i = 0; i < 4; i++) {
        EXPECT(SY_WAIT, arrives_late(b, &late[i]));
        EXPECT(1, sync_barrier_arrive(b));
        for (int j = 0; j <= i; j++) {
            EXPECT(0, looks_again(&late[j]));
        }
        NUMBER(0, sync_barrier_is_broken(b));
    }
    sy_put(&hot->u.barrier.state, 0xffffull << 48 | 0xffffull << 32);
    EXPECT(SY_WAIT, arrives_late(b, &late[0]));
    EXPECT(1, sync_barrier_arrive(b));
    EXPECT(0, looks_again(&late[0]));
    EXPECT(SY_WAIT, arrives_late(b, &late[1]));
    EXPECT(0, sync_barrier_abort(b));
    EXPECT(SYNC_EBROKEN, looks_again(&late[1]));
    EXPECT(0, looks_again(&late[0]));
}

/* Only its own round is broken by one who leaves. */
static void a_late_breaker_breaks_nothing(void)
{
    lab_alone();
    sync_barrier *b = a_barrier("b", 2);
    struct sy_actor actor;
    EXPECT(SY_WAIT, arrives_late(b, &late[0]));
    EXPECT(1, sync_barrier_arrive(b));
    EXPECT(0, sy_begin(lab()->attachment, &actor));
    EXPECT(0, sy_barrier_break(&actor, record_of("b"), late[0].detail, SYNC_CAUSE_TIMEOUT, actor.id,
                               0));
    NUMBER(0, sync_barrier_is_broken(b));
    EXPECT(0, sy_barrier_kind.leave(&late[0], SYNC_ETIMEDOUT)); /* it tripped: not timed out */
    sy_done(&actor);
    NUMBER(0, ring_count(SY_EVENT_BARRIER));
}

HARNESS_MAIN(CASE(tripped_is_tripped_however_late),
             CASE(broken_is_broken_and_tripped_before_is_not), CASE(several_breaks_later),
             CASE(the_phase_wraps), CASE(a_late_breaker_breaks_nothing))
