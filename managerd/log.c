/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include "managerd.h"

static bool to_syslog;

void log_to_syslog(void)
{
    openlog("managerd", LOG_PID, LOG_DAEMON);
    to_syslog = true;
}

void log_line(int priority, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (to_syslog) {
        vsyslog(priority, format, arguments);
    } else {
        fputs("managerd: ", stderr);
        vfprintf(stderr, format, arguments);
        fputc('\n', stderr);
    }
    va_end(arguments);
}
