/* SPDX-License-Identifier: MIT */
#include "victim.h"
#include "actors.h"
#include "arch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t limit_ns = 5000000000u;

/* How long a victim may be silent before its state is looked at: long against a run between two
 * stops, short against a case. */
static const uint64_t look_ns = 100000;
static const uint64_t again_ns = 20000000;

static void run_operation(struct crash_case *c)
{
    c->scenario->prepare(c);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    atomic_store(&c->control->victim_tid, (int32_t)syscall(SYS_gettid));
    CRASH_TRAP();
    c->scenario->operate(c);
    if (!c->scenario->in_thread) {
        CRASH_TRAP();
    }
}

static void *run_in_thread(void *argument)
{
    run_operation(argument);
    return NULL;
}

static void victim_main(struct crash_case *c)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t set;
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    if (!c->scenario->in_thread) {
        run_operation(c);
        _exit(0);
    }
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_in_thread, c) != 0) {
        _exit(98);
    }
    for (;;) {
        pause();
    }
}

static enum victim_stop lost(struct crash_case *c, const char *what, int status)
{
    uint64_t pc = 0;
    arch_pc(atomic_load(&c->control->victim_tid), &pc);
    case_trouble(c, "victim %s, status %#x at %#llx; %.120s", what, (unsigned)status,
                 (unsigned long long)pc, (const char *)&c->control->word[40]);
    return VICTIM_LOST;
}

static enum victim_stop judge(struct crash_case *c, int status)
{
    if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP) {
        return VICTIM_STOPPED;
    }
    if (WIFEXITED(status)) {
        c->victim.ended = c->victim.pid == atomic_load(&c->control->victim_tid);
        c->victim.status = status;
        return WEXITSTATUS(status) == 0 ? VICTIM_ENDED : lost(c, "failed", status);
    }
    return lost(c, "stopped for another reason", status);
}

bool victim_start(struct crash_case *c)
{
    atomic_store(&c->control->victim_tid, 0);
    c->sleeps = 0;
    pid_t pid = fork();
    if (pid < 0) {
        return case_trouble(c, "fork: %s", strerror(errno));
    }
    if (pid == 0) {
        victim_main(c);
    }
    c->victim.pid = pid;
    c->victim.ended = false;
    c->victim.syscall_fd = -1;
    uint64_t limit = now_ns() + limit_ns;
    pid_t tid;
    while ((tid = atomic_load(&c->control->victim_tid)) == 0) {
        /* Its end alone: the stop at the marker is waited for below. */
        siginfo_t end = {.si_pid = 0};
        if (waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG) == 0 && end.si_pid == pid) {
            c->victim.ended = true;
            return case_trouble(c, "victim ended (status %d) before its operation; %.120s",
                                end.si_status, (const char *)&c->control->word[40]);
        }
        if (now_ns() > limit) {
            return case_trouble(c, "victim does not come to its operation");
        }
        sleep_until_child_or(200000);
    }
    if (!process_watch(&c->victim, pid, tid)) {
        return case_trouble(c, "cannot watch the victim");
    }
    int status;
    if (waitpid(tid, &status, __WALL) != tid || judge(c, status) != VICTIM_STOPPED) {
        return false;
    }
    ptrace(PTRACE_SETOPTIONS, tid, NULL, (void *)(uintptr_t)PTRACE_O_EXITKILL);
    return arch_pass_trap(tid);
}

bool victim_step(struct crash_case *c)
{
    return ptrace(PTRACE_SINGLESTEP, atomic_load(&c->control->victim_tid), NULL, NULL) == 0;
}

bool victim_signal(struct crash_case *c)
{
    return ptrace(PTRACE_SINGLESTEP, atomic_load(&c->control->victim_tid), NULL,
                  (void *)(uintptr_t)SIGUSR1) == 0 &&
           victim_wait_step(c) == VICTIM_STOPPED;
}

bool victim_continue(struct crash_case *c)
{
    return ptrace(PTRACE_CONT, atomic_load(&c->control->victim_tid), NULL, NULL) == 0;
}

enum victim_stop victim_wait_step(struct crash_case *c)
{
    pid_t tid = atomic_load(&c->control->victim_tid);
    int status;
    while (waitpid(tid, &status, __WALL) != tid) {
        if (errno != EINTR) {
            return lost(c, "cannot be waited for", errno);
        }
    }
    return judge(c, status);
}

enum victim_stop victim_wait(struct crash_case *c)
{
    pid_t tid = atomic_load(&c->control->victim_tid);
    uint64_t limit = now_ns() + limit_ns;
    unsigned same = 0;
    uint64_t told = 0;
    for (;;) {
        int status;
        if (waitpid(tid, &status, WNOHANG | __WALL) == tid) {
            return judge(c, status);
        }
        struct arch_call call;
        bool asleep = arch_read_call(c->victim.syscall_fd, &call) && !call.running &&
                      (arch_is_futex(call.number) || arch_is_epoll(call.number));
        same = asleep ? same + 1 : 0;
        /* Two looks: the first may have caught it on its way in, with the value not compared yet.
         */
        /* Whoever was let go on may have taken what was meant for the victim: asked again after a
         * while. */
        if (same >= 2 && now_ns() - told > again_ns) {
            enum crash_nudge nudge = c->scenario->asleep == NULL
                                         ? CRASH_ASLEEP
                                         : c->scenario->asleep(c, c->sleeps);
            if (nudge == CRASH_ASLEEP) {
                return VICTIM_SLEEPS;
            }
            if (c->trouble[0] != '\0') {
                return VICTIM_LOST;
            }
            /* Whoever only has patience is asked again, as the world may have moved on. */
            if (nudge == CRASH_NUDGED) {
                c->sleeps++;
                told = now_ns();
            }
        }
        if (now_ns() > limit) {
            return lost(c, "neither stops nor ends", 0);
        }
        sleep_until_child_or(look_ns);
    }
}

bool victim_kill(struct crash_case *c)
{
    pid_t tid = atomic_load(&c->control->victim_tid);
    int status = 0;
    if (c->victim.ended || c->victim.pid == 0) {
        return false;
    }
    kill(c->victim.pid, SIGKILL);
    c->killed_at = now_ns();
    /* A traced second thread is waited for by itself, and the process ends only after that. */
    if (tid != 0 && tid != c->victim.pid) {
        while (waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status)) {
            continue;
        }
    }
    while (!c->victim.ended) {
        if (waitpid(c->victim.pid, &status, __WALL) != c->victim.pid) {
            break;
        }
        c->victim.ended = !WIFSTOPPED(status);
    }
    process_forget(&c->victim);
    c->victim.status = status;
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}
