/* SPDX-License-Identifier: MIT */
/* Reading an event ring whose entries and head are anything. */
#include "shm/ring.h"

#include <string.h>

#include "fuzz.h"
#include "lab.h"

static struct sy_segment *segment;

void fuzz_ring_begin(void)
{
    char shm_name[SY_PATH_MAX], name[64];
    lab_names("ring", shm_name, name);
    segment = lab_create(shm_name);
}

void fuzz_ring(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint32_t capacity = sy_committed(segment, SY_RING);
    uint64_t head = (uint64_t)fuzz_word(&input) << 32 | fuzz_word(&input);
    sy_put(&segment->header->ring_head, head);
    while (input.size) {
        struct sy_entry *entry = sy_entry_at(segment, fuzz_byte(&input) % capacity);
        size_t offset = fuzz_byte(&input) % sizeof(*entry);
        size_t some = 1 + fuzz_byte(&input) % (sizeof(*entry) - offset);
        some = some < input.size ? some : input.size;
        memcpy((char *)entry + offset, input.data, some);
        input.data += some;
        input.size -= some;
        sy_put(&entry->sequence, head - fuzz_byte(&input) % (2 * capacity));
    }
    for (uint64_t i = 0; i < 3ull * capacity; i++) {
        struct sy_entry entry;
        uint64_t place = head - capacity + i;
        int rc = sy_ring_read(segment, place, &entry);
        fuzz_want(rc == 0 || (rc == 1 && sy_get(&entry.sequence) == place), "an entry or none");
    }
    uint64_t before = sy_get(&segment->header->ring_head);
    sy_ring_add(segment, &(struct sy_ring_event){.type = SY_EVENT_NOTE, .text = "fuzz"});
    struct sy_entry entry;
    fuzz_want(before + 1 == 0 || sy_ring_read(segment, before + 1, &entry) == 1,
              "the entry just written");
}
