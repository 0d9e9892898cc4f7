/* SPDX-License-Identifier: MIT */
/* A small segment with everything in it, to be damaged. */
#ifndef FUZZ_LAB_H
#define FUZZ_LAB_H

#include "objects/kind.h"

/* "/libsync.UID.fuzz-WHAT-PID" and the name a client would give. */
void lab_names(const char *what, char *ret_shm_name, char *ret_name);
/* A fresh segment; unlinked at exit. */
struct sy_segment *lab_create(const char *shm_name);
/* Objects of all kinds, held, waited for, broken; processes and threads alive, dead and in between.
 */
void lab_furnish(struct sy_segment *segment);

#endif
