/* SPDX-License-Identifier: MIT */
#include "points.h"
#include "arch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How far back a breakpoint is looked for that is hit less often than the point's own address. */
enum { REACH = 400 };

/* Text of the kernel's vdso: its loops run as often as the clock wants, and touch nothing of ours.
 * A kill in it is the kill at its caller. */
static bool in_vdso(uint64_t address)
{
    static uint64_t from, to;
    if (to == 0) {
        FILE *maps = fopen("/proc/self/maps", "re");
        char line[512];
        to = 1;
        while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
            if (strstr(line, "[vdso]") != NULL) {
                sscanf(line, "%lx-%lx", &from, &to);
            }
        }
        if (maps != NULL) {
            fclose(maps);
        }
    }
    return address >= from && address < to;
}

extern const char __executable_start[], etext[];

/* Text of this program, and of the library in it. In another library an instruction that neither
 * stores into the segment nor calls the kernel leaves the world of its caller. */
static bool is_ours(uint64_t address)
{
    return address >= (uint64_t)(uintptr_t)__executable_start &&
           address < (uint64_t)(uintptr_t)etext;
}

void point_find_way(const struct trace *trace, size_t at, struct kill_point *ret_point)
{
    ret_point->behind_signal = trace->handler != 0 && at >= trace->handler;
    size_t from = ret_point->behind_signal ? trace->handler : 0;
    size_t best = at, cost = SIZE_MAX;
    ret_point->address = trace->step[at].address;
    ret_point->arrival = trace->step[at].arrival;
    for (size_t i = at + 1; i-- > from && at - i < REACH;) {
        const struct step *step = &trace->step[i];
        /* Nothing that might sleep, and no round of a repeated instruction, lies between anchor and
         * point by choice. */
        if (i < at && (step->flags & STEP_SLEPT)) {
            break;
        }
        if (step->flags & STEP_REPEATED || in_vdso(step->address)) {
            continue;
        }
        size_t this = step->arrival + (at - i);
        if (this < cost) {
            cost = this;
            best = i;
        }
    }
    ret_point->anchor = trace->step[best].address;
    ret_point->hits = trace->step[best].arrival;
    ret_point->steps = (uint32_t)(at - best);
    if (at - from < cost) {
        ret_point->hits = 0;
        ret_point->steps = (uint32_t)(at - from);
    }
}

static int by_address_and_epoch(const void *left, const void *right)
{
    const struct step *const *a = left, *const *b = right;
    if ((*a)->address != (*b)->address) {
        return (*a)->address < (*b)->address ? -1 : 1;
    }
    if ((*a)->epoch != (*b)->epoch) {
        return (*a)->epoch < (*b)->epoch ? -1 : 1;
    }
    return *a < *b ? -1 : *a > *b;
}

/* Marks the first arrival at each address in each state of the segment: later ones leave the same
 * world behind. */
static void mark_firsts(const struct trace *trace, bool *first)
{
    const struct step **order = malloc(trace->count * sizeof order[0]);
    for (size_t i = 0; i < trace->count; i++) {
        order[i] = &trace->step[i];
    }
    qsort(order, trace->count, sizeof order[0], by_address_and_epoch);
    for (size_t i = 0; i < trace->count; i++) {
        first[order[i] - trace->step] = i == 0 || order[i - 1]->address != order[i]->address ||
                                        order[i - 1]->epoch != order[i]->epoch;
    }
    free(order);
}

static void add(struct point_list *list, const struct trace *trace, size_t at, enum point_kind kind)
{
    struct kill_point *point = &list->point[list->count++];
    point->kind = kind;
    point_find_way(trace, at, point);
    list->of_kind[kind]++;
}

void points_choose(const struct trace *trace, enum crash_points wanted, struct point_list *ret_list)
{
    memset(ret_list, 0, sizeof *ret_list);
    if (trace->count == 0) {
        return;
    }
    bool *first = calloc(trace->count, sizeof first[0]);
    mark_firsts(trace, first);
    ret_list->point = calloc(2 * trace->count, sizeof ret_list->point[0]);
    for (size_t i = 0; i < trace->count; i++) {
        const struct step *step = &trace->step[i];
        const struct step *last = i > 0 ? step - 1 : NULL;
        /* Behind an ordinary store the next instruction is the first one outside of a repeated or
         * excluded stretch. */
        if (i == 0) {
            add(ret_list, trace, i, POINT_BEGIN);
        } else if (arch_is_trap(step->address)) {
            add(ret_list, trace, i, POINT_END);
        } else if (last->flags & STEP_SYSCALL) {
            add(ret_list, trace, i, POINT_EXIT);
        } else if ((last->flags & STEP_STORED) && !in_vdso(last->address)) {
            add(ret_list, trace, i, POINT_STORED);
        } else if (step->flags & STEP_SYSCALL) {
            add(ret_list, trace, i, POINT_ENTRY);
        } else if (wanted == CRASH_EVERY && first[i] && !(step->flags & STEP_REPEATED) &&
                   is_ours(step->address)) {
            add(ret_list, trace, i, POINT_PLAIN);
        }
        if (step->flags & STEP_SLEPT) {
            add(ret_list, trace, i, POINT_ASLEEP);
        }
    }
    free(first);
}

void points_free(struct point_list *list)
{
    free(list->point);
    memset(list, 0, sizeof *list);
}

const char *point_kind_name(enum point_kind kind)
{
    static const char *const name[POINT_KINDS] = {
        [POINT_BEGIN] = "begin",
        [POINT_STORED] = "behind a store",
        [POINT_ENTRY] = "before a call",
        [POINT_EXIT] = "behind a call",
        [POINT_ASLEEP] = "asleep in a call",
        [POINT_PLAIN] = "instruction",
        [POINT_END] = "end",
    };
    return name[kind];
}
