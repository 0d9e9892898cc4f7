/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <stdio.h>

static const struct {
    uint32_t first, count, hot;
} ranges[OBJECT_KINDS] = {
    [OBJECT_MUTEX] = {0, 80, 8},
    [OBJECT_SEMAPHORE] = {80, 50, 5},
    [OBJECT_EVENT] = {130, 40, 4},
    [OBJECT_BARRIER] = {170, 30, 4},
};

static uint64_t mix(uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

uint64_t plan_random(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    return mix(*state);
}

static uint32_t below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(plan_random(state) >> 32) % limit;
}

uint64_t plan_key(uint64_t seed, uint32_t worker, uint32_t incarnation, uint32_t thread)
{
    return mix(mix(mix(mix(seed) ^ worker) ^ incarnation) ^ thread);
}

static enum object_kind kind_of(uint32_t index)
{
    enum object_kind kind = OBJECT_MUTEX;
    while (kind + 1 < OBJECT_KINDS && index >= ranges[kind + 1].first) {
        kind++;
    }
    return kind;
}

struct object plan_object(uint32_t index)
{
    struct object object = {.kind = kind_of(index)};
    uint32_t i = index - ranges[object.kind].first;
    switch (object.kind) {
    case OBJECT_MUTEX:
        object.fifo = i % 8 == 3;
        object.by_handle = i % 8 == 5;
        object.poison = i % 8 == 6;
        object.non_recursive = i % 8 == 7;
        object.silent = i % 16 == 9;
        break;
    case OBJECT_SEMAPHORE:
        object.number = 1 + i % 7;
        object.untracked = i % 5 == 4;
        break;
    case OBJECT_EVENT:
        object.automatic = i % 2;
        break;
    default:
        object.number = 2 + i % 3;
        object.members = i % 10 == 9;
        break;
    }
    return object;
}

void plan_name(uint32_t index, char *to, size_t size)
{
    static const char *const nouns[OBJECT_KINDS] = {"mutex", "semaphore", "événement", "barrier"};
    if (index >= PLAN_OBJECTS) {
        snprintf(to, size, "storm/churn/%u", index - PLAN_OBJECTS);
    } else {
        enum object_kind kind = kind_of(index);
        snprintf(to, size, "storm/%s/%u", nouns[kind], index - ranges[kind].first);
    }
}

/* Most of what happens is to happen where others are. */
static uint32_t pick(uint64_t *state, enum object_kind kind)
{
    uint32_t count = below(state, 10) < 6 ? ranges[kind].hot : ranges[kind].count;
    return ranges[kind].first + below(state, count);
}

static const struct {
    enum step_kind kind;
    enum object_kind object;
    uint32_t weight;
} menu[] = {
    {STEP_SECTION, OBJECT_MUTEX, 280},     {STEP_NESTED, OBJECT_MUTEX, 40},
    {STEP_MANY, OBJECT_MUTEX, 20},         {STEP_HAMMER, OBJECT_MUTEX, 60},
    {STEP_PERMITS, OBJECT_SEMAPHORE, 170}, {STEP_FLOW, OBJECT_SEMAPHORE, 50},
    {STEP_SET, OBJECT_EVENT, 70},          {STEP_CLEAR, OBJECT_EVENT, 20},
    {STEP_WAIT, OBJECT_EVENT, 70},         {STEP_MEET, OBJECT_BARRIER, 120},
    {STEP_ABORT, OBJECT_BARRIER, 4},       {STEP_REOPEN, OBJECT_MUTEX, 30},
    {STEP_CHURN, OBJECT_MUTEX, 20},        {STEP_EXIT, OBJECT_MUTEX, 6},
};

static bool fits(enum step_kind kind, uint32_t index)
{
    struct object object = plan_object(index);
    switch (kind) {
    case STEP_PERMITS:
        return !object.untracked;
    case STEP_FLOW:
        return object.untracked;
    case STEP_EXIT:
        return !object.by_handle;
    default:
        return true;
    }
}

static void choose_objects(uint64_t *state, struct step *step, enum object_kind kind)
{
    uint32_t wanted = step->kind == STEP_NESTED ? 2
                      : step->kind == STEP_MANY ? 2 + below(state, 3)
                                                : 1;
    for (uint32_t i = 0; i < wanted;) {
        uint32_t index = step->kind == STEP_REOPEN  ? below(state, PLAN_OBJECTS)
                         : step->kind == STEP_CHURN ? PLAN_OBJECTS + below(state, PLAN_CHURN)
                                                    : pick(state, kind);
        bool again = !fits(step->kind, index);
        for (uint32_t j = 0; j < i; j++) {
            again = again || step->objects[j] == index;
        }
        if (!again) {
            step->objects[i++] = index;
        }
    }
    step->count = wanted;
}

void plan_step(uint64_t key, uint32_t number, struct step *ret_step)
{
    static const int64_t timeouts[] = {0,         1000000,   10000000,   50000000,
                                       200000000, 800000000, 2500000000, 2500000000};
    static const uint32_t holds[] = {0, 0, 5, 50, 200, 1000, 5000};
    static const uint32_t thinks[] = {0, 0, 100, 1000, 8000};
    uint64_t state = mix(key ^ mix(number));
    uint32_t total = 0, at = 0;
    for (size_t i = 0; i < sizeof(menu) / sizeof(menu[0]); i++) {
        total += menu[i].weight;
    }
    uint32_t draw = below(&state, total);
    while (draw >= menu[at].weight) {
        draw -= menu[at++].weight;
    }
    *ret_step = (struct step){.kind = menu[at].kind};
    choose_objects(&state, ret_step, menu[at].object);
    ret_step->timeout = timeouts[below(&state, 8)];
    ret_step->hold = holds[below(&state, 7)];
    ret_step->think = thinks[below(&state, 5)];
    ret_step->twice = below(&state, 4) == 0;
    ret_step->check = below(&state, 4) == 0;
    struct object object = plan_object(ret_step->objects[0]);
    if (ret_step->kind == STEP_PERMITS) {
        ret_step->count = 1 + (below(&state, 3) == 0 ? below(&state, object.number) : 0);
    } else if (ret_step->kind == STEP_HAMMER) {
        ret_step->count = 20 + below(&state, 100);
    } else if (ret_step->kind == STEP_FLOW) {
        ret_step->count = below(&state, 2); /* 1: take */
    }
}
