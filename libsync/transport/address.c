/* SPDX-License-Identifier: MIT */
#include "transport/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int sy_address(const char *address, enum sy_scheme *ret_scheme, char *ret_name, size_t size)
{
    if (!address) {
        address = secure_getenv("SYNC_MANAGER");
    }
    if (!address || !*address) {
        address = "shm:default";
    }
    if (strncmp(address, "shm:", 4) == 0) {
        *ret_scheme = SY_SCHEME_SHM;
        if (strlen(address + 4) >= size) {
            return sy_fail(SYNC_EADDRESS, "address \"%.80s…\": the name is longer than %zu bytes",
                           address, size - 1);
        }
        snprintf(ret_name, size, "%s", address + 4);
        return 0;
    }
    if (strncmp(address, "ipc:", 4) == 0 || strncmp(address, "tcp:", 4) == 0) {
        return sy_fail(SYNC_EADDRESS,
                       "address \"%.80s\": this build reaches managers of this host only: shm:NAME",
                       address);
    }
    return sy_fail(SYNC_EADDRESS, "address \"%.80s\" has an unknown scheme; known: shm:NAME",
                   address);
}
