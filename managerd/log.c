/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

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
        char line[1024];
        int used = snprintf(line, sizeof(line), "managerd: ");
        int more = vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format, arguments);
        used += more < 0 ? 0 : more;
        if ((size_t)used > sizeof(line) - 2) {
            used = sizeof(line) - 2;
        }
        line[used++] = '\n';
        ssize_t unused = write(STDERR_FILENO, line, (size_t)used); /* whole, among others' lines */
        (void)unused;
    }
    va_end(arguments);
}
