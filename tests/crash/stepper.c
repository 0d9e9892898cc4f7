/* SPDX-License-Identifier: MIT */
#include "stepper.h"
#include "actors.h"
#include "arch.h"
#include "victim.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1024, STEP_LIMIT = 4000000 };

/* The segment's bytes as they were before the last step. */
struct shadow {
    struct crash_range range[CRASH_RANGES];
    unsigned char *copy[CRASH_RANGES];
    unsigned count;
};

/* How often each address has been reached. */
struct arrivals {
    struct {
        uint64_t address;
        uint32_t count;
    } * slot;
    size_t mask, used;
};

static uint32_t arrive(struct arrivals *arrivals, uint64_t address)
{
    if (arrivals->used * 2 >= arrivals->mask) {
        struct arrivals larger = {.mask = arrivals->mask * 2 + 1023};
        larger.mask |= larger.mask >> 1, larger.mask |= larger.mask >> 2,
            larger.mask |= larger.mask >> 4;
        larger.mask |= larger.mask >> 8, larger.mask |= larger.mask >> 16;
        larger.slot = calloc(larger.mask + 1, sizeof larger.slot[0]);
        for (size_t i = 0; arrivals->slot != NULL && i <= arrivals->mask; i++) {
            size_t at = arrivals->slot[i].address * 0x9e3779b97f4a7c15u >> 20 & larger.mask;
            while (larger.slot[at].count != 0) {
                at = (at + 1) & larger.mask;
            }
            if (arrivals->slot[i].count != 0) {
                larger.slot[at] = arrivals->slot[i];
            }
        }
        larger.used = arrivals->used;
        free(arrivals->slot);
        *arrivals = larger;
    }
    size_t at = address * 0x9e3779b97f4a7c15u >> 20 & arrivals->mask;
    while (arrivals->slot[at].count != 0 && arrivals->slot[at].address != address) {
        at = (at + 1) & arrivals->mask;
    }
    arrivals->used += arrivals->slot[at].count == 0;
    arrivals->slot[at].address = address;
    return ++arrivals->slot[at].count;
}

/* True if a byte has changed; takes the new bytes as the old ones. */
static bool shadow_moved(struct shadow *shadow)
{
    bool moved = false;
    for (unsigned i = 0; i < shadow->count; i++) {
        const unsigned char *now = shadow->range[i].base;
        for (size_t at = 0; at < shadow->range[i].size; at += PIECE) {
            size_t size = shadow->range[i].size - at < PIECE ? shadow->range[i].size - at : PIECE;
            if (memcmp(now + at, shadow->copy[i] + at, size) != 0) {
                memcpy(shadow->copy[i] + at, now + at, size);
                moved = true;
            }
        }
    }
    return moved;
}

static void shadow_free(struct shadow *shadow)
{
    for (unsigned i = 0; i < shadow->count; i++) {
        free(shadow->copy[i]);
    }
    shadow->count = 0;
}

/* Only a system call can commit more bytes. Returns true if the ranges are others than before. */
static bool shadow_take(struct shadow *shadow, struct crash_case *c)
{
    struct crash_range range[CRASH_RANGES];
    memset(range, 0, sizeof range);
    unsigned count = c->scenario->world->ranges(c, range);
    if (count == shadow->count && memcmp(range, shadow->range, count * sizeof range[0]) == 0) {
        return false;
    }
    shadow_free(shadow);
    memcpy(shadow->range, range, sizeof range);
    shadow->count = count;
    for (unsigned i = 0; i < count; i++) {
        shadow->copy[i] = malloc(range[i].size);
        memcpy(shadow->copy[i], range[i].base, range[i].size);
    }
    return true;
}

static struct step *trace_add(struct trace *trace, uint64_t address)
{
    if (trace->count == trace->capacity) {
        trace->capacity = trace->capacity == 0 ? 4096 : trace->capacity * 2;
        trace->step = realloc(trace->step, trace->capacity * sizeof trace->step[0]);
    }
    struct step *step = &trace->step[trace->count++];
    memset(step, 0, sizeof *step);
    step->address = address;
    return step;
}

void trace_free(struct trace *trace)
{
    free(trace->step);
    memset(trace, 0, sizeof *trace);
}

static void note_site(struct trace *trace, uint64_t pc)
{
    for (unsigned i = 0; i < trace->sites; i++) {
        if (trace->site[i] == pc) {
            return;
        }
    }
    if (trace->sites < CRASH_SITES) {
        trace->site[trace->sites++] = pc;
    }
}

int stepper_one(struct crash_case *c, uint64_t pc)
{
    uint64_t behind = arch_exclusive_end(pc);
    if (behind != 0) {
        pid_t tid = atomic_load(&c->control->victim_tid);
        if (!arch_set_breakpoint(tid, CRASH_BREAKPOINTS - 1, behind) || !victim_continue(c)) {
            return VICTIM_LOST;
        }
        int stop = (int)victim_wait(c);
        return stop == VICTIM_STOPPED && !arch_set_breakpoint(tid, CRASH_BREAKPOINTS - 1, 0)
                   ? VICTIM_LOST
                   : stop;
    }
    bool call = arch_is_syscall(pc);
    if (!victim_step(c)) {
        return VICTIM_LOST;
    }
    return call ? (int)victim_wait(c) : (int)victim_wait_step(c);
}

bool stepper_run(struct crash_case *c, struct trace *trace)
{
    pid_t tid = atomic_load(&c->control->victim_tid);
    struct shadow shadow = {.count = 0};
    struct arrivals arrivals = {.slot = NULL};
    uint32_t epoch = 0;
    uint64_t before = 0;
    int stop = VICTIM_STOPPED;
    shadow_take(&shadow, c);
    while (stop == VICTIM_STOPPED) {
        uint64_t pc;
        if (!arch_pc(tid, &pc)) {
            case_trouble(c, "no program counter");
            stop = VICTIM_LOST;
            break;
        }
        struct step *step = trace_add(trace, pc);
        step->epoch = epoch;
        if (pc == before && arch_is_repeat(pc)) {
            step->flags |= STEP_REPEATED;
        }
        step->arrival = step->flags & STEP_REPEATED ? step[-1].arrival : arrive(&arrivals, pc);
        if (arch_is_trap(pc) || trace->count == STEP_LIMIT) {
            break;
        }
        before = pc;
        if (arch_exclusive_end(pc) != 0) {
            step->flags |= STEP_OVER;
        }
        if (arch_is_syscall(pc)) {
            step->flags |= STEP_SYSCALL;
        }
        if (c->scenario->signal_after != 0 && trace->handler == 0 &&
            trace->stores == c->scenario->signal_after) {
            step->flags = STEP_SIGNAL;
            trace->handler = trace->count;
            free(arrivals.slot);
            memset(&arrivals, 0, sizeof arrivals);
            stop = victim_signal(c) ? VICTIM_STOPPED : VICTIM_LOST;
            continue;
        }
        unsigned sleeps = c->sleeps;
        stop = stepper_one(c, pc);
        bool moved = shadow_moved(&shadow);
        if (step->flags & STEP_SYSCALL) {
            moved |= shadow_take(&shadow, c);
            trace->syscalls++;
        }
        if (c->sleeps != sleeps || stop == VICTIM_SLEEPS) {
            step->flags |= STEP_SLEPT;
            uint64_t back;
            if (stop == VICTIM_STOPPED && arch_pc(tid, &back)) {
                note_site(trace, back);
            }
        }
        if (moved) {
            step->flags |= STEP_STORED;
            trace->stores++;
        }
        epoch += moved || (step->flags & STEP_SYSCALL);
    }
    shadow_free(&shadow);
    free(arrivals.slot);
    if (trace->count == STEP_LIMIT) {
        return case_trouble(c, "the operation has more than %d instructions", STEP_LIMIT);
    }
    return stop != VICTIM_LOST;
}
