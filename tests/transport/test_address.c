/* SPDX-License-Identifier: MIT */
#include "transport/address.h"

#include "tests/support.h"

static enum sy_scheme scheme;
static char name[64];

static void is(const char *address, const char *expected)
{
    POISON(&name);
    EXPECT(0, sy_address(address, &scheme, name, sizeof(name)));
    NUMBER(SY_SCHEME_SHM, scheme);
    CHECK(strcmp(name, expected) == 0);
}

static void null_is_the_environments_or_default(void)
{
    unsetenv("SYNC_MANAGER");
    is(NULL, "default");
    setenv("SYNC_MANAGER", "", 1);
    is(NULL, "default");
    setenv("SYNC_MANAGER", "shm:night", 1);
    is(NULL, "night");
    is("", "default");
    is("shm:day", "day");
    setenv("SYNC_MANAGER", "nonsense", 1);
    EXPECT(SYNC_EADDRESS, sy_address(NULL, &scheme, name, sizeof(name)));
    SAYS("\"nonsense\" has an unknown scheme");
    is("shm:day", "day");
}

static void the_longest_name(void)
{
    char address[4 + 64 + 1] = "shm:";
    memset(address + 4, 'n', 63);
    is(address, address + 4);
    address[67] = 'n';
    EXPECT(SYNC_EADDRESS, sy_address(address, &scheme, name, sizeof(name)));
    SAYS("longer than 63 bytes");
}

HARNESS_MAIN(CASE(null_is_the_environments_or_default), CASE(the_longest_name))
