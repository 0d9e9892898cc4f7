/* SPDX-License-Identifier: MIT */
/* Every target over its corpus, and over some inputs by chance, without libFuzzer: what was found
 * once stays found. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "tests/harness.h"

#define BY_CHANCE 300

static uint64_t state = 1;

static uint32_t chance(uint32_t limit)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % limit;
}

static void each(const uint8_t *data, size_t size, void *argument)
{
    const struct fuzz_target *target = argument;
    target->one(data, size);
}

static void run(const char *name)
{
    const struct fuzz_target *target = fuzz_find(name);
    const char *source = getenv("SOURCE_DIR");
    char path[1024];
    if (target->begin) {
        target->begin();
    }
    snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s.hex", source ? source : ".", name);
    assert_true(fuzz_corpus(path, each, (void *)(uintptr_t)target) > 0);
    for (int i = 0; i < BY_CHANCE; i++) {
        uint8_t data[256];
        size_t size = chance(sizeof(data));
        for (size_t j = 0; j < size; j++) {
            data[j] = (uint8_t)chance(256);
        }
        target->one(data, size);
    }
}

static void texts(void)
{
    run("text");
}
static void addresses(void)
{
    run("address");
}
static void settings(void)
{
    run("config");
}
static void hellos(void)
{
    run("hello");
}
static void event_rings(void)
{
    run("ring");
}
static void scribbled_segments(void)
{
    run("segment");
}

HARNESS_MAIN(CASE(texts), CASE(addresses), CASE(settings), CASE(hellos), CASE(event_rings),
             CASE(scribbled_segments))
