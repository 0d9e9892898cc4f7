/* SPDX-License-Identifier: MIT */
/* Which way to a manager. */
#ifndef SY_ADDRESS_H
#define SY_ADDRESS_H

#include <stddef.h>

/* The contract of a transport, for later schemes: whatever an address names, a connect yields a
 * sync_manager whose handles obey one set of rules (objects/). Direct is the only one that maps the
 * segment; "ipc:" and "tcp:" will reach managerd's gateway. */
enum sy_scheme { SY_SCHEME_SHM };

/* NULL means $SYNC_MANAGER, else shm:default. SYNC_EADDRESS names the rule. */
int sy_address(const char *address, enum sy_scheme *ret_scheme, char *ret_name, size_t size);

#endif
