/* SPDX-License-Identifier: MIT */
/* One manager per name: whoever holds the abstract socket. It goes with its owner, however that
 * ends. Abstract sockets exist once per network namespace; the manager's byte on the segment tells
 * across those. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <sys/socket.h>
#include <unistd.h>

#include "managerd.h"
#include "shm/hello.h"

/* The kernel answers a connect for a stopped listener too, and names who listens. */
static int32_t who_listens(const char *shm_name, uint32_t *ret_uid)
{
    struct sockaddr_un address;
    struct ucred peer = {0};
    socklen_t size = sy_manager_address(shm_name, &address), peer_size = sizeof(peer);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, size) == 0) {
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size);
    }
    if (fd >= 0) {
        close(fd);
    }
    *ret_uid = peer.uid;
    return peer.pid;
}

static const char *state_text(int32_t pid)
{
    switch (sy_pid_state(pid)) {
    case 'T':
    case 't':
        return "stopped; kill -CONT lets it go on";
    case 'D':
        return "in the kernel";
    case 'Z':
        return "dead, its parent has not noticed";
    case 'C':
        return "dumping core";
    case 0:
        return "state unknown";
    default:
        return "running";
    }
}

int singleton_claim(const char *shm_name, int32_t *ret_pid)
{
    struct sockaddr_un address;
    socklen_t size = sy_manager_address(shm_name, &address);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        log_line(LOG_ERR, "socket: %s", strerror(errno));
        return -EXIT_REFUSED;
    }
    if (bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 128) == 0) {
        return fd;
    }
    int error = errno;
    uint32_t uid = 0;
    close(fd);
    *ret_pid = error == EADDRINUSE ? who_listens(shm_name, &uid) : 0;
    if (*ret_pid) {
        char user[32];
        sy_user_name(uid, user, sizeof(user));
        log_line(LOG_ERR, "a manager for /dev/shm%s runs already: pid %d, user %s (%s)", shm_name,
                 *ret_pid, user, state_text(*ret_pid));
    } else {
        log_line(LOG_ERR, "socket @%s: %s", shm_name + 1, strerror(error));
    }
    return -EXIT_RUNNING;
}

static bool maps_deleted(const char *pid, const char *path)
{
    char name[64], *line = NULL;
    size_t size = 0, length = strlen(path);
    bool found = false;
    snprintf(name, sizeof(name), "/proc/%.20s/maps", pid);
    FILE *file = fopen(name, "re");
    while (file && !found && getline(&line, &size, file) > 0) {
        char *at = strchr(line, '/');
        found = at && strncmp(at, path, length) == 0 && strcmp(at + length, " (deleted)\n") == 0;
    }
    free(line);
    if (file) {
        fclose(file);
    }
    return found;
}

int32_t singleton_orphan_user(const char *shm_name)
{
    char path[SY_PATH_MAX + 16];
    int32_t found = 0;
    snprintf(path, sizeof(path), "/dev/shm%s", shm_name);
    DIR *directory = opendir("/proc");
    for (struct dirent *entry; directory && !found && (entry = readdir(directory));) {
        char *end;
        long pid = strtol(entry->d_name, &end, 10);
        if (!*end && pid > 0 && pid != getpid() && maps_deleted(entry->d_name, path)) {
            found = (int32_t)pid;
        }
    }
    if (directory) {
        closedir(directory);
    }
    return found;
}
