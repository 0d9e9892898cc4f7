/* SPDX-License-Identifier: MIT */
/* Names and texts: what is accepted is copied whole, and what is copied is always fit to be shown.
 */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void copy(const char *from, size_t from_size, size_t size)
{
    size_t length = 0;
    char *to = malloc(size);
    fuzz_want(to != NULL, "memory");
    memset(to, 'x', size);
    sy_text_copy(to, size, from, from_size);
    fuzz_want(memchr(to, 0, size) != NULL, "a copy ends in NUL");
    fuzz_want(!*to || (!sy_text_check(to, size, &length) && length == strlen(to)),
              "a copy is printable UTF-8");
    free(to);
}

void fuzz_text(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    size_t room = 1 + fuzz_byte(&input), length = 0, most = 1 + fuzz_byte(&input);
    uint8_t *raw = malloc(input.size ? input.size : 1);
    fuzz_want(raw != NULL, "memory");
    memcpy(raw, input.data, input.size);
    copy((const char *)raw, input.size, room);
    (void)sy_hash((const char *)raw, input.size);
    free(raw);

    char *text = fuzz_string(&input, 1000);
    const char *rule = sy_text_check(text, most, &length);
    if (!rule) {
        char whole[1024];
        fuzz_want(length == strlen(text) && length <= most && length > 0, "the size of a text");
        sy_text_copy(whole, sizeof(whole), text, length);
        fuzz_want(strcmp(whole, text) == 0, "an accepted text is copied as it is");
    }
    copy(text, strlen(text), room);
    free(text);

    char duration[40];
    int64_t ns = (int64_t)((uint64_t)fuzz_word(&input) << 32 | fuzz_word(&input));
    size_t small = 1 + fuzz_byte(&input) % sizeof(duration);
    fuzz_want(strlen(sy_text_duration(duration, small, ns)) < small, "a duration fits");
}
