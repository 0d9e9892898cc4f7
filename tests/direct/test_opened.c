/* SPDX-License-Identifier: MIT */
/* What this process has open already is found by its name alone, and is the same as what the shared
 * directory leads to. */
#include "tests/support.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/text.h"

/* Entries of this process, whatever they name. */
static uint32_t entries(void)
{
    uint32_t found = 0, count = sy_committed(look(), SY_CHUNKS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_chunk *chunk = sy_chunk_at(look(), i);
        for (uint32_t j = 0; j < SY_OPENS_PER_CHUNK && sy_get(&chunk->owner); j++) {
            found += sy_get(&chunk->entries[j].record) && sy_get(&chunk->entries[j].opens);
        }
    }
    return found;
}

static bool named(sync_mutex *mutex, const char *name)
{
    sync_info info;
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    return strcmp(info.name, name) == 0;
}

static void one_entry_however_often_it_is_opened(void)
{
    enum { MANY = 400 };
    static sync_mutex *first[MANY], *again[MANY];
    char name[16];
    lab_alone();
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        first[i] = a_mutex(name, NULL);
    }
    NUMBER(MANY, entries());
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        again[i] = a_mutex(name, NULL);
        CHECK(again[i] != first[i] && named(again[i], name));
        NUMBER(1, sync_same(sync_mutex_object(first[i]), sync_mutex_object(again[i])));
    }
    NUMBER(MANY, entries());
    for (int i = 0; i < MANY; i++) {
        sync_mutex_close(first[i]);
    }
    NUMBER(MANY, entries());
    for (int i = 0; i < MANY; i++) {
        sync_mutex_close(again[i]);
    }
    NUMBER(0, entries());
}

/* ---- names of one hash ---- */

struct hashed {
    uint32_t hash, number;
};
static int by_hash(const void *a, const void *b)
{
    uint32_t x = ((const struct hashed *)a)->hash, y = ((const struct hashed *)b)->hash;
    return x < y ? -1 : x > y;
}

static void names_of_one_hash_are_kept_apart(void)
{
    enum { MANY = 400000 };
    struct hashed *all = calloc(MANY, sizeof(*all));
    char a[24] = "", b[24] = "";
    CHECK(all);
    for (uint32_t i = 0; i < MANY; i++) {
        int size = snprintf(a, sizeof(a), "lab/%u", i);
        all[i] = (struct hashed){sy_hash(a, (size_t)size), i};
    }
    qsort(all, MANY, sizeof(*all), by_hash);
    uint32_t at = 1;
    while (at < MANY && all[at].hash != all[at - 1].hash) {
        at++;
    }
    CHECK(at < MANY); /* about twenty, as good as chance */
    snprintf(a, sizeof(a), "lab/%u", all[at - 1].number);
    snprintf(b, sizeof(b), "lab/%u", all[at].number);
    free(all);
    lab_alone();
    sync_mutex *one = a_mutex(a, NULL), *other = a_mutex(b, NULL);
    CHECK(named(one, a) && named(other, b));
    CHECK(named(a_mutex(a, NULL), a) && named(a_mutex(b, NULL), b));
    NUMBER(0, sync_same(sync_mutex_object(one), sync_mutex_object(other)));
    sync_mutex_close(one);
    CHECK(named(a_mutex(b, NULL), b) && named(a_mutex(a, NULL), a));
}

/* ---- what a known name is refused for ---- */

static void a_known_name_is_compared_too(void)
{
    sync_mutex *m;
    sync_event *e;
    lab_alone();
    a_mutex("camera", NULL);
    EXPECT(SYNC_EKIND, sync_event_open(lab(), "camera", NULL, &e));
    EXPECT(SYNC_EEXIST,
           sync_mutex_open(lab(), "camera", &(sync_mutex_options){.open = SYNC_OPEN_NEW}, &m));
    EXPECT(SYNC_EMISMATCH, sync_mutex_open(lab(), "camera", &(sync_mutex_options){.fifo = 1}, &m));
    EXPECT(0,
           sync_mutex_open(lab(), "camera", &(sync_mutex_options){.open = SYNC_OPEN_EXISTING}, &m));
    sy_fault_set(SY_FAULT_MALLOC, 1, 1, ENOMEM);
    EXPECT(SYNC_ENOMEM, sync_mutex_open(lab(), "camera", NULL, &m));
    NUMBER(1, entries());
    sync_manager_close(lab()); /* each refusal has given back what it counted */
    NUMBER(0, entries());
}

/* ---- several managers on one attachment ---- */

static void each_manager_closes_its_own(void)
{
    sync_manager *other;
    sync_mutex *m;
    lab_alone();
    sync_mutex *mine = a_mutex("camera", NULL);
    EXPECT(0, sync_manager_connect(NULL, &(sync_manager_options){.no_autostart = 1}, &other));
    CHECK(other->attachment == lab()->attachment);
    EXPECT(0, sync_mutex_open(other, "camera", NULL, &m));
    EXPECT(0, sync_mutex_acquire(m, 0));
    NUMBER(1, entries());
    sync_manager_close(other);
    NUMBER(1, entries());
    NUMBER(1, sync_mutex_depth(mine)); /* the thread's, and open still */
    EXPECT(SYNC_EBUSY, sync_unlink(lab(), "camera"));
    EXPECT(0, sync_mutex_release(mine));
    sync_mutex_close(mine);
    EXPECT(0, sync_unlink(lab(), "camera"));
}

/* A closed handle's memory serves the next: nothing of the one before is left in it. */
static void memory_of_a_closed_handle(void)
{
    sync_mutex *m;
    lab_alone();
    EXPECT(0, sync_mutex_open(
                  lab(), "mirror",
                  &(sync_mutex_options){.owner = SYNC_OWNER_HANDLE, .timeout = SYNC_S(3)}, &m));
    EXPECT(0, sync_mutex_acquire(m, 0));
    sync_mutex_close(m);
    EXPECT(SYNC_EHANDLE, sync_mutex_acquire(m, 0));
    sync_mutex_close(m); /* nothing */
    sync_mutex *next = a_mutex("camera", NULL);
    CHECK(next == m);
    NUMBER(0, ((struct sync_object *)(void *)next)->principal);
    NUMBER(0, ((struct sync_object *)(void *)next)->timeout);
    EXPECT(0, sync_mutex_acquire(next, 0));
    EXPECT(0, sync_mutex_release(next));
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(a_mutex("mirror", NULL), 0));
    sync_info info;
    sync_mutex *kept = a_mutex("camera", NULL);
    sync_mutex_close(next); /* the one that created it */
    EXPECT(0, sync_object_info(sync_mutex_object(a_mutex("camera", NULL)), &info));
    NUMBER(0, info.created);
    sync_mutex_close(kept);
}

/* ---- forked children ---- */

static sync_mutex *inherited;
static int lock_held(struct job *job)
{
    pthread_mutex_lock(&lab()->attachment->lock);
    raise_flag(8);
    await_flag(9);
    pthread_mutex_unlock(&lab()->attachment->lock);
    return job->rc;
}

/* What it opens keeps the name, though it is its parent's entry that it knew it by. */
static void only_opens(void)
{
    a_mutex("camera", NULL);
    raise_flag(0);
    await_flag(1);
}

static void a_child_that_only_opens_has_it_open(bool bare)
{
    int status;
    char words[40];
    lab_alone();
    inherited = a_mutex("camera", NULL);
    struct job job = {.call = lock_held};
    if (bare) { /* in the middle of whatever another thread does */
        job_start(&job);
        await_flag(8);
    }
    pid_t pid = bare ? (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) : fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        alarm(10);
        only_opens();
        _exit(0);
    }
    await_flag(0);
    if (bare) {
        raise_flag(9);
        EXPECT(0, job_end(&job));
    }
    sync_mutex_close(inherited);
    EXPECT(SYNC_EBUSY, sync_unlink(lab(), "camera"));
    snprintf(words, sizeof(words), "[%d] has it open", (int)pid);
    SAYS(words);
    raise_flag(1);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    EXPECT(0, sync_unlink(lab(), "camera"));
}
static void in_a_forked_child(void)
{
    a_child_that_only_opens_has_it_open(false);
}
static void in_a_child_of_the_bare_system_call(void)
{
    a_child_that_only_opens_has_it_open(true);
}

HARNESS_MAIN(CASE(one_entry_however_often_it_is_opened), CASE(names_of_one_hash_are_kept_apart),
             CASE(a_known_name_is_compared_too), CASE(each_manager_closes_its_own),
             CASE(memory_of_a_closed_handle), CASE(in_a_forked_child),
             CASE(in_a_child_of_the_bare_system_call))
