/* SPDX-License-Identifier: MIT */
/* What managerctl would show: read-only, from outside. */
#include "fuzz.h"

#ifdef FUZZ_VIEWS
#include <stdio.h>
#include <stdlib.h>
#include <sync/error.h>

#include "managerd/ctl/view.h"

void fuzz_views(const char *name)
{
    char address[80];
    struct ctl_view view;
    struct sy_cycle *cycles = NULL;
    snprintf(address, sizeof(address), "shm:%s", name);
    if (ctl_view_take(address, &view)) {
        fuzz_want(*sync_last_error() != 0, "a refusal has a text");
        if (view.look.segment) {
            ctl_view_end(&view);
        }
        return;
    }
    ctl_take_members(&view);
    size_t count = ctl_cycles(&view, &cycles);
    for (size_t i = 0; i < count; i++) {
        fuzz_want(cycles[i].count <= SYNC_CYCLE_MAX, "a cycle's length");
    }
    for (size_t i = 0; i < view.object_count; i++) {
        (void)ctl_held(&view.objects[i]);
        (void)ctl_longest(&view.objects[i]);
    }
    free(cycles);
    ctl_view_end(&view);
}
#else
void fuzz_views(const char *name)
{
    (void)name;
}
#endif
