/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

#define LEAVE 2u /* of `stop`: the crew goes home */

static void member_main(struct bench_crew *crew, struct bench_member *me, pid_t parent,
                        void (*setup)(struct bench_crew *, struct bench_member *))
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(0);
    }
    bench_pin(me->place);
    setup(crew, me);
    for (uint32_t order = 0;; order++) {
        atomic_fetch_add(&crew->finished, 1);
        bench_futex_wake(&crew->finished, 1);
        while (atomic_load(&crew->order) == order) {
            bench_futex_wait(&crew->order, order);
        }
        if (atomic_load(&crew->stop) == LEAVE) {
            _exit(0);
        }
        crew->work(crew, me, (enum bench_side)atomic_load(&crew->side));
    }
}

struct bench_crew *bench_crew_start(int count, bool one_cpu, void *shared,
                                    void (*setup)(struct bench_crew *, struct bench_member *),
                                    void (*work)(struct bench_crew *, struct bench_member *,
                                                 enum bench_side))
{
    struct bench_crew *crew = bench_shared(sizeof(*crew));
    pid_t parent = getpid();
    crew->count = count;
    crew->shared = shared;
    crew->work = work;
    bench_address(); /* not started by several at once */
    for (int i = 0; i < count; i++) {
        struct bench_member *member = &crew->members[i];
        member->index = i;
        member->place = one_cpu ? 0 : i;
        pid_t pid = fork();
        if (pid < 0) {
            bench_die("fork: %s", strerror(errno));
        }
        if (pid == 0) {
            member_main(crew, member, parent, setup);
        }
        member->pid = pid;
    }
    bench_crew_finish(crew);
    return crew;
}

void bench_crew_begin(struct bench_crew *crew, enum bench_side side)
{
    for (int i = 0; i < crew->count; i++) {
        struct bench_member *member = &crew->members[i];
        atomic_store(&member->count, 0);
        memset(&member->samples, 0, sizeof(member->samples));
    }
    atomic_store(&crew->side, (int)side);
    atomic_store(&crew->stop, 0);
    atomic_store(&crew->finished, 0);
    atomic_fetch_add(&crew->order, 1);
    bench_futex_wake(&crew->order, INT_MAX);
}

/* A member that ends before its time has said why; the run is over then. */
void bench_crew_finish(struct bench_crew *crew)
{
    uint32_t seen;
    while ((seen = atomic_load(&crew->finished)) < (uint32_t)crew->count) {
        int status;
        if (waitpid(-1, &status, WNOHANG) > 0) {
            bench_die("a member of the crew ended (status %x)", (unsigned)status);
        }
        bench_futex_wait_for(&crew->finished, seen, 100000000);
    }
}

int64_t bench_crew_run(struct bench_crew *crew, enum bench_side side, int64_t ns)
{
    int64_t began = bench_now();
    bench_crew_begin(crew, side);
    if (ns) {
        bench_sleep(ns);
        atomic_store(&crew->stop, 1);
    }
    int64_t ended = bench_now();
    bench_crew_finish(crew);
    return (ns ? ended : bench_now()) - began;
}

void bench_crew_samples(struct bench_crew *crew, struct bench_samples *ret_samples)
{
    memset(ret_samples, 0, sizeof(*ret_samples));
    for (int i = 0; i < crew->count; i++) {
        bench_samples_add(ret_samples, &crew->members[i].samples);
    }
}

void bench_crew_end(struct bench_crew *crew)
{
    atomic_store(&crew->stop, LEAVE);
    atomic_fetch_add(&crew->order, 1);
    bench_futex_wake(&crew->order, INT_MAX);
    for (int i = 0; i < crew->count; i++) {
        waitpid(crew->members[i].pid, NULL, 0);
    }
    munmap(crew, sizeof(*crew));
}
