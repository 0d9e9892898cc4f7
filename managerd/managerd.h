/* SPDX-License-Identifier: MIT */
/* The manager: creates or adopts the segment, beats, reaps the dead. It serves nobody: clients work
 * on the segment themselves, and go on when it is gone. */
#ifndef MANAGERD_H
#define MANAGERD_H

#include <stdio.h>

#include "shm/segment.h"

#define EXIT_USAGE 2
#define EXIT_RUNNING 3 /* another manager serves this name */
#define EXIT_REFUSED 4 /* what is there is not ours to touch */

/* config.c */
struct config {
    char name[64];
    char path[256]; /* of the file that was read, "" for none */
    bool background, help, version, remove;
    struct sy_segment_config segment;
    char group[32];
};
/* Defaults, then the file, then the environment, then the options. 0, or an exit status after a
 * message that names key, value and rule. */
int config_read(int argc, char **argv, struct config *ret_config);
void config_help(FILE *to);

/* log.c: stderr, or syslog once detached. */
void log_to_syslog(void);
void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* detach.c: leave the caller's session, and everything else of it, behind. In the process that goes
 * on: 0 and *ret_ready, to which one status byte is owed. In the caller: the exit status. */
int detach(int *ret_ready, bool *ret_caller);

/* singleton.c: one manager per name and host. Returns the listening socket, or -EXIT_RUNNING after
 * saying who is there and in which state. */
int singleton_claim(const char *shm_name, int32_t *ret_pid);
/* Processes that still map a segment of this name that was unlinked: nobody may make another one
 * beside them. Returns the pid of one, 0 for none. */
int32_t singleton_orphan_user(const char *shm_name);

/* beat.c */
int beat_start(struct sy_segment *segment);
void beat_stop(void);

/* reaper.c */
struct reaper;
struct reaper *reaper_new(struct sy_segment *segment, int epoll);
void reaper_free(struct reaper *reaper);
/* A client said hello on `fd`, or hung up; what it says is checked, never believed. */
void reaper_accept(struct reaper *reaper, int listener);
void reaper_event(struct reaper *reaper, uint64_t key);
/* Every second: what has no pidfd; every tenth time everybody. */
void reaper_sweep(struct reaper *reaper);
/* Log what is still held by whom. Returns the number of live process slots. */
int reaper_report(struct sy_segment *segment);

/* loop.c: until a signal says stop. */
void loop_block_signals(void);
int loop_run(struct sy_segment *segment, int listener);

#endif
