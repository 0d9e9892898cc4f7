/* SPDX-License-Identifier: MIT */
#include <sync/time.h>

#include "direct/direct.h"

sync_deadline sync_deadline_after(sync_timeout timeout)
{
    int64_t now = sy_now();
    if (timeout == SYNC_DEFAULT) {
        timeout = SY_DEFAULT_TIMEOUT;
    }
    if (timeout < 0) {
        return now;
    }
    return timeout >= INT64_MAX - now ? SYNC_FOREVER : now + timeout;
}

sync_timeout sync_remaining(sync_deadline deadline)
{
    if (deadline == SYNC_FOREVER) {
        return SYNC_FOREVER;
    }
    int64_t left = deadline - sy_now();
    return left <= 0 ? 0 : left < 1000 ? 1000 : left;
}
