/* SPDX-License-Identifier: MIT */
/* managerd whole, from its main() on, for those who kill it while it starts. */
#include <sys/types.h>

#include "lab_manager.h"

/* It reads the maps of every process of the host, which is no business of one segment of many. */
static int32_t nobody_is_left(const char *shm_name)
{
    (void)shm_name;
    return 0;
}

int managerd_main(int argc, char **argv);
#define singleton_orphan_user(shm_name) nobody_is_left(shm_name)
#define main managerd_main
#include "managerd/main.c"
#undef main

#include "lab.h"

void lab_managerd_serve(struct crash_case *c)
{
    char *arguments[] = {
        (char *)"managerd", (char *)"--name",       lab_of(c)->name, (char *)"--names",
        (char *)"64",       (char *)"--processes",  (char *)"16",    (char *)"--threads",
        (char *)"16",       (char *)"--principals", (char *)"32",    (char *)"--chunks",
        (char *)"16",       (char *)"--events",     (char *)"16",    NULL};
    optind = 0;
    lab_be_quiet();
    managerd_main((int)SY_COUNT(arguments) - 1, arguments);
}
