/* SPDX-License-Identifier: MIT */
/* The calling thread's last failure. */
#ifndef SY_ERROR_H
#define SY_ERROR_H

#include <sync/error.h>

/* Record a failure and return its code. Never called in a signal handler. */
int sy_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with details; info->code is set. The format names what the fields cannot. */
int sy_fail_info(const sync_error *info, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A failed system call: maps errno (ENOMEM, ENOSPC, EACCES, …) to a code; `what` is the call and
 * its object, as in "fallocate /dev/shm/libsync.0.default". */
int sy_fail_errno(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
