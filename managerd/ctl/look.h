/* SPDX-License-Identifier: MIT */
/* A look at a segment from outside: read-only, no lock, no slot. */
#ifndef CTL_LOOK_H
#define CTL_LOOK_H

#include <sync/manager.h>

#include "shm/segment.h"

struct ctl_look {
    struct sy_segment *segment;
    char name[64];
    char address[72];
    char path[SY_PATH_MAX + 16];
    int64_t now;  /* ns, CLOCK_MONOTONIC */
    int64_t wall; /* ns, CLOCK_REALTIME */
    int private_to_user;
    bool orphaned;
    /* the daemon */
    int state; /* SYNC_MANAGER_… */
    int32_t pid;
    char process_state; /* letter of /proc/PID/stat, 0 unknown */
    int64_t silent;     /* ns since its last beat; -1: it never beat */
    uint32_t epoch;
};

/* The name that an address leads to: 0 or SYNC_EADDRESS. */
int ctl_name_of(const char *address, char *ret_name, size_t size, char *ret_shm_name,
                size_t shm_size, int *ret_private);
/* 0, or a code with its text in sync_last_error(). */
int ctl_look(const char *address, struct ctl_look *ret_look);
void ctl_look_end(struct ctl_look *look);
/* "managerd[812] alive", … */
void ctl_say_manager(const struct ctl_look *look, char *to, size_t size);
/* Before the first look: a file that is cut while we read it ends the program with a text. */
void ctl_catch_bus_errors(void);

#endif
