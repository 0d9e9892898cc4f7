/* SPDX-License-Identifier: MIT */
/* Addresses: an accepted one leads to a name that stays in /dev/shm. */
#include "transport/address.h"

#include <stdlib.h>
#include <string.h>
#include <sync/error.h>

#include "fuzz.h"
#include "shm/segment.h"

void fuzz_address(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    size_t room = 1 + fuzz_byte(&input) % 64;
    char *address = fuzz_string(&input, 600), *name = malloc(room);
    enum sy_scheme scheme;
    char path[SY_PATH_MAX];
    int private_to_user;
    fuzz_want(name != NULL, "memory");
    int rc = sy_address(address, &scheme, name, room);
    fuzz_want(rc == 0 || (rc == SYNC_EADDRESS && *sync_last_error()), "an address or its error");
    if (rc == 0) {
        fuzz_want(strlen(name) < room, "the name fits");
        rc = sy_segment_name(name, path, sizeof(path), &private_to_user);
        fuzz_want(rc == 0 || rc == SYNC_EADDRESS, "a name or its error");
        fuzz_want(rc != 0 || (strncmp(path, "/libsync.", 9) == 0 && !strchr(path + 1, '/') &&
                              strlen(path) > 9),
                  "a name stays in its folder");
    }
    free(name);
    free(address);
}
