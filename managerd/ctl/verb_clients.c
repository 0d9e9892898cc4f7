/* SPDX-License-Identifier: MIT */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "managerd/ctl/begin.h"
#include "managerd/ctl/json.h"
#include "managerd/ctl/table.h"
#include "managerd/ctl/words.h"

static bool wanted(const struct ctl_request *request, const struct ctl_client *client)
{
    char name[64];
    ctl_client_name(client, name, sizeof(name));
    for (int i = 0; i < request->name_count; i++) {
        const char *pattern = request->names[i];
        if (fnmatch(pattern, client->label, 0) == 0 || strcmp(pattern, name) == 0 ||
            (*pattern >= '1' && *pattern <= '9' && strtol(pattern, NULL, 10) == client->pid)) {
            return true;
        }
    }
    return request->name_count == 0;
}

static bool telling(const struct ctl_request *request, const struct ctl_member *member)
{
    return request->threads || member->holds || member->waits || member->who.note[0];
}

enum { CLIENT, STATE, USER, THREADS, OPEN, HOLDS, WAITS, ATTACHED, WHY, COLUMNS };

static void member_row(struct libscols_table *table, struct libscols_line *parent,
                       const struct ctl_member *member)
{
    char name[80], holds[16], waits[16];
    const char *cells[COLUMNS] = {
        [CLIENT] = name, [HOLDS] = holds, [WAITS] = waits, [WHY] = member->who.note};
    if (member->who.kind == SYNC_PRINCIPAL_HANDLE) {
        snprintf(name, sizeof(name), "a handle");
    } else {
        snprintf(name, sizeof(name), "%s (tid %d)", member->who.thread, member->who.tid);
    }
    snprintf(holds, sizeof(holds), "%" PRIu32, member->holds);
    snprintf(waits, sizeof(waits), "%" PRIu32, member->waits);
    bool bad = member->who.state != member->client->state;
    if (bad) {
        cells[STATE] = ctl_state_word(member->who.state);
    }
    ctl_row(table, parent, cells, bad);
}

static void print(const struct ctl_request *request, const struct ctl_view *view)
{
    static const struct ctl_column columns[COLUMNS + 1] = {
        [CLIENT] = {"CLIENT", CTL_TREE},
        [STATE] = {"STATE", 0},
        [USER] = {"USER", 0},
        [THREADS] = {"THREADS", CTL_RIGHT},
        [OPEN] = {"OPEN", CTL_RIGHT},
        [HOLDS] = {"HOLDS", CTL_RIGHT},
        [WAITS] = {"WAITS", CTL_RIGHT},
        [ATTACHED] = {"ATTACHED", CTL_RIGHT},
        [WHY] = {"WHY", CTL_SHRINKS},
    };
    struct libscols_table *table = ctl_table(columns);
    struct libscols_line **rows = ctl_alloc((view->client_count + 1) * sizeof(*rows));
    for (size_t i = 0; i < view->client_count; i++) {
        const struct ctl_client *client = &view->clients[i];
        char name[64], threads[16], opens[16], holds[16], waits[16], age[40];
        if (!wanted(request, client)) {
            continue;
        }
        ctl_client_name(client, name, sizeof(name));
        snprintf(threads, sizeof(threads), "%" PRIu32, client->threads);
        snprintf(opens, sizeof(opens), "%" PRIu32, client->opens);
        snprintf(holds, sizeof(holds), "%" PRIu32, client->holds);
        snprintf(waits, sizeof(waits), "%" PRIu32, client->waits);
        ctl_duration(age, sizeof(age), view->look.now - client->attached_at);
        const char *cells[COLUMNS] = {
            [CLIENT] = name,
            [STATE] = ctl_state_word(client->state),
            [USER] = client->user,
            [THREADS] = threads,
            [OPEN] = opens,
            [HOLDS] = holds,
            [WAITS] = waits,
            [ATTACHED] = age,
            [WHY] = client->foreign ? "(of another PID namespace)" : NULL,
        };
        rows[i] = ctl_row(table, NULL, cells, client->state != SYNC_STATE_ALIVE);
    }
    for (size_t i = 0; i < view->member_count; i++) {
        const struct ctl_member *member = &view->members[i];
        struct libscols_line *row = member->client ? rows[member->client - view->clients] : NULL;
        if (row && telling(request, member)) {
            member_row(table, row, member);
        }
    }
    free(rows);
    ctl_table_end(table);
}

static json_t *client_json(const struct ctl_view *view, const struct ctl_client *client)
{
    json_t *json = json_object(), *members = json_array();
    ctl_json_set(json, "label", ctl_json_string(client->label));
    ctl_json_set(json, "pid", json_integer(client->pid));
    ctl_json_set(json, "state", ctl_json_string(ctl_state_word(client->state)));
    ctl_json_set(json, "uid", ctl_json_count(client->uid));
    ctl_json_set(json, "user", ctl_json_string(client->user));
    ctl_json_set(json, "foreign_pid_namespace", json_boolean(client->foreign));
    ctl_json_set(json, "threads", ctl_json_count(client->threads));
    ctl_json_set(json, "open", ctl_json_count(client->opens));
    ctl_json_set(json, "holds", ctl_json_count(client->holds));
    ctl_json_set(json, "waits", ctl_json_count(client->waits));
    ctl_json_set(json, "attached_ns", ctl_json_time(client->attached_at));
    ctl_json_set(json, "slot", ctl_json_count(client->slot));
    ctl_json_set(json, "generation", ctl_json_count(client->generation));
    for (size_t i = 0; i < view->member_count; i++) {
        const struct ctl_member *member = &view->members[i];
        if (member->client == client) {
            json_t *one = ctl_json_principal(&member->who);
            ctl_json_set(one, "holds", ctl_json_count(member->holds));
            ctl_json_set(one, "waits", ctl_json_count(member->waits));
            ctl_json_add(members, one);
        }
    }
    ctl_json_set(json, "principals", members);
    return json;
}

int ctl_run_clients(const struct ctl_request *request)
{
    struct ctl_view view;
    int rc = ctl_begin(request, &view);
    if (rc) {
        return rc;
    }
    ctl_take_members(&view);
    size_t found = 0;
    for (size_t i = 0; i < view.client_count; i++) {
        found += wanted(request, &view.clients[i]);
    }
    if (request->json) {
        json_t *document = ctl_json_begin(request, &view.look), *array = json_array();
        for (size_t i = 0; i < view.client_count; i++) {
            if (wanted(request, &view.clients[i])) {
                ctl_json_add(array, client_json(&view, &view.clients[i]));
            }
        }
        ctl_json_set(document, "clients", array);
        ctl_json_end(document);
    } else {
        print(request, &view);
    }
    ctl_view_end(&view);
    return request->name_count && !found ? CTL_FOUND : CTL_OK;
}
