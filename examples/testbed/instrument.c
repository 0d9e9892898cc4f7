/* SPDX-License-Identifier: MIT */
/* A serial instrument behind a pseudo-terminal: slow, answers in fragments, does one thing at a
 * time, and keeps the books on everyone who does not respect that.
 *
 * It takes orders on standard input: COUNT says how many commands came so far, HEAT makes it warm,
 * STOP (as end of file and SIGTERM do) writes the report and ends. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "clock.h"
#include "protocol.h"

#define OWNERS_MAX 16
#define OPEN_AFTER_MS 20 /* a line unfinished for so long is worth a word */
#define GIVE_UP_MS 1000  /* a line unfinished for so long is given up */
#define FRAGMENTS_MAX 3

struct owner {
    char name[NAME_SIZE];
    unsigned commands;    /* lines begun = complete + half + interleaved */
    unsigned complete;    /* whole, and alone on the line */
    unsigned half;        /* begun, then silence */
    unsigned interleaved; /* came into another command that was unfinished or unanswered */
    unsigned answered;
    bool exposing;
};

struct instrument {
    int port;     /* our side of the line */
    int far_port; /* the users' side, kept open so that the line outlives each of them */

    char line[LINE_SIZE]; /* the command now coming in */
    size_t length;
    bool intruding; /* it began while the last one was unanswered */
    bool open_said;
    int64_t heard_at;

    struct owner *asking; /* whose command is being answered, or NULL */
    char answer[LINE_SIZE];
    size_t sent, size;
    int64_t send_at;

    int temperature;
    int exposing_max;

    struct owner owners[OWNERS_MAX];
    size_t owner_count;
};

static volatile sig_atomic_t stop;

static void on_sigterm(int signal)
{
    (void)signal;
    stop = 1;
}

/* The books of whoever the line begins with; "?" when that is no sender's "NAME NUMBER ". */
static struct owner *owner_of(struct instrument *me, const char *line)
{
    char name[NAME_SIZE] = "?";
    char next = '\0';
    long number;

    if (sscanf(line, "%15[A-Z0-9] %ld%c", name, &number, &next) != 3 || next != ' ') {
        strcpy(name, "?");
    }
    for (size_t i = 0; i < me->owner_count; i++) {
        if (strcmp(me->owners[i].name, name) == 0) {
            return &me->owners[i];
        }
    }
    struct owner *owner = &me->owners[me->owner_count < OWNERS_MAX ? me->owner_count++ : 0];
    if (owner->name[0] == '\0') {
        strcpy(owner->name, name);
    }
    return owner;
}

/* A line into which others have talked counts for everyone it names. */
static void count_interleaved(struct instrument *me, struct owner *first)
{
    first->interleaved++;
    for (size_t i = 0; i < me->owner_count; i++) {
        struct owner *other = &me->owners[i];
        if (other != first && strstr(me->line, other->name) != NULL) {
            other->commands++;
            other->interleaved++;
        }
    }
}

static bool well_formed(const char *line, long *number, char verb[LINE_SIZE], int *argument)
{
    const char *star = strrchr(line, '*');
    unsigned sum;
    char rest;
    if (star == NULL || sscanf(star, "*%2X%c", &sum, &rest) != 1 ||
        sum != line_checksum(line, (size_t)(star - line))) {
        return false;
    }
    return sscanf(line, "%*s %ld %127[A-Z] %d*", number, verb, argument) == 3;
}

static int exposures(struct instrument *me)
{
    int count = 0;
    for (size_t i = 0; i < me->owner_count; i++) {
        count += me->owners[i].exposing;
    }
    if (count > me->exposing_max) {
        me->exposing_max = count;
    }
    return count;
}

static int carry_out(struct instrument *me, struct owner *owner, const char *verb, int argument)
{
    if (strcmp(verb, "EXPOSE") == 0) {
        owner->exposing = true;
        return exposures(me);
    }
    if (strcmp(verb, "READ") == 0) {
        owner->exposing = false;
        return random_between(1000, 65535);
    }
    if (strcmp(verb, "TEMPERATURE") == 0) {
        return me->temperature + random_between(0, 500);
    }
    return argument; /* TILT and MOVE: where it stands now */
}

static void forget_line(struct instrument *me)
{
    me->length = 0;
    me->line[0] = '\0';
}

static void end_of_line(struct instrument *me)
{
    long number = 0;
    int argument = 0;
    char verb[LINE_SIZE];
    struct owner *owner = owner_of(me, me->line);

    owner->commands++;
    if (me->intruding) { /* even if it is the same owner, tired of waiting */
        owner->interleaved++;
    } else if (!well_formed(me->line, &number, verb, &argument)) {
        count_interleaved(me, owner);
    } else {
        owner->complete++;
        me->asking = owner;
        me->sent = 0;
        me->size = (size_t)snprintf(me->answer, sizeof me->answer, "OK %s %ld %d\n", owner->name,
                                    number, carry_out(me, owner, verb, argument));
        me->send_at = now_ns() + random_between(1000, 5000) * (MS / 1000);
    }
    forget_line(me);
}

static void half_a_line(struct instrument *me)
{
    struct owner *owner = owner_of(me, me->line);
    owner->commands++;
    owner->half++;
    owner->exposing = false; /* who is cut off gets no frame */
    printf("half %s \"%s\"\n", owner->name, me->line);
    forget_line(me);
}

static void hear(struct instrument *me, char byte)
{
    me->heard_at = now_ns();
    if (byte == LINE_CANCEL) {
        if (me->length > 0) {
            half_a_line(me);
        }
        return;
    }
    if (write(me->port, &byte, 1) != 1) { /* nobody reads the echo: their loss */
        tcflush(me->far_port, TCIFLUSH);
    }
    if (me->length == 0) {
        me->intruding = me->asking != NULL;
        me->open_said = false;
    }
    if (byte == '\n') {
        end_of_line(me);
    } else if (me->length + 1 < sizeof me->line) {
        me->line[me->length++] = byte;
        me->line[me->length] = '\0';
    }
}

/* The next piece of the answer, two or three in all. */
static void answer(struct instrument *me)
{
    size_t piece = me->size / FRAGMENTS_MAX + (size_t)random_between(1, 5);
    if (piece > me->size - me->sent) {
        piece = me->size - me->sent;
    }
    if (write(me->port, me->answer + me->sent, piece) < 0) {
        tcflush(me->far_port, TCIFLUSH);
    }
    me->sent += piece;
    me->send_at = now_ns() + random_between(300, 1500) * (MS / 1000);
    if (me->sent == me->size) {
        me->asking->answered++;
        me->asking = NULL;
    }
}

/* What has become due. Returns when the next thing will. */
static int64_t on_time(struct instrument *me)
{
    int64_t now = now_ns();
    int64_t next = now + 1000 * MS;

    if (me->asking != NULL && now >= me->send_at) {
        answer(me);
    }
    if (me->length > 0 && now >= me->heard_at + GIVE_UP_MS * MS) {
        half_a_line(me);
    } else if (me->length > 0 && !me->open_said && now >= me->heard_at + OPEN_AFTER_MS * MS) {
        me->open_said = true;
        printf("open %s \"%s\"\n", owner_of(me, me->line)->name, me->line);
    }
    if (me->asking != NULL && me->send_at < next) {
        next = me->send_at;
    }
    if (me->length > 0) {
        int64_t due = me->heard_at + (me->open_said ? GIVE_UP_MS : OPEN_AFTER_MS) * MS;
        next = due < next ? due : next;
    }
    return next > now ? next - now : 0;
}

static void order(struct instrument *me)
{
    char text[64];
    ssize_t size = read(STDIN_FILENO, text, sizeof text - 1);
    text[size > 0 ? size : 0] = '\0';
    if (size <= 0 || strstr(text, "STOP") != NULL) {
        stop = 1;
    }
    if (strstr(text, "HEAT") != NULL) {
        me->temperature = TOO_WARM + 1000;
    }
    if (strstr(text, "COUNT") != NULL) {
        unsigned complete = 0;
        for (size_t i = 0; i < me->owner_count; i++) {
            complete += me->owners[i].complete;
        }
        printf("count %u\n", complete);
    }
}

static void serve(struct instrument *me)
{
    sigset_t unblocked;
    sigemptyset(&unblocked);
    while (!stop) {
        int64_t wait = on_time(me);
        struct timespec timeout = {.tv_sec = wait / (1000 * MS), .tv_nsec = wait % (1000 * MS)};
        struct pollfd ears[2] = {{.fd = me->port, .events = POLLIN},
                                 {.fd = STDIN_FILENO, .events = POLLIN}};
        if (ppoll(ears, 2, &timeout, &unblocked) <= 0) {
            continue;
        }
        if (ears[0].revents != 0) {
            char bytes[64];
            ssize_t size = read(me->port, bytes, sizeof bytes);
            for (ssize_t i = 0; i < size; i++) {
                hear(me, bytes[i]);
            }
        }
        if (ears[1].revents != 0) {
            order(me);
        }
    }
    if (me->length > 0) {
        half_a_line(me);
    }
}

static int open_line(struct instrument *me)
{
    struct termios raw;
    me->port = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (me->port < 0 || grantpt(me->port) != 0 || unlockpt(me->port) != 0) {
        return -1;
    }
    me->far_port = open(ptsname(me->port), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (me->far_port < 0 || tcgetattr(me->far_port, &raw) != 0) {
        return -1;
    }
    cfmakeraw(&raw);
    return tcsetattr(me->far_port, TCSANOW, &raw);
}

static int write_report(const struct instrument *me, const char *path)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return -1;
    }
    fprintf(file, "exposing %d\n", me->exposing_max);
    for (size_t i = 0; i < me->owner_count; i++) {
        const struct owner *owner = &me->owners[i];
        fprintf(file, "owner %s %u %u %u %u %u\n", owner->name, owner->commands, owner->complete,
                owner->half, owner->interleaved, owner->answered);
    }
    return fclose(file);
}

int main(int argc, char **argv)
{
    static struct instrument me = {.temperature = 21000};
    struct sigaction action = {.sa_handler = on_sigterm};
    sigset_t blocked;

    if (argc != 2) {
        fprintf(stderr, "usage: %s REPORT\n", argv[0]);
        return 2;
    }
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, NULL); /* it gets through in ppoll only */
    sigaction(SIGTERM, &action, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    srandom((unsigned)getpid());

    if (open_line(&me) != 0) {
        perror("instrument: pseudo-terminal");
        return 1;
    }
    printf("port %s\n", ptsname(me.port));
    serve(&me);
    if (write_report(&me, argv[1]) != 0) {
        perror(argv[1]);
        return 1;
    }
    return 0;
}
