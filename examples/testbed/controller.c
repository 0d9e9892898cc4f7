/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "controller.h"

#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "protocol.h"

static volatile sig_atomic_t die_in_command;

/* For the testbed: stop in the middle of the next command and wait to be killed there. */
static void on_sigusr1(int signal)
{
    (void)signal;
    die_in_command = 1;
}

void say(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text - 1, format, arguments);
    va_end(arguments);
    if (size > (int)sizeof text - 2) {
        size = (int)sizeof text - 2;
    }
    text[size] = '\n';
    if (write(STDOUT_FILENO, text, (size_t)size + 1) < 0) { /* nobody listens: work goes on */
        return;
    }
}

int must(int rc, const char *doing)
{
    if (SYNC_FAILED(rc)) {
        say("failed %s: %s", doing, sync_last_error());
        exit(1);
    }
    return rc;
}

void controller_pause(struct controller *me, int low_ms, int high_ms)
{
    int rc = sync_event_wait(me->stop, SYNC_MS(random_between(low_ms, high_ms)));
    if (rc != SYNC_ETIMEDOUT) {
        must(rc, "waiting for \"stop\"");
    }
}

/* One byte, 0 when there was none until the deadline. */
static int hear(struct controller *me, char *byte, sync_deadline until)
{
    for (;;) {
        if (read(me->line, byte, 1) == 1) {
            return 1;
        }
        sync_timeout left = sync_remaining(until);
        struct pollfd line = {.fd = me->line, .events = POLLIN};
        if (left == 0) {
            return 0;
        }
        poll(&line, 1, (int)(left / MS) + 1);
    }
}

static bool hear_line(struct controller *me, char text[LINE_SIZE], sync_deadline until)
{
    size_t size = 0;
    char byte;
    while (hear(me, &byte, until)) {
        if (byte == '\n') {
            text[size] = '\0';
            return true;
        }
        if (size + 1 < LINE_SIZE) {
            text[size++] = byte;
        }
    }
    return false;
}

static void send_bytes(struct controller *me, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(me->line, bytes, size);
        if (written > 0) {
            bytes += written;
            size -= (size_t)written;
        } else {
            struct pollfd line = {.fd = me->line, .events = POLLOUT};
            poll(&line, 1, 100);
        }
    }
}

/* The last owner died with the line in an unknown state: hear it out, then make the instrument
 * forget what it has of a command. */
static void clear_line(struct controller *me)
{
    const char cancel = LINE_CANCEL;
    int64_t began = now_ns();
    int drained = 0;
    char byte;

    while (hear(me, &byte, sync_deadline_after(SYNC_MS(LINE_SILENCE_MS)))) {
        drained++;
    }
    send_bytes(me, &cancel, 1);
    say("drained %d %lld", drained, (long long)(now_ns() - began));
}

/* A command leaves in two pieces, as from any driver that puts it together as it goes. */
static void send_command(struct controller *me, const char *command, size_t size)
{
    size_t piece = (size_t)(strchr(command, ' ') - command); /* NAME … */
    piece += strcspn(command + piece + 1, " ") + 4;          /* … NUMBER VE */

    send_bytes(me, command, piece);
    if (die_in_command) {
        say("half %d %.*s", me->sent, (int)piece, command);
        for (;;) {
            pause();
        }
    }
    nap_ns(MS / 5);
    send_bytes(me, command + piece, size - piece);
    me->sent++;
}

/* With the port held: true when both echo and answer are those of this command. */
static bool converse(struct controller *me, const char *verb, int argument, int *ret_value)
{
    char command[LINE_SIZE];
    char heard[LINE_SIZE];
    char name[LINE_SIZE];
    int number;
    int value;

    int size = snprintf(command, sizeof command - 8, "%s %d %s %d", me->name, ++me->number, verb,
                        argument);
    size += snprintf(command + size, 8, "*%02X\n", line_checksum(command, (size_t)size));
    send_command(me, command, (size_t)size);

    sync_deadline until = sync_deadline_after(me->answer_within);
    if (!hear_line(me, heard, until) || strncmp(heard, command, (size_t)size - 1) != 0 ||
        !hear_line(me, heard, until) ||
        sscanf(heard, "OK %127s %d %d", name, &number, &value) != 3 ||
        strcmp(name, me->name) != 0 || number != me->number) {
        me->garbled++;
        return false;
    }
    me->answered++;
    if (ret_value != NULL) {
        *ret_value = value;
    }
    return true;
}

static void take_port(struct controller *me)
{
    int64_t began = now_ns();
    int rc = must(sync_mutex_acquire(me->port, PATIENCE), "taking the port");
    me->took_at = now_ns();
    if (me->took_at - began > me->longest_wait) {
        me->longest_wait = me->took_at - began;
    }
    if (rc == SYNC_OWNER_DIED) {
        sync_error last;
        if (sync_previous_owner(me->port, &last) == 1) {
            say("told %d %s, \"%s\"", (int)last.holder.pid, last.holder.label, last.holder.note);
        }
        clear_line(me);
    }
}

static void give_port(struct controller *me)
{
    int64_t held = now_ns() - me->took_at;
    must(sync_mutex_release(me->port), "giving the port back");
    if (held > me->longest_hold) {
        me->longest_hold = held;
    }
}

bool controller_command(struct controller *me, const char *verb, int argument, const char *why,
                        int *ret_value)
{
    must(sync_note(me->manager, why), "saying why");
    take_port(me);
    must(sync_mutex_check(me->port), "making sure that the port is still ours");
    bool ours = converse(me, verb, argument, ret_value);
    give_port(me);
    must(sync_note(me->manager, NULL), "having nothing to say");
    return ours;
}

struct settings {
    const char *name;
    const char *line;
    const char *lock;
    uint32_t parties;
    int answer_ms;
};

static struct settings parse(int argc, char **argv, const struct controller_kind *kind)
{
    static const struct option options[] = {
        {"name", required_argument, NULL, 'n'},      {"line", required_argument, NULL, 'l'},
        {"lock", required_argument, NULL, 'k'},      {"parties", required_argument, NULL, 'p'},
        {"answer-ms", required_argument, NULL, 'a'}, {NULL, 0, NULL, 0},
    };
    struct settings set = {.name = kind->name, .lock = "port", .parties = 1, .answer_ms = 2000};
    int letter;
    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (letter) {
        case 'n':
            set.name = optarg;
            break;
        case 'l':
            set.line = optarg;
            break;
        case 'k':
            set.lock = optarg;
            break;
        case 'p':
            set.parties = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'a':
            set.answer_ms = (int)strtol(optarg, NULL, 10);
            break;
        default:
            set.line = NULL;
            optind = argc;
            break;
        }
    }
    if (set.line == NULL || strlen(set.name) >= NAME_SIZE) {
        fprintf(stderr,
                "usage: %s --line TTY [--name NAME] [--lock MUTEX] [--parties N] "
                "[--answer-ms MS]\n",
                argv[0]);
        exit(2);
    }
    return set;
}

static void prepare(struct controller *me, const struct settings *set)
{
    sync_manager_options manager = {.label = set->name};
    sync_barrier_options start = {.parties = set->parties};
    struct sigaction action = {.sa_handler = on_sigusr1, .sa_flags = SA_RESTART};

    me->name = set->name;
    me->answer_within = SYNC_MS(set->answer_ms);
    me->line = open(set->line, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (me->line < 0) {
        perror(set->line);
        exit(1);
    }
    must(sync_manager_connect(NULL, &manager, &me->manager), "connecting");
    must(sync_mutex_open(me->manager, set->lock, NULL, &me->port), "opening the lock");
    must(sync_event_open(me->manager, "stop", NULL, &me->stop), "opening \"stop\"");
    must(sync_barrier_open(me->manager, "start", &start, &me->start), "opening \"start\"");
    sigaction(SIGUSR1, &action, NULL);
    srandom((unsigned)getpid());
}

int controller_main(int argc, char **argv, const struct controller_kind *kind)
{
    struct controller me = {.number = 0};
    struct settings set = parse(argc, argv, kind);

    prepare(&me, &set);
    if (kind->prepare != NULL) {
        kind->prepare(&me);
    }
    int index = must(sync_barrier_wait(me.start, PATIENCE), "starting together");
    say("started %d %lld", index, (long long)now_ns());

    while (!sync_event_is_set(me.stop)) {
        kind->work(&me);
    }
    say("left %d %d %d %lld %lld", me.sent, me.answered, me.garbled, (long long)me.longest_wait,
        (long long)me.longest_hold);
    sync_manager_close(me.manager);
    return 0;
}
