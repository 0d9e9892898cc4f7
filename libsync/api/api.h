/* SPDX-License-Identifier: MIT */
/* What the thin files of this folder share. */
#ifndef SY_API_H
#define SY_API_H

#include "base/error.h"
#include "direct/fast.h"

static inline struct sync_object *sy_object(const void *handle)
{
    return (struct sync_object *)(uintptr_t)handle;
}
/* sync_manager_connect; `separate`: with an attachment, process slot and file description of its
 * own, so that threads of one process can be clients of each other. */
int sy_connect(const char *address, const sync_manager_options *options, bool separate,
               sync_manager **ret_manager);
/* Zero reserved words are how options structs grow. */
int sy_check_reserved(const uint64_t *reserved, const char *what);
int sy_check_manager(const struct sync_manager *manager, const char *call);

#define SY_CHECK_HANDLE(handle, kind, call)                                                        \
    do {                                                                                           \
        if (!sy_handle_good(sy_object(handle), (kind))) {                                          \
            return sy_refuse_handle((call), (handle));                                             \
        }                                                                                          \
    } while (0)

#endif
