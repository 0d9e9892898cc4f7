/* SPDX-License-Identifier: MIT */
/* The calling thread's last failure. */
#ifndef SY_ERROR_H
#define SY_ERROR_H

#include <stddef.h>
#include <sync/error.h>

/* Record a failure and return its code. Never called in a signal handler. */
int sy_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with details; info->code is set. The format names what the fields cannot. */
int sy_fail_info(const sync_error *info, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, its text made, and its details completed, when somebody asks: for failures that are not
 * the end of anything, such as a mere try. */
typedef void sy_later_function(void *context, sync_error *info, char *to, size_t size);
int sy_fail_later(const sync_error *info, int code, sy_later_function *later, void *context);
/* All zero but what lies behind cycle_count, which nobody reads: most of a sync_error. */
void sy_error_clear(sync_error *error);
/* A failed system call: maps errno (ENOMEM, ENOSPC, EACCES, …) to a code; `what` is the call and
 * its object, as in "fallocate /dev/shm/libsync.0.default". */
int sy_fail_errno(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
