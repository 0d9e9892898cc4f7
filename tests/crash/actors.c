/* SPDX-License-Identifier: MIT */
#include "actors.h"
#include "arch.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const uint64_t patience_ns = 2000000000u;

static unsigned self;      /* index of this actor, in its own process */
static uint32_t operation; /* which of its operations comes next */

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool case_trouble(struct crash_case *c, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(c->trouble, sizeof c->trouble, format, list);
    va_end(list);
    return false;
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t ns)
{
    struct timespec limit = {.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
    syscall(SYS_futex, word, FUTEX_WAIT, value, ns == 0 ? NULL : &limit, NULL, 0);
}

static void futex_wake_all(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, 0x7fffffff, NULL, NULL, 0);
}

static void tell(struct crash_case *c)
{
    atomic_fetch_add(&c->control->changed, 1);
    futex_wake_all(&c->control->changed);
}

/* SIGCHLD is blocked in the worker, so that a child's stop or end is never missed between look and
 * sleep. */
void sleep_until_child_or(uint64_t ns)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    struct timespec limit = {.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
    sigtimedwait(&set, NULL, &limit);
}

void actor_begin(struct crash_case *c)
{
    _Atomic uint32_t *permits = &c->control->actor[self].permits;
    atomic_store(&c->control->actor[self].awaits, operation + 1);
    tell(c);
    for (uint32_t seen; (seen = atomic_load(permits)) <= operation;) {
        futex_wait(permits, seen, 0);
    }
    atomic_store(&c->control->actor[self].phase, 2 * operation + 1);
}

void actor_end(struct crash_case *c, int result)
{
    if (operation < CRASH_RESULTS) {
        c->control->actor[self].result[operation] = result;
    }
    operation++;
    atomic_store(&c->control->actor[self].phase, 2 * operation);
    tell(c);
}

void actor_fail(struct crash_case *c, const char *format, ...)
{
    /* control->word's end is the room for the text: c itself is this process's private copy. */
    char *text = (char *)&c->control->word[40];
    va_list list;
    va_start(list, format);
    int size = snprintf(text, 40, "actor %u: ", self);
    vsnprintf(text + size, 180 - (size_t)size, format, list);
    va_end(list);
    _exit(99);
}

bool process_watch(struct crash_process *process, pid_t pid, pid_t tid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", (int)pid, (int)tid);
    process->pid = pid;
    process->ended = false;
    process->syscall_fd = open(path, O_RDONLY | O_CLOEXEC);
    return process->syscall_fd >= 0;
}

void process_forget(struct crash_process *process)
{
    if (process->syscall_fd >= 0) {
        close(process->syscall_fd);
    }
    process->syscall_fd = -1;
}

void actor_become(unsigned index)
{
    self = index;
    operation = 0;
}

int actor_start(struct crash_case *c, void (*body)(struct crash_case *))
{
    unsigned index = c->actors;
    if (index == CRASH_ACTORS) {
        return -1;
    }
    pid_t pid = fork();
    if (pid < 0) {
        return -1;
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigset_t set;
        sigemptyset(&set);
        sigprocmask(SIG_SETMASK, &set, NULL);
        self = index;
        operation = 0;
        body(c);
        while (atomic_load(&c->control->leave) == 0) {
            futex_wait(&c->control->leave, 0, 0);
        }
        _exit(0);
    }
    c->actors++;
    if (!process_watch(&c->actor[index], pid, pid)) {
        case_trouble(c, "cannot watch actor %u", index);
        return -1;
    }
    return (int)index;
}

void actor_permit(struct crash_case *c, unsigned actor, uint32_t count)
{
    atomic_fetch_add(&c->control->actor[actor].permits, count);
    futex_wake_all(&c->control->actor[actor].permits);
}

void actor_leave(struct crash_case *c)
{
    atomic_store(&c->control->leave, 1);
    futex_wake_all(&c->control->leave);
}

unsigned actor_reap(struct crash_case *c)
{
    unsigned running = 0;
    for (unsigned i = 0; i < c->actors; i++) {
        struct crash_process *actor = &c->actor[i];
        if (!actor->ended && waitpid(actor->pid, &actor->status, WNOHANG) == actor->pid) {
            actor->ended = true;
            process_forget(actor);
        }
        running += !actor->ended;
    }
    return running;
}

void actor_kill_all(struct crash_case *c)
{
    for (unsigned i = 0; i < c->actors; i++) {
        if (!c->actor[i].ended) {
            kill(c->actor[i].pid, SIGKILL);
        }
    }
    for (unsigned i = 0; i < c->actors; i++) {
        if (!c->actor[i].ended) {
            waitpid(c->actor[i].pid, &c->actor[i].status, 0);
            c->actor[i].ended = true;
            process_forget(&c->actor[i]);
        }
    }
}

bool actor_is_asleep(struct crash_case *c, unsigned actor)
{
    struct arch_call call;
    if (c->actor[actor].ended || (atomic_load(&c->control->actor[actor].phase) & 1) == 0) {
        return false;
    }
    return arch_read_call(c->actor[actor].syscall_fd, &call) && !call.running &&
           arch_is_futex(call.number);
}

static bool ended_early(struct crash_case *c, unsigned actor, const char *before)
{
    actor_reap(c);
    if (!c->actor[actor].ended) {
        return false;
    }
    const char *text = (const char *)&c->control->word[40];
    case_trouble(c, "actor %u ended (status %#x) before it %s; %.150s", actor,
                 (unsigned)c->actor[actor].status, before, text);
    return true;
}

bool actor_until_done(struct crash_case *c, unsigned actor, uint32_t operations)
{
    uint64_t limit = now_ns() + patience_ns;
    for (;;) {
        uint32_t seen = atomic_load(&c->control->changed);
        if (atomic_load(&c->control->actor[actor].phase) >= 2 * operations &&
            (operations > 0 || atomic_load(&c->control->actor[actor].awaits) > 0)) {
            return true;
        }
        if (now_ns() > limit) {
            return case_trouble(c, "actor %u has not finished operation %u", actor, operations);
        }
        futex_wait(&c->control->changed, seen, 20000000);
        if (atomic_load(&c->control->changed) == seen &&
            ended_early(c, actor, "had done its part")) {
            return false;
        }
    }
}

bool actor_until_asleep(struct crash_case *c, unsigned actor)
{
    uint64_t limit = now_ns() + patience_ns;
    for (unsigned look = 0; !actor_is_asleep(c, actor); look++) {
        if (look % 256 == 255 && ended_early(c, actor, "slept")) {
            return false;
        }
        if (now_ns() > limit) {
            return case_trouble(c, "actor %u has not fallen asleep", actor);
        }
        if (look < 20) {
            sched_yield();
        } else {
            usleep(20);
        }
    }
    return true;
}

bool actor_until_done_or_asleep(struct crash_case *c, unsigned actor, uint32_t operations)
{
    uint64_t limit = now_ns() + patience_ns;
    while (atomic_load(&c->control->actor[actor].phase) < 2 * operations &&
           !actor_is_asleep(c, actor)) {
        if (now_ns() > limit) {
            return case_trouble(c, "actor %u neither acts nor sleeps", actor);
        }
        sched_yield();
    }
    return true;
}
