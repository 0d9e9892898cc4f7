/* SPDX-License-Identifier: MIT */
/* A manager started on demand must not die, stop or starve with the controller that happened to
 * start it: new session, no descriptors, default signals, scheduling and OOM score. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "managerd.h"

static void reset_scheduling(void)
{
    struct sched_param parameters = {.sched_priority = 0};
    cpu_set_t cpus;
    sched_setscheduler(0, SCHED_OTHER, &parameters);
    setpriority(PRIO_PROCESS, 0, 0); /* fails for a nice parent without privilege: then it stays */
    CPU_ZERO(&cpus);
    for (int i = 0; i < CPU_SETSIZE; i++) {
        CPU_SET((size_t)i, &cpus);
    }
    sched_setaffinity(0, sizeof(cpus), &cpus);
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t unused = write(fd, "0", 1);
        (void)unused;
        close(fd);
    }
}

static void reset_signals(void)
{
    sigset_t none;
    for (int i = 1; i < NSIG; i++) {
        signal(i, SIG_DFL);
    }
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_all(int except)
{
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3 && null >= 0; fd++) {
        dup2(null, fd);
    }
    long limit = sysconf(_SC_OPEN_MAX);
    for (int fd = 3; fd < (limit > 0 && limit < 65536 ? limit : 65536); fd++) {
        if (fd != except) {
            close(fd);
        }
    }
}

/* The caller waits for one byte: the exit status. None: the manager died before it was ready. */
static int wait_for_status(int fd, pid_t child)
{
    unsigned char status;
    ssize_t got;
    do {
        got = read(fd, &status, 1);
    } while (got < 0 && errno == EINTR);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    return got == 1 ? status : EXIT_REFUSED;
}

int detach(int *ret_ready, bool *ret_caller)
{
    int ends[2];
    *ret_caller = true;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return EXIT_REFUSED;
    }
    pid_t child = fork();
    if (child < 0) {
        return EXIT_REFUSED;
    }
    if (child > 0) {
        close(ends[1]);
        return wait_for_status(ends[0], child);
    }
    setsid();
    if (fork() != 0) {
        _exit(0);
    }
    close_all(ends[1]);
    reset_signals();
    reset_scheduling();
    umask(077);
    if (chdir("/") < 0) {
        _exit(EXIT_REFUSED);
    }
    *ret_ready = ends[1];
    *ret_caller = false;
    return 0;
}
