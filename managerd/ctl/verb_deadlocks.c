/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "managerd/ctl/begin.h"
#include "managerd/ctl/json.h"
#include "managerd/ctl/words.h"

static const char *name_of(struct ctl_view *view, uint32_t record)
{
    struct ctl_object *object = ctl_object_at(view, record);
    return object ? object->name : "(gone)";
}

static void print(struct ctl_view *view, const struct sy_cycle *cycles, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct sy_cycle *cycle = &cycles[i];
        printf("deadlock of %u:\n", cycle->count);
        for (uint32_t j = 0; j < cycle->count; j++) {
            char who[240], other[64];
            sync_principal waiter, holder;
            ctl_principal(view, cycle->principals[j], &waiter);
            ctl_principal(view, cycle->principals[(j + 1) % cycle->count], &holder);
            ctl_who_long(&waiter, who, sizeof(who));
            ctl_who(&holder, other, sizeof(other));
            printf("  %s%s%s%s, %s, waits for %s, held by %s\n", who, waiter.note[0] ? ", \"" : "",
                   waiter.note, waiter.note[0] ? "\"" : "", ctl_state_word(waiter.state),
                   name_of(view, cycle->records[j]), other);
        }
    }
}

static json_t *cycle_json(struct ctl_view *view, const struct sy_cycle *cycle)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < cycle->count; i++) {
        sync_principal who;
        json_t *json = json_object();
        ctl_principal(view, cycle->principals[i], &who);
        ctl_json_set(json, "who", ctl_json_principal(&who));
        ctl_json_set(json, "waits_for", ctl_json_string(name_of(view, cycle->records[i])));
        ctl_json_add(array, json);
    }
    return array;
}

int ctl_run_deadlocks(const struct ctl_request *request)
{
    struct ctl_view view;
    struct sy_cycle *cycles;
    int rc = ctl_begin(request, &view);
    if (rc) {
        return rc;
    }
    size_t count = ctl_cycles(&view, &cycles);
    if (request->json) {
        json_t *document = ctl_json_begin(request, &view.look), *array = json_array();
        for (size_t i = 0; i < count; i++) {
            ctl_json_add(array, cycle_json(&view, &cycles[i]));
        }
        ctl_json_set(document, "deadlocks", array);
        ctl_json_end(document);
    } else {
        print(&view, cycles, count);
    }
    free(cycles);
    ctl_view_end(&view);
    return count ? CTL_FOUND : CTL_OK;
}
