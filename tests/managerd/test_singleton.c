/* SPDX-License-Identifier: MIT */
/* One manager per name; what is not its own it does not touch. */
#include "tests/support.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "managerd/managerd.h"
#include "base/text.h"

static char said[8192];

static int another(void)
{
    const char *const words[] = {managerd_path(), "--name", lab_name(), NULL};
    return command_output(said, sizeof(said), words);
}

static void says(const char *words)
{
    HOLDS(said, words);
}

static void a_second_one_is_refused_by_name(void)
{
    char words[80];
    pid_t manager = lab_managed();
    NUMBER(EXIT_RUNNING, another());
    snprintf(words, sizeof(words), "runs already: pid %d, user ", (int)manager);
    says(words);
    says(lab_path());
    says("(running)");
    NUMBER(1, sy_get(&look()->header->epoch));
    NUMBER(manager, sy_get(&look()->header->manager_pid));
    stopped(manager);
    NUMBER(EXIT_RUNNING, another());
    says(words);
    says("stopped; kill -CONT lets it go on");
    NUMBER(1, sy_get(&look()->header->epoch));
    CHECK(kill(manager, SIGCONT) == 0);
    EXPECT(0, sync_mutex_acquire(a_mutex("camera", NULL), 0));
}

/* ---- adoption ---- */

static sync_mutex *mutex;
static int uses_the_lab(struct job *job)
{
    while (!atomic_load(&board->flag[1])) {
        EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(20)));
        EXPECT(0, sync_mutex_release(mutex));
        job->number++;
    }
    return 0;
}

static void after_kill_9_the_next_one_adopts(void)
{
    char words[80];
    pid_t manager = lab_managed();
    mutex = a_mutex("camera", NULL);
    sync_mutex *held = a_mutex("mirror", NULL);
    EXPECT(0, sync_mutex_acquire(held, 0));
    uint64_t token, after;
    EXPECT(0, sync_mutex_token(held, &token));
    struct job busy[2] = {{.call = uses_the_lab}, {.call = uses_the_lab}};
    struct job waiter = {.call = acquires_and_releases, .handle = held, .timeout = SYNC_FOREVER};
    job_start(&busy[0]);
    job_start(&busy[1]);
    job_start(&waiter);
    await_sleepers("mirror", 1);
    for (uint32_t epoch = 2; epoch <= 4; epoch++) {
        killed(manager);
        manager = manager_start(NULL);
        AWAIT(sy_get(&look()->header->epoch) == epoch);
        AWAIT(!sy_manager_stale(look(), sy_now()));
        NUMBER(manager, sy_get(&look()->header->manager_pid));
        snprintf(words, sizeof(words), "adopted %s, epoch %u", lab_path(), epoch);
        AWAIT(strstr(managers_said(), words));
        EXPECT(0, sync_mutex_check(held));
        NUMBER(1, sleepers_on("mirror"));
    }
    EXPECT(0, sync_mutex_token(held, &after));
    NUMBER(token, after);
    EXPECT(0, sync_mutex_release(held));
    EXPECT(0, job_end(&waiter));
    raise_flag(1);
    EXPECT(0, job_end(&busy[0]));
    EXPECT(0, job_end(&busy[1]));
    CHECK(busy[0].number > 0 && busy[1].number > 0);
    NUMBER(4, ring_count(SY_EVENT_MANAGER));
    NUMBER(0, ring_count(SY_EVENT_DIED));
}

static void what_died_meanwhile_is_reaped_at_adoption(void)
{
    pid_t manager = lab_managed();
    sync_semaphore *semaphore = a_semaphore("exposures", 2, 2);
    uint32_t value;
    pid_t pid = fork();
    if (pid == 0) {
        EXPECT(0, sync_semaphore_acquire_many(semaphore, 2, 0));
        raise_flag(0);
        for (;;) {
            pause();
        }
    }
    await_flag(0);
    killed(manager);
    killed(pid);
    manager_start(NULL);
    AWAIT(sync_semaphore_value(semaphore, &value) == 0 && value == 2);
    AWAIT(ring_count(SY_EVENT_DIED) >= 1);
}

static void a_clean_stop_names_who_holds_what(void)
{
    char words[80];
    int status;
    pid_t manager = lab_managed();
    EXPECT(0, sync_note(lab(), "flat fields"));
    mutex = a_mutex("camera", NULL);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    CHECK(kill(manager, SIGTERM) == 0);
    CHECK(waitpid(manager, &status, 0) == manager && WIFEXITED(status));
    NUMBER(0, WEXITSTATUS(status));
    HOLDS(managers_said(), "stopping");
    snprintf(words, sizeof(words), "still held: camera by tester[%d], \"flat fields\"",
             (int)getpid());
    HOLDS(managers_said(), words);
    HOLDS(managers_said(), "stopped; 1 processes stay attached");
    NUMBER(0, sy_get(&look()->header->manager_pid));
    CHECK(access(lab_path(), F_OK) == 0);
    EXPECT(0, sync_mutex_check(mutex));
    EXPECT(0, sync_mutex_release(mutex));
    manager_start(NULL);
    AWAIT(sy_get(&look()->header->epoch) == 2);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
}

/* ---- what it refuses, and leaves as it is ---- */

static uint32_t checksum(void)
{
    struct stat status;
    uint32_t sum = 0;
    char block[65536];
    int fd = open(lab_path(), O_RDONLY);
    CHECK(fd >= 0 && fstat(fd, &status) == 0);
    for (ssize_t got; (got = read(fd, block, sizeof(block))) > 0;) {
        sum = sum * 31 + sy_hash(block, (size_t)got);
    }
    close(fd);
    return sum * 31 + (uint32_t)status.st_uid * 7 + status.st_mode + (uint32_t)status.st_size;
}

static void refused_untouched(const char *words)
{
    uint32_t before = checksum();
    struct stat first, second;
    CHECK(stat(lab_path(), &first) == 0);
    NUMBER(EXIT_REFUSED, another());
    says(words);
    says(lab_path());
    CHECK(stat(lab_path(), &second) == 0);
    CHECK(first.st_ino == second.st_ino && checksum() == before);
}

static void another_layout_version(void)
{
    lab_alone()->header->layout = SY_LAYOUT_VERSION + 1;
    refused_untouched("has layout 2/");
    look()->header->layout = SY_LAYOUT_VERSION;
    look()->header->fingerprint ^= 1;
    refused_untouched("all programs and managerd must use one version");
}

static void another_owner(void)
{
    lab_alone();
    CHECK(chown(lab_path(), 65534, 65534) == 0);
    refused_untouched("belongs to nobody, expected root");
}

static void another_boot(void)
{
    struct sy_header *header = lab_alone()->header;
    header->boot_id[0] = header->boot_id[0] == '0' ? '1' : '0';
    refused_untouched("is of another boot");
}

static void garbage(void)
{
    char block[8192];
    lab_name();
    int fd = open(lab_path(), O_RDWR | O_CREAT, 0600);
    memset(block, 'g', sizeof(block));
    CHECK(fd >= 0 && write(fd, block, sizeof(block)) == sizeof(block));
    refused_untouched("is not a segment of libsync");
    CHECK(ftruncate(fd, 100) == 0);
    refused_untouched("100 bytes");
    CHECK(ftruncate(fd, 0) == 0);
    refused_untouched("0 bytes");
}

static void truncated(void)
{
    struct stat status;
    lab_alone();
    CHECK(stat(lab_path(), &status) == 0);
    CHECK(truncate(lab_path(), status.st_size - 16384) == 0);
    refused_untouched("is damaged: size does not fit");
}

static void a_name_that_fits_no_file(void)
{
    const char *const words[] = {managerd_path(), "--name", "a/b", NULL};
    NUMBER(EXIT_USAGE, command_output(said, sizeof(said), words));
    says("holds a slash");
}

/* ---- remove ---- */

static void removed_when_nobody_uses_it(void)
{
    const char *const words[] = {managerd_path(), "--remove", "--name", lab_name(), NULL};
    lab_alone();
    pid_t pid = fork();
    if (pid == 0) {
        lab();
        raise_flag(0);
        await_flag(1);
        _exit(0);
    }
    await_flag(0);
    NUMBER(EXIT_REFUSED, command_output(said, sizeof(said), words));
    says("1 processes use");
    CHECK(access(lab_path(), F_OK) == 0);
    NUMBER(SY_STATE_RUNNING, sy_get(&look()->header->state));
    raise_flag(1);
    joined(pid);
    NUMBER(0, command_output(said, sizeof(said), words));
    CHECK(access(lab_path(), F_OK) != 0);
    NUMBER(SY_STATE_ORPHANED, sy_get(&look()->header->state));
}

HARNESS_MAIN(CASE(a_second_one_is_refused_by_name), CASE(after_kill_9_the_next_one_adopts),
             CASE(what_died_meanwhile_is_reaped_at_adoption),
             CASE(a_clean_stop_names_who_holds_what), CASE(another_layout_version),
             CASE(another_owner), CASE(another_boot), CASE(garbage), CASE(truncated),
             CASE(a_name_that_fits_no_file), CASE(removed_when_nobody_uses_it))
