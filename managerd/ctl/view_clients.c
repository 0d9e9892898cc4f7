/* SPDX-License-Identifier: MIT */
/* Who is attached: processes, and the principals that belong to them. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "managerd/ctl/view.h"

/* Checked and copied byte by byte elsewhere, while its owner may have written: once more, now that
 * nobody can. */
static void clean(char *text, size_t size)
{
    char copy[SYNC_NAME_MAX + 8];
    memcpy(copy, text, size);
    sy_text_copy(text, size, copy, size);
}

void ctl_clean(sync_principal *who)
{
    clean(who->user, sizeof(who->user));
    clean(who->host, sizeof(who->host));
    clean(who->label, sizeof(who->label));
    clean(who->thread, sizeof(who->thread));
    clean(who->note, sizeof(who->note));
}

void ctl_principal(struct ctl_view *view, uint32_t owner, sync_principal *ret_who)
{
    sy_describe_principal(view->look.segment, owner, ret_who);
    ctl_clean(ret_who);
}

uint32_t ctl_id_of(struct ctl_view *view, uint32_t index, uint64_t *ret_tenancy)
{
    struct sy_principal *principal = sy_principal_at(view->look.segment, index);
    *ret_tenancy = principal ? sy_load(&principal->tenancy) : 0;
    return sy_owner_id(index, sy_tenancy_generation(*ret_tenancy));
}

struct ctl_client *ctl_client_at(struct ctl_view *view, uint32_t slot, uint32_t generation)
{
    struct ctl_client *client = slot < view->slots ? view->client_of[slot] : NULL;
    return client && client->generation == generation ? client : NULL;
}

static int32_t process_state(struct sy_segment *segment, const struct ctl_client *client)
{
    int32_t state = sy_process_state(segment, client->slot, client->generation);
    char letter = state == SYNC_STATE_ALIVE && !client->foreign ? sy_pid_state(client->pid) : 0;
    return letter == 'T' || letter == 't' ? SYNC_STATE_STOPPED
           : letter == 'C'                ? SYNC_STATE_DUMPING
                                          : state;
}

void ctl_take_clients(struct ctl_view *view)
{
    struct sy_segment *segment = view->look.segment;
    uint32_t count = sy_committed(segment, SY_PROCESSES);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_process *process = sy_process_at(segment, i);
        uint64_t tenancy = process ? sy_load(&process->tenancy) : 0;
        uint32_t state = sy_tenancy_state(tenancy);
        if (state != SY_SLOT_LIVE && state != SY_SLOT_EXITED) {
            continue;
        }
        view->clients = ctl_grow(view->clients, &view->client_room, view->client_count,
                                 sizeof(*view->clients));
        struct ctl_client *client = &view->clients[view->client_count++];
        uint64_t namespace = sy_get(&process->pid_namespace);
        client->slot = i;
        client->generation = sy_tenancy_generation(tenancy);
        client->pid = (int32_t)sy_get(&process->pid);
        client->uid = sy_get(&process->uid);
        client->attached_at = (int64_t)sy_get(&process->attached_at);
        client->foreign = namespace != segment->pid_namespace;
        sy_text_copy(client->label, sizeof(client->label), process->label, sizeof(process->label));
        clean(client->label, sizeof(client->label));
        if (view->client_count > 1 && client[-1].uid == client->uid) {
            memcpy(client->user, client[-1].user, sizeof(client->user));
        } else {
            sy_user_name(client->uid, client->user, sizeof(client->user));
        }
        client->state = process_state(segment, client);
    }
    /* Pointers only now: the array has stopped moving. */
    view->slots = count;
    view->client_of = ctl_alloc((count + 1ul) * sizeof(*view->client_of));
    for (size_t i = 0; i < view->client_count; i++) {
        view->client_of[view->clients[i].slot] = &view->clients[i];
    }
}

/* What each principal holds and how often it waits, by its index: one pass over all there is. */
static void count_uses(struct ctl_view *view, uint32_t count, uint32_t *holds, uint32_t *waits)
{
    uint64_t tenancy;
    for (size_t i = 0; i < view->object_count; i++) {
        struct ctl_object *object = &view->objects[i];
        uint32_t owner = object->holder.principal, index = sy_owner_index(owner);
        if (index < count && ctl_held(object) && !object->owner_died &&
            ctl_id_of(view, index, &tenancy) == owner) {
            holds[index]++;
        }
    }
    for (size_t i = 0; i < view->wait_count; i++) {
        if (view->waits[i].executor < count) {
            waits[view->waits[i].executor]++;
        }
    }
    for (size_t i = 0; i < view->open_count; i++) {
        view->opens[i].client->holds += view->opens[i].permits != 0;
    }
}

void ctl_take_members(struct ctl_view *view)
{
    struct sy_segment *segment = view->look.segment;
    uint32_t count = sy_committed(segment, SY_PRINCIPALS);
    uint32_t *holds = ctl_alloc((count + 1ul) * sizeof(*holds));
    uint32_t *waits = ctl_alloc((count + 1ul) * sizeof(*waits));
    count_uses(view, count, holds, waits);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_principal *principal = sy_principal_at(segment, i);
        uint64_t tenancy;
        uint32_t owner = ctl_id_of(view, i, &tenancy);
        uint32_t state = sy_tenancy_state(tenancy);
        if (!principal || (state != SY_SLOT_LIVE && state != SY_SLOT_EXITED)) {
            continue;
        }
        view->members = ctl_grow(view->members, &view->member_room, view->member_count,
                                 sizeof(*view->members));
        struct ctl_member *member = &view->members[view->member_count++];
        ctl_principal(view, owner, &member->who);
        member->holds = holds[i];
        member->waits = waits[i];
        member->client = ctl_client_at(view, sy_tenancy_process(tenancy),
                                       sy_get(&principal->process_generation));
        if (member->client) {
            member->client->threads += i < segment->header->threads;
            member->client->holds += member->holds;
            member->client->waits += member->waits;
        }
    }
    free(holds);
    free(waits);
}
