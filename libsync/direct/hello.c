/* SPDX-License-Identifier: MIT */
/* "I am here": one datagram on a socket that stays open. The manager takes our pidfd from it; its
 * hang-up proves nothing, but makes the manager look. Nothing is awaited, so a stopped manager
 * costs nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "direct/direct.h"
#include "shm/hello.h"

/* The number may be another file's by now, after a closefrom. */
void sy_hello_close(struct sy_attachment *attachment)
{
    struct stat status;
    if (attachment->hello >= 0 && fstat(attachment->hello, &status) == 0 &&
        S_ISSOCK(status.st_mode) && status.st_ino == attachment->hello_inode) {
        close(attachment->hello);
    }
    attachment->hello = -1;
}

static void greet(struct sy_attachment *attachment)
{
    struct sy_segment *segment = attachment->segment;
    struct sy_process *process = sy_process_at(segment, segment->process);
    uint32_t epoch = sy_get(&segment->header->epoch);
    if (!process || sy_get(&process->hello_epoch) == epoch) {
        return;
    }
    struct sockaddr_un address;
    socklen_t size = sy_manager_address(segment->shm_name, &address);
    struct sy_hello hello = {.process = segment->process,
                             .generation = sy_tenancy_generation(sy_load(&process->tenancy)),
                             .magic = SY_HELLO_MAGIC};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return;
    }
    if (connect(fd, (struct sockaddr *)&address, size) < 0 ||
        send(fd, &hello, sizeof(hello), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(hello)) {
        close(fd);
        return;
    }
    struct stat status;
    sy_hello_close(attachment);
    attachment->hello_inode = fstat(fd, &status) == 0 ? status.st_ino : 0;
    attachment->hello = fd;
    sy_put(&process->hello_epoch, epoch);
}

void sy_greet(struct sy_attachment *attachment)
{
    if (pthread_mutex_trylock(&attachment->lock) == 0) {
        greet(attachment);
        pthread_mutex_unlock(&attachment->lock);
    }
}
