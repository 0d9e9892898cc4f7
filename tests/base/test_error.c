/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

#include <errno.h>

#include "base/error.h"

static void every_code_has_a_name_and_a_meaning(void)
{
    for (int code = SYNC_OWNER_DIED; code >= SYNC_EHANDLE; code--) {
        HOLDS(sync_strcode(code), "SYNC_");
        CHECK(!strchr(sync_strcode(code), '?'));
        CHECK(strlen(sync_strerror(code)) > 3);
        for (int other = SYNC_OWNER_DIED; other > code; other--) {
            CHECK(strcmp(sync_strcode(code), sync_strcode(other)) != 0);
            CHECK(strcmp(sync_strerror(code), sync_strerror(other)) != 0);
        }
    }
    CHECK(strcmp(sync_strcode(SYNC_ETIMEDOUT), "SYNC_ETIMEDOUT") == 0);
    CHECK(strcmp(sync_strcode(-999), "SYNC_E?") == 0);
    CHECK(strcmp(sync_strerror(-999), "unknown code") == 0);
    CHECK(strcmp(sync_strerror(7), "success") == 0);
}

static int fails_otherwise(struct job *job)
{
    CHECK(!*sync_last_error());
    sync_error error;
    POISON(&error);
    EXPECT(0, sync_last_error_info(&error));
    CHECK(all_bytes(&error, sizeof(error), 0));
    return sy_fail(SYNC_EBUSY, "thread %d", (int)job->number);
}

static void each_thread_has_its_own(void)
{
    struct job job = {.call = fails_otherwise, .number = 7};
    sync_error error;
    CHECK(!*sync_last_error());
    EXPECT(SYNC_EPERM, sy_fail(SYNC_EPERM, "main %s", "thread"));
    job_start(&job);
    EXPECT(SYNC_EBUSY, job_end(&job));
    CHECK(strcmp(job.text, "thread 7") == 0);
    CHECK(strcmp(sync_last_error(), "main thread") == 0);
    EXPECT(0, sync_last_error_info(&error));
    NUMBER(SYNC_EPERM, error.code);
}

static void fields_go_with_the_text(void)
{
    sync_error error, got;
    memset(&error, 0, sizeof(error));
    error.token = 42;
    error.holder.pid = 4711;
    EXPECT(SYNC_ELOST, sy_fail_info(&error, SYNC_ELOST, "lost"));
    POISON(&got);
    EXPECT(0, sync_last_error_info(&got));
    NUMBER(SYNC_ELOST, got.code);
    NUMBER(42, got.token);
    NUMBER(4711, got.holder.pid);
    EXPECT(SYNC_EINVAL, sync_last_error_info(NULL));
    SAYS("ret_error is NULL");
    EXPECT(0, sync_last_error_info(&got)); /* of the failure just now: nothing of the one before */
    NUMBER(SYNC_EINVAL, got.code);
    NUMBER(0, got.token);
    NUMBER(0, got.holder.pid);
}

static void errno_stays_and_long_texts_are_cut(void)
{
    char text[3000];
    memset(text, 't', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    errno = EXDEV;
    EXPECT(SYNC_EINVAL, sy_fail(SYNC_EINVAL, "%s", text));
    NUMBER(EXDEV, errno);
    NUMBER(1023, strlen(sync_last_error()));
}

static void errnos_are_mapped(void)
{
    static const struct {
        int error, code;
        const char *hint;
    } cases[] = {{ENOMEM, SYNC_ENOMEM, "Cannot allocate"}, {ENOSPC, SYNC_ENOSPC, "df -h /dev/shm"},
                 {EDQUOT, SYNC_ENOSPC, "df -h"},           {EACCES, SYNC_EACCES, "denied"},
                 {EPERM, SYNC_EACCES, "not permitted"},    {EAGAIN, SYNC_EMEMLOCK, "ulimit -l"},
                 {EIO, SYNC_ESYSTEM, "Input/output error"}};
    for (size_t i = 0; i < SY_COUNT(cases); i++) {
        EXPECT(cases[i].code, sy_fail_errno(cases[i].error, "fallocate %s", "/dev/shm/x"));
        SAYS("fallocate /dev/shm/x: ");
        SAYS(cases[i].hint);
    }
}

static int made;
static void made_later(void *context, sync_error *info, char *to, size_t size)
{
    made++;
    info->holder.state = SYNC_STATE_STOPPED;
    snprintf(to, size, "made of %s for %d", (const char *)context, (int)info->holder.pid);
    errno = EIO;
}

static void a_text_is_made_when_it_is_asked_for(void)
{
    static char context[] = "clay";
    sync_error error, got;
    sy_error_clear(&error);
    error.holder.pid = 4711;
    errno = EXDEV;
    EXPECT(SYNC_EBUSY, sy_fail_later(&error, SYNC_EBUSY, made_later, context));
    NUMBER(0, made);
    CHECK(strcmp(sync_last_error(), "made of clay for 4711") == 0);
    CHECK(strcmp(sync_last_error(), "made of clay for 4711") == 0);
    NUMBER(1, made);
    EXPECT(SYNC_EBUSY, sy_fail_later(&error, SYNC_EBUSY, made_later, context));
    POISON(&got);
    EXPECT(0, sync_last_error_info(&got)); /* the details are completed then, too */
    NUMBER(SYNC_EBUSY, got.code);
    NUMBER(SYNC_STATE_STOPPED, got.holder.state);
    NUMBER(4711, got.holder.pid);
    NUMBER(2, made);
    SAYS("made of clay");
    NUMBER(2, made);
    NUMBER(EXDEV, errno);
    sy_fail_later(&error, SYNC_EBUSY, made_later, context);
    EXPECT(SYNC_EPERM, sy_fail(SYNC_EPERM, "another"));
    CHECK(strcmp(sync_last_error(), "another") == 0);
    EXPECT(0, sync_last_error_info(&got));
    NUMBER(SYNC_STATE_UNKNOWN, got.holder.state);
    NUMBER(2, made); /* nobody asked */
}

/* Of a cycle as much is given as there is, and zeroes behind it, whatever was there before. */
static void a_cycle_is_copied_as_far_as_it_goes(void)
{
    sync_error error, got;
    memset(&error, 0x5a, sizeof(error));
    sy_error_clear(&error);
    error.cycle_count = 3;
    for (int i = 0; i < 3; i++) {
        error.cycle[i].pid = i + 1;
    }
    sy_fail_info(&error, SYNC_EDEADLK, "three");
    EXPECT(0, sync_last_error_info(&got));
    NUMBER(3, got.cycle_count);
    NUMBER(3, got.cycle[2].pid);
    CHECK(all_bytes(&got.cycle[3], sizeof(got.cycle) - 3 * sizeof(got.cycle[0]), 0));
    error.cycle_count = 1;
    sy_fail_info(&error, SYNC_EDEADLK, "one");
    POISON(&got);
    EXPECT(0, sync_last_error_info(&got));
    NUMBER(1, got.cycle[0].pid);
    CHECK(all_bytes(&got.cycle[1], sizeof(got.cycle) - sizeof(got.cycle[0]), 0));
}

HARNESS_MAIN(CASE(every_code_has_a_name_and_a_meaning), CASE(each_thread_has_its_own),
             CASE(fields_go_with_the_text), CASE(errno_stays_and_long_texts_are_cut),
             CASE(errnos_are_mapped), CASE(a_text_is_made_when_it_is_asked_for),
             CASE(a_cycle_is_copied_as_far_as_it_goes))
