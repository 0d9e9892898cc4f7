/* SPDX-License-Identifier: MIT */
/* The processes of a scenario: started, let go step by step, and looked at from outside. */
#ifndef CRASH_ACTORS_H
#define CRASH_ACTORS_H

#include "scenario.h"

/* In an actor. One operation: wait for a permit, do it, tell its result. */
void actor_begin(struct crash_case *c);
void actor_end(struct crash_case *c, int result);
#define ACTOR_DO(c, call)                                                                          \
    do {                                                                                           \
        actor_begin(c);                                                                            \
        actor_end((c), (call));                                                                    \
    } while (0)

/* Ends this actor as failed, with a text for the report. */
__attribute__((noreturn, format(printf, 2, 3))) void actor_fail(struct crash_case *c,
                                                                const char *format, ...);

/* In a child of the victim: actor `index`, if the worker adopts it. */
void actor_become(unsigned index);

/* In the worker. Returns the actor's index, or -1. */
int actor_start(struct crash_case *c, void (*body)(struct crash_case *));
void actor_permit(struct crash_case *c, unsigned actor, uint32_t count);

/* From now on actors end when they have done their part. */
void actor_leave(struct crash_case *c);

/* Both end by what is seen, never by time alone; false with c->trouble set after two seconds. */
bool actor_until_done(struct crash_case *c, unsigned actor, uint32_t operations);
bool actor_until_done_or_asleep(struct crash_case *c, unsigned actor, uint32_t operations);
bool actor_until_asleep(struct crash_case *c, unsigned actor);

/* Inside an operation, and the kernel shows it asleep in a futex call. */
bool actor_is_asleep(struct crash_case *c, unsigned actor);

/* Takes notice of every child that has ended. Returns how many actors still run. */
unsigned actor_reap(struct crash_case *c);
void actor_kill_all(struct crash_case *c);

/* Opens the view on a child; used for the victim too. */
bool process_watch(struct crash_process *process, pid_t pid, pid_t tid);
void process_forget(struct crash_process *process);

uint64_t now_ns(void);
void sleep_until_child_or(uint64_t ns);
__attribute__((format(printf, 2, 3))) bool case_trouble(struct crash_case *c, const char *format,
                                                        ...);

#endif
