/* SPDX-License-Identifier: MIT */
/* The table of kinds, and for each: did it happen, is it fresh, what is to be seen. */
#include "tests/support.h"

static struct sy_operation operation;

static enum sy_happened happened(const char *name, uint32_t op, uint64_t before)
{
    operation.kind = op;
    operation.principal = sy_self.id;
    operation.before = before;
    const struct sy_kind *kind = sy_kind_of(sy_hot_kind(hot_of(name)));
    return kind->did_it_happen(look(), record_of(name), &operation);
}

static bool fresh(const char *name)
{
    return sy_kind_of(sy_hot_kind(hot_of(name)))->fresh(look(), record_of(name));
}

static void the_table(void)
{
    for (uint32_t i = 0; i < 20; i++) {
        const struct sy_kind *kind = sy_kind_of(i);
        CHECK((kind != NULL) == (i >= SYNC_KIND_MUTEX && i <= SYNC_KIND_BARRIER));
        if (kind) {
            NUMBER(i, kind->number);
            CHECK(strcmp(sy_kind_name(i), kind->name) == 0);
            CHECK(kind->step && kind->leave && kind->recover && kind->repair && kind->closed &&
                  kind->wake_all && kind->did_it_happen && kind->describe && kind->fresh);
        }
    }
    CHECK(strcmp(sy_kind_name(SYNC_KIND_DICT), "unknown kind") == 0);
    CHECK(!sy_kind_of(UINT32_MAX));
}

static void mutex(void)
{
    lab_alone();
    sync_mutex *m = a_mutex("m", NULL);
    CHECK(fresh("m"));
    NUMBER(SY_NOT_HAPPENED, happened("m", SY_OP_ACQUIRE, 0));
    EXPECT(0, sync_mutex_acquire(m, 0));
    NUMBER(SY_HAPPENED, happened("m", SY_OP_ACQUIRE, 0));
    NUMBER(SY_NOT_HAPPENED, happened("m", SY_OP_ACQUIRE, 1));
    CHECK(!fresh("m"));
    EXPECT(0, sync_mutex_acquire(m, 0));
    NUMBER(SY_HAPPENED, happened("m", SY_OP_ACQUIRE, 1));
    EXPECT(0, sync_mutex_release(m));
    NUMBER(SY_HAPPENED, happened("m", SY_OP_RELEASE, 2));
    EXPECT(0, sync_mutex_release(m));
    NUMBER(SY_HAPPENED, happened("m", SY_OP_RELEASE, 1));
    CHECK(fresh("m"));
    /* Killed right after the word's commit, before the depth was written. */
    EXPECT(0, sync_mutex_acquire(m, 0));
    sy_put(&hot_of("m")->u.mutex.depth, 0);
    NUMBER(SY_HAPPENED, happened("m", SY_OP_ACQUIRE, 0));
}

static void semaphore(void)
{
    lab_alone();
    sync_semaphore *s = a_semaphore("s", 2, 2);
    EXPECT(0, sync_note(lab(), "registers"));
    CHECK(fresh("s"));
    NUMBER(SY_NOT_HAPPENED, happened("s", SY_OP_ACQUIRE, 0));
    EXPECT(0, sync_semaphore_acquire(s, 0));
    NUMBER(SY_HAPPENED, happened("s", SY_OP_ACQUIRE, 0));
    NUMBER(SY_NOT_HAPPENED, happened("s", SY_OP_RELEASE, 1));
    CHECK(!fresh("s"));
    EXPECT(0, sync_semaphore_release(s, 1));
    NUMBER(SY_HAPPENED, happened("s", SY_OP_RELEASE, 1));
    CHECK(fresh("s"));
}

static void event(void)
{
    lab_alone();
    sync_event *e = an_event("e", false);
    CHECK(fresh("e"));
    uint64_t before = sy_get(&hot_of("e")->word) & 0x7ffffffe;
    NUMBER(SY_NOT_HAPPENED, happened("e", SY_OP_SET, before));
    EXPECT(0, sync_event_set(e));
    NUMBER(SY_HAPPENED, happened("e", SY_OP_SET, before));
    CHECK(!fresh("e"));
    EXPECT(0, sync_event_clear(e));
    NUMBER(SY_HAPPENED, happened("e", SY_OP_SET, before));
    CHECK(fresh("e"));
    NUMBER(SY_IN_DOUBT, happened("e", SY_OP_ACQUIRE, before));
}

static void barrier(void)
{
    lab_alone();
    sync_barrier *b = a_barrier("b", 2);
    CHECK(fresh("b"));
    uint64_t before = 1 + (sy_load(&hot_of("b")->u.barrier.state) >> 32);
    EXPECT(0, sync_barrier_arrive(b));
    NUMBER(SY_IN_DOUBT, happened("b", SY_OP_ARRIVE, before));
    CHECK(!fresh("b"));
    EXPECT(1, sync_barrier_arrive(b));
    NUMBER(SY_HAPPENED, happened("b", SY_OP_ARRIVE, before));
    CHECK(fresh("b"));
}

static void descriptions_of_what_is_not_there(void)
{
    sync_info info;
    sync_principal principal;
    lab_alone();
    a_mutex("m", NULL);
    CHECK(sy_describe(look(), record_of("m"), &info));
    CHECK(!sy_describe(look(), 500, &info) && !sy_describe(look(), SY_NONE, &info));
    sy_put(&hot_of("m")->kind, 200);
    CHECK(!sy_describe(look(), record_of("m"), &info));
    sy_describe_principal(look(), 0, &principal);
    CHECK(all_bytes(&principal, sizeof(principal), 0));
    sy_describe_principal(look(), SY_BROKEN, &principal);
    CHECK(all_bytes(&principal, sizeof(principal), 0));
    sy_describe_principal(look(), sy_self.id + (1u << 16), &principal); /* let again since */
    NUMBER(SYNC_STATE_DEAD, principal.state);
    NUMBER(0, principal.pid);
    CHECK(!principal.note[0]);
}

/* An inspector trusts no byte: labels and notes without an end, names of odd lengths. */
static void descriptions_of_scribbled_memory(void)
{
    sync_info info;
    sync_principal principal;
    lab_alone();
    sync_mutex *m = a_mutex("m", NULL);
    EXPECT(0, sync_mutex_acquire(m, 0));
    struct sy_segment *segment = look();
    struct sy_process *process = sy_process_at(segment, lab()->attachment->segment->process);
    struct sy_principal *slot = sy_principal_at(segment, sy_owner_index(sy_self.id));
    struct sy_cold *cold = sy_cold_at(segment, record_of("m"));
    memset(process->label, 0xff, sizeof(process->label));
    memset(slot->note, 'n', sizeof(slot->note));
    memset(slot->thread, '\n', sizeof(slot->thread));
    memset(cold->name, 'x', sizeof(cold->name));
    CHECK(sy_describe(segment, sy_load(&sync_mutex_object(m)->opened)->record, &info));
    NUMBER(SYNC_NAME_MAX, strlen(info.name));
    NUMBER(31, strlen(info.holder.label));
    NUMBER('?', info.holder.label[0]);
    NUMBER(63, strlen(info.holder.note));
    NUMBER('?', info.holder.thread[0]);
    sy_describe_principal(segment, sy_self.id, &principal);
    NUMBER(15, strlen(principal.thread));
    EXPECT(0, sync_mutex_release(m));
}

HARNESS_MAIN(CASE(the_table), CASE(mutex), CASE(semaphore), CASE(event), CASE(barrier),
             CASE(descriptions_of_what_is_not_there), CASE(descriptions_of_scribbled_memory))
