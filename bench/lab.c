/* SPDX-License-Identifier: MIT */
/* A manager and a segment of our own, gone at the end. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

extern char **environ;

static char name[48], address[64];
static uint32_t names_wanted, chunks_wanted, lab_count;
static pid_t owner; /* children inherit all this, and must not end it */
static sync_manager *manager;
static pid_t manager_of;

static int managerd(char *const arguments[])
{
    pid_t pid;
    int status;
    int error = posix_spawn(&pid, arguments[0], NULL, NULL, arguments, environ);
    if (error) {
        bench_die("%s: %s; set SYNC_MANAGERD", arguments[0], strerror(error));
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *program(void)
{
    char *path = getenv("SYNC_MANAGERD");
    if (!path || !*path) {
        bench_die("SYNC_MANAGERD must name the managerd to measure with (make bench does)");
    }
    return path;
}

void bench_manager_start(void)
{
    char names[16], chunks[16];
    char *arguments[9] = {program(), (char *)"--background", (char *)"--name", name};
    if (names_wanted) {
        snprintf(names, sizeof(names), "%u", names_wanted);
        snprintf(chunks, sizeof(chunks), "%u", chunks_wanted);
        arguments[4] = (char *)"--names";
        arguments[5] = names;
        arguments[6] = (char *)"--chunks";
        arguments[7] = chunks;
    }
    if (managerd(arguments)) {
        bench_die("managerd --name %s did not start", name);
    }
}

const char *bench_address(void)
{
    if (!owner) {
        owner = getpid();
        snprintf(name, sizeof(name), "bench-%d-%u", (int)owner, lab_count++);
        snprintf(address, sizeof(address), "shm:%s", name);
        atexit(bench_lab_end);
        bench_manager_start();
    }
    return address;
}

sync_manager *bench_manager(void)
{
    if (!manager || manager_of != getpid()) {
        sync_manager_options options = {.no_autostart = 1};
        bench_check(sync_manager_connect(bench_address(), &options, &manager), "connect");
        manager_of = getpid();
    }
    return manager;
}

pid_t bench_manager_pid(void)
{
    sync_manager_state state;
    bench_check(sync_manager_info(bench_manager(), &state), "sync_manager_info");
    return state.manager_pid;
}

void bench_manager_kill(void)
{
    pid_t pid = bench_manager_pid();
    if (pid > 0) {
        kill(pid, SIGKILL);
        for (int i = 0; i < 2000 && kill(pid, 0) == 0; i++) {
            bench_sleep(1000000);
        }
    }
}

void bench_lab_end(void)
{
    if (!owner || owner != getpid()) {
        return;
    }
    char *arguments[] = {program(), (char *)"--remove", (char *)"--name", name, NULL};
    sync_manager_state state;
    char path[256] = "";
    bench_manager();
    if (sync_manager_info(manager, &state) == 0) {
        snprintf(path, sizeof(path), "%s", state.path);
    }
    pid_t pid = bench_manager_pid();
    sync_manager_close(manager);
    if (pid > 0) {
        kill(pid, SIGCONT);
        kill(pid, SIGTERM);
        for (int i = 0; i < 2000 && kill(pid, 0) == 0; i++) {
            bench_sleep(1000000);
        }
    }
    (void)arguments;
    if (*path) {
        unlink(path); /* this process itself still counts as a user of it */
    }
    manager = NULL;
    owner = 0;
}

void bench_lab_names(uint32_t names, uint32_t chunks)
{
    bench_lab_end();
    names_wanted = names;
    chunks_wanted = chunks;
    bench_address();
}

int bench_check(int rc, const char *call)
{
    if (SYNC_FAILED(rc)) {
        bench_die("%s: %s: %s", call, sync_strcode(rc), sync_last_error());
    }
    return rc;
}
