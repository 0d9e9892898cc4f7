/* SPDX-License-Identifier: MIT */
#include "lab_manager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"
#include "managerd/managerd.h"
#include "objects/kind.h"
#include "os/os.h"
#include "shm/directory.h"

static struct sy_segment *opened(struct crash_case *c)
{
    struct sy_segment *segment;
    lab_must(c, "open the segment", sy_segment_open(lab_of(c)->shm_name, true, &segment));
    return segment;
}

static struct sy_segment *begin(struct crash_case *c, struct sy_actor *ret_actor)
{
    struct sy_segment *segment = opened(c);
    while (!sy_reaper_begin(segment, ret_actor)) {
        usleep(100);
    }
    return segment;
}

void lab_sweep(struct crash_case *c)
{
    struct sy_actor actor;
    struct sy_segment *segment = begin(c, &actor);
    sy_directory_sweep(segment); /* out of their chains */
    sy_directory_sweep(segment); /* and free */
    sy_reaper_end(&actor);
    sy_segment_free(segment);
}

int lab_reap(struct crash_case *c)
{
    struct sy_actor actor;
    struct sy_segment *segment = begin(c, &actor);
    int freed = sy_reap(&actor);
    sy_reaper_end(&actor);
    sy_segment_free(segment);
    return freed;
}

void lab_be_quiet(void)
{
    const char *path = getenv("CRASH_LOG");
    int log = open(path == NULL ? "/dev/null" : path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
                   0600);
    if (log >= 0) {
        dup2(log, STDERR_FILENO);
        close(log);
    }
}

static void manage(struct crash_case *c)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (lab_of(c)->segment == NULL) {
        lab_managerd_serve(c);
        _exit(99);
    }
    struct sy_segment *segment = opened(c);
    int32_t other;
    lab_be_quiet();
    int listener = singleton_claim(lab_of(c)->shm_name, &other);
    if (listener < 0 || beat_start(segment) < 0) {
        _exit(99);
    }
    atomic_store(&c->control->manager_listens, 1);
    _exit(loop_run(segment, listener));
}

static struct reaper *reaper;
static int epoll = -1, listener = -1;

void lab_managerd_prepare(struct crash_case *c)
{
    int32_t other;
    struct epoll_event event = {.events = EPOLLIN};
    epoll = epoll_create1(EPOLL_CLOEXEC);
    lab_be_quiet();
    reaper = epoll < 0 ? NULL : reaper_new(opened(c), epoll);
    listener = singleton_claim(lab_of(c)->shm_name, &other);
    if (reaper == NULL || listener < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) {
        actor_fail(c, "no reaper: %s", strerror(errno));
    }
}

void lab_managerd_turn(void)
{
    struct epoll_event events[16];
    int count = epoll_wait(epoll, events, SY_COUNT(events), -1);
    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 == 0) {
            reaper_accept(reaper, listener);
        } else {
            reaper_event(reaper, events[i].data.u64);
        }
    }
}

void lab_managerd_sweep(void)
{
    reaper_sweep(reaper);
}

static bool listens(struct crash_case *c)
{
    return atomic_load(&c->control->manager_listens) != 0;
}

bool lab_manager_start(struct crash_case *c)
{
    struct crash_process *manager = &lab_of(c)->manager;
    manager->pid = fork();
    if (manager->pid == 0) {
        manage(c);
    }
    if (manager->pid < 0) {
        manager->pid = 0;
        return case_trouble(c, "no manager: %s", strerror(errno));
    }
    /* Whoever attaches from now on says hello, and is watched by a pidfd. */
    return lab_of(c)->segment == NULL || lab_until(c, listens, "managerd");
}

void lab_manager_stop(struct crash_case *c)
{
    struct crash_process *manager = &lab_of(c)->manager;
    if (manager->pid > 0) {
        kill(manager->pid, SIGKILL);
        waitpid(manager->pid, &manager->status, 0);
        manager->pid = 0;
    }
}

void lab_manager_notice(struct crash_case *c)
{
    if (c->mode == CRASH_REPLAY && lab_of(c)->manager.pid == 0) {
        lab_manager_start(c);
    }
}
