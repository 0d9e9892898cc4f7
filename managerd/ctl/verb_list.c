/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "managerd/ctl/begin.h"
#include "managerd/ctl/json.h"
#include "managerd/ctl/table.h"
#include "managerd/ctl/words.h"

static int by_name(const void *a, const void *b)
{
    const struct ctl_object *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static void print(const struct ctl_view *view, struct ctl_object *const *objects, size_t count)
{
    static const struct ctl_column columns[] = {
        {"NAME", 0},
        {"KIND", 0},
        {"STATE", 0},
        {"OPEN", CTL_RIGHT},
        {"WAITERS", CTL_RIGHT},
        {"CONTENDED", CTL_RIGHT},
        {"TIMEOUTS", CTL_RIGHT},
        {"DEATHS", CTL_RIGHT},
        {"AGE", CTL_RIGHT},
        {NULL, 0},
    };
    struct libscols_table *table = ctl_table(columns);
    for (size_t i = 0; i < count; i++) {
        const struct ctl_object *object = objects[i];
        char state[200], open[16], waiters[24], contended[16], timeouts[16], deaths[16], age[40];
        ctl_full_state(object, state, sizeof(state));
        snprintf(open, sizeof(open), "%" PRIu32, object->opener_count);
        snprintf(waiters, sizeof(waiters), "%zu", object->wait_count);
        snprintf(contended, sizeof(contended), "%" PRIu32, object->contended);
        snprintf(timeouts, sizeof(timeouts), "%" PRIu32, object->timeouts);
        snprintf(deaths, sizeof(deaths), "%" PRIu32, object->deaths);
        ctl_duration(age, sizeof(age), view->look.now - object->created_at);
        const char *cells[] = {object->name, object->kind->name, state,  open, waiters,
                               contended,    timeouts,           deaths, age};
        ctl_row(table, NULL, cells, ctl_trouble(object) != NULL);
    }
    ctl_table_end(table);
}

int ctl_run_list(const struct ctl_request *request)
{
    struct ctl_view view;
    int rc = ctl_begin(request, &view);
    if (rc) {
        return rc;
    }
    struct ctl_object **objects = ctl_alloc((view.object_count + 1) * sizeof(struct ctl_object *));
    size_t count = 0;
    for (size_t i = 0; i < view.object_count; i++) {
        if (ctl_wanted(request, &view.objects[i])) {
            objects[count++] = &view.objects[i];
        }
    }
    qsort(objects, count, sizeof(struct ctl_object *), by_name);
    if (request->json) {
        json_t *document = ctl_json_begin(request, &view.look), *array = json_array();
        for (size_t i = 0; i < count; i++) {
            ctl_json_add(array, ctl_json_object(objects[i], false));
        }
        ctl_json_set(document, "objects", array);
        ctl_json_end(document);
    } else {
        print(&view, objects, count);
    }
    rc = ctl_missing(request, &view) ? CTL_FOUND : CTL_OK;
    free(objects);
    ctl_view_end(&view);
    return rc;
}
