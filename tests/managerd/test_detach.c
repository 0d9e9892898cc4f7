/* SPDX-License-Identifier: MIT */
/* In the background, and on demand. */
#include "tests/support.h"

#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "managerd/managerd.h"

static char said[4096];
static pid_t manager;

static pid_t serving(void)
{
    return (pid_t)sy_get(&look()->header->manager_pid);
}

static void end_manager(void)
{
    CHECK(kill(manager, SIGTERM) == 0);
    AWAIT(!sy_pid_exists(manager));
}

static char proc_text[65536];
static const char *proc(const char *file)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)manager, file);
    FILE *f = fopen(path, "re");
    CHECK(f);
    proc_text[fread(proc_text, 1, sizeof(proc_text) - 1, f)] = 0;
    fclose(f);
    return proc_text;
}

/* Only what it opened itself, and /dev/null for what it had. */
static bool its_own_descriptors_only(void)
{
    char path[64], target[256];
    int null = 0;
    bool only = true;
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)manager);
    DIR *directory = opendir(path);
    CHECK(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        ssize_t size = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);
        if (size <= 0) {
            continue;
        }
        target[size] = 0;
        null += strcmp(target, "/dev/null") == 0;
        only = only && (strcmp(target, "/dev/null") == 0 || strstr(target, "libsync") ||
                        strncmp(target, "/proc/", 6) == 0 || strncmp(target, "socket:", 7) == 0 ||
                        strncmp(target, "anon_inode:", 11) == 0);
    }
    closedir(directory);
    return only && null == 3;
}

static void nothing_of_its_starter_is_left(void)
{
    char path[64], target[256];
    CHECK(getsid(manager) != getsid(0) && getpgid(manager) != getpgid(0));
    CHECK(getsid(manager) != manager); /* no leader: it cannot get a terminal either */
    AWAIT(its_own_descriptors_only()); /* the pipe goes just after the word that it is ready */
    HOLDS(proc("status"), "\nSigBlk:\t0000000000004003\n"); /* HUP, INT, TERM: by signalfd */
    snprintf(path, sizeof(path), "/proc/%d/cwd", (int)manager);
    ssize_t size = readlink(path, target, sizeof(target) - 1);
    CHECK(size == 1 && target[0] == '/');
    NUMBER(0, atoi(proc("oom_score_adj")));
}

static void it_detaches(void)
{
    const char *const words[] = {managerd_path(), "--background", "--name", lab_name(), NULL};
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGINT, SIG_IGN);
    int inherited = dup(0); /* without CLOEXEC */
    /* command_output reads to the end of the pipe: the manager must have closed it. */
    NUMBER(0, command_output(said, sizeof(said), words));
    CHECK(!said[0]);
    CHECK(access(lab_path(), F_OK) == 0);
    NUMBER(1, sy_get(&look()->header->epoch)); /* it serves before the command returns */
    manager = serving();
    CHECK(sy_pid_exists(manager));
    nothing_of_its_starter_is_left();
    close(inherited);
    NUMBER(EXIT_SUCCESS, command_output(said, sizeof(said), words)); /* it is there: that will do */
    NUMBER(manager, serving());
    EXPECT(0, sync_mutex_acquire(a_mutex("camera", NULL), 0));
    end_manager();
}

static void refused_in_the_background_it_says_so(void)
{
    const char *const words[] = {managerd_path(), "--background", "--name", lab_name(), NULL};
    lab_alone()->header->layout++;
    NUMBER(EXIT_REFUSED, command_output(said, sizeof(said), words));
}

static void started_by_a_connect(void)
{
    sync_manager *a;
    lab_name();
    EXPECT(0, sync_manager_connect(NULL, NULL, &a));
    manager = serving();
    sync_manager_state state;
    EXPECT(0, sync_manager_info(a, &state));
    NUMBER(SYNC_MANAGER_RUNNING, state.state);
    NUMBER(manager, state.manager_pid);
    nothing_of_its_starter_is_left();
    CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD); /* no child of ours */
    sync_manager_close(a);
    end_manager();
}

static void connects(void)
{
    sync_manager *a;
    sync_mutex *mutex;
    await_flag(0);
    EXPECT(0, sync_manager_connect(NULL, &(sync_manager_options){.label = "starter"}, &a));
    EXPECT(0, sync_mutex_open(a, "camera", NULL, &mutex));
    EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(10)));
    atomic_fetch_add(&board->value[0], 1);
    EXPECT(0, sync_mutex_release(mutex));
    sync_manager_close(a);
}

static void several_at_once_start_one(void)
{
    pid_t pids[6];
    lab_name();
    for (size_t i = 0; i < SY_COUNT(pids); i++) {
        pids[i] = spawn(connects);
    }
    raise_flag(0);
    for (size_t i = 0; i < SY_COUNT(pids); i++) {
        joined(pids[i]);
    }
    NUMBER(SY_COUNT(pids), atomic_load(&board->value[0]));
    NUMBER(1, sy_get(&look()->header->epoch));
    manager = serving();
    end_manager();
}

static int connects_here(struct job *job)
{
    sync_manager *a;
    (void)job;
    EXPECT(0, sync_manager_connect(NULL, NULL, &a));
    sync_manager_close(a);
    return 0;
}

static void several_threads_too(void)
{
    struct job jobs[4];
    lab_name();
    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct job){.call = connects_here};
        job_start(&jobs[i]);
    }
    for (int i = 0; i < 4; i++) {
        EXPECT(0, job_end(&jobs[i]));
    }
    NUMBER(1, sy_get(&look()->header->epoch));
    manager = serving();
    end_manager();
}

/* A segment whose manager died is used as it is: only a missing one is started. */
static void a_segment_without_a_manager_will_do(void)
{
    sync_manager *a;
    lab_alone();
    EXPECT(0, sync_manager_connect(NULL, NULL, &a));
    NUMBER(0, serving());
    NUMBER(0, sy_get(&look()->header->epoch));
    sync_manager_close(a);
}

static void what_cannot_be_started_is_named(void)
{
    sync_manager *a;
    lab_name();
    POISON(&a);
    setenv("SYNC_MANAGERD", "/nonexistent/managerd", 1);
    EXPECT(SYNC_ENOMANAGER, sync_manager_connect(NULL, NULL, &a));
    SAYS("/nonexistent/managerd cannot be started: No such file or directory");
    SAYS("set SYNC_MANAGERD to its path");
    setenv("SYNC_MANAGERD", "/bin/false", 1);
    EXPECT(SYNC_ENOMANAGER, sync_manager_connect(NULL, NULL, &a));
    SAYS("/bin/false --background --name");
    SAYS("failed (exit 1)");
    setenv("SYNC_MANAGERD", "/bin/true", 1);
    EXPECT(SYNC_ENOMANAGER, sync_manager_connect(NULL, NULL, &a));
    SAYS(lab_path());
    CHECK(UNTOUCHED(&a));
}

/* SIGCHLD ignored, or reaped elsewhere: the launcher's wait finds no child, and that is no failure.
 */
static void somebody_else_waits_for_our_children(void)
{
    sync_manager *a;
    signal(SIGCHLD, SIG_IGN);
    lab_name();
    EXPECT(0, sync_manager_connect(NULL, NULL, &a));
    sync_manager_close(a);
    manager = serving();
    end_manager();
}

HARNESS_MAIN(CASE(it_detaches), CASE(refused_in_the_background_it_says_so),
             CASE(started_by_a_connect), CASE(several_at_once_start_one), CASE(several_threads_too),
             CASE(a_segment_without_a_manager_will_do), CASE(what_cannot_be_started_is_named),
             CASE(somebody_else_waits_for_our_children))
