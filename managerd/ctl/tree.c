/* SPDX-License-Identifier: MIT */
#include "managerd/ctl/tree.h"

#include <stdlib.h>

struct forest {
    struct ctl_object *const *objects; /* longest wait first */
    size_t count;
    bool *placed; /* by place in objects */
    struct ctl_node *nodes;
    size_t node_count, node_room;
};

static bool waits(const struct forest *forest, uint32_t principal)
{
    for (size_t i = 0; i < forest->count; i++) {
        const struct ctl_object *object = forest->objects[i];
        for (size_t j = 0; j < object->wait_count; j++) {
            if (object->waits[j].for_whom == principal) {
                return true;
            }
        }
    }
    return false;
}

static size_t add(struct forest *forest, struct ctl_object *object, const struct ctl_wait *wait,
                  size_t parent)
{
    forest->nodes = ctl_grow(forest->nodes, &forest->node_room, forest->node_count,
                             sizeof(*forest->nodes));
    forest->nodes[forest->node_count] = (struct ctl_node){object, wait, NULL, parent};
    return ++forest->node_count;
}

/* Those who wait for the object, hung below `parent`. What they hold is placed when its turn comes:
 * the nodes are their own list of what is still to be done, so depth costs no stack. */
static void place(struct forest *forest, size_t which, size_t parent)
{
    struct ctl_object *object = forest->objects[which];
    forest->placed[which] = true;
    for (size_t i = 0; i < object->wait_count; i++) {
        add(forest, object, &object->waits[i], parent);
    }
}

static void grow_from(struct forest *forest, size_t which)
{
    size_t at = forest->node_count;
    size_t root = add(forest, forest->objects[which], NULL, 0);
    place(forest, which, root);
    for (; at < forest->node_count; at++) {
        const struct ctl_wait *wait = forest->nodes[at].wait;
        for (size_t i = 0; wait && i < forest->count; i++) {
            const struct ctl_object *held = forest->objects[i];
            if (held->holder.principal && held->holder.principal == wait->for_whom &&
                ctl_held(held)) {
                forest->nodes[at].holds = held;
                if (!forest->placed[i]) {
                    place(forest, i, at + 1);
                }
            }
        }
    }
}

size_t ctl_forest(struct ctl_object *const *objects, size_t count, struct ctl_node **ret_nodes)
{
    struct forest forest = {.objects = objects, .count = count};
    forest.placed = ctl_alloc(count + 1);
    for (size_t i = 0; i < count; i++) {
        uint32_t holder = ctl_held(objects[i]) ? objects[i]->holder.principal : 0;
        if (objects[i]->wait_count && (!holder || !waits(&forest, holder))) {
            grow_from(&forest, i);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (objects[i]->wait_count && !forest.placed[i]) {
            grow_from(&forest, i);
        }
    }
    free(forest.placed);
    *ret_nodes = forest.nodes;
    return forest.node_count;
}
