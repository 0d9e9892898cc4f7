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
