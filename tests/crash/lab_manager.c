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

static struct sy_segment *opened(struct crash_case *c)
{
    struct sy_segment *segment;
    lab_must(c, "open the segment", sy_segment_open(lab_of(c)->shm_name, true, &segment));
    return segment;
}

int lab_reap(struct crash_case *c)
{
    struct sy_segment *segment = opened(c);
    struct sy_actor actor;
    while (!sy_reaper_begin(segment, &actor)) {
        usleep(100);
    }
    int freed = sy_reap(&actor);
    sy_reaper_end(&actor);
    sy_segment_free(segment);
    return freed;
}

/* Its log says what every case does, a thousand times a second; CRASH_LOG names a file for it. */
static void be_quiet(void)
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
    struct sy_segment *segment = opened(c);
    int32_t other;
    be_quiet();
    int listener = singleton_claim(lab_of(c)->shm_name, &other);
    if (listener < 0 || beat_start(segment) < 0) {
        _exit(99);
    }
    atomic_store(&c->control->manager_listens, 1);
    _exit(loop_run(segment, listener));
}

static struct reaper *reaper;

void lab_managerd_prepare(struct crash_case *c)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    be_quiet();
    reaper = epoll < 0 ? NULL : reaper_new(opened(c), epoll);
    if (reaper == NULL) {
        actor_fail(c, "no reaper: %s", strerror(errno));
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
    return lab_until(c, listens, "managerd");
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
