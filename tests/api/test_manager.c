/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

static sync_manager_options here = {.no_autostart = 1};

static void a_second_connect_shares_the_attachment(void)
{
    sync_manager *a, *b;
    sync_manager_state state;
    sync_mutex *first, *second;
    lab_alone();
    EXPECT(0, sync_manager_connect(NULL, &here, &a));
    EXPECT(0, sync_manager_connect(NULL, &here, &b));
    CHECK(a != b && a->attachment == b->attachment);
    EXPECT(0, sync_manager_info(a, &state));
    NUMBER(1, state.processes);
    EXPECT(0, sync_mutex_open(a, "camera", NULL, &first));
    EXPECT(0, sync_mutex_open(b, "camera", NULL, &second));
    EXPECT(0, sync_mutex_acquire(first, 0));
    sync_manager_close(a); /* closes `first`; `second` still has it open */
    NUMBER(1, sync_mutex_depth(second));
    EXPECT(0, sync_mutex_release(second));
    sync_manager_close(b);
    EXPECT(0, sync_manager_connect(NULL, &here, &a));
    EXPECT(0, sync_manager_info(a, &state));
    NUMBER(1, state.processes);
    sync_manager_close(a);
    sync_manager_close(NULL);
}

static void info_is_whole(void)
{
    sync_manager_state state;
    char address[80];
    lab_alone();
    a_mutex("a", NULL);
    an_event("b", false);
    POISON(&state);
    EXPECT(0, sync_manager_info(lab(), &state));
    snprintf(address, sizeof(address), "shm:%s", lab_name());
    CHECK(strcmp(state.address, address) == 0);
    CHECK(strcmp(state.path, lab_path()) == 0);
    NUMBER(SYNC_MANAGER_ABSENT, state.state);
    NUMBER(0, state.manager_pid);
    NUMBER(0, state.epoch);
    NUMBER(SY_LAYOUT_VERSION, state.layout);
    NUMBER(0, state.orphaned);
    NUMBER(1, state.private_to_user);
    NUMBER(30000000000, state.default_timeout);
    NUMBER(1, state.processes);
    NUMBER(64, state.processes_max);
    NUMBER(1, state.threads);
    NUMBER(256, state.threads_max);
    NUMBER(2, state.names);
    NUMBER(512, state.names_max);
    CHECK(ZEROED(state.reserved));
    EXPECT(SYNC_EINVAL, sync_manager_info(lab(), NULL));
    EXPECT(SYNC_EHANDLE, sync_manager_info(NULL, &state));
}

static void the_states_of_a_manager(void)
{
    sync_manager_state state;
    pid_t manager = lab_managed();
    EXPECT(0, sync_manager_info(lab(), &state));
    NUMBER(SYNC_MANAGER_RUNNING, state.state);
    NUMBER(manager, state.manager_pid);
    NUMBER(1, state.epoch);
    CHECK(state.heartbeat > 0);
    manager_freeze(manager);
    EXPECT(0, sync_manager_info(lab(), &state));
    NUMBER(SYNC_MANAGER_STALE, state.state);
    CHECK(kill(manager, SIGCONT) == 0);
    AWAIT(sync_manager_info(lab(), &state) == 0 && state.state == SYNC_MANAGER_RUNNING);
    killed(manager);
    sy_put(&look()->header->heartbeat, 0);
    EXPECT(0, sync_manager_info(lab(), &state));
    NUMBER(SYNC_MANAGER_ABSENT, state.state);
    EXPECT(0, sync_mutex_acquire(a_mutex("goes on", NULL), 0));
}

static int notes(struct job *job)
{
    sync_principal principal;
    uint32_t me = sy_self.id;
    EXPECT(0, sync_note(lab(), job->handle));
    me = sy_self.id;
    sy_describe_principal(look(), me, &principal);
    CHECK(strcmp(principal.note, job->handle ? (const char *)job->handle : "") == 0);
    return 0;
}

static void a_note_is_the_threads_own(void)
{
    char longest[64], too_long[65];
    sync_info info;
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    memset(longest, 'n', 63);
    longest[63] = 0;
    memset(too_long, 'n', 64);
    too_long[64] = 0;
    EXPECT(0, sync_note(lab(), "Übersicht 1/7"));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    struct job job = {.call = notes, .handle = longest};
    job_start(&job);
    EXPECT(0, job_end(&job));
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    CHECK(strcmp(info.holder.note, "Übersicht 1/7") == 0);
    EXPECT(SYNC_EINVAL, sync_note(lab(), too_long));
    SAYS("too long");
    EXPECT(SYNC_EINVAL, sync_note(lab(), "a\nb"));
    SAYS("control character");
    EXPECT(SYNC_EINVAL, sync_note(lab(), "\xff"));
    SAYS("not UTF-8");
    EXPECT(SYNC_EHANDLE, sync_note(NULL, "x"));
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    CHECK(strcmp(info.holder.note, "Übersicht 1/7") == 0);
    EXPECT(0, sync_note(lab(), NULL));
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    CHECK(!info.holder.note[0]);
    EXPECT(0, sync_note(lab(), "x"));
    EXPECT(0, sync_note(lab(), ""));
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    CHECK(!info.holder.note[0]);
}

static const char *label_of(sync_manager *manager)
{
    return sy_process_at(look(), manager->attachment->segment->process)->label;
}

static void labels_are_checked(void)
{
    sync_manager *manager;
    char too_long[33];
    const char *const bad[] = {"", too_long, "tab\tbed", "\xc3"};
    lab_alone();
    memset(too_long, 'l', 32);
    too_long[32] = 0;
    POISON(&manager);
    for (size_t i = 0; i < SY_COUNT(bad); i++) {
        sync_manager_options options = {.no_autostart = 1, .label = bad[i]};
        EXPECT(SYNC_EINVAL, sync_manager_connect(NULL, &options, &manager));
        SAYS("label");
    }
    sync_manager_options options = {.no_autostart = 1, .key_file = "/etc/key"};
    EXPECT(SYNC_EINVAL, sync_manager_connect(NULL, &options, &manager));
    SAYS("only remote managers take a key");
    options = (sync_manager_options){.no_autostart = 1, .timeout = 5};
    EXPECT(SYNC_EINVAL, sync_manager_connect(NULL, &options, &manager));
    SAYS("SYNC_MS(5)");
    for (int i = 0; i < 8; i++) {
        options = (sync_manager_options){.no_autostart = 1};
        options.reserved[i] = 9;
        EXPECT(SYNC_EINVAL, sync_manager_connect(NULL, &options, &manager));
        SAYS("sync_manager_options: reserved[");
        SAYS("is 9, must be 0");
    }
    CHECK(UNTOUCHED(&manager));
    EXPECT(SYNC_EINVAL, sync_manager_connect(NULL, &here, NULL));
    too_long[31] = 0;
    options = (sync_manager_options){.no_autostart = 1, .label = too_long};
    EXPECT(0, sync_manager_connect(NULL, &options, &manager));
    CHECK(strcmp(label_of(manager), too_long) == 0);
    sync_manager_close(manager);
}

static void without_a_label_the_programs_name(void)
{
    sync_manager *manager;
    lab_alone();
    EXPECT(0, sync_manager_connect(NULL, &here, &manager));
    CHECK(strcmp(label_of(manager), "test_manager") == 0);
    sync_manager_close(manager);
}

static void a_missing_one_that_may_not_be_started(void)
{
    sync_manager *manager;
    POISON(&manager);
    lab_name();
    EXPECT(SYNC_ENOMANAGER, sync_manager_connect(NULL, &here, &manager));
    SAYS(lab_path());
    SAYS("managerd");
    CHECK(UNTOUCHED(&manager));
}

/* ---- interrupt ---- */

static void interrupt_ends_the_waits_of_others(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("m", NULL);
    sync_semaphore *semaphore = a_semaphore("s", 0, 1);
    sync_event *event = an_event("e", false);
    sync_barrier *barrier = a_barrier("b", 2);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    struct job jobs[4] = {
        {.call = acquires, .handle = mutex, .timeout = SYNC_FOREVER},
        {.call = takes_permits, .handle = semaphore, .number = 1, .timeout = SYNC_FOREVER},
        {.call = waits_for_event, .handle = event, .timeout = SYNC_FOREVER},
        {.call = waits_at_barrier, .handle = barrier, .timeout = SYNC_FOREVER}};
    for (int i = 0; i < 4; i++) {
        job_start(&jobs[i]);
    }
    await_sleepers("m", 1);
    await_sleepers("s", 1);
    await_sleepers("e", 1);
    await_sleepers("b", 1);
    EXPECT(0, sync_interrupt(lab()));
    for (int i = 0; i < 4; i++) {
        EXPECT(SYNC_EINTR, job_end(&jobs[i]));
        NUMBER(SYNC_EINTR, jobs[i].error.code);
        HOLDS(jobs[i].text, "interrupted");
    }
    NUMBER(1, sync_barrier_is_broken(barrier));
    /* Only those then waiting: the next one waits. */
    struct job later = {.call = acquires_and_releases, .handle = mutex, .timeout = SYNC_FOREVER};
    job_start(&later);
    await_sleepers("m", 1);
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, job_end(&later));
    EXPECT(SYNC_EHANDLE, sync_interrupt(NULL));
}

HARNESS_MAIN(CASE(a_second_connect_shares_the_attachment), CASE(info_is_whole),
             CASE(the_states_of_a_manager), CASE(a_note_is_the_threads_own),
             CASE(labels_are_checked), CASE(without_a_label_the_programs_name),
             CASE(a_missing_one_that_may_not_be_started), CASE(interrupt_ends_the_waits_of_others))
