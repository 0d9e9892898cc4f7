/* SPDX-License-Identifier: MIT */
/*
 * The engine tested on a toy: it must find exactly the stores of a hand-written sequence, reach
 * every point of it and leave exactly the bytes stored until then; it must report a lock that
 * strands its waiters when its recovery is off, and nothing when it is on; and a point that cannot
 * be reached must be counted as missed.
 */
#include "actors.h"
#include "stage.h"
#include "toy.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

static unsigned passed, failed, skipped;

static void expect(bool holds, const char *what, const struct stage_result *result)
{
    holds ? passed++ : failed++;
    printf("%s: %s\n", holds ? "ok" : "NOT OK", what);
    for (unsigned i = 0; !holds && i < result->reports; i++) {
        printf("    %s\n", result->report[i]);
    }
}

/* A sequence of stores known by heart. */

#if defined(__x86_64__)
enum { SEQUENCE_STORES = 6, SEQUENCE_CALLS = 1 };

extern const char after_first[], after_silent[], after_second[], after_call[], after_repeat[],
    after_last[];

static void sequence(struct crash_case *c)
{
    unsigned char *byte = toy_of(c)->byte;
    long result = SYS_getppid;
    __asm__ volatile("movb $1, (%[byte])\n" /* a store */
                     "after_first: nop\n"
                     "movb $1, (%[byte])\n" /* silent: leaves the same bytes */
                     "after_silent: nop\n"
                     "movb $2, 1(%[byte])\n" /* a store */
                     "after_second: nop\n"
                     "syscall\n"
                     "after_call: nop\n"
                     "lea 8(%[byte]), %%rdi\n"
                     "mov $3, %%ecx\n"
                     "mov $7, %%eax\n"
                     "rep stosb\n" /* three stores by one instruction */
                     "after_repeat: nop\n"
                     "mov $200, %%ecx\n"
                     "1: dec %%ecx\n" /* many arrivals, one world */
                     "jnz 1b\n"
                     "movb $9, 2(%[byte])\n" /* a store */
                     "after_last: nop\n"
                     : "+a"(result)
                     : [byte] "r"(byte)
                     : "rcx", "rdi", "r11", "memory", "cc");
}

/* After a kill behind a named instruction, exactly the stores before it are there. */
static const char *sequence_check(struct crash_case *c)
{
    static const struct {
        const char *address;
        unsigned char stored[12];
    } rule[] = {
        {after_first, {1}},
        {after_silent, {1}},
        {after_second, {1, 2}},
        {after_call, {1, 2}},
        {after_repeat, {1, 2, [8] = 7, 7, 7}},
        {after_last, {1, 2, 9, [8] = 7, 7, 7}},
    };
    for (size_t i = 0; i < sizeof rule / sizeof rule[0]; i++) {
        if (c->point_address == (uint64_t)(uintptr_t)rule[i].address &&
            memcmp(toy_of(c)->byte, rule[i].stored, 12) != 0) {
            return "killed at the right address, but other bytes are stored";
        }
    }
    return NULL;
}
#endif

static void nothing(struct crash_case *c)
{
    (void)c;
}

/* The toy lock. */

static void waiter_0(struct crash_case *c)
{
    ACTOR_DO(c, toy_acquire(c, 0));
    ACTOR_DO(c, toy_release(c, 0));
}

static void waiter_1(struct crash_case *c)
{
    ACTOR_DO(c, toy_acquire(c, 1));
    ACTOR_DO(c, toy_release(c, 1));
}

static void victim_acquires(struct crash_case *c)
{
    toy_acquire(c, TOY_VICTIM);
}

static void victim_releases(struct crash_case *c)
{
    toy_release(c, TOY_VICTIM);
}

static enum crash_nudge two_come_and_wait(struct crash_case *c, unsigned nth)
{
    (void)nth;
    return c->trouble[0] ? CRASH_ASLEEP : CRASH_PATIENCE;
}

/* The victim must own before the others come: it takes the lock here, in its name, before they
 * start. */
static bool build_waiters(struct crash_case *c)
{
    atomic_store(&toy_of(c)->word, TOY_VICTIM + 1);
    if (actor_start(c, waiter_0) < 0 || actor_start(c, waiter_1) < 0) {
        return false;
    }
    actor_permit(c, 0, 1);
    actor_permit(c, 1, 1);
    return actor_until_asleep(c, 0) && actor_until_asleep(c, 1);
}

static bool build_holder(struct crash_case *c)
{
    if (actor_start(c, waiter_0) < 0 || actor_start(c, waiter_1) < 0) {
        return false;
    }
    actor_permit(c, 0, 1);
    return actor_until_done(c, 0, 1);
}

/* The victim sleeps first in the queue; then the other comes, then the holder releases, and wakes
 * the victim. */
static enum crash_nudge holder_releases(struct crash_case *c, unsigned nth)
{
    if (nth == 0) {
        actor_permit(c, 1, 1);
        actor_until_asleep(c, 1);
        actor_permit(c, 0, 1);
        actor_until_done(c, 0, 2);
    }
    return CRASH_NUDGED;
}

/* A victim that goes another way than in the dry run. */

static void wander(struct crash_case *c)
{
    volatile unsigned char *byte = toy_of(c)->byte;
    if (c->worker == 0) {
        byte[0] = 1;
    } else {
        byte[1] = 1;
    }
}

/* A signal handler that stores between two stores. */
static volatile unsigned char *handled;

static void handle(int signal)
{
    (void)signal;
    handled[1] = 2;
}

static void prepare_handler(struct crash_case *c)
{
    handled = toy_of(c)->byte;
    signal(SIGUSR1, handle);
}

static void interrupted(struct crash_case *c)
{
    volatile unsigned char *byte = toy_of(c)->byte;
    byte[0] = 1;
    byte[2] = 3;
}

static const char *check_handler(struct crash_case *c)
{
    const unsigned char *byte = toy_of(c)->byte;
    return byte[2] != 0 && byte[1] == 0 ? "stored past the signal without its handler" : NULL;
}

static void run(const struct crash_scenario *scenario, enum crash_mode mode,
                struct stage_result *result)
{
    const struct stage_options options = {.workers = 2, .every = 1, .point = -1};
    stage_run(scenario, mode, &options, result);
    stage_print(scenario, mode, &options, result);
}

static void test_sequence(void)
{
#if defined(__x86_64__)
    static const struct crash_scenario stores = {
        .name = "toy sequence",
        .world = &toy_world,
        .points = CRASH_STORES,
        .prepare = nothing,
        .operate = sequence,
        .check = sequence_check,
    };
    static struct crash_scenario every;
    struct stage_result result;
    run(&stores, CRASH_REPLAY, &result);
    expect(result.of_kind[POINT_STORED] == SEQUENCE_STORES,
           "exactly the stores of the sequence are found", &result);
    expect(result.of_kind[POINT_ENTRY] == SEQUENCE_CALLS &&
               result.of_kind[POINT_EXIT] == SEQUENCE_CALLS,
           "exactly its system call, entry and exit", &result);
    expect(result.points == SEQUENCE_STORES + 2 * SEQUENCE_CALLS + 2,
           "and no other points but begin and end", &result);
    expect(result.verdict[WENT_ON] == result.points && result.missed == 0,
           "each is reached, with the bytes stored until then", &result);
    every = stores;
    every.points = CRASH_EVERY;
    run(&every, CRASH_REPLAY, &result);
    expect(result.points > SEQUENCE_STORES + 14 && result.points < 60,
           "every instruction: once in each state of the bytes", &result);
    expect(result.verdict[WENT_ON] == result.points && result.missed == 0, "each is reached",
           &result);
#else
    (void)nothing;
    skipped++;
    printf("skipped: the hand-written sequence is for x86-64\n");
#endif
}

static void test_lock(void)
{
    static const struct crash_scenario release = {
        .name = "toy release, two wait",
        .world = &toy_world,
        .points = CRASH_EVERY,
        .build = build_waiters,
        .prepare = nothing,
        .operate = victim_releases,
        .asleep = two_come_and_wait,
    };
    static const struct crash_scenario woken = {
        .name = "toy woken waiter, one behind it",
        .world = &toy_world,
        .points = CRASH_EVERY,
        .build = build_holder,
        .prepare = nothing,
        .operate = victim_acquires,
        .asleep = holder_releases,
    };
    static const struct crash_scenario *const both[] = {&release, &woken};
    for (unsigned i = 0; i < 2; i++) {
        struct stage_result result;
        run(both[i], CRASH_REPLAY, &result);
        expect(result.verdict[WENT_ON] == result.points && result.missed == 0,
               "replay on: each point reached, nobody stuck", &result);
        run(both[i], CRASH_NOTHING, &result);
        expect(result.verdict[STUCK] > 0, "recovery off: the strands are seen", &result);
        expect(result.verdict[STUCK] + result.verdict[WENT_ON] == result.points,
               "and nothing else is", &result);
        run(both[i], CRASH_RECHECK, &result);
        expect(result.verdict[WENT_ON] == result.points, "re-check: all go on in time", &result);
    }
}

static void test_signal(void)
{
    static const struct crash_scenario scenario = {
        .name = "toy interrupted",
        .world = &toy_world,
        .points = CRASH_EVERY,
        .prepare = prepare_handler,
        .operate = interrupted,
        .check = check_handler,
        .signal_after = 1,
    };
    struct stage_result result;
    run(&scenario, CRASH_REPLAY, &result);
    expect(result.of_kind[POINT_STORED] == 3, "the handler's store is found between the others",
           &result);
    expect(result.verdict[WENT_ON] == result.points && result.missed == 0,
           "points before, in and behind the handler are reached", &result);
}

static void test_miss(void)
{
    static const struct crash_scenario scenario = {
        .name = "toy that wanders",
        .world = &toy_world,
        .points = CRASH_EVERY,
        .prepare = nothing,
        .operate = wander,
    };
    struct stage_result result;
    run(&scenario, CRASH_REPLAY, &result);
    expect(result.missed > 0, "a point that is not reached is counted as missed", &result);
    expect(result.missed + result.verdict[WENT_ON] == result.cases, "and not as passed", &result);
    expect(stage_is_astray(&result), "and the stage is astray", &result);
}

int main(int argc, char **argv)
{
    (void)argc;
    stage_fix_addresses(argv);
    test_sequence();
    test_lock();
    test_signal();
    test_miss();
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    return failed != 0;
}
