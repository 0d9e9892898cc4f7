/* SPDX-License-Identifier: MIT */
/*
 * A scenario of the kill harness: actors in known states, one victim with one operation, and what
 * must hold after the victim has been killed at any point of it.
 *
 * A stage runs one scenario in one mode. It begins with a dry run, in which the victim is stepped
 * through its operation, and then builds the same world afresh for each kill point found. The
 * functions below run in one of three places: [worker]  the harness process that traces the victim
 * and starts the actors [victim]  the process to be killed [actor]   any other process of the
 * scenario
 */
#ifndef CRASH_SCENARIO_H
#define CRASH_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CRASH_ACTORS = 8,
    CRASH_RESULTS = 16,
    CRASH_RANGES = 32,
    CRASH_SITES = 3, /* system calls in which the victim sleeps, as far as debug registers reach */
};

enum crash_mode {
    CRASH_REPLAY,  /* re-check off, replay on, managerd alive: nobody may be stuck */
    CRASH_NOTHING, /* re-check off, replay off: somebody must be, or the harness sees nothing */
    CRASH_RECHECK, /* replay off, re-check on, managerd dead: everybody goes on within 1.5 s */
    CRASH_MODES
};

enum crash_points {
    CRASH_STORES, /* after each store into the segment, at each system call's entry and exit */
    CRASH_STORES_SLOWLY, /* the same; most of a case is slept: many of them at a time */
    CRASH_EVERY,         /* besides, before each instruction, once in each state of the segment */
};

/* What the scenario did about a victim that has fallen asleep inside its operation. */
enum crash_nudge {
    CRASH_NUDGED,   /* another actor was let go on, or will wake it: go on watching */
    CRASH_PATIENCE, /* this sleep ends by itself */
    CRASH_ASLEEP,   /* the operation ends here: asleep is the state to be killed in */
};

struct crash_range {
    const void *base; /* in the worker */
    size_t size;
};

struct crash_case;

/* The objects under test: the segment of the library, or the toy of the self-test. */
struct crash_world {
    bool (*open)(struct crash_case *);  /* [worker] a fresh one, nobody in it */
    void (*close)(struct crash_case *); /* [worker] all its processes are dead */
    unsigned (*ranges)(struct crash_case *,
                       struct crash_range *ret_ranges); /* [worker] committed bytes as of now */
    void (*died)(struct crash_case *); /* [worker] the victim is dead and waited for */
    bool (*admits)(struct crash_case *,
                   unsigned actor); /* [worker] would the object it sleeps on let it go on? */
};

struct crash_scenario {
    const char *name;
    const struct crash_world *world;
    enum crash_points points;
    unsigned modes;                       /* 1 << mode, each */
    bool (*build)(struct crash_case *);   /* [worker] starts actors, brings them to their states;
                                             false: could not */
    void (*prepare)(struct crash_case *); /* [victim] up to the operation, unstepped */
    bool (*arrange)(struct crash_case *); /* [worker] the victim stands before its operation: the
                                             rest of the world takes its place */
    void (*operate)(struct crash_case *); /* [victim] the operation */
    enum crash_nudge (*asleep)(struct crash_case *, unsigned nth); /* [worker] NULL: CRASH_ASLEEP */
    void (*aftermath)(
        struct crash_case *); /* [worker] after the kill; NULL: every actor may go on to its end */
    bool (*relief)(struct crash_case *); /* [worker] all survivors wait, rightly: what they wait for
                                            comes; false: nothing more does */
    const char *(*check)(
        struct crash_case *); /* [worker] all actors have ended: what is wrong, or NULL */
    unsigned signal_after;    /* right behind its n-th store the victim gets SIGUSR1; 0: never */
    bool newcomer; /* the last actor comes when all others have ended: until then it would heal */
    bool late_manager;    /* managerd comes after the kill only */
    const void *argument; /* for functions shared by several scenarios */
    bool in_thread; /* the victim works in a second thread, and the operation ends with that thread
                     */
};

/* Shared by worker, victim and actors of one case. */
struct crash_control {
    _Atomic uint32_t changed;   /* raised at every change of phase; the worker sleeps on it */
    _Atomic int32_t victim_tid; /* the thread that stands at the begin marker */
    _Atomic uint32_t manager_listens;
    _Atomic uint32_t leave; /* actors that have done their part may end: the death of one is an
                               event of its own, and must not come in the middle of the operation */
    struct {
        _Atomic uint32_t permits; /* operations it may begin; UINT32_MAX: all */
        _Atomic uint32_t
            phase; /* 2n: n operations done, awaits a permit; 2n+1: inside operation n */
        _Atomic uint32_t awaits;       /* stands before operation n, n+1 stored */
        int32_t result[CRASH_RESULTS]; /* what operation n returned */
    } actor[CRASH_ACTORS];
    uint64_t word[64]; /* the scenario's own */
};

struct crash_process {
    pid_t pid;
    int syscall_fd; /* /proc/PID/syscall */
    bool ended;
    int status; /* as waitpid tells, once ended */
};

struct crash_case {
    const struct crash_scenario *scenario;
    enum crash_mode mode;
    unsigned worker;
    uint64_t serial; /* unique in this run of the harness, for names */
    struct crash_control *control;
    struct crash_process actor[CRASH_ACTORS];
    unsigned actors;
    struct crash_process victim;
    unsigned sleeps;        /* of the victim, so far */
    uint64_t killed_at;     /* monotonic ns */
    uint64_t point_address; /* where it was killed; 0 in the dry run */
    int point_kind;         /* enum point_kind */
    void *world;            /* of the crash_world */
    char trouble[200];      /* why it could not be built, or what is wrong */
};

#endif
