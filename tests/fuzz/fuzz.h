/* SPDX-License-Identifier: MIT */
/* Fuzz targets: run by libFuzzer (libfuzzer.c), and over the corpus by test_corpus.c. A target
 * aborts when something is wrong; sanitizers see the rest. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuzz_target {
    const char *name;
    void (*begin)(void); /* once; NULL: nothing to do */
    void (*one)(const uint8_t *data, size_t size);
};
extern const struct fuzz_target fuzz_targets[]; /* ends with a NULL name */
const struct fuzz_target *fuzz_find(const char *name);

struct fuzz_input {
    const uint8_t *data;
    size_t size;
};
/* Zero when there is no more. */
uint32_t fuzz_byte(struct fuzz_input *input);
uint32_t fuzz_word(struct fuzz_input *input);
/* An owned copy of up to `most` bytes, exactly as long as its string: an overrun is seen. */
char *fuzz_string(struct fuzz_input *input, size_t most);

/* How many inputs the file held; -1: no such file. */
int fuzz_corpus(const char *path, void (*each)(const uint8_t *data, size_t size, void *argument),
                void *argument);

void fuzz_want(bool good, const char *what);

void fuzz_text(const uint8_t *data, size_t size);
void fuzz_address(const uint8_t *data, size_t size);
void fuzz_config_begin(void);
void fuzz_config(const uint8_t *data, size_t size);
void fuzz_hello_begin(void);
void fuzz_hello(const uint8_t *data, size_t size);
void fuzz_ring_begin(void);
void fuzz_ring(const uint8_t *data, size_t size);
void fuzz_segment_begin(void);
void fuzz_segment(const uint8_t *data, size_t size);
/* views.c: everything managerctl would show of the manager `name`. */
void fuzz_views(const char *name);

#endif
