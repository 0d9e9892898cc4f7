/* SPDX-License-Identifier: MIT */
#include "managerd/ctl/look.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "managerd/ctl/ctl.h"
#include "transport/address.h"

#define STALE 1000000000ll /* ns without a beat, as in the library */

static char opened[SY_PATH_MAX + 16];

static void say(const char *text)
{
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

static void bus_error(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_code != BUS_ADRERR) {
        signal(signal_number, SIG_DFL); /* not a missing page: a fault of our own */
        return;
    }
    say("managerctl: ");
    say(opened);
    say(" was cut while it was read, or /dev/shm is full: no page is there. See: ls -l /dev/shm; df "
        "/dev/shm\n");
    _exit(CTL_FAILED);
}

void ctl_catch_bus_errors(void)
{
    struct sigaction action = {.sa_sigaction = bus_error, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
}

int ctl_name_of(const char *address, char *ret_name, size_t size, char *ret_shm_name,
                size_t shm_size, int *ret_private)
{
    enum sy_scheme scheme;
    int rc = sy_address(address, &scheme, ret_name, size);
    return rc ? rc : sy_segment_name(ret_name, ret_shm_name, shm_size, ret_private);
}

/* Alive, stopped or gone, by three witnesses: the beat, the byte its open file holds, its process.
 */
static void look_at_manager(struct ctl_look *look)
{
    struct sy_header *header = look->segment->header;
    int64_t beat = (int64_t)sy_get(&header->heartbeat);
    look->pid = (int32_t)sy_get(&header->manager_pid);
    look->epoch = sy_get(&header->epoch);
    look->silent = beat <= 0 ? -1 : look->now > beat ? look->now - beat : 0;
    look->orphaned = sy_segment_check_orphan(look->segment);
    bool byte = sy_byte_held(sy_segment_fd(look->segment), SY_BYTE_MANAGER) == 1;
    uint64_t start = look->pid > 0 ? sy_start_time(look->pid) : 0;
    bool process = look->pid > 0 && sy_pid_exists(look->pid) && start &&
                   start == sy_get(&header->manager_start_time);
    look->process_state = process ? sy_pid_state(look->pid) : 0;
    look->state = !byte && !process                            ? SYNC_MANAGER_ABSENT
                  : look->silent >= 0 && look->silent <= STALE ? SYNC_MANAGER_RUNNING
                                                               : SYNC_MANAGER_STALE;
}

int ctl_look(const char *address, struct ctl_look *ret_look)
{
    char shm_name[SY_PATH_MAX];
    struct ctl_look *look = ret_look;
    memset(look, 0, sizeof(*look));
    int rc = ctl_name_of(address, look->name, sizeof(look->name), shm_name, sizeof(shm_name),
                         &look->private_to_user);
    if (rc) {
        return rc;
    }
    snprintf(look->address, sizeof(look->address), "shm:%s", look->name);
    snprintf(look->path, sizeof(look->path), "/dev/shm%s", shm_name);
    snprintf(opened, sizeof(opened), "%s", look->path);
    rc = sy_segment_open(shm_name, false, &look->segment);
    if (rc) {
        return rc;
    }
    look->now = sy_now();
    look->wall = sy_wall();
    look_at_manager(look);
    return 0;
}

void ctl_look_end(struct ctl_look *look)
{
    sy_segment_free(look->segment);
}

void ctl_say_manager(const struct ctl_look *look, char *to, size_t size)
{
    char silent[40];
    sy_text_duration(silent, sizeof(silent), look->silent);
    int used = snprintf(to, size, "%s%s, ", look->address,
                        look->private_to_user ? " (this user's own)" : "");
    char *rest = to + used;
    size_t left = size - (size_t)used;
    if (look->orphaned) {
        snprintf(rest, left, "ORPHANED: %s was taken away, no lock is granted any more",
                 look->path);
    } else if (look->state == SYNC_MANAGER_RUNNING) {
        snprintf(rest, left, "managerd[%d] alive", look->pid);
    } else if (look->state == SYNC_MANAGER_STALE) {
        const char *why = look->process_state == 'T' || look->process_state == 't'
                              ? "stopped (kill -CONT lets it go on)"
                          : look->process_state ? "its process is there"
                                                : "its process is not to be seen from here";
        snprintf(rest, left, "managerd[%d] NOT BEATING for %s: %s; locks work without it",
                 look->pid, look->silent < 0 ? "ever" : silent, why);
    } else if (look->pid > 0) {
        snprintf(rest, left, "managerd absent: [%d] died %s ago; locks work without it", look->pid,
                 look->silent < 0 ? "some time" : silent);
    } else {
        snprintf(rest, left, "managerd absent%s; locks work without it",
                 look->epoch ? ": it was stopped" : "");
    }
}
