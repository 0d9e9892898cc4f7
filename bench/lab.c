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
static char segment[256];         /* its path */
static volatile pid_t daemon_pid; /* 0: none of ours runs */

static int managerd(char *const arguments[])
{
    pid_t pid;
    int status;
    int error = posix_spawn(&pid, arguments[0], NULL, NULL, arguments, environ);
    if (error) {
        bench_die("%s: %s; set SYNC_MANAGERD", arguments[0], strerror(error));
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
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

static void look_up(void)
{
    sync_manager_state state;
    bench_check(sync_manager_info(bench_manager(), &state), "sync_manager_info");
    daemon_pid = state.manager_pid;
    snprintf(segment, sizeof(segment), "%s", state.path);
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
    look_up();
}

/* Signal-safe: the run is interrupted. */
static void interrupted(int signal)
{
    if (owner == getpid()) {
        if (daemon_pid > 0) {
            kill(daemon_pid, SIGKILL);
        }
        unlink(segment);
    }
    _exit(128 + signal);
}

const char *bench_address(void)
{
    if (!owner) {
        owner = getpid();
        snprintf(name, sizeof(name), "bench-%d-%u", (int)owner, lab_count++);
        snprintf(address, sizeof(address), "shm:%s", name);
        if (lab_count == 1) {
            atexit(bench_lab_end);
        }
        bench_manager_start();
        signal(SIGINT, interrupted);
        signal(SIGTERM, interrupted);
        signal(SIGPIPE, interrupted);
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
    return daemon_pid;
}

static void end_daemon(int how)
{
    pid_t pid = daemon_pid;
    daemon_pid = 0;
    if (pid > 0) {
        kill(pid, SIGCONT);
        kill(pid, how);
        for (int i = 0; i < 2000 && kill(pid, 0) == 0; i++) {
            bench_sleep(1000000);
        }
    }
}

void bench_manager_kill(void)
{
    end_daemon(SIGKILL);
}

void bench_lab_end(void)
{
    if (owner && owner == getpid()) {
        end_daemon(SIGTERM);
        sync_manager_close(manager);
        unlink(segment); /* by hand: this process still counts as a user of it */
        manager = NULL;
        owner = 0;
    }
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
