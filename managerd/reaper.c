/* SPDX-License-Identifier: MIT */
/* Who is here, by pidfd where one can be had, and what is to be done when somebody is gone. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "managerd.h"
#include "objects/kind.h"
#include "shm/hello.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

struct watched { /* per process slot */
    uint32_t generation;
    int pidfd, socket;
};

struct reaper {
    struct sy_segment *segment;
    int epoll;
    uint32_t sweeps;
    uint32_t size;
    struct watched *watched;
};

/* epoll keys: kind << 32 | slot, or the descriptor of a greeting. */
enum { KEY_PIDFD = 1, KEY_SOCKET = 2, KEY_GREETING = 3 /* a socket that has not said hello */ };

struct reaper *reaper_new(struct sy_segment *segment, int epoll)
{
    struct reaper *reaper = calloc(1, sizeof(*reaper));
    uint32_t size = segment->regions[SY_PROCESSES].capacity;
    if (!reaper) {
        return NULL;
    }
    reaper->segment = segment;
    reaper->epoll = epoll;
    reaper->size = size;
    reaper->watched = calloc(size, sizeof(*reaper->watched));
    if (!reaper->watched) {
        free(reaper);
        return NULL;
    }
    for (uint32_t i = 0; i < size; i++) {
        reaper->watched[i].pidfd = reaper->watched[i].socket = -1;
    }
    return reaper;
}

static void forget(struct watched *watched)
{
    if (watched->pidfd >= 0) {
        close(watched->pidfd);
    }
    if (watched->socket >= 0) {
        close(watched->socket);
    }
    watched->pidfd = watched->socket = -1;
    watched->generation = 0;
}

void reaper_free(struct reaper *reaper)
{
    for (uint32_t i = 0; i < reaper->size; i++) {
        forget(&reaper->watched[i]);
    }
    free(reaper->watched);
    free(reaper);
}

static void watch(struct reaper *reaper, int fd, uint64_t kind, uint32_t slot)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.u64 = kind << 32 | slot};
    epoll_ctl(reaper->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* ---- reaping ---- */

static void reap(struct reaper *reaper)
{
    struct sy_segment *segment = reaper->segment;
    struct sy_actor actor;
    if (!sy_reaper_begin(segment, &actor)) {
        return; /* somebody else is at it; the next sweep looks again */
    }
    int freed = sy_reap(&actor), retired = sy_retire(&actor);
    if (freed) {
        log_line(LOG_INFO, "freed %d slots of the dead", freed);
    }
    if (retired) {
        log_line(LOG_INFO, "retired %d names that nobody has open", retired);
    }
    sy_directory_sweep(segment);
    sy_reaper_end(&actor);
}

/* The pidfd is proof: said in the slot, so that nobody has to prove it again. */
static void bury(struct reaper *reaper, uint32_t slot)
{
    struct watched *watched = &reaper->watched[slot];
    struct sy_process *process = sy_process_at(reaper->segment, slot);
    uint64_t tenancy = process ? sy_load(&process->tenancy) : 0;
    if (process && sy_tenancy_generation(tenancy) == watched->generation &&
        sy_tenancy_state(tenancy) == SY_SLOT_LIVE) {
        char label[SY_LABEL + 1] = "";
        memcpy(label, process->label, SY_LABEL);
        log_line(LOG_NOTICE, "%s[%u] died", label, sy_get(&process->pid));
        sy_cas64(&process->tenancy, &tenancy,
                 sy_tenancy(watched->generation, slot, SY_SLOT_EXITED));
    }
    forget(watched);
    reap(reaper);
}

/* ---- hello ---- */

static int peer_pidfd(int fd, struct ucred *ret_peer)
{
    int pidfd = -1;
    socklen_t size = sizeof(*ret_peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_peer, &size) < 0) {
        return -1;
    }
    size = sizeof(pidfd);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0) {
        return pidfd;
    }
    pidfd = sy_pidfd_open(ret_peer->pid);
    return pidfd < 0 ? -1 : pidfd;
}

/* Is the process behind the pidfd the one that fills the slot? */
static bool same_process(struct sy_segment *segment, struct sy_process *process, int pidfd,
                         const struct ucred *peer)
{
    struct stat status;
    uint64_t inode = sy_get(&process->pidfs_inode);
    if (inode && fstat(pidfd, &status) == 0 && S_ISREG(status.st_mode)) {
        return status.st_ino == inode;
    }
    return sy_get(&process->pid_namespace) == segment->pid_namespace &&
           (int32_t)sy_get(&process->pid) == peer->pid;
}

static bool greet(struct reaper *reaper, int fd)
{
    struct sy_hello hello;
    struct ucred peer;
    ssize_t got = recv(fd, &hello, sizeof(hello), MSG_DONTWAIT);
    if (got != sizeof(hello) || hello.magic != SY_HELLO_MAGIC || hello.process >= reaper->size) {
        return false;
    }
    struct sy_process *process = sy_process_at(reaper->segment, hello.process);
    int pidfd = peer_pidfd(fd, &peer);
    if (!process || pidfd < 0 ||
        sy_tenancy_generation(sy_load(&process->tenancy)) != hello.generation ||
        !same_process(reaper->segment, process, pidfd, &peer)) {
        if (pidfd >= 0) {
            close(pidfd);
        }
        return false;
    }
    struct watched *watched = &reaper->watched[hello.process];
    forget(watched);
    *watched = (struct watched){hello.generation, pidfd, fd};
    watch(reaper, pidfd, KEY_PIDFD, hello.process);
    watch(reaper, fd, KEY_SOCKET, hello.process);
    return true;
}

void reaper_accept(struct reaper *reaper, int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            return;
        }
        watch(reaper, fd, KEY_GREETING, (uint32_t)fd); /* it connects first and speaks then */
    }
}

void reaper_event(struct reaper *reaper, uint64_t key)
{
    uint32_t slot = (uint32_t)key;
    if (key >> 32 == KEY_GREETING) {
        int fd = (int)slot;
        epoll_ctl(reaper->epoll, EPOLL_CTL_DEL, fd, NULL);
        if (!greet(reaper, fd)) {
            close(fd);
        }
        return;
    }
    if (slot >= reaper->size) {
        return;
    }
    struct watched *watched = &reaper->watched[slot];
    if (key >> 32 == KEY_PIDFD) {
        /* The event may be of the tenant before, handled earlier in this batch. */
        struct pollfd died = {.fd = watched->pidfd, .events = POLLIN};
        if (watched->pidfd >= 0 && poll(&died, 1, 0) == 1) {
            bury(reaper, slot);
        }
    } else if (watched->socket >= 0) {
        /* A hang-up proves nothing: exec and closefrom do it too. Look. */
        close(watched->socket);
        watched->socket = -1;
        if (sy_process_state(reaper->segment, slot, watched->generation) == SYNC_STATE_DEAD) {
            bury(reaper, slot);
        }
    }
}

/* ---- sweeping ---- */

void reaper_sweep(struct reaper *reaper)
{
    struct sy_segment *segment = reaper->segment;
    uint32_t count = sy_committed(segment, SY_PROCESSES);
    bool everybody = ++reaper->sweeps % 10 == 0;
    for (uint32_t i = 0; i < count && i < reaper->size; i++) {
        struct sy_process *process = sy_process_at(segment, i);
        uint64_t tenancy = process ? sy_load(&process->tenancy) : 0;
        uint32_t generation = sy_tenancy_generation(tenancy);
        bool known = reaper->watched[i].pidfd >= 0 && reaper->watched[i].generation == generation;
        if (process && sy_tenancy_state(tenancy) != SY_SLOT_FREE && (everybody || !known)) {
            sy_process_state(segment, i, generation); /* marks the dead */
        }
    }
    reap(reaper);
}

/* ---- leaving ---- */

int reaper_report(struct sy_segment *segment)
{
    int live = 0;
    struct sy_actor actor;
    if (sy_reaper_begin(segment, &actor)) {
        sy_reap(&actor); /* the dead do not count */
        sy_reaper_end(&actor);
    }
    uint32_t count = sy_committed(segment, SY_PROCESSES);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_process *process = sy_process_at(segment, i);
        live += process && sy_tenancy_state(sy_load(&process->tenancy)) == SY_SLOT_LIVE;
    }
    count = sy_committed(segment, SY_HOTS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_hot *hot = sy_hot_at(segment, i);
        sync_info info; /* costly, so only of those that are held */
        if (hot && sy_hot_kind(hot) == SYNC_KIND_MUTEX && !sy_admits(sy_load(&hot->word)) &&
            sy_describe(segment, i, &info) && info.holder.principal) {
            log_line(LOG_WARNING, "still held: %s by %s[%d], \"%s\"", info.name, info.holder.label,
                     info.holder.pid, info.holder.note);
        }
    }
    return live;
}
