/* SPDX-License-Identifier: MIT */
#include "managerd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/error.h"
#include "shm/ring.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1"
#endif

/* Adopt what is there, else make it. Nothing that does not fit is touched. */
static int obtain(struct config *config, const char *shm_name, struct sy_segment **ret_segment)
{
    int rc = sy_segment_open(shm_name, true, ret_segment);
    if (rc == SYNC_ENOMANAGER) {
        int32_t pid = singleton_orphan_user(shm_name);
        if (pid) {
            log_line(LOG_ERR,
                     "pid %d still uses a segment /dev/shm%s whose name was taken away: a "
                     "second one beside it would let two hold one lock. End it first",
                     pid, shm_name);
            return EXIT_REFUSED;
        }
        rc = sy_segment_create(shm_name, &config->segment, ret_segment);
    }
    if (rc) {
        log_line(LOG_ERR, "%s", sync_last_error());
        return EXIT_REFUSED;
    }
    if (sy_byte_lock((*ret_segment)->fd, SY_BYTE_MANAGER) < 0) {
        log_line(LOG_ERR,
                 "another manager holds /dev/shm%s, out of sight of this network namespace: "
                 "pid %u as it sees itself",
                 shm_name, sy_get(&(*ret_segment)->header->manager_pid));
        return EXIT_RUNNING;
    }
    return 0;
}

static void take_over(struct sy_segment *segment, const struct config *config)
{
    struct sy_header *header = segment->header;
    bool adopted = sy_get(&header->epoch) != 0;
    sy_put(&header->manager_uid, (uint32_t)geteuid());
    sy_put(&header->manager_start_time, sy_start_time(getpid()));
    sy_put(&header->default_timeout, (uint64_t)config->segment.default_timeout);
    atomic_fetch_add(&header->epoch, 1);
    sy_store(&header->manager_pid, (uint32_t)getpid()); /* last: whoever sees it sees the rest */
    sy_ring_add(segment, &(struct sy_ring_event){.type = SY_EVENT_MANAGER,
                                                 .record = SY_NONE,
                                                 .pid = (uint32_t)getpid(),
                                                 .value = 1});
    log_line(LOG_NOTICE, "%s /dev/shm%s, epoch %u", adopted ? "adopted" : "created",
             segment->shm_name, sy_get(&header->epoch));
}

/* The segment stays, so that whoever is attached goes on and the next manager adopts it. */
static void say_goodbye(struct sy_segment *segment)
{
    int live = reaper_report(segment);
    beat_stop();
    sy_put(&segment->header->heartbeat, 0);
    sy_put(&segment->header->manager_pid, 0);
    sy_ring_add(segment, &(struct sy_ring_event){.type = SY_EVENT_MANAGER,
                                                 .record = SY_NONE,
                                                 .pid = (uint32_t)getpid(),
                                                 .value = 2});
    log_line(LOG_NOTICE, "stopped; %d processes stay attached to /dev/shm%s", live,
             segment->shm_name);
}

static int remove_unused(struct sy_segment *segment)
{
    int live = reaper_report(segment);
    if (live) {
        log_line(LOG_ERR, "%d processes use /dev/shm%s: not removed; see managerctl clients", live,
                 segment->shm_name);
        return EXIT_REFUSED;
    }
    /* First the state, then the name: who comes in between finds it orphaned and fails closed. */
    sy_store_sc(&segment->header->state, SY_STATE_ORPHANED);
    int rc = sy_shm_unlink(segment->shm_name);
    if (rc < 0) {
        log_line(LOG_ERR, "shm_unlink %s: %s", segment->shm_name, strerror(-rc));
        return EXIT_REFUSED;
    }
    return 0;
}

static int remove_segment(const char *shm_name)
{
    struct sy_segment *segment;
    int32_t other;
    int listener = singleton_claim(shm_name, &other); /* a manager that runs keeps its segment */
    if (listener < 0) {
        return -listener;
    }
    if (sy_segment_open(shm_name, true, &segment) < 0) {
        log_line(LOG_ERR, "%s", sync_last_error());
        return EXIT_REFUSED;
    }
    int rc = remove_unused(segment);
    sy_segment_free(segment);
    return rc;
}

static void report_ready(int fd, int status)
{
    unsigned char byte = (unsigned char)status;
    if (fd >= 0) {
        ssize_t unused = write(fd, &byte, 1);
        (void)unused;
        close(fd);
    }
}

static bool wait_for_segment(const char *shm_name)
{
    int64_t deadline = sy_now() + 5000000000;
    while (sy_now() < deadline) {
        struct sy_segment *segment;
        int rc = sy_segment_open(shm_name, false, &segment);
        if (rc != SYNC_ENOMANAGER) {
            if (!rc) {
                sy_segment_free(segment);
            }
            return rc == 0;
        }
        sy_sleep_until(sy_now() + 10000000);
    }
    return false;
}

static int serve(struct config *config, const char *shm_name, int ready)
{
    struct sy_segment *segment;
    int32_t other = 0;
    loop_block_signals(); /* a stop that comes before the loop is kept for it */
    int listener = singleton_claim(shm_name, &other);
    if (listener < 0) {
        /* Two controllers may start a manager at once: the loser waits for the winner's segment. */
        bool served = config->background && wait_for_segment(shm_name);
        report_ready(ready, served ? 0 : -listener);
        return -listener;
    }
    int rc = obtain(config, shm_name, &segment);
    if (!rc && beat_start(segment) < 0) {
        log_line(LOG_ERR, "cannot start the heartbeat");
        rc = EXIT_REFUSED;
    }
    if (rc) {
        report_ready(ready, rc);
        return rc;
    }
    take_over(segment, config);
    report_ready(ready, 0);
    rc = loop_run(segment, listener);
    say_goodbye(segment);
    sy_segment_free(segment);
    return rc;
}

static char cut_text[SY_PATH_MAX + 160];

/* Somebody cut the file short under us: what is gone cannot be worked on. */
static void segment_cut(int signal_number)
{
    ssize_t unused = write(STDERR_FILENO, cut_text, strlen(cut_text));
    (void)unused;
    (void)signal_number;
    _exit(EXIT_REFUSED);
}

int main(int argc, char **argv)
{
    struct config config;
    char shm_name[SY_PATH_MAX];
    int ready = -1, private_to_user;
    bool caller;
    int rc = config_read(argc, argv, &config);
    if (rc) {
        return rc;
    }
    if (config.help) {
        config_help(stdout);
        return 0;
    }
    if (config.version) {
        printf("managerd %s, layout %u\n", PACKAGE_VERSION, SY_LAYOUT_VERSION);
        return 0;
    }
    if (sy_segment_name(config.name, shm_name, sizeof(shm_name), &private_to_user)) {
        fprintf(stderr, "managerd: %s\n", sync_last_error());
        return EXIT_USAGE;
    }
    if (config.remove) {
        return remove_segment(shm_name);
    }
    if (config.background) {
        rc = detach(&ready, &caller);
        if (caller) {
            return rc;
        }
        log_to_syslog();
    }
    snprintf(
        cut_text, sizeof(cut_text),
        "managerd: the segment /dev/shm%s was truncated: stopping; end the programs that use it, remove it, "
        "start again\n",
        shm_name);
    signal(SIGBUS, segment_cut);
    return serve(&config, shm_name, ready);
}
