/* SPDX-License-Identifier: MIT */
#include "shm/ring.h"

#include <string.h>

#include "base/text.h"
#include "shm/slots.h"

/* A writer killed half way leaves an entry whose sequence is 0: readers pass over it, the next
 * round overwrites it. */
void sy_ring_add(struct sy_segment *segment, const struct sy_ring_event *event)
{
    struct sy_header *header = segment->header;
    uint32_t capacity = sy_committed(segment, SY_RING);
    if (!capacity || !segment->writable) {
        return;
    }
    uint64_t place = atomic_fetch_add(&header->ring_head, 1) + 1;
    struct sy_entry *entry = sy_entry_at(segment, (uint32_t)((place - 1) % capacity));
    if (!entry) {
        return;
    }
    sy_store_sc(&entry->sequence, 0);
    atomic_thread_fence(memory_order_release); /* before what follows */
    sy_put(&entry->time, (uint64_t)sy_now());
    sy_put(&entry->type, event->type);
    sy_put(&entry->record, event->record + 1);
    sy_put(&entry->generation, event->generation);
    sy_put(&entry->principal, event->principal & SY_OWNER);
    sy_put(&entry->other, event->other & SY_OWNER);
    /* Whose slot it was, for when it is somebody else's. */
    uint32_t index = sy_owner_index(event->principal & SY_OWNER);
    struct sy_principal *principal = index == SY_NONE ? NULL : sy_principal_at(segment, index);
    struct sy_process *process =
        principal ? sy_process_at(segment, sy_tenancy_process(sy_load(&principal->tenancy))) : NULL;
    sy_put(&entry->pid, event->pid || !process ? event->pid : sy_get(&process->pid));
    sy_put(&entry->value, event->value);
    const char *text = event->text ? event->text : process ? process->label : "";
    sy_text_copy(entry->text, sizeof(entry->text), text, strnlen(text, sizeof(entry->text)));
    sy_store_sc(&entry->sequence, place);
}

int sy_ring_read(struct sy_segment *segment, uint64_t place, struct sy_entry *ret_entry)
{
    uint32_t capacity = sy_committed(segment, SY_RING);
    struct sy_entry *entry = capacity && place
                                 ? sy_entry_at(segment, (uint32_t)((place - 1) % capacity))
                                 : NULL;
    if (!entry || sy_load_sc(&entry->sequence) != place) {
        return 0;
    }
    /* By words, as the writer may overtake; the sequence is what makes the copy whole. */
    sy_dword *from = (sy_dword *)(void *)entry, *to = (sy_dword *)(void *)ret_entry;
    for (size_t i = 0; i < sizeof(*entry) / sizeof(*from); i++) {
        sy_put(&to[i], sy_get(&from[i]));
    }
    atomic_thread_fence(memory_order_seq_cst);
    return sy_load_sc(&entry->sequence) == place;
}
