/* SPDX-License-Identifier: MIT */
#include "shm/ring.h"

#include "tests/support.h"

static void add(uint64_t value, const char *text)
{
    sy_ring_add(look(), &(struct sy_ring_event){.type = SY_EVENT_NOTE,
                                                .record = 3,
                                                .generation = 4,
                                                .principal = SY_W | 5,
                                                .other = 6,
                                                .pid = 7,
                                                .value = value,
                                                .text = text});
}

static void whole_and_in_order(void)
{
    struct sy_entry entry;
    lab_alone();
    POISON(&entry);
    NUMBER(0, sy_ring_read(look(), 1, &entry));
    NUMBER(0, sy_ring_read(look(), 0, &entry));
    CHECK(UNTOUCHED(&entry));
    add(42, "hello");
    NUMBER(1, sy_ring_read(look(), 1, &entry));
    NUMBER(SY_EVENT_NOTE, entry.type);
    NUMBER(4, entry.record);
    NUMBER(4, entry.generation);
    NUMBER(5, entry.principal);
    NUMBER(6, entry.other);
    NUMBER(7, entry.pid);
    NUMBER(42, entry.value);
    CHECK(strcmp(entry.text, "hello") == 0);
    CHECK(entry.time > 0 && (int64_t)entry.time <= sy_now());
}

static void the_oldest_are_overwritten(void)
{
    struct sy_entry entry;
    lab_alone();
    for (uint64_t i = 1; i <= 1000; i++) {
        add(i, NULL);
    }
    NUMBER(1000, sy_load(&look()->header->ring_head));
    for (uint64_t place = 1; place <= 1001; place++) {
        int expected = place > 1000 - 512 && place <= 1000;
        NUMBER(expected, sy_ring_read(look(), place, &entry));
        if (expected) {
            NUMBER(place, entry.value);
        }
    }
}

/* A writer killed half way leaves a gap and nothing else. */
static void a_gap_is_passed_over(void)
{
    struct sy_entry entry;
    lab_alone();
    add(1, "a");
    atomic_fetch_add(&look()->header->ring_head, 1);
    add(3, "c");
    NUMBER(1, sy_ring_read(look(), 1, &entry));
    NUMBER(0, sy_ring_read(look(), 2, &entry));
    NUMBER(1, sy_ring_read(look(), 3, &entry));
    NUMBER(3, entry.value);
}

static void texts_are_cleaned_and_cut(void)
{
    struct sy_entry entry;
    char text[200];
    lab_alone();
    memset(text, 'x', sizeof(text) - 1);
    text[0] = '\n';
    text[sizeof(text) - 1] = 0;
    add(1, text);
    NUMBER(1, sy_ring_read(look(), 1, &entry));
    NUMBER(79, strlen(entry.text));
    NUMBER('?', entry.text[0]);
}

HARNESS_MAIN(CASE(whole_and_in_order), CASE(the_oldest_are_overwritten), CASE(a_gap_is_passed_over),
             CASE(texts_are_cleaned_and_cut))
