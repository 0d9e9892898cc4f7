/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/error.h"

static const struct {
    int code;
    const char *name, *text;
} codes[] = {
    {SYNC_OK, "SYNC_OK", "success"},
    {SYNC_OWNER_DIED, "SYNC_OWNER_DIED", "acquired; the previous owner died holding it"},
    {SYNC_EINVAL, "SYNC_EINVAL", "invalid argument"},
    {SYNC_EPERM, "SYNC_EPERM", "not held by this thread or handle"},
    {SYNC_ETIMEDOUT, "SYNC_ETIMEDOUT", "timed out"},
    {SYNC_EDEADLK, "SYNC_EDEADLK", "deadlock"},
    {SYNC_ELOST, "SYNC_ELOST", "the ownership was broken"},
    {SYNC_EINTR, "SYNC_EINTR", "interrupted"},
    {SYNC_EBUSY, "SYNC_EBUSY", "in use"},
    {SYNC_EOVERFLOW, "SYNC_EOVERFLOW", "beyond the maximum"},
    {SYNC_EBROKEN, "SYNC_EBROKEN", "barrier broken"},
    {SYNC_ENOSLOT, "SYNC_ENOSLOT", "no free slot in the segment"},
    {SYNC_ENONAMES, "SYNC_ENONAMES", "no free record in the segment"},
    {SYNC_EDEPTH, "SYNC_EDEPTH", "recursion too deep"},
    {SYNC_ENOMANAGER, "SYNC_ENOMANAGER", "no manager"},
    {SYNC_EORPHANED, "SYNC_EORPHANED", "the segment lost its name"},
    {SYNC_ENOENT, "SYNC_ENOENT", "no such object"},
    {SYNC_EEXIST, "SYNC_EEXIST", "the object exists"},
    {SYNC_EMISMATCH, "SYNC_EMISMATCH", "the object exists with another behaviour"},
    {SYNC_EKIND, "SYNC_EKIND", "the object is of another kind"},
    {SYNC_ENOSPC, "SYNC_ENOSPC", "shared memory is full"},
    {SYNC_ENOMEM, "SYNC_ENOMEM", "out of memory"},
    {SYNC_EMEMLOCK, "SYNC_EMEMLOCK", "the limit on locked memory is reached"},
    {SYNC_EACCES, "SYNC_EACCES", "permission denied"},
    {SYNC_EVERSION, "SYNC_EVERSION", "another layout version"},
    {SYNC_EGARBAGE, "SYNC_EGARBAGE", "not a segment of libsync, or a damaged one"},
    {SYNC_EADDRESS, "SYNC_EADDRESS", "not an address"},
    {SYNC_ENOTRECOVERABLE, "SYNC_ENOTRECOVERABLE", "poisoned by a dead owner"},
    {SYNC_ESYSTEM, "SYNC_ESYSTEM", "a system call failed"},
    {SYNC_ECHILD, "SYNC_ECHILD", "a child process failed"},
    {SYNC_EMSGSIZE, "SYNC_EMSGSIZE", "the buffer is too small"},
    {SYNC_EHANDLE, "SYNC_EHANDLE", "not an open handle of this kind"},
};

/* About 5 kB, so it is allocated at the first failure; TLS itself stays small enough for the
 * initial-exec model of a library that is loaded late. */
struct failure {
    sy_later_function *later; /* makes the text; NULL: it has been made */
    void *context;
    char text[1024];
    sync_error info;
};

static __thread struct failure *last __attribute__((tls_model("initial-exec")));
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void failure_free(void *p)
{
    free(p);
    last = NULL;
}

static void make_key(void)
{
    if (pthread_key_create(&key, failure_free)) {
        key = (pthread_key_t)-1; /* the texts of ended threads then stay allocated */
    }
}

static struct failure *failure_get(void)
{
    if (!last) {
        pthread_once(&once, make_key);
        last = calloc(1, sizeof(*last));
        if (last && key != (pthread_key_t)-1) {
            pthread_setspecific(key, last);
        }
    }
    return last;
}

const char *sync_strcode(int code)
{
    for (size_t i = 0; i < SY_COUNT(codes); i++) {
        if (codes[i].code == code) {
            return codes[i].name;
        }
    }
    return "SYNC_E?";
}

const char *sync_strerror(int code)
{
    for (size_t i = 0; i < SY_COUNT(codes); i++) {
        if (codes[i].code == code) {
            return codes[i].text;
        }
    }
    return code > 0 ? "success" : "unknown code";
}

void sy_error_clear(sync_error *error)
{
    memset(error, 0, offsetof(sync_error, cycle));
}

static void copy(sync_error *to, const sync_error *from)
{
    uint32_t cycle = from->cycle_count < SYNC_CYCLE_MAX ? from->cycle_count : SYNC_CYCLE_MAX;
    memcpy(to, from, offsetof(sync_error, cycle) + cycle * sizeof(from->cycle[0]));
}

static struct failure *fail(const sync_error *info, int code, sy_later_function *later)
{
    struct failure *failure = failure_get();
    if (failure) {
        if (info) {
            copy(&failure->info, info);
        } else {
            sy_error_clear(&failure->info);
        }
        failure->info.code = code;
        failure->later = later;
    }
    return failure;
}

static int vfail(const sync_error *info, int code, const char *format, va_list arguments)
{
    int saved = errno;
    struct failure *failure = fail(info, code, NULL);
    if (failure) {
        vsnprintf(failure->text, sizeof(failure->text), format, arguments);
    }
    errno = saved;
    return code;
}

int sy_fail_later(const sync_error *info, int code, sy_later_function *later, void *context)
{
    int saved = errno;
    struct failure *failure = fail(info, code, later);
    if (failure) {
        failure->context = context;
    }
    errno = saved;
    return code;
}

static void complete(struct failure *failure)
{
    sy_later_function *later = failure->later;
    if (later) {
        int saved = errno;
        failure->later = NULL;
        later(failure->context, &failure->info, failure->text, sizeof(failure->text));
        errno = saved;
    }
}

int sy_fail(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfail(NULL, code, format, arguments);
    va_end(arguments);
    return code;
}

int sy_fail_info(const sync_error *info, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfail(info, code, format, arguments);
    va_end(arguments);
    return code;
}

int sy_fail_errno(int error, const char *format, ...)
{
    int code = SYNC_ESYSTEM;
    const char *hint = "";
    switch (error) {
    case ENOMEM:
        code = SYNC_ENOMEM;
        break;
    case ENOSPC:
    case EDQUOT:
        code = SYNC_ENOSPC;
        hint = "; see: df -h /dev/shm";
        break;
    case EACCES:
    case EPERM:
        code = SYNC_EACCES;
        break;
    case EAGAIN:
        code = SYNC_EMEMLOCK;
        hint = "; memory is locked (mlockall): raise RLIMIT_MEMLOCK, see: ulimit -l";
        break;
    default:
        break;
    }
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    return sy_fail(code, "%s: %s%s", what, strerror(error), hint);
}

const char *sync_last_error(void)
{
    if (!last) {
        return "";
    }
    complete(last);
    return last->text;
}

int sync_last_error_info(sync_error *ret_error)
{
    if (!ret_error) {
        return sy_fail(SYNC_EINVAL, "sync_last_error_info: ret_error is NULL");
    }
    memset(ret_error, 0, sizeof(*ret_error));
    if (last) {
        complete(last);
        copy(ret_error, &last->info);
    }
    return 0;
}
