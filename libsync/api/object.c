/* SPDX-License-Identifier: MIT */
#include <sync/object.h>

#include <string.h>

#include "api/api.h"
#include "base/text.h"

static bool good(const struct sync_object *object)
{
    return object && sy_kind_of(object->kind) && object->magic == SY_MAGIC_OF(object->kind);
}

int sync_object_info(sync_object *object, sync_info *ret_info)
{
    if (!good(object)) {
        return sy_refuse_handle("sync_object_info", object);
    }
    if (!ret_info) {
        return sy_fail(SYNC_EINVAL, "sync_object_info: ret_info is NULL");
    }
    sync_info info;
    if (!sy_describe(object->attachment->segment, sy_load(&object->opened)->record, &info)) {
        return sy_fail(SYNC_ENOENT, "sync_object_info: the object was unlinked by force");
    }
    info.created = object->created;
    *ret_info = info;
    return 0;
}

int sync_same(sync_object *a, sync_object *b)
{
    if (!good(a) || !good(b) || a->attachment->segment->inode != b->attachment->segment->inode ||
        a->attachment->segment->device != b->attachment->segment->device) {
        return 0;
    }
    struct sy_opened *x = sy_load(&a->opened), *y = sy_load(&b->opened);
    return x->record == y->record && x->generation == y->generation;
}

int sync_list(sync_manager *manager, const char *prefix, sync_list_function function,
              void *argument)
{
    int rc = sy_check_manager(manager, "sync_list");
    if (!rc && !function) {
        rc = sy_fail(SYNC_EINVAL, "sync_list: function is NULL");
    }
    return rc ? rc : sy_describe_all(manager->attachment->segment, prefix, function, argument);
}

/* ---- unlink ---- */

struct user {
    uint32_t process, generation;
};
static bool first_user(struct sy_segment *segment, uint32_t process, uint32_t generation,
                       struct sy_open *entry, void *argument)
{
    struct user *user = argument;
    if (!sy_load_sc(&entry->opens) ||
        sy_process_state(segment, process, generation) == SYNC_STATE_DEAD) {
        return false;
    }
    user->process = process;
    user->generation = generation;
    return true;
}

/* UNLINKING first, then the look: an opener enters first and then looks at the state. */
static int unlink_record(const struct sy_actor *actor, uint32_t record, const char *name)
{
    struct sy_segment *segment = actor->segment;
    struct sy_hot *hot = sy_hot_at(segment, record);
    struct sy_wait wait;
    if (sy_record_guard(actor, record, &wait) == SY_WAIT) {
        return sy_fail(SYNC_EBUSY, "unlink \"%s\": it is being worked on; try again", name);
    }
    uint32_t state = sy_load_sc(&hot->state), generation = sy_state_generation(state);
    int rc = 0;
    if (sy_state_of(state) != SY_RECORD_LIVE) {
        rc = sy_fail(SYNC_ENOENT, "unlink: no object \"%s\"", name);
    } else {
        struct user user;
        sy_store_sc(&hot->state, sy_state(generation, SY_RECORD_UNLINKING));
        if (sy_opens_visit(segment, record, generation, first_user, &user)) {
            struct sy_process *process = sy_process_at(segment, user.process);
            char label[SY_LABEL];
            sy_text_copy(label, sizeof(label), process->label, sizeof(process->label));
            sy_store_sc(&hot->state, sy_state(generation, SY_RECORD_LIVE));
            rc = sy_fail(SYNC_EBUSY, "unlink \"%s\": %s[%u] has it open", name, label,
                         sy_get(&process->pid));
        } else {
            sy_record_unlink(actor, record);
            sy_ring_add(segment, &(struct sy_ring_event){.type = SY_EVENT_UNLINKED,
                                                         .record = record,
                                                         .generation = generation,
                                                         .principal = actor->id,
                                                         .text = name});
        }
    }
    sy_record_unguard(actor, record);
    return rc;
}

int sync_unlink(sync_manager *manager, const char *name)
{
    size_t length;
    struct sy_actor actor;
    int rc = sy_check_manager(manager, "sync_unlink");
    const char *rule = rc ? NULL : name ? sy_text_check(name, SYNC_NAME_MAX, &length) : "is NULL";
    if (!rc && rule) {
        rc = sy_fail(SYNC_EINVAL, "sync_unlink: the name %s", rule);
    }
    if (!rc) {
        rc = sy_begin(manager->attachment, &actor);
    }
    if (rc) {
        return rc;
    }
    struct sy_name key = {name, (uint32_t)length, sy_hash(name, length)};
    sy_directory_enter(&actor);
    uint32_t record = sy_directory_find(manager->attachment->segment, &key);
    rc = record == SY_NONE ? sy_fail(SYNC_ENOENT, "unlink: no object \"%s\"", name)
                           : unlink_record(&actor, record, name);
    sy_directory_leave(&actor);
    sy_done(&actor);
    return rc;
}
