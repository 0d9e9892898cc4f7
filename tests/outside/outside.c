/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <sync/sync.h>

int main(void)
{
    sync_manager_options options = {.no_autostart = 1};
    sync_manager *manager = NULL;
    int rc = sync_manager_connect("shm:outside-nobody-started-it", &options, &manager);
    if (rc != SYNC_ENOMANAGER || manager != NULL) {
        fprintf(stderr, "connect: %s, %s expected\n", sync_strcode(rc),
                sync_strcode(SYNC_ENOMANAGER));
        return 1;
    }
    if (strcmp(sync_strcode(rc), "SYNC_ENOMANAGER") != 0 || sync_last_error()[0] == '\0') {
        fprintf(stderr, "no text for SYNC_ENOMANAGER\n");
        return 1;
    }
    return sync_remaining(sync_deadline_after(SYNC_S(10))) > SYNC_S(5) ? 0 : 1;
}
