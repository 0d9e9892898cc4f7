/* SPDX-License-Identifier: MIT */
#include "killer.h"
#include "actors.h"
#include "arch.h"
#include "victim.h"

#include <stdatomic.h>
#include <stdio.h>

static enum kill_outcome finish(struct crash_case *c, bool there)
{
    bool killed = victim_kill(c);
    if (c->trouble[0] != '\0') {
        return KILL_LOST;
    }
    return there && killed ? KILL_LANDED : KILL_MISSED;
}

/* The victim is stopped: does it stand where it should? */
static bool stands_at(struct crash_case *c, uint64_t address)
{
    uint64_t pc;
    return arch_pc(atomic_load(&c->control->victim_tid), &pc) && pc == address;
}

static bool set_breakpoints(pid_t tid, uint64_t anchor, const struct trace *trace)
{
    if (!arch_set_breakpoint(tid, 0, anchor)) {
        return false;
    }
    for (unsigned i = 0; i < trace->sites; i++) {
        if (trace->site[i] != anchor && !arch_set_breakpoint(tid, i + 1, trace->site[i])) {
            return false;
        }
    }
    return true;
}

static bool clear_breakpoints(pid_t tid)
{
    bool done = true;
    for (unsigned i = 0; i < 1 + CRASH_SITES; i++) {
        done &= arch_set_breakpoint(tid, i, 0);
    }
    return done;
}

/* Where a breakpoint would hold the victim for ever, it is taken away for one step. */
static int leave_breakpoint(struct crash_case *c, uint64_t pc, uint64_t anchor,
                            const struct trace *trace)
{
    pid_t tid = atomic_load(&c->control->victim_tid);
    if (!arch_breakpoint_sticks()) {
        return VICTIM_STOPPED;
    }
    int stop = clear_breakpoints(tid) ? stepper_one(c, pc) : VICTIM_LOST;
    return stop == VICTIM_STOPPED && !set_breakpoints(tid, anchor, trace) ? VICTIM_LOST : stop;
}

/*
 * Runs on until the anchor has been reached for the `hits`th time. The breakpoints at the sites
 * hold a victim that has been woken until the scenario, which runs in this thread, has let all
 * others do what they were to do before it.
 */
static int run_to_anchor(struct crash_case *c, const struct kill_point *point,
                         const struct trace *trace)
{
    uint64_t pc;
    if (!set_breakpoints(atomic_load(&c->control->victim_tid), point->anchor, trace)) {
        return VICTIM_LOST;
    }
    /* The begin marker may stand on the anchor: a breakpoint that does not stick reports it at
     * once, one that does is counted here. */
    uint32_t hits = 0;
    bool count = arch_breakpoint_sticks();
    for (;;) {
        if (!arch_pc(atomic_load(&c->control->victim_tid), &pc)) {
            return VICTIM_LOST;
        }
        if (count && pc == point->anchor && ++hits == point->hits) {
            return VICTIM_STOPPED;
        }
        int stop = leave_breakpoint(c, pc, point->anchor, trace);
        if (stop != VICTIM_STOPPED) {
            return stop;
        }
        if (!victim_continue(c)) {
            return VICTIM_LOST;
        }
        stop = (int)victim_wait(c);
        if (stop != VICTIM_STOPPED) {
            return stop;
        }
        count = true;
    }
}

/* From the begin marker, or from the handler's first instruction, to the point. */
static int run_to_point(struct crash_case *c, const struct kill_point *point,
                        const struct trace *trace)
{
    int stop = point->hits == 0 ? VICTIM_STOPPED : run_to_anchor(c, point, trace);
    clear_breakpoints(atomic_load(&c->control->victim_tid));
    for (uint32_t i = 0; i < point->steps && stop == VICTIM_STOPPED; i++) {
        uint64_t pc;
        stop = arch_pc(atomic_load(&c->control->victim_tid), &pc) ? stepper_one(c, pc)
                                                                  : VICTIM_LOST;
    }
    return stop;
}

static int run_to_handler(struct crash_case *c, const struct trace *trace)
{
    struct kill_point before = {.kind = POINT_PLAIN};
    point_find_way(trace, trace->handler - 1, &before);
    int stop = run_to_point(c, &before, trace);
    if (stop != VICTIM_STOPPED || !stands_at(c, before.address)) {
        return VICTIM_ENDED;
    }
    return arch_rearm(atomic_load(&c->control->victim_tid)) && victim_signal(c) ? VICTIM_STOPPED
                                                                                : VICTIM_LOST;
}

enum kill_outcome killer_run(struct crash_case *c, const struct kill_point *point,
                             const struct trace *trace)
{
    int stop = point->behind_signal ? run_to_handler(c, trace) : VICTIM_STOPPED;
    if (stop == VICTIM_STOPPED) {
        stop = run_to_point(c, point, trace);
    }
    if (stop != VICTIM_STOPPED || !stands_at(c, point->address)) {
        return finish(c, false);
    }
    if (point->kind != POINT_ASLEEP) {
        return finish(c, true);
    }

    /* Into the call, and no further than its sleep: the scenario must not wake it. */
    struct crash_scenario still = *c->scenario;
    const struct crash_scenario *scenario = c->scenario;
    still.asleep = NULL;
    c->scenario = &still;
    stop = stepper_one(c, point->address);
    c->scenario = scenario;
    return finish(c, stop == VICTIM_SLEEPS);
}

enum kill_outcome killer_step(struct crash_case *c, const struct kill_point *point)
{
    if (point->kind == POINT_ASLEEP || point->kind == POINT_BEGIN || point->behind_signal) {
        return finish(c, false);
    }
    uint32_t arrivals = 0;
    uint64_t before = 0;
    int stop = VICTIM_STOPPED;
    for (size_t steps = 0; stop == VICTIM_STOPPED && steps < 2000000; steps++) {
        uint64_t pc;
        if (!arch_pc(atomic_load(&c->control->victim_tid), &pc)) {
            break;
        }
        if (pc == point->address && !(pc == before && arch_is_repeat(pc)) &&
            ++arrivals == point->arrival) {
            return finish(c, true);
        }
        if (arch_is_trap(pc)) {
            break;
        }
        before = pc;
        stop = stepper_one(c, pc);
    }
    return finish(c, false);
}
