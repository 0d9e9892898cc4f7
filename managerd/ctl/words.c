/* SPDX-License-Identifier: MIT */
#include "managerd/ctl/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* ---- kinds ---- */

static void mutex_state(const struct ctl_object *object, char *to, size_t size)
{
    const char *word = object->broken              ? "broken"
                       : object->poisoned          ? "poisoned"
                       : !object->holder.principal ? "free"
                       : object->owner_died        ? "owner died"
                                                   : "held";
    snprintf(to, size, "%s", word);
}

static void semaphore_state(const struct ctl_object *object, char *to, size_t size)
{
    snprintf(to, size, object->maximum ? "%u of %u free" : "%u free", object->value,
             object->maximum);
}

static void event_state(const struct ctl_object *object, char *to, size_t size)
{
    snprintf(to, size, "%s", object->value ? "set" : "clear");
}

static void event_count(const struct ctl_object *object, char *to, size_t size)
{
    snprintf(to, size, "%" PRIu64 " sets so far", object->rounds);
}

static void barrier_state(const struct ctl_object *object, char *to, size_t size)
{
    if (object->broken) {
        snprintf(to, size, "broken: %s", ctl_cause_word(object->cause));
    } else if (object->holder.principal) {
        snprintf(to, size, "action runs");
    } else {
        snprintf(to, size, "%u of %u here", object->value, object->maximum);
    }
}

static void barrier_count(const struct ctl_object *object, char *to, size_t size)
{
    snprintf(to, size, "%" PRIu64 " rounds since it last broke", object->rounds);
}

static void plain_state(const struct ctl_object *object, char *to, size_t size)
{
    snprintf(to, size, "%s", object->holder.principal ? "held" : "-");
}

static const struct ctl_kind kinds[] = {
    {SYNC_KIND_MUTEX, true, "holder", mutex_state, NULL},
    {SYNC_KIND_SEMAPHORE, false, "holder", semaphore_state, NULL},
    {SYNC_KIND_EVENT, false, "set by", event_state, event_count},
    {SYNC_KIND_BARRIER, true, "by", barrier_state, barrier_count},
    {0, true, "holder", plain_state, NULL},
};

const struct ctl_kind *ctl_kind_of(const struct ctl_object *object)
{
    const struct ctl_kind *kind = kinds;
    while (kind->number && kind->number != object->kind->number) {
        kind++;
    }
    return kind;
}

uint32_t ctl_kind_number(const char *name)
{
    for (const struct ctl_kind *kind = kinds; kind->number; kind++) {
        if (strcmp(sy_kind_name(kind->number), name) == 0) {
            return kind->number;
        }
    }
    return 0;
}

/* ---- words ---- */

const char *ctl_state_word(int32_t state)
{
    static const char *const words[] = {
        [SYNC_STATE_UNKNOWN] = "unknown", [SYNC_STATE_ALIVE] = "alive",
        [SYNC_STATE_STOPPED] = "STOPPED", [SYNC_STATE_DUMPING] = "dumping core",
        [SYNC_STATE_SUSPECT] = "suspect", [SYNC_STATE_DEAD] = "dead",
    };
    return state >= 0 && (size_t)state < SY_COUNT(words) ? words[state] : "unknown";
}

const char *ctl_cause_word(int32_t cause)
{
    static const char *const words[] = {
        [SYNC_CAUSE_NONE] = "no cause known", [SYNC_CAUSE_TIMEOUT] = "a party timed out",
        [SYNC_CAUSE_ABORT] = "aborted",       [SYNC_CAUSE_DIED] = "a party died",
        [SYNC_CAUSE_RESET] = "reset",         [SYNC_CAUSE_ACTION] = "its action failed",
        [SYNC_CAUSE_LEFT] = "a member left",
    };
    return cause >= 0 && (size_t)cause < SY_COUNT(words) ? words[cause] : "no cause known";
}

char *ctl_duration(char *to, size_t size, int64_t ns)
{
    if (ns == INT64_MAX) {
        snprintf(to, size, "for ever");
        return to;
    }
    return sy_text_duration(to, size, ns);
}

void ctl_who(const sync_principal *who, char *to, size_t size)
{
    if (!who->principal) {
        snprintf(to, size, "-");
    } else if (!who->pid) {
        snprintf(to, size, "somebody gone");
    } else {
        snprintf(to, size, "%s[%d]", who->label, who->pid);
    }
}

void ctl_who_long(const sync_principal *who, char *to, size_t size)
{
    char name[64];
    ctl_who(who, name, sizeof(name));
    if (!who->pid) {
        snprintf(to, size, "%s", name);
    } else if (who->kind == SYNC_PRINCIPAL_HANDLE) {
        snprintf(to, size, "%s a handle, opened by thread \"%s\" (tid %d), %s@%s", name,
                 who->thread, who->tid, who->user, who->host);
    } else {
        snprintf(to, size, "%s thread \"%s\" (tid %d), %s@%s", name, who->thread, who->tid,
                 who->user, who->host);
    }
}

void ctl_client_name(const struct ctl_client *client, char *to, size_t size)
{
    snprintf(to, size, "%s[%d]", client->label, client->pid);
}

void ctl_holder(const struct ctl_object *object, char *to, size_t size)
{
    size_t holders = 0;
    snprintf(to, size, "-");
    if (ctl_kind_of(object)->held_by_holder) {
        ctl_who(&object->holder, to, size);
        return;
    }
    for (size_t i = 0; i < object->open_count; i++) {
        if (object->opens[i].permits && ++holders == 1) {
            ctl_client_name(object->opens[i].client, to, size);
        }
    }
    if (holders > 1) {
        snprintf(to, size, "%zu processes", holders);
    }
}

const char *ctl_trouble(const struct ctl_object *object)
{
    bool held = ctl_held(object);
    int32_t state = held ? object->holder.state : SYNC_STATE_ALIVE;
    if (object->in_cycle) {
        return "DEADLOCK";
    }
    if (object->broken || object->poisoned || object->owner_died) {
        return "";
    }
    if (ctl_kind_of(object)->held_by_holder && held && state != SYNC_STATE_ALIVE) {
        static const char *const owners[] = {
            [SYNC_STATE_UNKNOWN] = "owner unknown", [SYNC_STATE_ALIVE] = "",
            [SYNC_STATE_STOPPED] = "owner STOPPED", [SYNC_STATE_DUMPING] = "owner dumps core",
            [SYNC_STATE_SUSPECT] = "owner suspect", [SYNC_STATE_DEAD] = "owner dead",
        };
        return state >= 0 && (size_t)state < SY_COUNT(owners) ? owners[state] : owners[0];
    }
    if (held && object->max_hold > 0 && object->held > object->max_hold) {
        return "held too long";
    }
    for (size_t i = 0; i < object->wait_count; i++) {
        if (object->waits[i].overdue) {
            return object->waits[i].who.state == SYNC_STATE_STOPPED ? "a waiter STOPPED"
                                                                    : "a waiter is overdue";
        }
    }
    if (object->evicted) {
        return "taken away, evicted has not noticed";
    }
    return NULL;
}

void ctl_full_state(const struct ctl_object *object, char *to, size_t size)
{
    const char *trouble = ctl_trouble(object);
    ctl_kind_of(object)->state(object, to, size);
    size_t used = strlen(to);
    if (trouble && *trouble) {
        snprintf(to + used, size - used, ", %s", trouble);
    }
}

void ctl_options(const struct ctl_object *object, char *to, size_t size)
{
    static const struct {
        uint32_t kind, flag;
        const char *with, *without;
    } rows[] = {
        {SYNC_KIND_MUTEX, SYNC_FLAG_NON_RECURSIVE, "not recursive", "recursive"},
        {SYNC_KIND_MUTEX, SYNC_FLAG_OWNER_HANDLE, "owned by a handle", "owned by a thread"},
        {SYNC_KIND_MUTEX, SYNC_FLAG_FIFO, "first come first served", NULL},
        {SYNC_KIND_MUTEX, SYNC_FLAG_POISON, "poisoned by a dead owner", NULL},
        {SYNC_KIND_MUTEX, SYNC_FLAG_SILENT, "silent about dead owners", NULL},
        {SYNC_KIND_SEMAPHORE, SYNC_FLAG_UNTRACKED, "permits are nobody's",
         "permits return when their process dies"},
        {SYNC_KIND_EVENT, SYNC_FLAG_AUTO_RESET, "auto reset", "manual reset"},
        {SYNC_KIND_BARRIER, SYNC_FLAG_MEMBERS, "broken by a member's death", NULL},
    };
    char time[40];
    size_t used = 0;
    to[0] = 0;
    for (size_t i = 0; i < SY_COUNT(rows); i++) {
        const char *text = object->flags & rows[i].flag ? rows[i].with : rows[i].without;
        if (rows[i].kind == object->kind->number && text && used < size) {
            used += (size_t)snprintf(to + used, size - used, "%s%s", used ? ", " : "", text);
        }
    }
    if (used < size && object->timeout > 0) {
        used += (size_t)snprintf(to + used, size - used, "%stimeout %s", used ? ", " : "",
                                 ctl_duration(time, sizeof(time), object->timeout));
    }
    if (used < size && object->max_hold > 0) {
        snprintf(to + used, size - used, "%sheld at most %s", used ? ", " : "",
                 ctl_duration(time, sizeof(time), object->max_hold));
    }
}
