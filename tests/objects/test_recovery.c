/* SPDX-License-Identifier: MIT */
/* What is done for the dead: what they owned, owed and swallowed; twice, and cut off anywhere. */
#include "tests/support.h"

#include "shm/opens.h"

/* Between the commit and the wake: set, the wake is owed, nobody is woken. An event's sleepers
 * watch nobody, and the dead one has nothing open whose recovery would wake them: nothing but the
 * replay, or the re-check, gets them up. */
static void sets_and_dies_before_the_wake(void)
{
    struct sy_actor actor;
    lab();
    raise_flag(0);
    await_flag(1);
    EXPECT(0, sy_begin(lab()->attachment, &actor));
    sy_owe(&actor, record_of("go"), sy_hot_generation(hot_of("go")));
    atomic_fetch_or(&hot_of("go")->word, 1);
    raise_flag(2);
    for (;;) {
        pause();
    }
}

static struct sy_actor reaper(void)
{
    struct sy_actor actor;
    EXPECT(0, sy_begin(lab()->attachment, &actor));
    return actor;
}

static struct job sleeper;
static void sleeps_through_a_death(sync_timeout timeout)
{
    lab_alone();
    pid_t pid = spawn(sets_and_dies_before_the_wake);
    await_flag(0);
    sy_switches.recheck_off = true;
    sleeper = (struct job){
        .call = waits_for_event, .handle = an_event("go", false), .timeout = timeout};
    job_start(&sleeper);
    await_sleepers("go", 1);
    raise_flag(1);
    await_flag(2);
    killed(pid);
    NUMBER(1, sleepers_on("go"));
    struct sy_actor actor = reaper();
    CHECK(sy_reap(&actor) >= 2);
    sy_done(&actor);
}

static void a_wake_owed_is_given(void)
{
    sleeps_through_a_death(SYNC_FOREVER);
    EXPECT(0, job_end(&sleeper));
}

/* And it is the replay that gives it: without, the sleeper lies there until its time is over. */
static void without_the_replay_it_is_not(void)
{
    sy_switches.replay_off = true;
    int64_t began = sy_now();
    sleeps_through_a_death(SYNC_MS(700));
    await_sleepers("go", 1);
    int rc = job_end(&sleeper); /* it looks once more when its time is over */
    CHECK(rc == 0 || rc == SYNC_ETIMEDOUT);
    CHECK(sy_now() - began >= 700000000);
}

static void holds_five(void)
{
    char name[16];
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        EXPECT(0, sync_mutex_acquire(a_mutex(name, NULL), 0));
    }
    EXPECT(0, sync_semaphore_acquire_many(a_semaphore("s", 4, 4), 3, 0));
    raise_flag(0);
    for (;;) {
        pause();
    }
}

static void once_or_twice_is_the_same(void)
{
    uint32_t value;
    char name[16];
    lab_alone();
    pid_t pid = spawn(holds_five);
    await_flag(0);
    lab();
    struct sy_actor actor = reaper();
    NUMBER(0, sy_reap(&actor)); /* nobody is dead */
    NUMBER(0, ring_count(SY_EVENT_DIED));
    killed(pid);
    CHECK(sy_reap(&actor) >= 2); /* a thread and a process */
    for (int again = 0; again < 3; again++) {
        NUMBER(0, sy_reap(&actor));
        for (int i = 0; i < 5; i++) {
            snprintf(name, sizeof(name), "m%d", i);
            CHECK(sy_get(&hot_of(name)->word) & SY_R);
        }
        EXPECT(0, sync_semaphore_value(a_semaphore("s", 4, 4), &value));
        NUMBER(4, value);
    }
    NUMBER(2, ring_count(SY_EVENT_DIED));
    sy_done(&actor);
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(a_mutex(name, NULL), 0));
    }
}

static void dies_in_the_guard(void)
{
    struct sy_wait wait;
    struct sy_actor actor;
    struct sy_open *entry;
    sync_semaphore *s = a_semaphore("s", 4, 4);
    EXPECT(0, sy_begin(lab()->attachment, &actor));
    NUMBER(SY_GOT, sy_guard_try(&actor, &hot_of("s")->guard, &wait));
    EXPECT(0, sy_opened_entry(sync_semaphore_object(s), &entry));
    sy_put(&entry->permits, 2); /* the fact; the cache in the word is not written any more */
    raise_flag(0);
    for (;;) {
        pause();
    }
}

static void a_guard_of_the_dead_is_repaired(void)
{
    uint32_t value;
    lab_alone();
    pid_t pid = spawn(dies_in_the_guard);
    await_flag(0);
    sync_semaphore *s = a_semaphore("s", 4, 4);
    struct job job = {.call = takes_permits, .handle = s, .number = 4, .timeout = SYNC_S(10)};
    sy_put(&hot_of("s")->word, 0); /* the worst that a half-written cache can say */
    job_start(&job);
    AWAIT(sleepers_on("s") == 1);
    killed(pid);
    EXPECT(0, job_end(&job));
    EXPECT(0, sync_semaphore_value(s, &value));
    NUMBER(0, value);
    NUMBER(0, sy_get(&hot_of("s")->guard) & SY_OWNER);
    EXPECT(0, sync_semaphore_release(s, 4));
}

static void only_attaches(void)
{
    a_mutex("camera", NULL);
    raise_flag(0);
    for (;;) {
        pause();
    }
}

static void slots_of_the_dead_are_let_again(void)
{
    lab_alone();
    lab();
    for (int i = 0; i < 80; i++) { /* more than there are */
        atomic_store(&board->flag[0], 0);
        pid_t pid = spawn(only_attaches);
        await_flag(0);
        killed(pid);
        struct sy_actor actor = reaper();
        CHECK(sy_reap(&actor) >= 1);
        sy_done(&actor);
    }
    sync_manager_state state;
    EXPECT(0, sync_manager_info(lab(), &state));
    NUMBER(1, state.processes);
}

static void a_living_one_is_left_alone(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    sync_semaphore *s = a_semaphore("s", 4, 4);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_semaphore_acquire(s, 0));
    struct sy_actor actor = reaper();
    for (int i = 0; i < 3; i++) {
        NUMBER(0, sy_reap(&actor));
        sy_recover_record(&actor, record_of("camera"), true);
        sy_recover_record(&actor, record_of("s"), true);
    }
    sy_done(&actor);
    EXPECT(0, sync_mutex_check(mutex));
    uint32_t value;
    EXPECT(0, sync_semaphore_value(s, &value));
    NUMBER(3, value);
}

HARNESS_MAIN(CASE(a_wake_owed_is_given), CASE(without_the_replay_it_is_not),
             CASE(once_or_twice_is_the_same), CASE(a_guard_of_the_dead_is_repaired),
             CASE(slots_of_the_dead_are_let_again), CASE(a_living_one_is_left_alone))
