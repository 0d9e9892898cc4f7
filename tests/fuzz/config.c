/* SPDX-License-Identifier: MIT */
/* managerd's settings: file, environment and options from the input. Accepted ones are in bounds.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "managerd/managerd.h"

#define ARGUMENTS 6

static int file;

void fuzz_config_begin(void)
{
    static char path[32];
    file = memfd_create("managerd.conf", 0);
    fuzz_want(file >= 0, "a file");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    setenv("SYNC_MANAGERD_CONFIG", path, 1);
}

static void write_file(const char *text)
{
    size_t size = strlen(text);
    fuzz_want(ftruncate(file, 0) == 0 && pwrite(file, text, size, 0) == (ssize_t)size, "a file");
}

static void want_bounds(const struct config *config)
{
    const struct sy_capacities *c = &config->segment.capacities;
    fuzz_want(c->principals >= c->threads && c->principals <= SY_PRINCIPALS_MAX, "principals");
    fuzz_want(c->processes >= 4 && c->processes <= 65535, "processes");
    fuzz_want(c->records >= 16 && c->ring >= 16 && c->chunks >= 4, "capacities");
    fuzz_want(config->segment.default_timeout >= 1000, "timeout");
    fuzz_want((config->segment.mode & ~0777u) == 0, "mode");
    fuzz_want(memchr(config->name, 0, sizeof(config->name)) != NULL, "name");
}

void fuzz_config(const uint8_t *data, size_t size)
{
    static const char *const variables[] = {"SYNC_MANAGERD_TIMEOUT", "SYNC_MANAGERD_NAMES",
                                            "SYNC_MANAGERD_MODE", "SYNC_MANAGERD_NAME"};
    struct fuzz_input input = {data, size};
    char *arguments[ARGUMENTS + 2] = {(char *)(uintptr_t) "managerd"};
    struct config config;
    int count = 1;
    char *text = fuzz_string(&input, 4000);
    write_file(text);
    const char *variable = variables[fuzz_byte(&input) % 4];
    char *value = fuzz_string(&input, 200);
    if (*value) {
        setenv(variable, value, 1);
    }
    for (int i = 0; i < ARGUMENTS && input.size; i++) {
        arguments[count++] = fuzz_string(&input, 200);
    }
    optind = 0;
    int rc = config_read(count, arguments, &config);
    fuzz_want(rc == 0 || rc == EXIT_USAGE || rc == EXIT_REFUSED, "a status");
    if (rc == 0) {
        want_bounds(&config);
    }
    unsetenv(variable);
    while (count > 1) {
        free(arguments[--count]);
    }
    free(value);
    free(text);
}
