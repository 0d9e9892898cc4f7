/* SPDX-License-Identifier: MIT */
/* What this process has open, by the hash of its name: whatever is found here has an open entry, so
 * its record has no other tenant meanwhile, and the shared directory need not be walked. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "direct/direct.h"
#include "os/fault.h"

static struct sy_opened **chain_of(struct sy_attachment *a, uint32_t hash)
{
    return &a->opened[hash & (a->opened_size - 1)];
}

static void grow_table(struct sy_attachment *a)
{
    uint32_t size = a->opened_size, bigger = size * 4;
    struct sy_opened **old = a->opened, **table = calloc(bigger, sizeof(*table));
    if (!table) {
        return; /* longer chains will do */
    }
    a->opened = table;
    a->opened_size = bigger;
    for (uint32_t i = 0; i < size; i++) {
        while (old[i]) {
            struct sy_opened *o = old[i];
            struct sy_opened **to = chain_of(a, o->hash);
            old[i] = o->next;
            o->next = *to;
            *to = o;
        }
    }
    free(old);
}

struct sy_opened *sy_opened_known(struct sy_attachment *a, const struct sy_name *name)
{
    for (struct sy_opened *o = *chain_of(a, name->hash); o; o = o->next) {
        if (o->hash == name->hash && sy_get(&o->entry) &&
            sy_name_is(sy_cold_at(a->segment, o->record), name) &&
            !sy_mutex_broken(sy_hot_at(a->segment, o->record))) {
            o->handles++;
            return o;
        }
    }
    return NULL;
}

int sy_opened_get(struct sy_attachment *a, uint32_t record, uint32_t generation,
                  struct sy_opened **ret_opened)
{
    uint32_t hash = sy_get(&sy_cold_at(a->segment, record)->hash);
    struct sy_opened *o = *chain_of(a, hash);
    while (o && (o->record != record || o->generation != generation)) {
        o = o->next;
    }
    if (!o) {
        if (a->opened_count > a->opened_size) {
            grow_table(a);
        }
        o = sy_fault(SY_FAULT_MALLOC) ? NULL : calloc(1, sizeof(*o));
        if (!o) {
            return sy_fail(SYNC_ENOMEM, "out of memory for a handle");
        }
        o->record = record;
        o->generation = generation;
        o->hash = hash;
        struct sy_opened **to = chain_of(a, hash);
        o->next = *to;
        *to = o;
        a->opened_count++;
    }
    o->handles++;
    int rc = sy_opened_enter(a, o);
    if (rc) {
        sy_opened_put(a, o, false);
        return rc;
    }
    *ret_opened = o;
    return 0;
}

int sy_opened_enter(struct sy_attachment *a, struct sy_opened *o)
{
    struct sy_open *entry = o->entry;
    if (!entry) {
        int rc = sy_open_entry(a->segment, o->record, o->generation, &entry);
        if (rc) {
            return rc;
        }
        sy_store_sc(&entry->opens, 1); /* whether, not how often: that is this process' own */
        /* A forked child comes late: its parent may have closed, and the name been unlinked, since.
         */
        if (!sy_record_live(a->segment, o->record, o->generation)) {
            sy_open_close(a->segment, entry);
            return sy_fail(SYNC_ENOENT,
                           "the object was unlinked before this process first used its "
                           "handle; open it again");
        }
        sy_store(&o->entry, entry);
    }
    return 0;
}

void sy_opened_put(struct sy_attachment *a, struct sy_opened *o, bool keep)
{
    if (--o->handles) {
        return;
    }
    if (o->entry) {
        /* Permits that could not be returned stay in the entry, for recovery to find. */
        sy_store_sc(&o->entry->opens, 0);
        if (!sy_get(&o->entry->permits)) {
            sy_open_close(a->segment, o->entry);
        }
        o->entry = NULL;
    }
    if (keep) {
        return;
    }
    struct sy_opened **at = chain_of(a, o->hash);
    while (*at != o) {
        at = &(*at)->next;
    }
    *at = o->next;
    a->opened_count--;
    free(o);
}

int sy_opened_entry(struct sync_object *object, struct sy_open **ret_entry)
{
    struct sy_opened *o = object->opened;
    int rc = 0;
    if (sy_unlikely(!sy_load(&o->entry))) {
        rc = sy_reattach(object->attachment);
        pthread_mutex_lock(&object->attachment->lock);
        if (!rc) {
            rc = sy_opened_enter(object->attachment, o);
        }
        pthread_mutex_unlock(&object->attachment->lock);
    }
    *ret_entry = o->entry;
    return rc;
}
