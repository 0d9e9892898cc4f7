/* SPDX-License-Identifier: MIT */
/* Where the manager listens on this host, and what is said to it. */
#ifndef SY_HELLO_H
#define SY_HELLO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SY_HELLO_MAGIC 0x53594849u

struct sy_hello {
    uint32_t magic;
    uint32_t process, generation; /* slot; all ones: only looking whether somebody answers */
    uint32_t reserved;
};

/* The abstract socket "@libsync[.UID].NAME": it goes with its owner, and exists once per network
 * namespace. */
static inline socklen_t sy_manager_address(const char *shm_name, struct sockaddr_un *ret_address)
{
    memset(ret_address, 0, sizeof(*ret_address));
    ret_address->sun_family = AF_UNIX;
    size_t size = strnlen(shm_name + 1, sizeof(ret_address->sun_path) - 1);
    memcpy(ret_address->sun_path + 1, shm_name + 1, size);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + size);
}

#endif
