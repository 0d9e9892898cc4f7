/* SPDX-License-Identifier: MIT */
/* Names, options, looks, unlink: what the kinds have in common. */
#include "tests/support.h"

static void created_is_told_to_its_creator_alone(void)
{
    sync_info info;
    lab_alone();
    sync_mutex *first = a_mutex("camera", NULL), *second = a_mutex("camera", NULL);
    POISON(&info);
    EXPECT(0, sync_object_info(sync_mutex_object(first), &info));
    NUMBER(1, info.created);
    CHECK(strcmp(info.name, "camera") == 0);
    CHECK(info.created_at > 0 && info.created_at <= sy_now());
    NUMBER(1, info.opens);
    NUMBER(0, info.waiters);
    CHECK(ZEROED(info.reserved));
    uint32_t id = info.id, generation = info.generation;
    EXPECT(0, sync_object_info(sync_mutex_object(second), &info));
    NUMBER(0, info.created);
    NUMBER(id, info.id);
    NUMBER(generation, info.generation);
}

static void existing_and_new_are_obeyed(void)
{
    sync_mutex *mutex;
    sync_mutex_options existing = {.open = SYNC_OPEN_EXISTING}, fresh = {.open = SYNC_OPEN_NEW};
    sync_mutex_options odd = {.open = 3}, negative = {.open = -1};
    lab_alone();
    POISON(&mutex);
    EXPECT(SYNC_ENOENT, sync_mutex_open(lab(), "camera", &existing, &mutex));
    SAYS("no mutex \"camera\"");
    CHECK(UNTOUCHED(&mutex));
    EXPECT(0, sync_mutex_open(lab(), "camera", &fresh, &mutex));
    POISON(&mutex);
    EXPECT(SYNC_EEXIST, sync_mutex_open(lab(), "camera", &fresh, &mutex));
    SAYS("mutex \"camera\" exists already");
    CHECK(UNTOUCHED(&mutex));
    EXPECT(0, sync_mutex_open(lab(), "camera", &existing, &mutex));
    EXPECT(SYNC_EINVAL, sync_mutex_open(lab(), "camera", &odd, &mutex));
    SAYS("open is 3");
    EXPECT(SYNC_EINVAL, sync_mutex_open(lab(), "camera", &negative, &mutex));
}

/* Each field that disagrees is named with both values. */
static void mutex_differs(sync_mutex_options options, const char *words)
{
    sync_mutex *mutex;
    POISON(&mutex);
    EXPECT(SYNC_EMISMATCH, sync_mutex_open(lab(), "plain", &options, &mutex));
    SAYS("mutex \"plain\" exists with another behaviour");
    SAYS(words);
    CHECK(UNTOUCHED(&mutex));
}

static void a_mutex_that_differs_is_refused(void)
{
    sync_mutex *mutex;
    sync_mutex_options full = {.non_recursive = 1,
                               .fifo = 1,
                               .owner = SYNC_OWNER_HANDLE,
                               .on_owner_death = SYNC_DEATH_POISON,
                               .max_hold = SYNC_S(2)};
    lab_alone();
    a_mutex("plain", NULL);
    mutex_differs((sync_mutex_options){.non_recursive = 1}, "non_recursive is 0, asked for 1");
    mutex_differs((sync_mutex_options){.fifo = 1}, "fifo is 0, asked for 1");
    mutex_differs((sync_mutex_options){.owner = SYNC_OWNER_HANDLE}, "owner is 0, asked for 1");
    mutex_differs((sync_mutex_options){.on_owner_death = SYNC_DEATH_POISON},
                  "on_owner_death (POISON) is 0, asked for 1");
    mutex_differs((sync_mutex_options){.on_owner_death = SYNC_DEATH_SILENT},
                  "on_owner_death (SILENT) is 0, asked for 1");
    mutex_differs((sync_mutex_options){.max_hold = SYNC_S(2)},
                  "max_hold is 0 ns, asked for 2000000000 ns");
    a_mutex("plain", &(sync_mutex_options){.timeout = SYNC_S(3)}); /* the handle's own */
    a_mutex("full", &full);
    a_mutex("full", &full);
    a_mutex("full", NULL); /* as it is */
    EXPECT(SYNC_EMISMATCH, sync_mutex_open(lab(), "full", &(sync_mutex_options){0}, &mutex));
    SAYS("non_recursive is 1, asked for 0"); /* zeros are compared too */
    EXPECT(0, sync_mutex_open(lab(), "full",
                              &(sync_mutex_options){.open = SYNC_OPEN_EXISTING,
                                                    .non_recursive = 1,
                                                    .fifo = 1,
                                                    .owner = SYNC_OWNER_HANDLE,
                                                    .on_owner_death = SYNC_DEATH_POISON,
                                                    .max_hold = SYNC_S(2)},
                              &mutex));
}

static void the_other_kinds_too(void)
{
    sync_semaphore *s;
    sync_event *e;
    sync_barrier *b;
    lab_alone();
    a_semaphore("s", 2, 3);
    an_event("e", true);
    a_barrier("b", 3);
    a_semaphore("s", 1, 3); /* initial counts at creation only */
    sync_semaphore_options wider = {.maximum = 4}, loose = {.maximum = 3, .untracked = 1};
    EXPECT(SYNC_EMISMATCH, sync_semaphore_open(lab(), "s", &wider, &s));
    SAYS("maximum is 3, asked for 4");
    EXPECT(SYNC_EMISMATCH, sync_semaphore_open(lab(), "s", &loose, &s));
    SAYS("untracked is 0, asked for 1");
    EXPECT(SYNC_EMISMATCH, sync_event_open(lab(), "e", &(sync_event_options){0}, &e));
    SAYS("auto_reset is 1, asked for 0");
    EXPECT(SYNC_EMISMATCH,
           sync_barrier_open(lab(), "b", &(sync_barrier_options){.parties = 4}, &b));
    SAYS("parties is 3, asked for 4");
    EXPECT(SYNC_EMISMATCH,
           sync_barrier_open(lab(), "b", &(sync_barrier_options){.parties = 3, .members = 1}, &b));
    SAYS("members is 0, asked for 1");
    EXPECT(0, sync_semaphore_open(lab(), "s", NULL, &s));
    EXPECT(0, sync_event_open(lab(), "e", NULL, &e));
    EXPECT(0, sync_barrier_open(lab(), "b", NULL, &b));
}

static void one_name_space_over_all_kinds(void)
{
    sync_mutex *m;
    sync_semaphore *s;
    sync_event *e;
    sync_barrier *b;
    lab_alone();
    a_mutex("m", NULL);
    an_event("e", false);
    EXPECT(SYNC_EKIND, sync_semaphore_open(lab(), "m", NULL, &s));
    SAYS("m is a mutex, not a semaphore");
    EXPECT(SYNC_EKIND, sync_event_open(lab(), "m", NULL, &e));
    SAYS("m is a mutex, not a event");
    EXPECT(SYNC_EKIND, sync_barrier_open(lab(), "m", &(sync_barrier_options){.parties = 2}, &b));
    EXPECT(SYNC_EKIND, sync_mutex_open(lab(), "e", NULL, &m));
    SAYS("e is a event, not a mutex");
    EXPECT(SYNC_EKIND,
           sync_mutex_open(lab(), "e", &(sync_mutex_options){.open = SYNC_OPEN_NEW}, &m));
}

static void sameness(void)
{
    lab_alone();
    sync_mutex *a = a_mutex("a", NULL), *again = a_mutex("a", NULL), *b = a_mutex("b", NULL);
    NUMBER(1, sync_same(sync_mutex_object(a), sync_mutex_object(a)));
    NUMBER(1, sync_same(sync_mutex_object(a), sync_mutex_object(again)));
    NUMBER(0, sync_same(sync_mutex_object(a), sync_mutex_object(b)));
    NUMBER(0, sync_same(sync_mutex_object(a), NULL));
    NUMBER(0, sync_same(NULL, NULL));
}

struct seen {
    int count, stop_at;
    char names[512];
};
static int collect(const sync_info *info, void *argument)
{
    struct seen *seen = argument;
    CHECK(info->kind >= SYNC_KIND_MUTEX && info->kind <= SYNC_KIND_BARRIER);
    snprintf(seen->names + strlen(seen->names), sizeof(seen->names) - strlen(seen->names), "%s ",
             info->name);
    return ++seen->count == seen->stop_at ? 77 : 0;
}

static void lists_by_prefix(void)
{
    lab_alone();
    a_mutex("cam/1", NULL);
    a_mutex("cam/2", NULL);
    an_event("stop", false);
    a_barrier("start", 2);
    struct seen all = {0}, cams = {0}, none = {0}, one = {.stop_at = 1};
    EXPECT(0, sync_list(lab(), NULL, collect, &all));
    NUMBER(4, all.count);
    EXPECT(0, sync_list(lab(), "", collect, &none));
    NUMBER(4, none.count);
    EXPECT(0, sync_list(lab(), "cam/", collect, &cams));
    NUMBER(2, cams.count);
    HOLDS(cams.names, "cam/1 ");
    HOLDS(cams.names, "cam/2 ");
    EXPECT(77, sync_list(lab(), NULL, collect, &one));
    NUMBER(1, one.count);
    EXPECT(0, sync_list(lab(), "nothing", collect, &(struct seen){.stop_at = 1}));
    EXPECT(SYNC_EINVAL, sync_list(lab(), NULL, NULL, NULL));
    EXPECT(SYNC_EHANDLE, sync_list(NULL, NULL, collect, &all));
}

static void unlink_refuses_what_is_open(void)
{
    char words[80];
    lab_alone();
    sync_mutex *a = a_mutex("camera", NULL), *b = a_mutex("camera", NULL);
    for (int i = 0; i < 2; i++) {
        EXPECT(SYNC_EBUSY, sync_unlink(lab(), "camera"));
        snprintf(words, sizeof(words), "unlink \"camera\": tester[%d] has it open", (int)getpid());
        SAYS(words);
        EXPECT(0, sync_mutex_acquire(a, 0)); /* as if nothing had been asked */
        EXPECT(0, sync_mutex_release(a));
        if (!i) {
            sync_mutex_close(b);
        }
    }
    sync_mutex_close(a);
    EXPECT(0, sync_unlink(lab(), "camera"));
    NUMBER(SY_NONE, record_of("camera"));
    EXPECT(SYNC_ENOENT, sync_unlink(lab(), "camera"));
    SAYS("no object \"camera\"");
    EXPECT(SYNC_ENOENT, sync_unlink(lab(), "never"));
    EXPECT(SYNC_EINVAL, sync_unlink(lab(), ""));
    EXPECT(SYNC_EINVAL, sync_unlink(lab(), NULL));
    EXPECT(SYNC_EHANDLE, sync_unlink(NULL, "camera"));
    NUMBER(1, ring_count(SY_EVENT_UNLINKED));
}

static void a_new_one_of_that_name_is_another(void)
{
    sync_info before, after;
    lab_alone();
    sync_semaphore *s = a_semaphore("thing", 1, 5);
    EXPECT(0, sync_object_info(sync_semaphore_object(s), &before));
    sync_semaphore_close(s);
    EXPECT(0, sync_unlink(lab(), "thing"));
    sync_event *e = an_event("thing", true); /* and may be of another kind */
    EXPECT(0, sync_object_info(sync_event_object(e), &after));
    NUMBER(1, after.created);
    CHECK(after.id != before.id || after.generation != before.generation);
    NUMBER(0, after.value);
    sync_event_close(e);
    for (int i = 0; i < 1000; i++) { /* more than there are records: the reaper's part apart */
        EXPECT(0, sync_unlink(lab(), "thing"));
        sy_directory_sweep(look());
        sy_directory_sweep(look());
        sync_mutex *m = a_mutex("thing", NULL);
        EXPECT(0, sync_mutex_acquire(m, 0));
        EXPECT(0, sync_mutex_release(m));
        sync_mutex_close(m);
    }
}

static void another_process_that_has_it_open_is_named(void)
{
    char words[40];
    lab_alone();
    pid_t pid = fork();
    if (pid == 0) {
        a_mutex("camera", NULL);
        raise_flag(0);
        await_flag(1);
        _exit(0);
    }
    await_flag(0);
    EXPECT(SYNC_EBUSY, sync_unlink(lab(), "camera"));
    snprintf(words, sizeof(words), "tester[%d] has it open", (int)pid);
    SAYS(words);
    raise_flag(1);
    joined(pid);
    EXPECT(0, sync_unlink(lab(), "camera")); /* the dead have nothing open */
}

static void counts_of_opens(void)
{
    sync_info info;
    lab_alone();
    pid_t pid = fork();
    if (pid == 0) {
        a_mutex("camera", NULL);
        raise_flag(0);
        await_flag(1);
        sync_manager_close(lab());
        _exit(0);
    }
    await_flag(0);
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(2, info.opens);
    raise_flag(1);
    joined(pid);
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(1, info.opens);
}

static void a_try_that_fails_is_counted(void)
{
    sync_info info;
    lab_alone();
    sync_semaphore *s = a_semaphore("s", 1, 1);
    EXPECT(0, sync_semaphore_acquire(s, 0));
    EXPECT(SYNC_ETIMEDOUT, sync_semaphore_acquire(s, 0));
    EXPECT(SYNC_ETIMEDOUT, sync_semaphore_acquire(s, SYNC_MS(1)));
    EXPECT(0, sync_object_info(sync_semaphore_object(s), &info));
    NUMBER(2, info.timeouts);
    NUMBER(1, ring_count(SY_EVENT_TIMEDOUT)); /* a mere try is no event */
}

static void a_look_never_fails_half(void)
{
    sync_info info;
    lab_alone();
    POISON(&info);
    EXPECT(SYNC_EHANDLE, sync_object_info(NULL, &info));
    CHECK(UNTOUCHED(&info));
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(SYNC_EINVAL, sync_object_info(sync_mutex_object(mutex), NULL));
    SAYS("ret_info is NULL");
    NUMBER(0, sync_mutex_object(NULL) != NULL);
}

HARNESS_MAIN(CASE(created_is_told_to_its_creator_alone), CASE(existing_and_new_are_obeyed),
             CASE(a_mutex_that_differs_is_refused), CASE(the_other_kinds_too),
             CASE(one_name_space_over_all_kinds), CASE(sameness), CASE(lists_by_prefix),
             CASE(unlink_refuses_what_is_open), CASE(a_new_one_of_that_name_is_another),
             CASE(another_process_that_has_it_open_is_named), CASE(counts_of_opens),
             CASE(a_try_that_fails_is_counted), CASE(a_look_never_fails_half))
