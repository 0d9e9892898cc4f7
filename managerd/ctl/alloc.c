/* SPDX-License-Identifier: MIT */
/* A tool that runs for milliseconds frees nothing and has no better answer to a lack of memory than
 * to say so. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "managerd/ctl/ctl.h"

static void *checked(void *memory)
{
    if (!memory) {
        fputs("managerctl: out of memory\n", stderr);
        exit(CTL_FAILED);
    }
    return memory;
}

void *ctl_alloc(size_t size)
{
    return checked(calloc(1, size));
}

void *ctl_grow(void *items, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    size_t more = *capacity ? *capacity * 2 : 64;
    items = checked(reallocarray(items, more, size));
    memset((char *)items + *capacity * size, 0, (more - *capacity) * size);
    *capacity = more;
    return items;
}

char *ctl_copy(const char *text)
{
    return checked(strdup(text));
}

char *ctl_print(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    return checked(size < 0 ? NULL : text);
}
