/* SPDX-License-Identifier: MIT */
#include "stage.h"
#include "actors.h"
#include "killer.h"
#include "victim.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A case that misses its point is tried again, at last by stepping: whatever depends on the time
 * that has passed went another way in the dry run, which is a thousand times slower. */
enum { TRIES = 4, TRIES_BY_BREAKPOINT = 2 };

/* So many misses, and more of them than hits: the victim never goes the way of the dry run, and to
 * go on would cost time and prove nothing. */
enum { MISSES = 12 };

/* What the workers of a stage share. */
struct tally {
    _Atomic size_t next;
    _Atomic size_t verdict[VERDICTS];
    _Atomic size_t cases, missed, unbuilt;
    _Atomic unsigned reports;
    char report[STAGE_REPORTS][STAGE_TEXT];
};

const char *crash_mode_name(enum crash_mode mode)
{
    static const char *const name[CRASH_MODES] = {
        [CRASH_REPLAY] = "replay", [CRASH_NOTHING] = "nothing", [CRASH_RECHECK] = "recheck"};
    return name[mode];
}

void stage_fix_addresses(char **argv)
{
    int now = personality(0xffffffff);
    if (now >= 0 && !(now & ADDR_NO_RANDOMIZE) &&
        personality((unsigned long)now | ADDR_NO_RANDOMIZE) != -1) {
        setenv("LD_BIND_NOW", "1", 1);
        execv("/proc/self/exe", argv);
    }
}

static void *shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        abort();
    }
    return memory;
}

static void case_reset(struct crash_case *c)
{
    memset(c->control, 0, sizeof *c->control);
    c->actors = 0;
    c->sleeps = 0;
    c->world = NULL;
    c->trouble[0] = '\0';
    c->killed_at = 0;
    c->point_address = 0;
    memset(&c->victim, 0, sizeof c->victim);
    c->victim.syscall_fd = -1;
    c->serial++;
}

/* All have attached, and stand before an operation or in it: what is stored from now on is the
 * victim's. */
static bool actors_are_there(struct crash_case *c)
{
    for (unsigned i = 0; i < c->actors; i++) {
        if (!c->actor[i].ended && !actor_until_done(c, i, 0)) {
            return false;
        }
    }
    return true;
}

/* World, actors, victim at its begin marker. */
static bool case_build(struct crash_case *c)
{
    case_reset(c);
    if (!c->scenario->world->open(c)) {
        return false;
    }
    if ((c->scenario->build != NULL && !c->scenario->build(c)) || !actors_are_there(c) ||
        !victim_start(c)) {
        return false;
    }
    return c->scenario->arrange == NULL || c->scenario->arrange(c);
}

static void case_close(struct crash_case *c)
{
    victim_kill(c);
    actor_kill_all(c);
    c->scenario->world->close(c);
}

static void say(struct tally *tally, const char *text)
{
    unsigned at = atomic_fetch_add(&tally->reports, 1);
    if (at < STAGE_REPORTS) {
        snprintf(tally->report[at], STAGE_TEXT, "%s", text);
    }
}

static void try_point(struct crash_case *c, const struct trace *trace,
                      const struct point_list *list, size_t at, struct tally *tally, bool verbose)
{
    const struct kill_point *point = &list->point[at];
    enum kill_outcome outcome = KILL_LOST;
    enum verdict verdict = WENT_ON;
    bool built = false;
    uint64_t began = now_ns();
    char text[STAGE_TEXT];
    for (unsigned try = 0; try < TRIES && outcome != KILL_LANDED; try++) {
        built = case_build(c);
        c->point_address = point->address;
        c->point_kind = (int)point->kind;
        if (built) {
            outcome = try < TRIES_BY_BREAKPOINT ? killer_run(c, point, trace)
                                                : killer_step(c, point);
            /* A miss says nothing about the survivors: the victim may have been at its end. */
            if (outcome == KILL_LANDED) {
                verdict = verdict_reach(c);
            }
        }
        case_close(c);
    }
    atomic_fetch_add(&tally->cases, 1);
    snprintf(text, sizeof text, "point %zu, %s, %#llx arrival %u: %s%s%s", at,
             point_kind_name(point->kind), (unsigned long long)point->address, point->arrival,
             !built                   ? "could not be built"
             : outcome == KILL_LANDED ? verdict_name(verdict)
             : outcome == KILL_MISSED ? "missed"
                                      : "lost",
             c->trouble[0] != '\0' ? ": " : "", c->trouble);
    if (!built || outcome == KILL_LOST) {
        atomic_fetch_add(&tally->unbuilt, 1);
    } else if (outcome == KILL_MISSED) {
        atomic_fetch_add(&tally->missed, 1);
    } else {
        atomic_fetch_add(&tally->verdict[verdict], 1);
    }
    bool expected = c->mode == CRASH_NOTHING && outcome == KILL_LANDED && verdict != WRONG;
    if (!expected && (!built || outcome != KILL_LANDED || verdict != WENT_ON)) {
        say(tally, text);
    }
    if (verbose) {
        printf("    %s (%.1f ms)\n", text, (double)(now_ns() - began) / 1e6);
    }
}

static void work(struct crash_case *c, const struct trace *trace, const struct point_list *list,
                 const struct stage_options *options, struct tally *tally)
{
    size_t every = options->every == 0 ? 1 : options->every;
    for (;;) {
        size_t at = atomic_fetch_add(&tally->next, 1) * every;
        if (options->point >= 0 && at > 0) {
            return;
        }
        if (options->point >= 0) {
            at = (size_t)options->point;
        }
        size_t missed = atomic_load(&tally->missed) + atomic_load(&tally->unbuilt);
        if (at >= list->count || (missed >= MISSES && 2 * missed > atomic_load(&tally->cases))) {
            return;
        }
        try_point(c, trace, list, at, tally, options->verbose);
    }
}

static bool dry_run(struct crash_case *c, struct trace *trace)
{
    bool done = case_build(c) && stepper_run(c, trace);
    char trouble[sizeof c->trouble];
    memcpy(trouble, c->trouble, sizeof trouble);
    case_close(c);
    memcpy(c->trouble, trouble, sizeof trouble);
    return done;
}

static void collect(const struct tally *tally, struct stage_result *result)
{
    for (unsigned i = 0; i < VERDICTS; i++) {
        result->verdict[i] = atomic_load(&tally->verdict[i]);
    }
    result->cases = atomic_load(&tally->cases);
    result->missed = atomic_load(&tally->missed);
    result->unbuilt = atomic_load(&tally->unbuilt);
    unsigned reports = atomic_load(&tally->reports);
    for (unsigned i = 0; i < reports && result->reports < STAGE_REPORTS; i++) {
        memcpy(result->report[result->reports++], tally->report[i], STAGE_TEXT);
    }
}

bool stage_run(const struct crash_scenario *scenario, enum crash_mode mode,
               const struct stage_options *options, struct stage_result *ret_result)
{
    uint64_t began = now_ns();
    memset(ret_result, 0, sizeof *ret_result);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);

    struct crash_case c = {
        .scenario = scenario, .mode = mode, .control = shared(sizeof *c.control)};
    struct tally *tally = shared(sizeof *tally);
    struct trace trace = {.step = NULL};
    struct point_list list = {.point = NULL};
    bool done = dry_run(&c, &trace);
    if (!done) {
        snprintf(ret_result->report[ret_result->reports++], STAGE_TEXT, "no dry run: %s",
                 c.trouble);
    }
    points_choose(&trace, scenario->points, &list);
    fflush(NULL);
    pid_t worker[64];
    unsigned workers = options->workers > 64 ? 64 : options->workers;
    for (unsigned i = 0; done && i < workers; i++) {
        worker[i] = fork();
        if (worker[i] != 0) {
            continue;
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_TIMERSLACK, 1000UL);
        c.worker = i + 1;
        c.serial = 0;
        c.control = shared(sizeof *c.control);
        work(&c, &trace, &list, options, tally);
        fflush(NULL);
        _exit(0);
    }
    for (unsigned i = 0; done && i < workers; i++) {
        int status = 0;
        waitpid(worker[i], &status, 0);
        if (status != 0) {
            say(tally, "a worker of the harness has failed");
            atomic_fetch_add(&tally->unbuilt, 1);
        }
    }
    collect(tally, ret_result);
    ret_result->steps = trace.count;
    ret_result->points = list.count;
    memcpy(ret_result->of_kind, list.of_kind, sizeof list.of_kind);
    ret_result->seconds = (double)(now_ns() - began) / 1e9;
    points_free(&list);
    trace_free(&trace);
    munmap(tally, sizeof *tally);
    munmap(c.control, sizeof *c.control);
    return done;
}

bool stage_is_astray(const struct stage_result *result)
{
    return result->missed > 1 && result->missed * 20 > result->cases;
}

void stage_print(const struct crash_scenario *scenario, enum crash_mode mode,
                 const struct stage_options *options, const struct stage_result *result)
{
    printf(
        "%-8s %-36s %7zu instructions stepped, %5zu distinct points (%zu stores, %zu calls, %zu asleep), %5zu scenarios",
        crash_mode_name(mode), scenario->name, result->steps, result->points,
        result->of_kind[POINT_STORED], result->of_kind[POINT_ENTRY], result->of_kind[POINT_ASLEEP],
        result->cases);
    if (options->every > 1) {
        printf(" (every %u)", options->every);
    }
    printf(", %.2f s, %zu stuck, %zu late, %zu wrong, %zu missed, %zu unbuilt\n", result->seconds,
           result->verdict[STUCK], result->verdict[LATE], result->verdict[WRONG], result->missed,
           result->unbuilt);
    for (unsigned i = 0; i < result->reports; i++) {
        printf("    %s\n", result->report[i]);
    }
    if (stage_is_astray(result)) {
        printf("    astray: the victim goes another way than in the dry run\n");
    }
    fflush(stdout);
}
