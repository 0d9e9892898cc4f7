/* SPDX-License-Identifier: MIT */
/* What a process has open, and the permits it holds: entries it alone writes, in chunks of its own.
 */
#ifndef SY_OPENS_H
#define SY_OPENS_H

#include "shm/slots.h"

/* A new entry of the own process for a record; the caller excludes its other threads, and knows
 * that there is none yet. SYNC_ENOSLOT, SYNC_ENOSPC. */
int sy_open_entry(struct sy_segment *segment, uint32_t record, uint32_t generation,
                  struct sy_open **ret_entry);

void sy_open_close(struct sy_segment *segment, struct sy_open *entry);

/* Visit every entry for a record (SY_NONE: all) whose process slot is not FREE; a true return ends
 * the walk and is returned. `state` of the process is not looked at. */
typedef bool sy_open_visitor(struct sy_segment *segment, uint32_t process, uint32_t generation,
                             struct sy_open *entry, void *argument);
bool sy_opens_visit(struct sy_segment *segment, uint32_t record, uint32_t record_generation,
                    sy_open_visitor *visitor, void *argument);

/* Give back the chunks of a process that is dead, or leaves: their entries first. */
void sy_opens_release(struct sy_segment *segment, uint32_t process, uint32_t generation);

#endif
