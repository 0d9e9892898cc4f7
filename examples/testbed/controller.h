/* SPDX-License-Identifier: MIT */
/* What the camera, the mirror, the stage and the safety monitor have in common: they start
 * together, talk to the instrument one at a time, and stop together. */
#ifndef TESTBED_CONTROLLER_H
#define TESTBED_CONTROLLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sync/sync.h>

#include "protocol.h"

#define PATIENCE SYNC_MS(PATIENCE_MS)

struct controller {
    const char *name;
    sync_manager *manager;
    sync_mutex *port;    /* who has it may use the line */
    sync_barrier *start; /* passed once, by all */
    sync_event *stop;    /* everyone leaves when it is set */

    int line; /* the serial port */
    int64_t answer_within;
    int number; /* of the last command */
    int sent, answered, garbled;
    int64_t took_at, longest_wait, longest_hold; /* the port, ns */
};

struct controller_kind {
    const char *name;
    void (*prepare)(struct controller *); /* opens what it alone uses; may be NULL */
    void (*work)(struct controller *);    /* one step; called until "stop" is set */
};

/* Options, connection, start, work, stop. Returns the exit status. */
int controller_main(int argc, char **argv, const struct controller_kind *kind);

/* One command under the lock, `why` shown to whoever asks. False when the answer was not ours. */
bool controller_command(struct controller *me, const char *verb, int argument, const char *why,
                        int *ret_value);

/* Wait a random time, but not longer than until "stop". */
void controller_pause(struct controller *me, int low_ms, int high_ms);

/* A line for the testbed on standard output. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Gives a status back; says what failed and ends the program if it is an error. */
int must(int rc, const char *doing);

#endif
