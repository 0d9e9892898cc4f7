/* SPDX-License-Identifier: MIT */
#include "lab_manager.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "direct/direct.h"
#include "lab.h"
#include "os/os.h"

static const long beat_ns = 100000000;

int lab_reap(struct crash_case *c)
{
    struct sy_attachment *attachment = lab_connect(c)->attachment;
    struct sy_actor actor;
    lab_must(c, "begin", sy_begin(attachment, &actor));
    while (sy_byte_lock(attachment->segment->fd, SY_BYTE_REAPER) < 0) {
        continue;
    }
    int freed = sy_reap(&actor);
    sy_byte_unlock(attachment->segment->fd, SY_BYTE_REAPER);
    sy_done(&actor);
    return freed;
}

static void manage(struct crash_case *c)
{
    const struct timespec beat = {.tv_nsec = beat_ns};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    lab_connect(c);
    for (;;) {
        uint32_t seen = atomic_load(&c->control->deaths);
        sy_put(&lab_of(c)->segment->header->heartbeat, (uint64_t)sy_now());
        lab_reap(c);
        syscall(SYS_futex, &c->control->deaths, FUTEX_WAIT, seen, &beat, NULL, 0);
    }
}

bool lab_manager_start(struct crash_case *c)
{
    struct crash_process *manager = &lab_of(c)->manager;
    manager->pid = fork();
    if (manager->pid == 0) {
        manage(c);
    }
    manager->ended = false;
    return manager->pid > 0 || case_trouble(c, "no manager: %s", strerror(errno));
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
    atomic_fetch_add(&c->control->deaths, 1);
    syscall(SYS_futex, &c->control->deaths, FUTEX_WAKE, 1, NULL, NULL, 0);
}
