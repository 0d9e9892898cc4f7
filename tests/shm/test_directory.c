/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

#include "base/text.h"

static struct sy_actor me;
static struct sy_segment *segment;

static void begin(void)
{
    segment = lab_alone();
    EXPECT(0, sy_begin(lab()->attachment, &me));
    segment = lab()->attachment->segment;
}

static struct sy_name called(const char *text)
{
    return (struct sy_name){text, (uint32_t)strlen(text), sy_hash(text, strlen(text))};
}

static void plain(struct sy_hot *hot, struct sy_cold *cold, void *argument)
{
    (void)cold;
    sy_put(&hot->word, *(uint32_t *)argument);
}

static uint32_t made(const char *text, uint32_t replaces, bool expected)
{
    struct sy_name name = called(text);
    uint32_t record, value = 7;
    bool created;
    POISON(&record);
    sy_directory_enter(&me);
    EXPECT(0, sy_directory_create(&me, &name, SYNC_KIND_EVENT, plain, &value, replaces, &record,
                                  &created));
    sy_directory_leave(&me);
    NUMBER(expected, created);
    return record;
}

static uint32_t found(const char *text)
{
    struct sy_name name = called(text);
    return sy_directory_find(segment, &name);
}

static void made_once_and_found(void)
{
    begin();
    NUMBER(SY_NONE, found("camera"));
    uint32_t record = made("camera", SY_NONE, true);
    NUMBER(record, found("camera"));
    struct sy_hot *hot = sy_hot_at(segment, record);
    NUMBER(7, hot->word);
    NUMBER(0, hot->guard);
    NUMBER(SY_RECORD_LIVE, sy_state_of(hot->state));
    NUMBER(record, made("camera", SY_NONE, false));
    NUMBER(SY_NONE, found("camer"));
    NUMBER(SY_NONE, found("camera2"));
    NUMBER(0, me.executor->epoch);
}

static void the_newer_hides_the_one_it_replaces(void)
{
    begin();
    uint32_t old = made("camera", SY_NONE, true);
    uint32_t next = made("camera", old, true);
    CHECK(next != old);
    NUMBER(next, found("camera"));
    NUMBER(next, made("camera", old, false)); /* somebody else was faster */
}

static void names_of_one_bucket_are_kept_apart(void)
{
    char text[24];
    uint32_t records[300];
    begin();
    for (int i = 0; i < 300; i++) { /* 512 buckets: some chains have several */
        snprintf(text, sizeof(text), "axis-%d", i);
        records[i] = made(text, SY_NONE, true);
    }
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof(text), "axis-%d", i);
        NUMBER(records[i], found(text));
    }
}

static struct sy_hot *at(uint32_t record)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    CHECK(hot);
    return hot;
}

static void unlinked(uint32_t record)
{
    struct sy_hot *hot = at(record);
    sy_put(&hot->state, sy_state(sy_state_generation(hot->state), SY_RECORD_UNLINKED));
}

static void swept_out_of_its_chain_then_free(void)
{
    char text[24];
    uint32_t records[200];
    begin();
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof(text), "axis-%d", i);
        records[i] = made(text, SY_NONE, true);
    }
    for (int i = 0; i < 200; i += 2) {
        unlinked(records[i]);
    }
    NUMBER(SY_NONE, found("axis-0"));
    uint64_t epoch = segment->header->directory_epoch;
    sy_directory_sweep(segment);
    CHECK(segment->header->directory_epoch == epoch + 1);
    NUMBER(SY_RECORD_UNLINKED, sy_state_of(at(records[0])->state));
    sy_directory_sweep(segment);
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof(text), "axis-%d", i);
        NUMBER(i % 2 ? records[i] : SY_NONE, found(text));
        NUMBER(i % 2 ? SY_RECORD_LIVE : SY_RECORD_FREE, sy_state_of(at(records[i])->state));
    }
    sy_directory_sweep(segment);
    CHECK(segment->header->directory_epoch == epoch + 1);
}

/* Who reads may still stand on it: it is not used again, and a chain that led on still does. */
static void a_reader_delays_reuse(void)
{
    begin();
    uint32_t record = made("camera", SY_NONE, true);
    sy_directory_enter(&me);
    unlinked(record);
    for (int i = 0; i < 4; i++) {
        sy_directory_sweep(segment);
        NUMBER(SY_RECORD_UNLINKED, sy_state_of(at(record)->state));
    }
    sy_directory_leave(&me);
    sy_directory_sweep(segment);
    NUMBER(SY_RECORD_FREE, sy_state_of(at(record)->state));
    uint32_t generation = sy_state_generation(at(record)->state);
    for (int i = 0; i < 1024; i++) { /* round-robin: it comes up again, as somebody else */
        uint32_t again = made("mirror", SY_NONE, true);
        if (again == record) {
            CHECK(sy_state_generation(at(record)->state) != generation);
            return;
        }
        unlinked(again);
        sy_directory_sweep(segment);
        sy_directory_sweep(segment);
    }
    check_failed(__FILE__, __LINE__, "never used again");
}

/* What a dead one left between two states. */
static void settled(void)
{
    begin();
    uint32_t record = made("camera", SY_NONE, true);
    struct sy_hot *hot = at(record);
    uint32_t generation = sy_state_generation(hot->state);
    sy_put(&hot->state, sy_state(generation, SY_RECORD_UNLINKING));
    NUMBER(record, found("camera"));
    sy_directory_settle(segment, record);
    NUMBER(sy_state(generation, SY_RECORD_LIVE), hot->state);
    sy_directory_settle(segment, record);
    NUMBER(sy_state(generation, SY_RECORD_LIVE), hot->state);
    /* LIVE, but linked nowhere: its maker died just before. */
    *sy_bucket_at(segment,
                  sy_hash("camera", 6) & (segment->header->regions[SY_BUCKETS].capacity - 1)) = 0;
    sy_directory_settle(segment, record);
    NUMBER(SY_RECORD_FREE, sy_state_of(hot->state));
    sy_put(&hot->state, sy_state(generation + 1, SY_RECORD_PRIVATE));
    sy_directory_settle(segment, record);
    NUMBER(SY_RECORD_FREE, sy_state_of(hot->state));
}

static void a_chain_in_a_circle_ends(void)
{
    begin();
    uint32_t record = made("camera", SY_NONE, true);
    sy_cold_at(segment, record)->next = record + 1;
    NUMBER(record, found("camera"));
    unlinked(record);
    NUMBER(SY_NONE, found("camera"));
    sy_directory_sweep(segment);
    sy_cold_at(segment, record)->next = 0xfffffff0;
    NUMBER(SY_NONE, found("camera"));
}

HARNESS_MAIN(CASE(made_once_and_found), CASE(the_newer_hides_the_one_it_replaces),
             CASE(names_of_one_bucket_are_kept_apart), CASE(swept_out_of_its_chain_then_free),
             CASE(a_reader_delays_reuse), CASE(settled), CASE(a_chain_in_a_circle_ends))
