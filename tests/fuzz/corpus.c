/* SPDX-License-Identifier: MIT */
/* The corpus: a file per target, an input per line, in hexadecimal; # begins a comment. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static size_t from_hex(const char *line, uint8_t *to)
{
    size_t size = 0;
    unsigned value;
    while (isxdigit((unsigned char)line[0]) && isxdigit((unsigned char)line[1]) &&
           sscanf(line, "%2x", &value) == 1) {
        to[size++] = (uint8_t)value;
        line += 2;
    }
    return size;
}

int fuzz_corpus(const char *path, void (*each)(const uint8_t *data, size_t size, void *argument),
                void *argument)
{
    char *line = NULL;
    size_t room = 0;
    int count = 0;
    FILE *file = fopen(path, "re");
    if (!file) {
        return -1;
    }
    while (getline(&line, &room, file) > 0) {
        if (line[0] != '#') {
            uint8_t *data = malloc(room);
            fuzz_want(data != NULL, "memory");
            each(data, from_hex(line, data), argument);
            free(data);
            count++;
        }
    }
    free(line);
    fclose(file);
    return count;
}
