/* SPDX-License-Identifier: MIT */
/* One program for all targets: $FUZZ_TARGET says which. Its corpus, a file that people can read, is
 * unpacked into the folder $FUZZ_UNPACK, which libFuzzer is then given. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fuzz_target *target;

static void unpack(const uint8_t *data, size_t size, void *argument)
{
    char path[512];
    int *number = argument;
    snprintf(path, sizeof(path), "%s/seed-%d", getenv("FUZZ_UNPACK"), ++*number);
    FILE *file = fopen(path, "we");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file)) {
        perror(path);
        exit(2);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    target = fuzz_find(getenv("FUZZ_TARGET"));
    if (!target) {
        fputs("set FUZZ_TARGET to one of:", stderr);
        for (const struct fuzz_target *one = fuzz_targets; one->name; one++) {
            fprintf(stderr, " %s", one->name);
        }
        fputs("\n", stderr);
        exit(2);
    }
    const char *corpus = getenv("FUZZ_CORPUS");
    int number = 0;
    if (getenv("FUZZ_UNPACK") && (!corpus || fuzz_corpus(corpus, unpack, &number) < 0)) {
        perror(corpus ? corpus : "FUZZ_CORPUS");
        exit(2);
    }
    if (target->begin) {
        target->begin();
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    target->one(data, size);
    return 0;
}
