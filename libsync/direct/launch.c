/* SPDX-License-Identifier: MIT */
/* Start a missing manager: exec `managerd --background`, which detaches and returns when the
 * segment is there. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "direct/direct.h"

#ifndef SY_MANAGERD
#define SY_MANAGERD "/usr/sbin/managerd"
#endif

extern char **environ;

/* Whoever else in this process waits for any child may take ours first: ECHILD is no failure, the
 * segment tells. */
int sy_launch_manager(const char *name)
{
    const char *path = secure_getenv("SYNC_MANAGERD");
    char *arguments[] = {(char *)(path && *path ? path : SY_MANAGERD), "--background", "--name",
                         (char *)name, NULL};
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t pid;
    int error = posix_spawn(&pid, arguments[0], NULL, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    if (error) {
        return sy_fail(SYNC_ENOMANAGER,
                       "no manager runs for \"%s\" and %s cannot be started: %s; install managerd, "
                       "or set SYNC_MANAGERD to its path",
                       name, arguments[0], strerror(error));
    }
    int status;
    pid_t got;
    do {
        got = waitpid(pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    if (got == pid && (!WIFEXITED(status) || WEXITSTATUS(status))) {
        return sy_fail(SYNC_ENOMANAGER, "%s --background --name %s failed (%s %d); see its log",
                       arguments[0], name, WIFEXITED(status) ? "exit" : "signal",
                       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    }
    return 0;
}
