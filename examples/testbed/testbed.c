/* SPDX-License-Identifier: MIT */
/* The testbed: three cameras, a mirror, a stage and a safety monitor share one serial port. What
 * can go wrong does, and the instrument keeps the books. Exit status 0 only if they are in order.
 */
#define _GNU_SOURCE
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "run.h"

static const struct plan plans[] = {
    {.title = "Without an agreement: everybody takes a lock, but each one of his own.",
     .own_locks = true},
    {.title = "One lock for all. A camera is killed in the middle of a command.",
     .camera_dies = true},
    {.title = "The same while managerd is dead: killed before it, started again after it.",
     .camera_dies = true,
     .manager_dies = true},
};
#define PLAN_COUNT ((int)(sizeof plans / sizeof plans[0]))

static void on_signal(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* The folder of this program; libtool keeps the real one in .libs, beside its wrapper. */
static bool find_here(char here[PATH_SIZE])
{
    char path[PATH_SIZE];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size < 0) {
        return false;
    }
    path[size] = '\0';
    snprintf(here, PATH_SIZE, "%s", dirname(path));
    size_t length = strlen(here);
    if (length > 6 && strcmp(here + length - 6, "/.libs") == 0) {
        here[length - 6] = '\0';
    }
    return true;
}

static bool find_tool(char path[PATH_SIZE], const char *variable, const char *here,
                      const char *in_build_tree)
{
    const char *given = getenv(variable);
    int size = given != NULL ? snprintf(path, PATH_SIZE, "%s", given)
                             : snprintf(path, PATH_SIZE, "%s/%s", here, in_build_tree);
    if (size >= PATH_SIZE || access(path, X_OK) != 0) {
        fprintf(stderr, "testbed: no program %s; say where it is by %s=PATH\n", path, variable);
        return false;
    }
    return true;
}

/* Each run is a process of its own, so that after it nobody is attached to its segment, and the
 * segment can be removed. Returns how many checks failed. */
static int play_apart(const struct plan *plan, const struct tools *tools, const char *folder,
                      int number)
{
    char name[32];
    int status = 0;
    snprintf(name, sizeof name, "testbed-%d-%d", (int)getpid(), number);

    fflush(NULL);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        exit(getppid() == parent ? run_play(plan, tools, folder, name) : 1);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0) {} /* EINTR: the child ends, too */
    int failures = pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;

    const char *const remove[] = {tools->managerd, "--name", name, "--remove", NULL};
    if (!show_output(remove, "  ", 10000, NULL, 0)) {
        printf("  FAILED  the segment is not removed\n");
        failures++;
    }
    return failures;
}

int main(void)
{
    static struct tools tools;
    struct sigaction action = {.sa_handler = on_signal};
    char folder[] = "/tmp/testbed-XXXXXX";
    char report[sizeof folder + 8];
    int failures = 0;
    int64_t began = now_ns();

    if (!find_here(tools.here) ||
        !find_tool(tools.managerd, "MANAGERD", tools.here, "../../managerd/managerd") ||
        !find_tool(tools.managerctl, "MANAGERCTL", tools.here, "../../managerd/ctl/managerctl")) {
        return 2;
    }
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 2;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);

    printf("Three cameras, a mirror, a stage and a safety monitor share one serial port.\n");
    for (int i = 0; i < PLAN_COUNT && !interrupted; i++) {
        printf("\nRun %d of %d. %s\n\n", i + 1, PLAN_COUNT, plans[i].title);
        failures += play_apart(&plans[i], &tools, folder, i + 1);
        snprintf(report, sizeof report, "%s/report", folder);
        unlink(report);
    }
    rmdir(folder);
    printf("\nVerdict after %.1f s: ", (double)(now_ns() - began) / 1e9);
    if (interrupted) {
        printf("none, interrupted\n");
        return 130;
    }
    if (failures > 0) {
        printf("%d FAILED\n", failures);
        return 1;
    }
    printf("nothing interleaved, nobody hung, every count agrees.\n");
    return 0;
}
