/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#define LOOK_MS 20 /* how often deaths are looked for */

void tell(const struct troupe *troupe, const char *who, const char *format, ...)
{
    va_list arguments;
    printf("  %6.3f  %-10s  ", (double)(now_ns() - troupe->began) / 1e9, who);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
}

volatile sig_atomic_t interrupted;

/* Fork and exec, with its stdin at a pipe of ours, its stdout and stderr at another. */
static pid_t start(const char *const *argv, int *ret_in, int *ret_out)
{
    int in[2];
    int out[2];
    if (pipe2(in, O_CLOEXEC) != 0) {
        return -1;
    }
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return -1;
    }
    fflush(NULL);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody outlives the testbed */
        if (getppid() != parent) {
            _exit(127);
        }
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(out[1], STDERR_FILENO);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        dprintf(STDOUT_FILENO, "failed %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    if (pid < 0) {
        close(in[1]);
        close(out[0]);
        return -1;
    }
    *ret_in = in[1];
    *ret_out = out[0];
    return pid;
}

struct child *troupe_start(struct troupe *troupe, const char *name, const char *const *argv)
{
    if (troupe->count == CHILDREN_MAX) {
        tell(troupe, name, "one program too many");
        return NULL;
    }
    struct child *child = &troupe->children[troupe->count];
    *child = (struct child){.start_index = -1};
    snprintf(child->name, sizeof child->name, "%s", name);
    child->pid = start(argv, &child->in, &child->out);
    if (child->pid < 0) {
        tell(troupe, name, "cannot be started: %s", strerror(errno));
        return NULL;
    }
    fcntl(child->out, F_SETFL, O_NONBLOCK);
    troupe->count++;
    return child;
}

/* Everything the child has said so far, line by line. */
static void hear(struct troupe *troupe, struct child *child)
{
    char byte;
    ssize_t size;
    while ((size = read(child->out, &byte, 1)) == 1) {
        if (byte == '\n' || child->heard_size + 1 == HEARD_SIZE) {
            child->heard[child->heard_size] = '\0';
            child->heard_size = 0;
            troupe->on_line(troupe, child, child->heard);
        } else {
            child->heard[child->heard_size++] = byte;
        }
    }
    if (size == 0) {
        close(child->out);
        child->out = -1;
    }
}

static void look(struct troupe *troupe, int ms)
{
    struct pollfd ears[CHILDREN_MAX];
    for (size_t i = 0; i < troupe->count; i++) {
        ears[i] = (struct pollfd){.fd = troupe->children[i].out, .events = POLLIN};
    }
    poll(ears, troupe->count, ms < LOOK_MS ? ms : LOOK_MS);
    for (size_t i = 0; i < troupe->count; i++) {
        struct child *child = &troupe->children[i];
        bool gone = !child->reaped && waitpid(child->pid, &child->status, WNOHANG) == child->pid;
        if (child->out >= 0) { /* looked at after waitpid, so that the last words are not missed */
            hear(troupe, child);
        }
        if (gone) {
            child->reaped = true;
            troupe->on_end(troupe, child);
        }
    }
}

void child_signal(const struct child *child, int signal)
{
    if (!child->reaped) { /* else the number may be somebody else's by now */
        kill(child->pid, signal);
    }
}

bool troupe_listen(struct troupe *troupe, const bool *flag, int ms)
{
    int64_t end = now_ns() + ms * MS;
    for (;;) {
        int64_t left = end - now_ns();
        if (flag != NULL && *flag) {
            return true;
        }
        if (left <= 0 || interrupted) {
            return flag == NULL && !interrupted;
        }
        look(troupe, (int)(left / MS) + 1);
    }
}

bool troupe_await_end(struct troupe *troupe, struct child *child, int ms)
{
    if (troupe_listen(troupe, &child->reaped, ms)) {
        return true;
    }
    child_signal(child, SIGKILL);
    troupe_listen(troupe, &child->reaped, ms);
    return false;
}

struct child *troupe_find(struct troupe *troupe, const char *name)
{
    for (size_t i = troupe->count; i-- > 0;) { /* the last of that name */
        if (strcmp(troupe->children[i].name, name) == 0) {
            return &troupe->children[i];
        }
    }
    return NULL;
}

void troupe_clear(struct troupe *troupe)
{
    for (size_t i = 0; i < troupe->count; i++) {
        struct child *child = &troupe->children[i];
        if (!child->reaped) {
            kill(child->pid, SIGKILL);
            waitpid(child->pid, &child->status, 0);
            child->reaped = true;
        }
        close(child->in);
        if (child->out >= 0) {
            close(child->out);
        }
    }
    troupe->count = 0;
}

bool show_output(const char *const *argv, const char *indent, int ms, char *text, size_t size)
{
    int in;
    int out;
    int status;
    bool line_begins = true;
    bool in_time = false;
    char byte;

    pid_t pid = start(argv, &in, &out);
    if (pid < 0) {
        return false;
    }
    int64_t end = now_ns() + ms * MS;
    for (;;) {
        struct pollfd ear = {.fd = out, .events = POLLIN};
        int64_t left = end - now_ns();
        if (left <= 0 || poll(&ear, 1, (int)(left / MS) + 1) < 0) {
            break;
        }
        if (ear.revents != 0 && read(out, &byte, 1) != 1) {
            in_time = true;
            break;
        }
        if (ear.revents != 0) {
            if (line_begins) {
                fputs(indent, stdout);
            }
            putchar(byte);
            if (size > 1) {
                *text++ = byte;
                size--;
            }
            line_begins = byte == '\n';
        }
    }
    if (size > 0) {
        *text = '\0';
    }
    fflush(stdout);
    if (!in_time) {
        kill(pid, SIGKILL);
    }
    waitpid(pid, &status, 0);
    close(in);
    close(out);
    return in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
