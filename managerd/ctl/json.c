/* SPDX-License-Identifier: MIT */
#include "managerd/ctl/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "managerd/ctl/words.h"

static json_t *need(json_t *value)
{
    if (!value) {
        fputs("managerctl: out of memory\n", stderr);
        exit(CTL_FAILED);
    }
    return value;
}

void ctl_json_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, need(value)) != 0) {
        need(NULL);
    }
}

void ctl_json_add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, need(value)) != 0) {
        need(NULL);
    }
}

json_t *ctl_json_string(const char *text)
{
    return text && *text ? need(json_string(text)) : json_null();
}

json_t *ctl_json_time(int64_t ns)
{
    return ns == INT64_MAX ? json_null() : need(json_integer(ns));
}

json_t *ctl_json_count(uint64_t count)
{
    return need(json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count));
}

json_t *ctl_json_principal(const sync_principal *who)
{
    static const char *const kinds[] = {
        [SYNC_PRINCIPAL_NONE] = "none",     [SYNC_PRINCIPAL_THREAD] = "thread",
        [SYNC_PRINCIPAL_HANDLE] = "handle", [SYNC_PRINCIPAL_SESSION] = "session",
        [SYNC_PRINCIPAL_JOB] = "job",       [SYNC_PRINCIPAL_RESERVATION] = "reservation",
    };
    if (!who->principal) {
        return json_null();
    }
    json_t *json = need(json_object());
    bool known = who->kind >= 0 && (size_t)who->kind < SY_COUNT(kinds);
    ctl_json_set(json, "principal", ctl_json_count(who->principal));
    ctl_json_set(json, "kind", ctl_json_string(known ? kinds[who->kind] : "unknown"));
    ctl_json_set(json, "state", ctl_json_string(ctl_state_word(who->state)));
    ctl_json_set(json, "pid", who->pid ? json_integer(who->pid) : json_null());
    ctl_json_set(json, "tid", who->tid ? json_integer(who->tid) : json_null());
    ctl_json_set(json, "uid", who->pid ? ctl_json_count(who->uid) : json_null());
    ctl_json_set(json, "user", ctl_json_string(who->user));
    ctl_json_set(json, "host", ctl_json_string(who->host));
    ctl_json_set(json, "label", ctl_json_string(who->label));
    ctl_json_set(json, "thread", ctl_json_string(who->thread));
    ctl_json_set(json, "note", ctl_json_string(who->note));
    return json;
}

json_t *ctl_json_wait(const struct ctl_wait *wait)
{
    json_t *json = need(json_object());
    ctl_json_set(json, "who", ctl_json_principal(&wait->who));
    ctl_json_set(json, "for", ctl_json_count(wait->for_whom));
    ctl_json_set(json, "waited_ns", ctl_json_time(wait->waited));
    ctl_json_set(json, "left_ns", ctl_json_time(wait->left));
    ctl_json_set(json, "overdue", json_boolean(wait->overdue));
    return json;
}

/* Processes with permits, for kinds that are held so. */
static json_t *holders(const struct ctl_object *object)
{
    json_t *array = need(json_array());
    for (size_t i = 0; i < object->open_count; i++) {
        const struct ctl_open *open = &object->opens[i];
        if (open->permits) {
            json_t *json = need(json_object());
            ctl_json_set(json, "label", ctl_json_string(open->client->label));
            ctl_json_set(json, "pid", json_integer(open->client->pid));
            ctl_json_set(json, "state", ctl_json_string(ctl_state_word(open->client->state)));
            ctl_json_set(json, "permits", ctl_json_count(open->permits));
            ctl_json_add(array, json);
        }
    }
    return array;
}

static void set_kind(json_t *json, const struct ctl_object *object)
{
    uint32_t kind = object->kind->number;
    if (kind == SYNC_KIND_MUTEX) {
        ctl_json_set(json, "token", ctl_json_count(object->token));
        ctl_json_set(json, "depth", ctl_json_count(object->depth));
        ctl_json_set(json, "owner_died", json_boolean(object->owner_died));
        ctl_json_set(json, "poisoned", json_boolean(object->poisoned));
        ctl_json_set(json, "max_hold_ns",
                     object->max_hold > 0 ? ctl_json_time(object->max_hold) : json_null());
    } else {
        ctl_json_set(json, "value", ctl_json_count(object->value));
    }
    if (kind == SYNC_KIND_SEMAPHORE || kind == SYNC_KIND_BARRIER) {
        ctl_json_set(json, "maximum",
                     object->maximum ? ctl_json_count(object->maximum) : json_null());
    }
    if (kind == SYNC_KIND_SEMAPHORE) {
        ctl_json_set(json, "holders", holders(object));
    }
    if (kind == SYNC_KIND_EVENT || kind == SYNC_KIND_BARRIER) {
        ctl_json_set(json, "rounds", ctl_json_count(object->rounds));
    }
    if (kind == SYNC_KIND_BARRIER) {
        ctl_json_set(json, "cause",
                     object->broken ? ctl_json_string(ctl_cause_word(object->cause)) : json_null());
    }
}

json_t *ctl_json_object(const struct ctl_object *object, bool waiters)
{
    char state[160];
    json_t *json = need(json_object());
    ctl_kind_of(object)->state(object, state, sizeof(state));
    const char *trouble = ctl_trouble(object);
    ctl_json_set(json, "name", need(json_string(object->name)));
    ctl_json_set(json, "kind", ctl_json_string(object->kind->name));
    ctl_json_set(json, "state", ctl_json_string(state));
    ctl_json_set(json, "bad", json_boolean(trouble != NULL));
    ctl_json_set(json, "trouble", ctl_json_string(trouble));
    ctl_json_set(json, "holder", ctl_json_principal(&object->holder));
    ctl_json_set(json, "held_ns",
                 object->holder.since > 0 ? ctl_json_time(object->held) : json_null());
    ctl_json_set(json, "broken", json_boolean(object->broken));
    set_kind(json, object);
    ctl_json_set(json, "waiting", ctl_json_count(object->wait_count));
    ctl_json_set(json, "longest_wait_ns", ctl_json_time(ctl_longest(object)));
    ctl_json_set(json, "flags", ctl_json_count(object->flags));
    ctl_json_set(json, "timeout_ns",
                 object->timeout > 0 ? ctl_json_time(object->timeout) : json_null());
    ctl_json_set(json, "open_in", ctl_json_count(object->opener_count));
    ctl_json_set(json, "contended", ctl_json_count(object->contended));
    ctl_json_set(json, "timeouts", ctl_json_count(object->timeouts));
    ctl_json_set(json, "deaths", ctl_json_count(object->deaths));
    ctl_json_set(json, "created_ns", ctl_json_time(object->created_at));
    ctl_json_set(json, "record", ctl_json_count(object->record));
    ctl_json_set(json, "generation", ctl_json_count(object->generation));
    if (waiters) {
        json_t *array = need(json_array());
        for (size_t i = 0; i < object->wait_count; i++) {
            ctl_json_add(array, ctl_json_wait(&object->waits[i]));
        }
        ctl_json_set(json, "waiters", array);
    }
    return json;
}

/* ---- the document ---- */

json_t *ctl_json_begin(const struct ctl_request *request, const struct ctl_look *look)
{
    static const char *const states[] = {[SYNC_MANAGER_ABSENT] = "absent",
                                         [SYNC_MANAGER_RUNNING] = "alive",
                                         [SYNC_MANAGER_STALE] = "not beating"};
    json_t *document = need(json_object()), *manager = need(json_object());
    char letter[2] = {look->process_state, 0};
    ctl_json_set(document, "schema", json_integer(1));
    ctl_json_set(document, "verb", ctl_json_string(request->verb->name));
    ctl_json_set(document, "now_ns", ctl_json_time(look->now));
    ctl_json_set(document, "wall_ns", ctl_json_time(look->wall));
    ctl_json_set(manager, "address", ctl_json_string(look->address));
    ctl_json_set(manager, "path", ctl_json_string(look->path));
    ctl_json_set(manager, "state", ctl_json_string(states[look->state]));
    ctl_json_set(manager, "pid", look->pid > 0 ? json_integer(look->pid) : json_null());
    ctl_json_set(manager, "process_state", ctl_json_string(letter));
    ctl_json_set(manager, "silent_ns",
                 look->silent >= 0 ? ctl_json_time(look->silent) : json_null());
    ctl_json_set(manager, "epoch", ctl_json_count(look->epoch));
    ctl_json_set(manager, "orphaned", json_boolean(look->orphaned));
    ctl_json_set(manager, "private_to_user", json_boolean(look->private_to_user));
    ctl_json_set(document, "manager", manager);
    return document;
}

void ctl_json_end(json_t *document)
{
    if (json_dumpf(document, stdout, JSON_INDENT(2)) != 0) {
        perror("managerctl: stdout");
        exit(CTL_FAILED);
    }
    putchar('\n');
    json_decref(document);
}

void ctl_json_error(const struct ctl_request *request, int code, const char *text)
{
    json_t *document = need(json_object()), *error = need(json_object());
    char clean[1024];
    sy_text_copy(clean, sizeof(clean), text, strlen(text));
    ctl_json_set(document, "schema", json_integer(1));
    ctl_json_set(document, "verb", ctl_json_string(request->verb ? request->verb->name : NULL));
    ctl_json_set(error, "code", json_integer(code));
    ctl_json_set(error, "name", ctl_json_string(sync_strcode(code)));
    ctl_json_set(error, "text", ctl_json_string(clean));
    ctl_json_set(document, "error", error);
    ctl_json_end(document);
}
