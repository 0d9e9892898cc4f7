/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "managerd/ctl/begin.h"
#include "managerd/ctl/events.h"
#include "managerd/ctl/json.h"
#include "managerd/ctl/table.h"
#include "managerd/ctl/words.h"

enum { EVENTS = 10 };

static void field(const char *name, const char *value)
{
    printf("  %-10s %s\n", name, value);
}

/* ---- the form ---- */

static void print_holder(const struct ctl_view *view, const struct ctl_object *object)
{
    char text[400], who[240], held[40];
    const struct ctl_kind *kind = ctl_kind_of(object);
    bool owned = object->kind->number == SYNC_KIND_MUTEX && object->holder.principal;
    if (object->holder.principal) {
        ctl_who_long(&object->holder, who, sizeof(who));
        snprintf(text, sizeof(text), "%s, %s", who, ctl_state_word(object->holder.state));
        field(kind->holder, text);
        field("why", object->holder.note[0] ? object->holder.note : "-");
    } else if (object->kind->number == SYNC_KIND_MUTEX) {
        field(kind->holder, "-");
    }
    if (object->holder.since > 0) {
        ctl_duration(held, sizeof(held), object->held);
        bool long_held = owned && object->max_hold > 0 && object->held > object->max_hold;
        snprintf(text, sizeof(text), owned ? "for %s%s" : "%s ago%s", held,
                 long_held ? ", longer than it may be" : "");
        field(owned ? "held" : "since", text);
    }
    if (object->kind->number == SYNC_KIND_MUTEX) {
        snprintf(text, sizeof(text), "%" PRIu64, object->token);
        field("token", text);
        snprintf(text, sizeof(text), "%" PRIu32, object->depth);
        field("depth", text);
    }
    if (object->evicted) {
        sync_principal evicted;
        sy_describe_principal(view->look.segment, object->evicted, &evicted);
        ctl_who_long(&evicted, who, sizeof(who));
        snprintf(text, sizeof(text), "%s had it before, was broken, and has not noticed yet", who);
        field("evicted", text);
    }
}

static void print_form(const struct ctl_view *view, const struct ctl_object *object)
{
    char text[400], age[40];
    const struct ctl_kind *kind = ctl_kind_of(object);
    ctl_full_state(object, text, sizeof(text));
    printf("%s: %s, %s\n", object->name, object->kind->name, text);
    print_holder(view, object);
    if (kind->count) {
        kind->count(object, text, sizeof(text));
        field("so far", text);
    }
    ctl_options(object, text, sizeof(text));
    field("options", text[0] ? text : "-");
    snprintf(text, sizeof(text), "contended %" PRIu32 ", timeouts %" PRIu32 ", deaths %" PRIu32,
             object->contended, object->timeouts, object->deaths);
    field("counters", text);
    snprintf(text, sizeof(text), "%s ago, record %" PRIu32 ", generation %" PRIu32,
             ctl_duration(age, sizeof(age), view->look.now - object->created_at), object->record,
             object->generation);
    field("created", text);
    if (object->kind->number == SYNC_KIND_MUTEX && ctl_held(object) && !object->owner_died) {
        snprintf(text, sizeof(text), "managerctl break '%s' --token %" PRIu64 " --reason TEXT",
                 object->name, object->token);
        field("last help", text);
    }
}

static void print_waiters(const struct ctl_object *object)
{
    static const struct ctl_column columns[] = {{"  WAITER", 0},
                                                {"STATE", 0},
                                                {"WAITED", CTL_RIGHT},
                                                {"LEFT", CTL_RIGHT},
                                                {"BEHIND", 0},
                                                {"WHY", CTL_SHRINKS},
                                                {NULL, 0}};
    printf("waiters: %zu\n", object->wait_count);
    struct libscols_table *table = ctl_table(columns);
    char ahead[64];
    ctl_holder(object, ahead, sizeof(ahead));
    for (size_t i = 0; i < object->wait_count; i++) {
        const struct ctl_wait *wait = &object->waits[i];
        char who[64], cell[80], waited[40], left[40];
        ctl_who(&wait->who, who, sizeof(who));
        snprintf(cell, sizeof(cell), "  %s", who);
        ctl_duration(waited, sizeof(waited), wait->waited);
        ctl_duration(left, sizeof(left), wait->left);
        const char *cells[] = {cell,          ctl_state_word(wait->who.state), waited, left, ahead,
                               wait->who.note};
        ctl_row(table, NULL, cells, wait->overdue || wait->who.state != SYNC_STATE_ALIVE);
        memcpy(ahead, who, sizeof(ahead));
    }
    ctl_table_end(table);
}

static void print_opens(const struct ctl_object *object)
{
    static const struct ctl_column columns[] = {
        {"  CLIENT", 0}, {"STATE", 0}, {"HANDLES", CTL_RIGHT}, {"PERMITS", CTL_RIGHT}, {NULL, 0}};
    printf("open in: %" PRIu32 "\n", object->opener_count);
    struct libscols_table *table = ctl_table(columns);
    for (size_t i = 0; i < object->open_count; i++) {
        const struct ctl_open *open = &object->opens[i];
        char who[64], cell[80], handles[16], permits[16];
        ctl_client_name(open->client, who, sizeof(who));
        snprintf(cell, sizeof(cell), "  %s", who);
        snprintf(handles, sizeof(handles), "%" PRIu32, open->handles);
        snprintf(permits, sizeof(permits), "%" PRIu32, open->permits);
        const char *cells[] = {cell, ctl_state_word(open->client->state), handles, permits};
        ctl_row(table, NULL, cells, open->client->state != SYNC_STATE_ALIVE);
    }
    ctl_table_end(table);
}

static void print_events(const struct ctl_event *events, size_t count)
{
    puts("events:");
    for (size_t i = 0; i < count; i++) {
        char ago[40];
        ctl_duration(ago, sizeof(ago), events[i].ago);
        printf("  %12s ago  %s\n", ago, events[i].sentence);
    }
    if (!count) {
        puts("  none in the ring");
    }
}

/* ---- JSON ---- */

static json_t *opens_json(const struct ctl_object *object)
{
    json_t *array = json_array();
    for (size_t i = 0; i < object->open_count; i++) {
        const struct ctl_open *open = &object->opens[i];
        json_t *json = json_object();
        ctl_json_set(json, "label", ctl_json_string(open->client->label));
        ctl_json_set(json, "pid", json_integer(open->client->pid));
        ctl_json_set(json, "state", ctl_json_string(ctl_state_word(open->client->state)));
        ctl_json_set(json, "handles", ctl_json_count(open->handles));
        ctl_json_set(json, "permits", ctl_json_count(open->permits));
        ctl_json_add(array, json);
    }
    return array;
}

static json_t *events_json(const struct ctl_event *events, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct ctl_event *event = &events[i];
        json_t *json = json_object();
        ctl_json_set(json, "place", ctl_json_count(event->place));
        ctl_json_set(json, "type", ctl_json_string(event->name));
        ctl_json_set(json, "time_ns", ctl_json_time(event->time));
        ctl_json_set(json, "ago_ns", ctl_json_time(event->ago));
        ctl_json_set(json, "who", ctl_json_principal(&event->who));
        ctl_json_set(json, "other", ctl_json_principal(&event->other));
        ctl_json_set(json, "value", ctl_json_count(event->value));
        ctl_json_set(json, "text", ctl_json_string(event->text));
        ctl_json_set(json, "sentence", ctl_json_string(event->sentence));
        ctl_json_add(array, json);
    }
    return array;
}

static json_t *show_json(struct ctl_view *view, const struct ctl_object *object,
                         const struct ctl_event *events, size_t count)
{
    char options[300];
    json_t *json = ctl_json_object(object, true);
    sync_principal evicted;
    ctl_principal(view, object->evicted, &evicted);
    ctl_options(object, options, sizeof(options));
    ctl_json_set(json, "options", ctl_json_string(options));
    ctl_json_set(json, "evicted", ctl_json_principal(&evicted));
    ctl_json_set(json, "open", opens_json(object));
    ctl_json_set(json, "events", events_json(events, count));
    return json;
}

int ctl_run_show(const struct ctl_request *request)
{
    struct ctl_view view;
    struct sy_cycle *cycles;
    int rc = ctl_begin(request, &view);
    if (rc) {
        return rc;
    }
    ctl_cycles(&view, &cycles);
    json_t *document = request->json ? ctl_json_begin(request, &view.look) : NULL;
    json_t *array = request->json ? json_array() : NULL;
    for (size_t i = 0; i < view.object_count; i++) {
        const struct ctl_object *object = &view.objects[i];
        struct ctl_event *events;
        if (!ctl_wanted(request, object)) {
            continue;
        }
        size_t count = ctl_events(&view, object, EVENTS, &events);
        if (document) {
            ctl_json_add(array, show_json(&view, object, events, count));
        } else {
            print_form(&view, object);
            print_waiters(object);
            print_opens(object);
            print_events(events, count);
        }
        free(events);
    }
    if (document) {
        ctl_json_set(document, "objects", array);
        ctl_json_end(document);
    }
    rc = ctl_missing(request, &view) ? CTL_FOUND : CTL_OK;
    free(cycles);
    ctl_view_end(&view);
    return rc;
}
