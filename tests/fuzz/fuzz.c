/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct fuzz_target fuzz_targets[] = {
    {"text", NULL, fuzz_text},
    {"address", NULL, fuzz_address},
    {"config", fuzz_config_begin, fuzz_config},
    {"hello", fuzz_hello_begin, fuzz_hello},
    {"ring", fuzz_ring_begin, fuzz_ring},
    {"segment", fuzz_segment_begin, fuzz_segment},
    {NULL, NULL, NULL},
};

const struct fuzz_target *fuzz_find(const char *name)
{
    for (const struct fuzz_target *target = fuzz_targets; target->name; target++) {
        if (name && strcmp(target->name, name) == 0) {
            return target;
        }
    }
    return NULL;
}

uint32_t fuzz_byte(struct fuzz_input *input)
{
    if (!input->size) {
        return 0;
    }
    input->size--;
    return *input->data++;
}

uint32_t fuzz_word(struct fuzz_input *input)
{
    uint32_t word = fuzz_byte(input);
    word |= fuzz_byte(input) << 8;
    word |= fuzz_byte(input) << 16;
    return word | fuzz_byte(input) << 24;
}

char *fuzz_string(struct fuzz_input *input, size_t most)
{
    size_t size = strnlen((const char *)input->data, input->size < most ? input->size : most);
    char *text = malloc(size + 1);
    fuzz_want(text != NULL, "memory");
    memcpy(text, input->data, size);
    text[size] = 0;
    size_t used = size < input->size && input->data[size] == 0 ? size + 1 : size;
    input->data += used;
    input->size -= used;
    return text;
}

void fuzz_want(bool good, const char *what)
{
    if (!good) {
        fprintf(stdout, "fuzz: not so: %s\n", what);
        fflush(stdout);
        abort();
    }
}
