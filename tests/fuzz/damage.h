/* SPDX-License-Identifier: MIT */
/* Scribbling on a segment, with an eye for where it hurts. */
#ifndef FUZZ_DAMAGE_H
#define FUZZ_DAMAGE_H

#include "fuzz.h"
#include "shm/segment.h"

/* A segment's bytes as the damager sees them: mapped whole, by the layout it was made with. */
struct damaged {
    unsigned char *bytes;
    uint64_t size;           /* of the file; may be cut */
    struct sy_header layout; /* of the undamaged one */
};

/* One change, as the input says; false: the input asks for the next phase. */
bool damage_one(struct damaged *damaged, struct fuzz_input *input);

#endif
