/* SPDX-License-Identifier: MIT */
/* Names that nobody would miss go when three quarters are taken; what somebody has, or has changed,
 * stays, also when that comes about while it is looked at. */
#include "tests/support.h"

#include <sys/mman.h>

enum { NAMES = 64 };

static const char *name_of(int i)
{
    static char name[16];
    snprintf(name, sizeof(name), "n%d", i);
    return name;
}

static void a_small_lab(void)
{
    lab_small(&(struct sy_capacities){.processes = 64,
                                      .threads = 64,
                                      .principals = 256,
                                      .records = NAMES,
                                      .chunks = 64,
                                      .ring = 64});
}

/* Made one after the other, so the lower ones are the older. */
static void closed_events(int from, int to)
{
    for (int i = from; i < to; i++) {
        sync_event_close(an_event(name_of(i), false));
    }
}

static int retired(void)
{
    struct sy_actor reaper;
    CHECK(sy_reaper_begin(look(), &reaper));
    int count = sy_retire(&reaper);
    sy_reaper_end(&reaper);
    return count;
}

static bool there(int i)
{
    uint32_t record = record_of(name_of(i));
    if (record == SY_NONE) {
        return false;
    }
    NUMBER(SY_RECORD_LIVE, sy_state_of(sy_get(&sy_hot_at(look(), record)->state)));
    NUMBER(0, sy_get(&sy_hot_at(look(), record)->guard));
    return true;
}

static void below_three_quarters_all_stay(void)
{
    a_small_lab();
    closed_events(0, NAMES / 4 * 3 - 1);
    NUMBER(0, retired());
    for (int i = 0; i < NAMES / 4 * 3 - 1; i++) {
        CHECK(there(i));
    }
}

static void the_oldest_go_until_half_are_left(void)
{
    a_small_lab();
    closed_events(0, 50);
    NUMBER(50 - NAMES / 2, retired());
    for (int i = 0; i < 50; i++) {
        NUMBER(i >= 50 - NAMES / 2, there(i));
    }
    NUMBER(0, retired());
}

static void what_is_open_or_not_fresh_stays(void)
{
    a_small_lab();
    for (int i = 0; i < 50; i++) {
        sync_event *event = an_event(name_of(i), false);
        if (i == 1) {
            EXPECT(0, sync_event_set(event));
        }
        if (i != 2) {
            sync_event_close(event);
        }
    }
    NUMBER(50 - NAMES / 2, retired());
    CHECK(!there(0) && there(1) && there(2) && !there(3));
    CHECK(!there(50 - NAMES / 2 + 1) && there(50 - NAMES / 2 + 2));
    NUMBER(1, sync_event_is_set(an_event(name_of(1), false)));
}

/* One that its process has closed for good, but could not give back, is not open. */
static void an_entry_that_is_not_open_keeps_nothing(void)
{
    a_small_lab();
    closed_events(0, 50);
    struct sy_open *entry;
    struct sy_segment *mine = lab()->attachment->segment;
    EXPECT(0, sy_open_entry(mine, record_of(name_of(0)), sy_hot_generation(hot_of(name_of(0))),
                            &entry));
    NUMBER(50 - NAMES / 2, retired());
    CHECK(!there(0));
}

static void one_that_is_being_worked_on_stays(void)
{
    a_small_lab();
    closed_events(0, 50);
    sync_event *open = an_event("other", false); /* registers this thread */
    struct sy_actor actor;
    struct sy_wait wait;
    uint32_t record = record_of(name_of(0));
    EXPECT(0, sy_begin(lab()->attachment, &actor));
    CHECK(sy_record_guard(&actor, record, &wait) != SY_WAIT);
    NUMBER(51 - NAMES / 2, retired());
    NUMBER(record, record_of(name_of(0)));
    sy_record_unguard(&actor, record);
    sy_done(&actor);
    CHECK(there(0) && !there(1));
    sync_event_close(open);
}

static void many_batches(void)
{
    lab_small(&(struct sy_capacities){.processes = 64,
                                      .threads = 64,
                                      .principals = 256,
                                      .records = 8192,
                                      .chunks = 64,
                                      .ring = 64});
    closed_events(0, 7000);
    sync_event *held = an_event(name_of(1500), false);
    NUMBER(7000 - 4096, retired());
    for (int i = 0; i < 7000; i++) {
        NUMBER(i == 1500 || i > 7000 - 4096, there(i));
    }
    sync_event_close(held);
}

/* ---- between UNLINKING and the look ----
 * The reaper walks the chunks twice, with a look at each cold half in between: the second walk,
 * when the batch is UNLINKING, is where its memory traps. */

static void (*meanwhile)(void);
static int stage;

static void protect(enum sy_region_id region, int how)
{
    uint32_t count = sy_committed(look(), region);
    size_t size = (size_t)count * sy_strides[region];
    CHECK(sy_segment_reach(look(), region, count)); /* or the walk would map it, and not trap */
    CHECK(mprotect(look()->start[region], size, how) == 0);
}

static void trapped(int number)
{
    (void)number;
    switch (stage++) {
    case 0: /* the first walk */
        protect(SY_CHUNKS, PROT_READ | PROT_WRITE);
        protect(SY_COLDS, PROT_NONE);
        break;
    case 1: /* collecting */
        protect(SY_COLDS, PROT_READ | PROT_WRITE);
        protect(SY_CHUNKS, PROT_NONE);
        break;
    case 2: /* the second walk */
        protect(SY_CHUNKS, PROT_READ | PROT_WRITE);
        meanwhile();
        break;
    default:
        check_failed(__FILE__, __LINE__, "trapped again");
    }
}

static void while_looked_at(void (*what)(void))
{
    a_small_lab();
    closed_events(0, 50);
    meanwhile = what;
    struct sigaction action = {.sa_handler = trapped};
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    protect(SY_CHUNKS, PROT_NONE);
    NUMBER(50 - NAMES / 2, retired()); /* the next in age goes instead */
    NUMBER(3, stage);
    CHECK(!there(0) && there(1) && !there(2));
    CHECK(!there(50 - NAMES / 2) && there(50 - NAMES / 2 + 1));
}

static void is_set(void)
{
    struct sy_hot *hot = hot_of(name_of(1));
    NUMBER(SY_RECORD_UNLINKING, sy_state_of(sy_get(&hot->state)));
    sy_put(&hot->word, sy_get(&hot->word) | 1);
}
static void what_is_changed_meanwhile_stays(void)
{
    while_looked_at(is_set);
}

static void is_entered(void)
{
    struct sy_open *entry;
    uint32_t record = record_of(name_of(1));
    EXPECT(0, sy_open_entry(lab()->attachment->segment, record,
                            sy_hot_generation(sy_hot_at(look(), record)), &entry));
    sy_store_sc(&entry->opens, 1);
}
static void what_is_opened_meanwhile_stays(void)
{
    while_looked_at(is_entered);
}

/* ---- broken incarnations ---- */

static void broken_ones_go_when_nobody_needs_them(void)
{
    struct sy_actor actor;
    sync_principal evicted;
    a_small_lab();
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    uint32_t old = record_of("camera");
    EXPECT(0, sy_begin(lab()->attachment, &actor));
    EXPECT(0, sy_mutex_break(&actor, old, 0, "a test", &evicted));
    sy_done(&actor);
    NUMBER(0, retired()); /* the evicted owes its release, and has it open */
    NUMBER(SY_RECORD_LIVE, sy_state_of(sy_get(&sy_hot_at(look(), old)->state)));
    EXPECT(SYNC_ELOST, sync_mutex_release(mutex));
    NUMBER(0, retired());                    /* and has it open still */
    EXPECT(0, sync_mutex_acquire(mutex, 0)); /* over to the new one */
    NUMBER(1, retired());
    CHECK(sy_state_of(sy_get(&sy_hot_at(look(), old)->state)) != SY_RECORD_LIVE);
    EXPECT(0, sync_mutex_release(mutex));
}

/* Its word says what a broken mutex' would. */
static void so_many_permits_are_not_a_broken_mutex(void)
{
    a_small_lab();
    sync_semaphore_close(a_semaphore("s", SY_BROKEN, SY_BROKEN));
    NUMBER(SY_BROKEN, sy_get(&hot_of("s")->word) & SY_OWNER);
    NUMBER(0, retired());
    CHECK(record_of("s") != SY_NONE);
}

HARNESS_MAIN(CASE(below_three_quarters_all_stay), CASE(the_oldest_go_until_half_are_left),
             CASE(what_is_open_or_not_fresh_stays), CASE(an_entry_that_is_not_open_keeps_nothing),
             CASE(one_that_is_being_worked_on_stays), CASE(many_batches),
             CASE(what_is_changed_meanwhile_stays), CASE(what_is_opened_meanwhile_stays),
             CASE(broken_ones_go_when_nobody_needs_them),
             CASE(so_many_permits_are_not_a_broken_mutex))
