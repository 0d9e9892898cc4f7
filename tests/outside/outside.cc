// SPDX-License-Identifier: MIT
#include <cstdio>

#include <sync/sync.h>

int main()
{
    sync_manager_options options = {};
    options.no_autostart = 1;
    sync_manager *manager = nullptr;
    int rc = sync_manager_connect("shm:outside-nobody-started-it", &options, &manager);
    if (rc != SYNC_ENOMANAGER) {
        std::fprintf(stderr, "connect: %s\n", sync_strcode(rc));
        return 1;
    }
    return sync_remaining(sync_deadline_after(SYNC_MS(500))) > 0 ? 0 : 1;
}
