/* SPDX-License-Identifier: MIT */
#include "managerd/ctl/begin.h"

#include <stdio.h>

#include "managerd/ctl/json.h"

int ctl_refuse(const struct ctl_request *request, int code)
{
    fprintf(stderr, "managerctl: %s\n", sync_last_error());
    if (request->json) {
        ctl_json_error(request, code, sync_last_error());
    }
    return CTL_FAILED;
}

int ctl_begin(const struct ctl_request *request, struct ctl_view *ret_view)
{
    int rc = ctl_view_take(request->address, ret_view);
    if (rc) {
        return ctl_refuse(request, rc);
    }
    if (!request->quiet) {
        char text[400];
        ctl_say_manager(&ret_view->look, text, sizeof(text));
        fprintf(stderr, "%s\n", text);
    }
    return 0;
}

int ctl_missing(const struct ctl_request *request, const struct ctl_view *view)
{
    int missing = 0;
    for (int i = 0; i < request->name_count; i++) {
        struct ctl_request one = {.names = &request->names[i], .name_count = 1};
        bool found = false;
        for (size_t j = 0; j < view->object_count && !found; j++) {
            found = ctl_wanted(&one, &view->objects[j]);
        }
        if (!found) {
            fprintf(stderr, "managerctl: no object \"%s\" in %s; see: managerctl list\n",
                    request->names[i], view->look.address);
            missing++;
        }
    }
    return missing;
}
