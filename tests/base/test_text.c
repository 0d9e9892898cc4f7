/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

#include "base/text.h"

static void checked(void)
{
    size_t size = 99;
    CHECK(sy_text_check("camera", 6, &size) == NULL);
    NUMBER(6, size);
    CHECK(sy_text_check("ä€😀", 9, &size) == NULL);
    NUMBER(9, size);
    CHECK(sy_text_check("\xf4\x8f\xbf\xbf", 4, &size) == NULL); /* U+10FFFF */
    CHECK(sy_text_check("\xee\x80\x80", 3, &size) == NULL);     /* just above the surrogates */
    CHECK(sy_text_check("\xc2\xa0", 2, &size) == NULL);         /* just above C1 */
    size = 99;
    HOLDS(sy_text_check("", 6, &size), "empty");
    HOLDS(sy_text_check("cameras", 6, &size), "too long");
    HOLDS(sy_text_check("\x1f", 6, &size), "control");
    HOLDS(sy_text_check("a\x7f", 6, &size), "control");
    HOLDS(sy_text_check("\xc2\x80", 6, &size), "control");
    HOLDS(sy_text_check("\xc1\xbf", 6, &size), "UTF-8");
    HOLDS(sy_text_check("\xe0\x9f\xbf", 6, &size), "UTF-8");
    HOLDS(sy_text_check("\xf0\x8f\xbf\xbf", 6, &size), "UTF-8");
    HOLDS(sy_text_check("\xf5\x80\x80\x80", 6, &size), "UTF-8");
    HOLDS(sy_text_check("\xed\xbf\xbf", 6, &size), "UTF-8");
    HOLDS(sy_text_check("\x80", 6, &size), "UTF-8");
    HOLDS(sy_text_check("a\xe2\x82", 3, &size), "UTF-8");
    NUMBER(99, size);
}

/* Whole blocks are looked at at once: a byte that is not plain counts at each place of them. */
static void checked_at_each_place(void)
{
    size_t size;
    for (size_t length = 1; length <= 33; length++) {
        for (size_t at = 0; at < length; at++) {
            for (int byte = 1; byte < 256; byte++) {
                char text[40], *copy = malloc(length + 1); /* not a byte more may be read */
                memset(text, byte % 2 ? 'a' : '~', sizeof(text));
                text[at] = (char)byte;
                memcpy(copy, text, length);
                copy[length] = 0;
                const char *rule = sy_text_check(copy, 33, &size);
                if (byte < 0x20 || byte == 0x7f) {
                    HOLDS(rule ? rule : "fine", "control");
                } else if (byte >= 0x80) {
                    CHECK(rule);
                } else {
                    CHECK(!rule);
                    NUMBER(length, size);
                }
                free(copy);
            }
        }
    }
}

/* Each byte counts, and so does the length: also those of the last step, which overlaps. */
static void hashes_of_neighbours_differ(void)
{
    char text[40];
    for (size_t length = 1; length <= sizeof(text); length++) {
        memset(text, 'x', sizeof(text));
        uint32_t hash = sy_hash(text, length);
        CHECK(length == 1 || hash != sy_hash(text, length - 1));
        for (size_t at = 0; at < length; at++) {
            text[at] = 'y';
            CHECK(hash != sy_hash(text, length));
            text[at] = 'x';
        }
    }
}

static void cleaned_copies(void)
{
    char to[8];
    static const struct {
        const char *from, *expected;
        size_t from_size;
    } copies[] = {{"camera", "camera", 6},
                  {"camera", "cam", 3},
                  {"camera one", "camera ", 10},
                  {"a\nb", "a?b", 3},
                  {"a\xff"
                   "b",
                   "a?b", 3},
                  {"cut\0off", "cut", 7},
                  {"ääää", "äää", 8},
                  {"", "", 0},
                  {"a€", "a??", 3}};
    for (size_t i = 0; i < SY_COUNT(copies); i++) {
        POISON(&to);
        sy_text_copy(to, sizeof(to), copies[i].from, copies[i].from_size);
        if (strcmp(to, copies[i].expected) != 0) {
            check_failed(__FILE__, __LINE__, "%zu: \"%s\", expected \"%s\"", i, to,
                         copies[i].expected);
        }
    }
}

static void durations(void)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {{0, "0 us"},
                 {-5, "0 us"},
                 {999999, "999 us"},
                 {1000000, "1 ms"},
                 {999999999, "999 ms"},
                 {1500000000, "1.5 s"},
                 {59900000000, "59.9 s"},
                 {60000000000, "1 min 0 s"},
                 {3599000000000, "59 min 59 s"},
                 {3600000000000, "1 h 0 min"},
                 {INT64_MAX, "2562047 h 47 min"}};
    for (size_t i = 0; i < SY_COUNT(cases); i++) {
        char to[40];
        CHECK(strcmp(sy_text_duration(to, sizeof(to), cases[i].ns), cases[i].text) == 0);
    }
}

static void hashes_spread(void)
{
    static unsigned char seen[4096];
    unsigned buckets = 0;
    for (int i = 0; i < 4096; i++) {
        char name[24];
        int size = snprintf(name, sizeof(name), "lab/axis-%d", i);
        uint32_t hash = sy_hash(name, (size_t)size);
        NUMBER(hash, sy_hash(name, (size_t)size));
        buckets += !seen[hash & 4095];
        seen[hash & 4095] = 1;
    }
    CHECK(buckets > 2400); /* 1 - 1/e of them, when it is as good as chance */
    CHECK(sy_hash("a", 1) != sy_hash("a\0", 2));
}

HARNESS_MAIN(CASE(checked), CASE(checked_at_each_place), CASE(cleaned_copies), CASE(durations),
             CASE(hashes_spread), CASE(hashes_of_neighbours_differ))
