/* SPDX-License-Identifier: MIT */
/* Each mistake has a code of its own, and a text that names thing, value, rule and next step. */
#include "tests/support.h"

#include <sys/mman.h>

/* ---- names, over all kinds ---- */

static int open_kind(int kind, const char *name)
{
    sync_mutex *m;
    sync_semaphore *s;
    sync_event *e;
    sync_barrier *b;
    switch (kind) {
    case 0:
        return sync_mutex_open(lab(), name, NULL, &m);
    case 1:
        return sync_semaphore_open(lab(), name, &(sync_semaphore_options){.initial = 1}, &s);
    case 2:
        return sync_event_open(lab(), name, NULL, &e);
    default:
        return sync_barrier_open(lab(), name, &(sync_barrier_options){.parties = 1}, &b);
    }
}

static void bad_names(void)
{
    char too_long[202], longest[201];
    static const struct {
        const char *name, *rule;
    } bad[] = {{"", "is empty"},
               {"a\tb", "holds a control character"},
               {"a\nb", "holds a control character"},
               {"a\x7f", "holds a control character"},
               {"\x01", "holds a control character"},
               {"a\xc2\x85", "holds a control character"}, /* C1 */
               {"\xff", "is not UTF-8"},
               {"caf\xe9", "is not UTF-8"},
               {"\xc0\xaf", "is not UTF-8"},         /* overlong */
               {"\xed\xa0\x80", "is not UTF-8"},     /* surrogate */
               {"\xf4\x90\x80\x80", "is not UTF-8"}, /* above U+10FFFF */
               {"a\xe2\x82", "is not UTF-8"}};       /* cut off */
    lab_alone();
    memset(too_long, 'n', 201);
    too_long[201] = 0;
    memcpy(longest, too_long, 200);
    longest[200] = 0;
    for (int kind = 0; kind < 4; kind++) {
        for (size_t i = 0; i < SY_COUNT(bad); i++) {
            EXPECT(SYNC_EINVAL, open_kind(kind, bad[i].name));
            SAYS(bad[i].rule);
            SAYS("names are 1-200 bytes of UTF-8 without control characters");
        }
        EXPECT(SYNC_EINVAL, open_kind(kind, NULL));
        SAYS("is NULL");
        EXPECT(SYNC_EINVAL, open_kind(kind, too_long));
        SAYS("is too long");
    }
    EXPECT(0, open_kind(0, longest));
    EXPECT(0, open_kind(0, "Kamera №1 / 北"));
    EXPECT(0, open_kind(0, "a b"));
    sync_manager_state state;
    EXPECT(0, sync_manager_info(lab(), &state));
    NUMBER(3, state.names);
}

/* A NUL ends a name; a name that ends where its memory ends is read no further. */
static void names_are_read_to_their_nul_only(void)
{
    size_t page = sy_page_size();
    lab_alone();
    char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED && mprotect(memory + page, page, PROT_NONE) == 0);
    char *name = memory + page - 7;
    memcpy(name, "camera", 7);
    EXPECT(0, open_kind(0, name));
    memset(memory, 'n', page); /* never ends, but too long is seen before the end */
    EXPECT(SYNC_EINVAL, open_kind(0, memory + page - 202));
    SAYS("is too long");
    EXPECT(0, open_kind(0, "cut\0off"));
    CHECK(record_of("cut") != SY_NONE);
}

/* ---- timeouts, of every call that takes one ---- */

static sync_mutex *mutex;
static sync_semaphore *semaphore;
static sync_event *event;
static sync_barrier *barrier;

static int timed_call(int which, sync_timeout timeout)
{
    switch (which) {
    case 0:
        return sync_mutex_acquire(mutex, timeout);
    case 1:
        return sync_mutex_acquire_many(&mutex, 1, timeout);
    case 2:
        return sync_semaphore_acquire(semaphore, timeout);
    case 3:
        return sync_semaphore_acquire_many(semaphore, 1, timeout);
    case 4:
        return sync_event_wait(event, timeout);
    case 5:
        return sync_barrier_wait(barrier, timeout);
    default:
        return sync_barrier_wait_with(barrier, NULL, NULL, timeout);
    }
}

static void bad_timeouts(void)
{
    uint32_t value;
    static const struct {
        sync_timeout timeout;
        const char *words;
    } bad[] = {
        {5, "timeout of 5 ns: timeouts are nanoseconds, at least 1000; did you mean SYNC_MS(5)?"},
        {1, "timeout of 1 ns"},
        {999, "SYNC_MS(999)"},
        {-1, "timeout of -1 ns is negative; did you mean SYNC_FOREVER or SYNC_DEFAULT?"},
        {INT64_MIN + 1, "is negative"},
        {-1000000, "is negative"}};
    lab_alone();
    mutex = a_mutex("m", NULL);
    semaphore = a_semaphore("s", 1, 1);
    event = an_event("e", false);
    barrier = a_barrier("b", 2);
    EXPECT(0, sync_event_set(event));
    for (int which = 0; which < 7; which++) {
        for (size_t i = 0; i < SY_COUNT(bad); i++) {
            EXPECT(SYNC_EINVAL, timed_call(which, bad[i].timeout));
            SAYS(bad[i].words);
        }
    }
    NUMBER(0, sync_mutex_is_locked(mutex));
    EXPECT(0, sync_semaphore_value(semaphore, &value));
    NUMBER(1, value);
    NUMBER(0, sync_barrier_waiting(barrier));
    NUMBER(0, sync_barrier_is_broken(barrier));
    /* Also where the mutex is one's own already. */
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(SYNC_EINVAL, sync_mutex_acquire(mutex, 5));
    NUMBER(1, sync_mutex_depth(mutex));
    EXPECT(0, sync_mutex_acquire(mutex, 1000));
    EXPECT(0, sync_mutex_acquire(mutex, INT64_MAX - 1));
    NUMBER(3, sync_mutex_depth(mutex));
}

static void bad_timeouts_in_options(void)
{
    sync_mutex *m;
    sync_event *e;
    lab_alone();
    POISON(&m);
    POISON(&e);
    EXPECT(SYNC_EINVAL, sync_mutex_open(lab(), "m", &(sync_mutex_options){.timeout = 5}, &m));
    SAYS("SYNC_MS(5)");
    EXPECT(SYNC_EINVAL, sync_mutex_open(lab(), "m", &(sync_mutex_options){.max_hold = -7}, &m));
    SAYS("-7 ns is negative");
    EXPECT(SYNC_EINVAL, sync_event_open(lab(), "e", &(sync_event_options){.timeout = -1}, &e));
    CHECK(UNTOUCHED(&m) && UNTOUCHED(&e));
    NUMBER(SY_NONE, record_of("m"));
    NUMBER(SY_NONE, record_of("e"));
}

/* ---- words that must be zero ---- */

static void reserved_words(void)
{
    sync_mutex *m;
    sync_semaphore *s;
    sync_event *e;
    sync_barrier *b;
    lab_alone();
    for (int i = 0; i < 8; i++) {
        char words[40];
        sync_mutex_options mo = {0};
        sync_semaphore_options so = {.initial = 1};
        sync_event_options eo = {0};
        sync_barrier_options bo = {.parties = 1};
        mo.reserved[i] = so.reserved[i] = eo.reserved[i] = bo.reserved[i] = 3;
        snprintf(words, sizeof(words), "reserved[%d] is 3, must be 0", i);
        EXPECT(SYNC_EINVAL, sync_mutex_open(lab(), "m", &mo, &m));
        SAYS(words);
        EXPECT(SYNC_EINVAL, sync_semaphore_open(lab(), "s", &so, &s));
        SAYS(words);
        EXPECT(SYNC_EINVAL, sync_event_open(lab(), "e", &eo, &e));
        SAYS(words);
        EXPECT(SYNC_EINVAL, sync_barrier_open(lab(), "b", &bo, &b));
        SAYS(words);
        SAYS("zero the options struct");
    }
    EXPECT(SYNC_EINVAL, sync_mutex_open(lab(), "m", &(sync_mutex_options){.unused = 1}, &m));
    SAYS("unused is 1");
    EXPECT(SYNC_EINVAL, sync_event_open(lab(), "e", &(sync_event_options){.unused = 1}, &e));
    EXPECT(SYNC_EINVAL,
           sync_barrier_open(lab(), "b", &(sync_barrier_options){.parties = 1, .unused = 1}, &b));
    EXPECT(SYNC_EINVAL, sync_mutex_open(lab(), "m", &(sync_mutex_options){.owner = 2}, &m));
    SAYS("owner is 2, the choices are");
    EXPECT(SYNC_EINVAL, sync_mutex_open(lab(), "m", &(sync_mutex_options){.owner = -1}, &m));
    EXPECT(SYNC_EINVAL,
           sync_mutex_open(lab(), "m", &(sync_mutex_options){.on_owner_death = 3}, &m));
    SAYS("on_owner_death is 3");
    EXPECT(SYNC_EINVAL, sync_mutex_open(lab(), "m", NULL, NULL));
    SAYS("ret_mutex is NULL");
    EXPECT(SYNC_EINVAL, sync_semaphore_open(lab(), "s", NULL, NULL));
    EXPECT(SYNC_EINVAL, sync_event_open(lab(), "e", NULL, NULL));
    EXPECT(SYNC_EINVAL, sync_barrier_open(lab(), "b", NULL, NULL));
    sync_manager_state state;
    EXPECT(0, sync_manager_info(lab(), &state));
    NUMBER(0, state.names);
}

/* ---- handles ---- */

static void wrong_handles(void)
{
    uint64_t token;
    lab_alone();
    event = an_event("e", false);
    sync_mutex *wrong = (sync_mutex *)event, *closed = a_mutex("m", NULL),
               *keep = a_mutex("m", NULL);
    struct sync_object *alias = sync_mutex_object(keep);
    EXPECT(SYNC_EHANDLE, sync_mutex_acquire(NULL, 0));
    SAYS("sync_mutex_acquire: NULL is not an open handle");
    EXPECT(SYNC_EHANDLE, sync_mutex_acquire(wrong, 0));
    SAYS("the argument is not an open handle of that kind");
    EXPECT(SYNC_EHANDLE, sync_mutex_release(wrong));
    EXPECT(SYNC_EHANDLE, sync_mutex_check(wrong));
    EXPECT(SYNC_EHANDLE, sync_mutex_consistent(wrong));
    EXPECT(SYNC_EHANDLE, sync_previous_owner(wrong, NULL));
    EXPECT(SYNC_EHANDLE, sync_mutex_token(wrong, &token));
    EXPECT(SYNC_EHANDLE, sync_mutex_is_locked(wrong));
    EXPECT(SYNC_EHANDLE, sync_mutex_depth(wrong));
    sync_mutex_close(wrong); /* not its kind: left open */
    EXPECT(0, sync_event_set(event));
    sync_mutex_close(NULL);
    sync_mutex_close(closed);
    EXPECT(0, sync_mutex_acquire(keep, 0));
    uint32_t magic = alias->magic;
    alias->magic = 0; /* as a closed one's, while its memory is still ours to look at */
    EXPECT(SYNC_EHANDLE, sync_mutex_acquire(keep, 0));
    EXPECT(SYNC_EHANDLE, sync_object_info(alias, &(sync_info){0}));
    NUMBER(0, sync_same(alias, alias));
    alias->magic = magic;
    EXPECT(0, sync_mutex_release(keep));
    struct sync_manager *manager = lab();
    magic = manager->magic;
    manager->magic = 0;
    EXPECT(SYNC_EHANDLE, sync_mutex_open(manager, "m", NULL, &keep));
    SAYS("not an open manager");
    EXPECT(SYNC_EHANDLE, sync_note(manager, "x"));
    manager->magic = magic;
}

static void addresses(void)
{
    sync_manager *manager;
    static const struct {
        const char *address, *words;
    } bad[] = {{"http://camera", "has an unknown scheme; known: shm:NAME"},
               {"camera", "unknown scheme"},
               {"SHM:default", "unknown scheme"},
               {"ipc:///run/x", "managers of this host only"},
               {"tcp://host:1", "managers of this host only"},
               {"shm:", "is empty"},
               {"shm:a/b", "holds a slash"},
               {"shm:a\nb", "control character"},
               {"shm:\xff", "not UTF-8"},
               {"shm:0123456789012345678901234567890123456789012345678901234567890123",
                "the name is longer than 63 bytes"}};
    POISON(&manager);
    for (size_t i = 0; i < SY_COUNT(bad); i++) {
        EXPECT(SYNC_EADDRESS, sync_manager_connect(bad[i].address, NULL, &manager));
        SAYS(bad[i].words);
        CHECK(UNTOUCHED(&manager));
    }
}

static void the_wall_clock_is_for_display_only(void)
{
    lab_alone();
    mutex = a_mutex("m", NULL);
    event = an_event("e", false);
    for (int step = 0; step < 4; step++) {
        sy_switches.wall_offset = (step % 2 ? -1 : 1) * 400ll * 86400 * 1000000000;
        int64_t before = sy_now();
        EXPECT(SYNC_ETIMEDOUT, sync_event_wait(event, SYNC_MS(20)));
        CHECK(sy_now() - before >= 20000000 && sy_now() - before < 5000000000);
        EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(1)));
        sync_info info;
        EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
        CHECK(info.holder.since <= sy_now() && sy_now() - info.holder.since < 5000000000);
        EXPECT(0, sync_mutex_release(mutex));
        CHECK(llabs(sy_wall() - sy_now()) > 0);
    }
}

HARNESS_MAIN(CASE(bad_names), CASE(names_are_read_to_their_nul_only), CASE(bad_timeouts),
             CASE(bad_timeouts_in_options), CASE(reserved_words), CASE(wrong_handles),
             CASE(addresses), CASE(the_wall_clock_is_for_display_only))
