/* SPDX-License-Identifier: MIT */
/* tests/run-tap PROGRAM: each case of a harness program in a process of its own, as TAP.
 *
 * RUN_TAP_TIMEOUT  seconds a case may take (60)
 * RUN_TAP_WRAPPER  words put before the program, such as "qemu-aarch64 -L /usr/aarch64-linux-gnu"
 *
 * A case passes only if its process exits with 0 *and* the harness has said so: a stray exit(0) in
 * a test is a failure. What a case leaves running is killed and named. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS_MAX = 32, OUTPUT_MAX = 64 * 1024, NAME_MAX_ = 128 };

static char *words[WORDS_MAX + 4];
static size_t word_count;
static long timeout_seconds = 60;

static void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("Bail out! ");
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    exit(EXIT_FAILURE);
}

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* An unlinked file, not a pipe: a process that stays behind with it open cannot make us wait. */
static FILE *scratch(void)
{
    FILE *file = tmpfile();
    if (file == NULL) {
        die("no temporary file: %s", strerror(errno));
    }
    return file;
}

static pid_t start(const char *argument, const char *manager, FILE *output)
{
    words[word_count] = (char *)(uintptr_t)argument;
    words[word_count + 1] = NULL;
    fflush(stdout);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        die("fork: %s", strerror(errno));
    }
    if (pid > 0) {
        return pid;
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(EXIT_FAILURE);
    }
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setenv("CMOCKA_MESSAGE_OUTPUT", "TAP", 1);
    setenv("SYNC_MANAGER", manager, 1);
    int input = open("/dev/null", O_RDONLY);
    dup2(input, STDIN_FILENO);
    dup2(fileno(output), STDOUT_FILENO);
    dup2(fileno(output), STDERR_FILENO);
    close(input);
    close(fileno(output));
    execvp(words[0], words);
    dprintf(STDERR_FILENO, "%s: %s\n", words[0], strerror(errno));
    _exit(127);
}

/* The wait status, or -1 when the time is over. */
static int await(pid_t pid)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    double end = now() + (double)timeout_seconds;
    for (;;) {
        int status;
        if (waitpid(pid, &status, WNOHANG) == pid) {
            return status;
        }
        double left = end - now();
        if (left <= 0) {
            return -1;
        }
        struct timespec rest = {.tv_sec = left > 1 ? 1 : 0,
                                .tv_nsec = left > 1 ? 0 : (long)(left * 1e9)};
        sigtimedwait(&child, NULL, &rest);
    }
}

static bool runs(pid_t pid, char name[NAME_MAX_])
{
    char path[64], line[256];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    size_t got = fread(line, 1, sizeof(line) - 1, file);
    fclose(file);
    line[got] = '\0';
    char *open = strchr(line, '('), *end = strrchr(line, ')');
    if (open == NULL || end == NULL || end[1] == '\0' || end[2] == 'Z' || end[2] == 'X') {
        return false;
    }
    *end = '\0';
    snprintf(name, NAME_MAX_, "%s", open + 1);
    return true;
}

/* Kills what the case left behind. We are its subreaper, so all of it has become our child. */
static void clear(pid_t group, FILE *report)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    bool found = true;
    for (int round = 0; found && round < 100; round++) {
        found = false;
        FILE *file = fopen(path, "re");
        int pid;
        while (file != NULL && fscanf(file, "%d", &pid) == 1) {
            char name[NAME_MAX_];
            if (runs(pid, name)) {
                fprintf(report, "# left running: %s (pid %d), killed\n", name, pid);
                kill(pid, SIGKILL);
            }
            waitpid(pid, NULL, 0);
            found = true;
        }
        if (file != NULL) {
            fclose(file);
        }
        kill(-group, SIGKILL);
    }
    while (waitpid(-1, NULL, WNOHANG) > 0) {}
}

static void remove_segments(const char *manager)
{
    char pattern[NAME_MAX_];
    snprintf(pattern, sizeof(pattern), "/dev/shm/libsync.*%s*", strchr(manager, ':') + 1);
    glob_t found;
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            unlink(found.gl_pathv[i]);
        }
        globfree(&found);
    }
}

struct outcome {
    bool said_ok;
    char skip[256];
};

/* Copies the output as TAP comments; the harness's own plan and verdict lines are read, not shown.
 */
static struct outcome copy(FILE *output, const char *name)
{
    struct outcome outcome = {0};
    char line[4096], verdict[NAME_MAX_ + 16];
    snprintf(verdict, sizeof(verdict), "ok 1 - %s", name);
    fseek(output, 0, SEEK_END);
    long size = ftell(output);
    rewind(output);
    for (long at = 0; fgets(line, sizeof(line), output) != NULL; at = ftell(output)) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, verdict) == 0) {
            outcome.said_ok = true;
        } else if (strncmp(line, "# skip: ", 8) == 0) {
            snprintf(outcome.skip, sizeof(outcome.skip), "%.255s", line + 8);
        } else if (strcmp(line, "1..1") != 0 && at >= size - OUTPUT_MAX) {
            printf("%s%s\n", strncmp(line, "# ", 2) == 0 ? "" : "# ", line);
        }
    }
    return outcome;
}

static bool run_case(unsigned number, const char *name)
{
    char manager[NAME_MAX_];
    snprintf(manager, sizeof(manager), "shm:check-%d-%u", (int)getpid(), number);
    FILE *output = scratch();
    double begin = now();
    pid_t pid = start(name, manager, output);
    int status = await(pid);
    if (status == -1) {
        kill(-pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    fseek(output, 0, SEEK_END);
    clear(pid, output);
    remove_segments(manager);

    struct outcome outcome = copy(output, name);
    fclose(output);
    printf("# %s: %.2f s\n", name, now() - begin);
    if (status == -1) {
        printf("not ok %u - %s: not finished after %ld s\n", number, name, timeout_seconds);
    } else if (WIFSIGNALED(status)) {
        printf("not ok %u - %s: %s\n", number, name, strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 0) {
        printf("not ok %u - %s: exit status %d\n", number, name, WEXITSTATUS(status));
    } else if (outcome.skip[0] != '\0') {
        printf("ok %u - %s # SKIP %s\n", number, name, outcome.skip);
        return true;
    } else if (!outcome.said_ok) {
        printf("not ok %u - %s: left the process without finishing\n", number, name);
    } else {
        printf("ok %u - %s\n", number, name);
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PROGRAM\n", argv[0]);
        return 2;
    }
    const char *seconds = getenv("RUN_TAP_TIMEOUT");
    if (seconds != NULL && atol(seconds) > 0) {
        timeout_seconds = atol(seconds);
    }
    char *wrapper = getenv("RUN_TAP_WRAPPER");
    wrapper = strdup(wrapper != NULL ? wrapper : "");
    char *rest = NULL;
    for (char *word = strtok_r(wrapper, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        if (word_count == WORDS_MAX) {
            die("RUN_TAP_WRAPPER has more than %d words", WORDS_MAX);
        }
        words[word_count++] = word;
    }
    words[word_count++] = argv[1];

    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);

    FILE *list = scratch();
    int status = await(start("--list", "shm:none", list));
    if (status != 0) {
        die("%s --list failed (wait status %d)", argv[1], status);
    }
    rewind(list);
    char name[NAME_MAX_];
    unsigned count = 0, failed = 0;
    while (fgets(name, sizeof(name), list) != NULL) {
        count++;
    }
    if (count == 0) {
        die("%s has no cases", argv[1]);
    }
    printf("1..%u\n", count);
    rewind(list);
    for (unsigned i = 1; i <= count && fgets(name, sizeof(name), list) != NULL; i++) {
        name[strcspn(name, "\n")] = '\0';
        failed += !run_case(i, name);
    }
    fclose(list);
    free(wrapper);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
