/* SPDX-License-Identifier: MIT */
/* Who waits for whom, as a forest: below an object those who wait for it, below each of those the
 * ones who wait for what it holds. An object has one holder, so it stands in one place only. */
#ifndef CTL_TREE_H
#define CTL_TREE_H

#include "managerd/ctl/view.h"

struct ctl_node {
    struct ctl_object *object;
    const struct ctl_wait *wait;    /* NULL: the root, its holder */
    const struct ctl_object *holds; /* of what this waiter holds: something waited for, or NULL */
    size_t parent;                  /* index + 1; 0: none */
};

/* The forest of the wanted objects that are waited for; parents before their children. A circle has
 * no root and begins with its longest wait. Returns the number of nodes. */
size_t ctl_forest(struct ctl_object *const *objects, size_t count, struct ctl_node **ret_nodes);

#endif
