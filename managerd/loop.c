/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <syslog.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "managerd.h"

#define KEY_LISTENER 0ull
#define KEY_TIMER 1ull
#define KEY_SIGNAL 2ull
/* Keys of the reaper have something above their low 32 bits. */

static int add(int epoll, int fd, uint64_t key)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = key};
    return fd < 0 ? -1 : epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static sigset_t stop_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

void loop_block_signals(void)
{
    sigset_t set = stop_signals();
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static int signals(void)
{
    sigset_t set = stop_signals();
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool stop_asked(int fd)
{
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo != SIGHUP) {
            log_line(LOG_NOTICE, "signal %u from pid %u: stopping", info.ssi_signo, info.ssi_pid);
            return true;
        }
    }
    return false;
}

int loop_run(struct sy_segment *segment, int listener)
{
    struct epoll_event events[64];
    struct itimerspec second = {{1, 0}, {1, 0}};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), stop = signals();
    struct reaper *reaper = epoll < 0 ? NULL : reaper_new(segment, epoll);
    if (!reaper || timer < 0 || timerfd_settime(timer, 0, &second, NULL) < 0 ||
        add(epoll, listener, KEY_LISTENER) < 0 || add(epoll, timer, KEY_TIMER) < 0 ||
        add(epoll, stop, KEY_SIGNAL) < 0) {
        log_line(LOG_ERR, "cannot start: %s", strerror(errno));
        return EXIT_REFUSED;
    }
    reaper_sweep(reaper); /* what died while nobody looked */
    bool orphaned = false;
    for (bool running = true; running;) {
        int count = epoll_wait(epoll, events, SY_COUNT(events), -1);
        for (int i = 0; i < count; i++) {
            uint64_t key = events[i].data.u64, ticks;
            if (key == KEY_LISTENER) {
                reaper_accept(reaper, listener);
            } else if (key == KEY_TIMER) {
                while (read(timer, &ticks, sizeof(ticks)) == sizeof(ticks)) {}
                reaper_sweep(reaper);
            } else if (key == KEY_SIGNAL) {
                running = !stop_asked(stop);
            } else {
                reaper_event(reaper, key);
            }
        }
        if (orphaned && reaper_report(segment) == 0) {
            log_line(LOG_NOTICE, "nobody uses the orphaned segment any more");
            running = false;
        }
        if (!orphaned && sy_segment_check_orphan(segment)) {
            orphaned = true;
            log_line(LOG_CRIT,
                     "the name /dev/shm%s was taken away: nothing is granted any more; end "
                     "the programs that use it, then start again",
                     segment->shm_name);
        }
    }
    reaper_free(reaper);
    close(epoll);
    close(timer);
    close(stop);
    return 0;
}
