/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "managerd/ctl/begin.h"
#include "managerd/ctl/json.h"
#include "managerd/ctl/table.h"
#include "managerd/ctl/tree.h"
#include "managerd/ctl/words.h"

enum { NAME, KIND, STATE, HOLDER, HELD, WAITERS, WAITED, LEFT, WHY, COLUMNS };
static const struct ctl_column columns[COLUMNS + 1] = {
    [NAME] = {"NAME", CTL_TREE},      [KIND] = {"KIND", 0},
    [STATE] = {"STATE", 0},           [HOLDER] = {"HOLDER", 0},
    [HELD] = {"HELD", CTL_RIGHT},     [WAITERS] = {"WAITERS", CTL_RIGHT},
    [WAITED] = {"WAITED", CTL_RIGHT}, [LEFT] = {"LEFT", CTL_RIGHT},
    [WHY] = {"WHY", CTL_SHRINKS},
};

/* ---- which ---- */

static bool wanted(const struct ctl_request *request, const struct ctl_object *object)
{
    bool bad = ctl_trouble(object) != NULL;
    int64_t age = ctl_held(object) ? object->held : 0, longest = ctl_longest(object);
    return ctl_wanted(request, object) && (bad || ctl_held(object) || object->wait_count) &&
           (!request->bad || bad) && (age > longest ? age : longest) >= request->older_than;
}

static int longest_first(const void *a, const void *b)
{
    const struct ctl_object *x = *(struct ctl_object *const *)a;
    const struct ctl_object *y = *(struct ctl_object *const *)b;
    int64_t first = ctl_longest(x), second = ctl_longest(y);
    if (first == second) {
        first = x->held;
        second = y->held;
    }
    return first != second ? (first > second ? -1 : 1) : strcmp(x->name, y->name);
}

static size_t choose(const struct ctl_request *request, struct ctl_view *view,
                     struct ctl_object ***ret_objects)
{
    struct ctl_object **objects = ctl_alloc((view->object_count + 1) * sizeof(struct ctl_object *));
    size_t count = 0;
    for (size_t i = 0; i < view->object_count; i++) {
        if (wanted(request, &view->objects[i])) {
            objects[count++] = &view->objects[i];
        }
    }
    qsort(objects, count, sizeof(struct ctl_object *), longest_first);
    *ret_objects = objects;
    return count;
}

/* ---- tables ---- */

static struct libscols_line *object_row(struct libscols_table *table,
                                        const struct ctl_object *object)
{
    char state[200], holder[64], held[40], waiters[24];
    const char *cells[COLUMNS] = {[NAME] = object->name,
                                  [KIND] = object->kind->name,
                                  [STATE] = state,
                                  [HOLDER] = holder,
                                  [WAITERS] = waiters};
    ctl_full_state(object, state, sizeof(state));
    ctl_holder(object, holder, sizeof(holder));
    snprintf(waiters, sizeof(waiters), "%zu", object->wait_count);
    if (ctl_held(object) && object->holder.since > 0) {
        cells[HELD] = ctl_duration(held, sizeof(held), object->held);
    }
    if (ctl_kind_of(object)->held_by_holder) {
        cells[WHY] = object->holder.note;
    }
    return ctl_row(table, NULL, cells, ctl_trouble(object) != NULL);
}

static struct libscols_line *wait_row(struct libscols_table *table, struct libscols_line *parent,
                                      const struct ctl_wait *wait, const char *name,
                                      const struct ctl_object *holds)
{
    char who[64], waited[40], left[40], why[SYNC_NAME_MAX + 100];
    bool stopped = wait->who.state == SYNC_STATE_STOPPED;
    const char *cells[COLUMNS] = {[NAME] = name,
                                  [STATE] = stopped         ? "waiting, STOPPED"
                                            : wait->overdue ? "waiting, overdue"
                                                            : "waiting",
                                  [HOLDER] = who,
                                  [WAITED] = waited,
                                  [LEFT] = left,
                                  [WHY] = why};
    ctl_who(&wait->who, who, sizeof(who));
    ctl_duration(waited, sizeof(waited), wait->waited);
    ctl_duration(left, sizeof(left), wait->left);
    snprintf(why, sizeof(why), "%s%s%s%s%s", wait->who.note, holds && wait->who.note[0] ? " " : "",
             holds ? "(holds " : "", holds ? holds->name : "", holds ? ")" : "");
    return ctl_row(table, parent, cells, stopped || wait->overdue);
}

static void print_flat(struct ctl_object *const *objects, size_t count)
{
    struct libscols_table *table = ctl_table(columns);
    for (size_t i = 0; i < count; i++) {
        struct libscols_line *row = object_row(table, objects[i]);
        for (size_t j = 0; j < objects[i]->wait_count; j++) {
            wait_row(table, row, &objects[i]->waits[j], NULL, NULL);
        }
    }
    ctl_table_end(table);
}

static void print_tree(const struct ctl_node *nodes, size_t count)
{
    struct libscols_table *table = ctl_table(columns);
    struct libscols_line **rows = ctl_alloc((count + 1) * sizeof(struct libscols_line *));
    for (size_t i = 0; i < count; i++) {
        const struct ctl_node *node = &nodes[i];
        if (!node->wait) {
            rows[i] = object_row(table, node->object);
            continue;
        }
        /* Named only where it is another than the one above. */
        bool same = nodes[node->parent - 1].object == node->object;
        rows[i] = wait_row(table, rows[node->parent - 1], node->wait,
                           same ? NULL : node->object->name, node->holds);
    }
    free(rows);
    ctl_table_end(table);
}

/* ---- JSON ---- */

static json_t *tree_json(const struct ctl_node *nodes, size_t count)
{
    json_t *roots = json_array();
    json_t **children = ctl_alloc((count + 1) * sizeof(json_t *));
    for (size_t i = 0; i < count; i++) {
        const struct ctl_node *node = &nodes[i];
        json_t *json;
        if (node->wait) {
            json = ctl_json_wait(node->wait);
            ctl_json_set(json, "object", ctl_json_string(node->object->name));
            ctl_json_set(json, "holds", ctl_json_string(node->holds ? node->holds->name : NULL));
        } else {
            json = ctl_json_object(node->object, false);
        }
        children[i] = json_array();
        ctl_json_set(json, "children", children[i]);
        ctl_json_add(node->wait ? children[node->parent - 1] : roots, json);
    }
    free(children);
    return roots;
}

static void print_json(const struct ctl_request *request, const struct ctl_view *view,
                       struct ctl_object *const *objects, size_t count,
                       const struct ctl_node *nodes, size_t node_count)
{
    json_t *document = ctl_json_begin(request, &view->look);
    if (request->tree) {
        ctl_json_set(document, "tree", tree_json(nodes, node_count));
    } else {
        json_t *array = json_array();
        for (size_t i = 0; i < count; i++) {
            ctl_json_add(array, ctl_json_object(objects[i], true));
        }
        ctl_json_set(document, "objects", array);
    }
    ctl_json_end(document);
}

int ctl_run_locks(const struct ctl_request *request)
{
    struct ctl_view view;
    struct sy_cycle *cycles;
    struct ctl_object **objects;
    struct ctl_node *nodes = NULL;
    int rc = ctl_begin(request, &view);
    if (rc) {
        return rc;
    }
    ctl_cycles(&view, &cycles);
    size_t count = choose(request, &view, &objects);
    size_t node_count = request->tree ? ctl_forest(objects, count, &nodes) : 0;
    if (request->json) {
        print_json(request, &view, objects, count, nodes, node_count);
    } else if (request->tree) {
        print_tree(nodes, node_count);
    } else {
        print_flat(objects, count);
    }
    rc = ctl_missing(request, &view) ? CTL_FOUND : CTL_OK;
    free(nodes);
    free(objects);
    free(cycles);
    ctl_view_end(&view);
    return rc;
}
