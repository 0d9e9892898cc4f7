/* SPDX-License-Identifier: MIT */
/* What is to be seen in a segment at one instant, as plain structs: read once, then only printed.
 * Facts that belong together may be an instant apart; each is bound-checked, none is believed. */
#ifndef CTL_VIEW_H
#define CTL_VIEW_H

#include "managerd/ctl/ctl.h"
#include "managerd/ctl/look.h"
#include "objects/kind.h"

/* A process that is attached. */
struct ctl_client {
    uint32_t slot, generation;
    int32_t pid, state; /* SYNC_STATE_… */
    uint32_t uid;
    char user[32], label[SY_LABEL];
    int64_t attached_at; /* ns */
    bool foreign;        /* of another PID namespace: its pid means nothing here */
    uint32_t threads, opens, holds, waits;
};

/* A thread, a handle: whoever can own. */
struct ctl_member {
    struct ctl_client *client; /* NULL: its process is not to be seen any more */
    sync_principal who;
    uint32_t holds, waits;
};

struct ctl_object;

/* Somebody who waits for something. */
struct ctl_wait {
    struct ctl_object *object;
    struct ctl_client *client;
    sync_principal who;   /* the thread that sleeps */
    uint32_t for_whom;    /* owner id: the thread itself, or a handle */
    int64_t waited, left; /* ns; INT64_MAX: for ever */
    uint32_t record, generation, executor;
    bool overdue; /* its deadline is past, and it is still there */
};

/* A process that has an object open. */
struct ctl_open {
    struct ctl_client *client;
    uint32_t record, generation;
    uint32_t handles, permits;
    uint64_t arrived;
};

struct ctl_object {
    uint32_t record, generation;
    const struct sy_kind *kind;
    char *name;
    uint32_t flags;
    int64_t created_at, timeout, max_hold;
    uint32_t contended, timeouts, deaths;
    sync_principal holder; /* principal 0: nobody */
    int64_t held;          /* ns */
    uint64_t token, rounds;
    uint32_t depth, value, maximum;
    int32_t cause;
    bool owner_died, poisoned, broken;
    uint32_t evicted;       /* owner id that a break took it from, and that has not given up yet */
    struct ctl_wait *waits; /* oldest first */
    size_t wait_count;
    struct ctl_open *opens;
    size_t open_count;
    uint32_t opener_count; /* live ones */
    bool in_cycle;
};

struct ctl_view {
    struct ctl_look look;
    struct ctl_client *clients;
    size_t client_count, client_room;
    struct ctl_member *members;
    size_t member_count, member_room;
    struct ctl_wait *waits; /* by record, oldest first */
    size_t wait_count, wait_room;
    struct ctl_open *opens; /* by record */
    size_t open_count, open_room;
    struct ctl_object *objects; /* by record */
    size_t object_count, object_room;
    struct ctl_client **client_of; /* by process slot */
    uint32_t slots;
};

/* 0, or a code with its text. */
int ctl_view_take(const char *address, struct ctl_view *ret_view);
void ctl_view_end(struct ctl_view *view);

/* view_clients.c */
void ctl_take_clients(struct ctl_view *view);
void ctl_take_members(struct ctl_view *view);
struct ctl_client *ctl_client_at(struct ctl_view *view, uint32_t slot, uint32_t generation);
/* Who an owner id names, its strings clean. */
void ctl_clean(sync_principal *who);
void ctl_principal(struct ctl_view *view, uint32_t owner, sync_principal *ret_who);
uint32_t ctl_id_of(struct ctl_view *view, uint32_t index, uint64_t *ret_tenancy);

/* The cycles there are; each once. Returns their number. */
size_t ctl_cycles(struct ctl_view *view, struct sy_cycle **ret_cycles);
struct ctl_object *ctl_object_at(struct ctl_view *view, uint32_t record);
/* Does the object pass the names (globs) and the kind asked for? */
bool ctl_wanted(const struct ctl_request *request, const struct ctl_object *object);
/* Does anybody hold it? For a mutex its owner, for a semaphore processes with permits. */
bool ctl_held(const struct ctl_object *object);
/* Its longest wait, ns; 0 when nobody waits. */
int64_t ctl_longest(const struct ctl_object *object);

#endif
