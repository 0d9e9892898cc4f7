/* SPDX-License-Identifier: MIT */
/* The barrier: one 64-bit word, no guard.
 *
 * High half: epoch(31-16) phase(15-0), the generation, which sleepers sleep on. A trip raises the
 * phase, a break the epoch. Low half: W(31) T(30) and then, without T, the number arrived; with T,
 * the owner id of the one who runs the action, or BROKEN.
 *
 * A late sleeper of {e, p} finds out how its round ended: same epoch, it tripped; another epoch, it
 * broke exactly if ends[e % 4], an atomic maximum written by each breaker before its commit, says
 * {e, p}. A breaker that lost to a trip is corrected by the one that ends the epoch. */
#include "objects/kind.h"

#define T SY_R
#define LOW 0xffffffffull
#define EPOCH_WINDOW 3 /* ends[] is good for so many epochs after */

static uint32_t generation_of(uint64_t state)
{
    return (uint32_t)(state >> 32);
}
static uint32_t epoch_of(uint64_t state)
{
    return (uint32_t)(state >> 48);
}
static uint64_t make(uint32_t epoch, uint32_t phase, uint32_t low)
{
    return (uint64_t)(epoch & 0xffff) << 48 | (uint64_t)(phase & 0xffff) << 32 | low;
}
static bool is_broken(uint64_t state)
{
    return (state & T) && (state & SY_OWNER) == SY_BROKEN;
}
static uint32_t runner(uint64_t state)
{
    return (state & T) && !is_broken(state) ? (uint32_t)(state & SY_OWNER) : 0;
}
static sy_word *generation_word(struct sy_hot *hot)
{
    return (sy_word *)(void *)&hot->u.barrier.state + 1; /* little-endian: see the fingerprint */
}
static uint32_t parties(struct sy_cold *cold)
{
    return sy_get(&cold->number[0]);
}

bool sy_barrier_broken(struct sy_hot *hot)
{
    return is_broken(sy_load(&hot->u.barrier.state));
}

uint32_t sy_barrier_arrived(struct sy_hot *hot)
{
    uint64_t state = sy_load(&hot->u.barrier.state);
    return state & T ? 0 : (uint32_t)(state & 0xffff);
}

/* Commit `next` over *state, and wake those who slept through it. */
static bool turn(const struct sy_actor *actor, uint32_t record, uint64_t *state, uint64_t next)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    bool sleepers = (*state & SY_W) != 0;
    if (sleepers) {
        sy_owe(actor, record, sy_hot_generation(hot));
    }
    bool done = sy_cas64(&hot->u.barrier.state, state, next);
    if (done && sleepers) {
        sy_futex_wake(generation_word(hot), INT_MAX);
    }
    if (sleepers) {
        sy_paid(actor);
    }
    return done;
}

static uint64_t tripped(uint64_t state)
{
    uint32_t epoch = epoch_of(state), phase = (generation_of(state) & 0xffff) + 1;
    return make(epoch + (phase >> 16), phase, 0);
}

/* ---- breaking ---- */

static uint64_t cause_key(uint64_t state)
{
    return (uint64_t)epoch_of(state) << 10 | (generation_of(state) & 0x3ff);
}

/* The first to name a cause for this round is believed. */
static void name_cause(struct sy_hot *hot, uint64_t state, int cause, uint32_t culprit)
{
    uint64_t seen = sy_load(&hot->u.barrier.cause), key = cause_key(state);
    uint64_t next = key << 38 | (uint64_t)cause << 30 | (culprit & SY_OWNER);
    while (seen >> 38 != key && !sy_cas64(&hot->u.barrier.cause, &seen, next)) {}
}

static void name_end(struct sy_hot *hot, uint64_t state)
{
    sy_dword *end = &hot->u.barrier.ends[epoch_of(state) % SY_BARRIER_ENDS];
    uint64_t seen = sy_load(end);
    uint32_t mine = generation_of(state);
    while ((int32_t)(mine - (uint32_t)seen) > 0 && !sy_cas64(end, &seen, mine)) {}
}

int sy_barrier_break(const struct sy_actor *actor, uint32_t record, uint64_t round, int cause,
                     uint32_t culprit, int action_code)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    struct sy_cold *cold = sy_cold_at(actor->segment, record);
    uint64_t state = sy_load(&hot->u.barrier.state);
    for (;;) {
        if (is_broken(state) || (round && round != 1 + (uint64_t)generation_of(state))) {
            return 0;
        }
        if (runner(state) && runner(state) != culprit) {
            return SYNC_EBUSY;
        }
        if (cause == SYNC_CAUSE_ACTION) {
            sy_put(&cold->number[1], (uint32_t)action_code);
        }
        name_cause(hot, state, cause, culprit);
        name_end(hot, state);
        if (turn(actor, record, &state, make(epoch_of(state) + 1, 0, T | SY_BROKEN))) {
            sy_ring_add(actor->segment,
                        &(struct sy_ring_event){.type = SY_EVENT_BARRIER,
                                                .record = record,
                                                .generation = sy_hot_generation(hot),
                                                .principal = actor->id,
                                                .other = culprit,
                                                .value = (uint64_t)cause});
            return 1;
        }
    }
}

int sy_barrier_reset_step(const struct sy_actor *actor, uint32_t record)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    for (;;) {
        uint64_t state = sy_load(&hot->u.barrier.state);
        if (runner(state)) {
            return SYNC_EBUSY;
        }
        if (is_broken(state)) {
            if (turn(actor, record, &state, state & ~LOW)) {
                return 0;
            }
        } else if ((state & 0xffff) == 0) {
            return 0;
        } else {
            int rc = sy_barrier_break(actor, record, 0, SYNC_CAUSE_RESET, actor->id, 0);
            if (rc < 0) {
                return rc;
            }
        }
    }
}

/* ---- arriving and waiting ---- */

static int told_broken(struct sy_call *call, uint64_t key)
{
    uint64_t cause = sy_load(&call->hot->u.barrier.cause);
    call->cause = SYNC_CAUSE_NONE;
    if (key == UINT64_MAX || cause >> 38 == key) {
        call->cause = (int32_t)(cause >> 30 & 0xff);
        call->culprit = (uint32_t)cause & SY_OWNER;
        call->action_code = (int)sy_get(&call->cold->number[1]);
    }
    return SYNC_EBROKEN;
}

static int outcome(struct sy_call *call, uint64_t state)
{
    uint32_t mine = (uint32_t)(call->detail - 1), epoch = mine >> 16;
    uint32_t passed = (epoch_of(state) - epoch) & 0xffff;
    uint64_t end = sy_load(&call->hot->u.barrier.ends[epoch % SY_BARRIER_ENDS]);
    if (passed && (passed > EPOCH_WINDOW || (uint32_t)end == mine)) {
        return told_broken(call, (uint64_t)epoch << 10 | (mine & 0x3ff));
    }
    return call->index;
}

/* Before the arrival counts: who dies between the two is in doubt, and the round breaks. */
static void remember_arrival(struct sy_call *call, uint64_t state, bool wait)
{
    struct sy_executor *executor = call->actor.executor;
    call->detail = 1 + (uint64_t)generation_of(state);
    if (!wait && executor) {
        sy_put(&executor->operation.record, call->record + 1);
        sy_put(&executor->operation.generation, call->generation);
        sy_put(&executor->operation.principal, call->principal);
        sy_put(&executor->operation.before, call->detail);
        sy_store(&executor->operation.kind, SY_OP_ARRIVE);
    }
    if (call->entry) {
        sy_store(&call->entry->arrived, call->detail);
    }
    if (call->published && executor) {
        sy_store(&executor->waiting.detail, call->detail);
    }
}

static int sleep_through(struct sy_call *call, uint64_t state, struct sy_wait *ret_wait)
{
    if (call->published && call->lingered && !(state & SY_W) &&
        !sy_cas64(&call->hot->u.barrier.state, &state, state | SY_W)) {
        return 0; /* look again */
    }
    *ret_wait = (struct sy_wait){.word = generation_word(call->hot),
                                 .value = generation_of(state),
                                 .watch = runner(state),
                                 .until = INT64_MAX,
                                 .crowd = parties(call->cold)};
    return SY_WAIT;
}

/* `wait`: the caller will wait, so it must have said so before its arrival counts: whoever dies
 * waiting breaks the barrier. */
static int arrive(struct sy_call *call, bool wait, struct sy_wait *ret_wait)
{
    struct sy_hot *hot = call->hot;
    for (;;) {
        uint64_t state = sy_load(&hot->u.barrier.state);
        if (is_broken(state)) {
            return told_broken(call, UINT64_MAX);
        }
        if (runner(state)) {
            if (sleep_through(call, state, ret_wait) == SY_WAIT) {
                return SY_WAIT;
            }
            continue;
        }
        uint32_t arrived = (uint32_t)(state & 0xffff);
        bool last = arrived + 1 >= parties(call->cold);
        if (!last && wait && !call->published) {
            *ret_wait = (struct sy_wait){.until = INT64_MAX};
            return SY_WAIT;
        }
        remember_arrival(call, state, wait);
        call->index = (int)arrived;
        if (!last) {
            if (sy_cas64(&hot->u.barrier.state, &state, state + 1)) {
                return 0;
            }
        } else if (call->action) {
            uint64_t claimed = (state & ~LOW) | (state & SY_W) | T | call->actor.id;
            if (sy_cas64(&hot->u.barrier.state, &state, claimed)) {
                return 0;
            }
        } else if (turn(&call->actor, call->record, &state, tripped(state))) {
            return 0;
        }
        call->detail = 0;
        call->index = -1;
    }
}

/* User code runs in the claimed state T, which no guard protects and which the death of its runner
 * ends for all. */
static int run_action(struct sy_call *call)
{
    int (*action)(void *) = call->action;
    call->action = NULL;
    int code = action(call->argument);
    uint64_t state = sy_load(&call->hot->u.barrier.state);
    while (runner(state) == call->actor.id) {
        if (code) {
            sy_barrier_break(&call->actor, call->record, call->detail, SYNC_CAUSE_ACTION,
                             call->actor.id, code);
            break;
        }
        if (turn(&call->actor, call->record, &state, tripped(state))) {
            break;
        }
    }
    return outcome(call, sy_load(&call->hot->u.barrier.state));
}

static int barrier_step(struct sy_call *call, struct sy_wait *ret_wait)
{
    if (call->index < 0) {
        int rc = arrive(call, true, ret_wait);
        if (rc) {
            return rc;
        }
        if (call->action && runner(sy_load(&call->hot->u.barrier.state)) == call->actor.id) {
            return run_action(call);
        }
    }
    for (;;) {
        uint64_t state = sy_load(&call->hot->u.barrier.state);
        if (1 + (uint64_t)generation_of(state) != call->detail) {
            return outcome(call, state);
        }
        if (sleep_through(call, state, ret_wait) == SY_WAIT) {
            return SY_WAIT;
        }
    }
}

int sy_barrier_arrive_step(struct sy_call *call, struct sy_wait *ret_wait)
{
    int rc = arrive(call, false, ret_wait);
    if (call->actor.executor) {
        sy_store(&call->actor.executor->operation.kind, SY_OP_NONE);
    }
    return rc ? rc : call->index;
}

/* Leaving after arrival breaks the round for all; while an action runs one leaves alone. */
static int barrier_leave(struct sy_call *call, int rc)
{
    uint64_t state = sy_load(&call->hot->u.barrier.state);
    call->count = state & T ? 0 : (uint32_t)(state & 0xffff); /* for the report */
    if (call->index < 0) {
        return rc;
    }
    if (1 + (uint64_t)generation_of(state) != call->detail) {
        return outcome(call, state);
    }
    int cause = rc == SYNC_ETIMEDOUT ? SYNC_CAUSE_TIMEOUT : SYNC_CAUSE_ABORT;
    if (sy_barrier_break(&call->actor, call->record, call->detail, cause, call->actor.id, 0) > 0) {
        return rc; /* by us */
    }
    state = sy_load(&call->hot->u.barrier.state);
    if (1 + (uint64_t)generation_of(state) != call->detail) {
        return outcome(call, state);
    }
    return rc;
}

/* ---- recovery ---- */

struct roll_call {
    uint64_t arrived;
    bool thorough, missing;
    uint32_t process, generation; /* of the missing one */
};
static bool look_at_member(struct sy_segment *segment, uint32_t process, uint32_t generation,
                           struct sy_open *entry, void *argument)
{
    struct roll_call *roll = argument;
    roll->missing = sy_get(&entry->opens) && sy_get(&entry->arrived) != roll->arrived &&
                    sy_process_dead(segment, process, generation, roll->thorough);
    roll->process = process;
    roll->generation = generation;
    return roll->missing;
}

/* The owner id of a dead thread that waits in, or is just arriving at, the round `detail`; else 0.
 */
static uint32_t dead_party(struct sy_segment *segment, uint32_t record, uint32_t generation,
                           uint64_t detail, bool thorough)
{
    uint32_t count = sy_committed(segment, SY_EXECUTORS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_executor *executor = sy_executor_at(segment, i);
        if (!executor) {
            break;
        }
        bool waits = sy_waits_for(executor, record, generation) &&
                     sy_get(&executor->waiting.detail) == detail;
        bool arrives = sy_load(&executor->operation.kind) == SY_OP_ARRIVE &&
                       sy_get(&executor->operation.record) == record + 1 &&
                       sy_get(&executor->operation.before) == detail;
        if (!waits && !arrives) {
            continue;
        }
        struct sy_principal *principal = sy_principal_at(segment, i);
        uint64_t tenancy = principal ? sy_load(&principal->tenancy) : 0;
        uint32_t id = sy_owner_id(i, sy_tenancy_generation(tenancy));
        if (principal && sy_tenancy_state(tenancy) != SY_SLOT_FREE &&
            sy_owner_dead(segment, id, thorough)) {
            return id;
        }
    }
    return 0;
}

/* Any thread the process had, so that the others can be told who it was; its slot keeps its name
 * until it is let again. */
static uint32_t thread_of(struct sy_segment *segment, uint32_t process, uint32_t generation)
{
    uint32_t count = sy_committed(segment, SY_EXECUTORS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_principal *principal = sy_principal_at(segment, i);
        uint64_t tenancy = principal ? sy_load(&principal->tenancy) : 0;
        if (tenancy && sy_tenancy_process(tenancy) == process &&
            sy_get(&principal->process_generation) == generation) {
            return sy_owner_id(i, sy_tenancy_generation(tenancy));
        }
    }
    return 0;
}

static bool barrier_recover(const struct sy_actor *actor, uint32_t record, bool thorough)
{
    struct sy_segment *segment = actor->segment;
    struct sy_hot *hot = sy_hot_at(segment, record);
    uint64_t state = sy_load(&hot->u.barrier.state);
    uint64_t detail = 1 + (uint64_t)generation_of(state);
    if (is_broken(state)) {
        return true;
    }
    uint32_t culprit = runner(state);
    if (culprit) {
        if (sy_owner_dead(segment, culprit, thorough)) {
            sy_barrier_break(actor, record, detail, SYNC_CAUSE_DIED, culprit, 0);
        }
        return true;
    }
    uint32_t generation = sy_hot_generation(hot);
    culprit = dead_party(segment, record, generation, detail, thorough);
    struct roll_call roll = {.arrived = detail, .thorough = thorough};
    if (!culprit && (sy_hot_flags(hot) & SYNC_FLAG_MEMBERS)) {
        sy_opens_visit(segment, record, generation, look_at_member, &roll);
    }
    if (roll.missing) {
        culprit = thread_of(segment, roll.process, roll.generation);
    }
    if (culprit || roll.missing) {
        sy_barrier_break(actor, record, detail, SYNC_CAUSE_DIED, culprit, 0);
    }
    return true;
}

static void barrier_repair(const struct sy_actor *actor, uint32_t record)
{
    (void)actor;
    (void)record; /* no step of this kind takes the guard */
}

static bool barrier_closed(struct sy_call *call)
{
    uint64_t state = sy_load(&call->hot->u.barrier.state);
    bool waited_for = !(state & T) && (state & 0xffff);
    if (!(sy_hot_flags(call->hot) & SYNC_FLAG_MEMBERS) || !waited_for || !call->entry ||
        sy_get(&call->entry->arrived) == 1 + (uint64_t)generation_of(state)) {
        return false;
    }
    sy_barrier_break(&call->actor, call->record, 1 + (uint64_t)generation_of(state),
                     SYNC_CAUSE_LEFT, call->actor.id, 0);
    return true;
}

static void barrier_wake_all(struct sy_hot *hot)
{
    sy_futex_wake(generation_word(hot), INT_MAX);
}

/* The round moved on by a trip: it happened. Still running: an arrival is only counted, so it is in
 * doubt, and the doubt ends by breaking the round with the reason. */
static enum sy_happened barrier_did_it_happen(struct sy_segment *segment, uint32_t record,
                                              const struct sy_operation *operation)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    uint64_t state = sy_load(&hot->u.barrier.state);
    bool moved = 1 + (uint64_t)generation_of(state) != sy_get(&operation->before);
    return moved ? SY_HAPPENED : SY_IN_DOUBT;
}

static void barrier_describe(struct sy_segment *segment, uint32_t record, sync_info *ret_info)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    struct sy_cold *cold = sy_cold_at(segment, record);
    uint64_t state = sy_load(&hot->u.barrier.state);
    ret_info->maximum = parties(cold);
    ret_info->broken = is_broken(state);
    ret_info->value = sy_barrier_arrived(hot);
    ret_info->generation_count = generation_of(state) & 0xffff;
    if (ret_info->broken) {
        uint64_t cause = sy_load(&hot->u.barrier.cause);
        ret_info->cause = (int32_t)(cause >> 30 & 0xff);
        sy_identify_principal(segment, (uint32_t)cause & SY_OWNER, &ret_info->holder);
    } else if (runner(state)) {
        ret_info->value = ret_info->maximum;
        sy_identify_principal(segment, runner(state), &ret_info->holder);
    }
}

static bool barrier_fresh(struct sy_segment *segment, uint32_t record)
{
    uint64_t state = sy_load(&sy_hot_at(segment, record)->u.barrier.state);
    return !(state & T) && (state & 0xffff) == 0;
}

const struct sy_kind sy_barrier_kind = {
    .number = SYNC_KIND_BARRIER,
    .name = "barrier",
    .step = barrier_step,
    .leave = barrier_leave,
    .recover = barrier_recover,
    .repair = barrier_repair,
    .closed = barrier_closed,
    .wake_all = barrier_wake_all,
    .did_it_happen = barrier_did_it_happen,
    .describe = barrier_describe,
    .fresh = barrier_fresh,
};
