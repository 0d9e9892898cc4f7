/* SPDX-License-Identifier: MIT */
/* The one verb that writes. Its attachment is the library's own, so that its death is noticed and
 * its debts are paid like anybody's; the step on the bytes is objects/break.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sync/manager.h>

#include "base/error.h"
#include "base/text.h"
#include "managerd/ctl/begin.h"
#include "managerd/ctl/json.h"
#include "managerd/ctl/words.h"

/* Who the library says that this thread is: the slot that carries our ids. */
static bool enlisted(struct sy_segment *segment, struct sy_actor *ret_actor)
{
    uint32_t count = sy_committed(segment, SY_EXECUTORS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_principal *principal = sy_principal_at(segment, i);
        struct sy_executor *executor = sy_executor_at(segment, i);
        uint64_t tenancy = principal ? sy_load(&principal->tenancy) : 0;
        struct sy_process *process = sy_process_at(segment, sy_tenancy_process(tenancy));
        if (executor && process && sy_tenancy_state(tenancy) == SY_SLOT_LIVE &&
            sy_get(&principal->tid) == (uint32_t)sy_gettid() &&
            sy_get(&process->pid) == (uint32_t)sy_getpid() &&
            sy_get(&process->pid_namespace) == segment->pid_namespace &&
            sy_get(&process->start_time) == sy_start_time(sy_getpid())) {
            *ret_actor = (struct sy_actor){.segment = segment,
                                           .executor = executor,
                                           .owed = &executor->owed[0],
                                           .id = sy_principal_id(segment, i)};
            return true;
        }
    }
    return false;
}

static int break_as(const struct sy_actor *actor, const struct ctl_request *request,
                    uint32_t *ret_generation, sync_principal *ret_evicted)
{
    const char *text = request->names[0];
    struct sy_name name = {text, (uint32_t)strlen(text), sy_hash(text, strlen(text))};
    sy_directory_enter(actor);
    uint32_t record = sy_directory_find(actor->segment, &name);
    struct sy_hot *hot = record == SY_NONE ? NULL : sy_hot_at(actor->segment, record);
    int rc = 0;
    if (!hot) {
        rc = sy_fail(SYNC_ENOENT, "no object \"%.200s\"; see: managerctl list", text);
    } else if (sy_hot_kind(hot) != SYNC_KIND_MUTEX) {
        rc = sy_fail(SYNC_EKIND,
                     "%.200s is a %s: only a mutex has an owner that it can be taken from", text,
                     sy_kind_name(sy_hot_kind(hot)));
    }
    sy_directory_leave(actor);
    if (!rc) {
        *ret_generation = sy_hot_generation(hot);
        rc = sy_mutex_break(actor, record, request->token, request->reason, ret_evicted);
    }
    return rc;
}

/* Attach, break, detach. The note says for as long as that takes who is at it, and why. */
static int attach_and_break(const struct ctl_request *request, sync_principal *ret_evicted)
{
    char shm_name[SY_PATH_MAX], name[64], note[SY_NOTE];
    int private_to_user;
    uint32_t generation;
    sync_manager *manager;
    sync_manager_options options = {.label = "managerctl", .no_autostart = 1};
    struct sy_segment *segment;
    struct sy_actor actor;
    sy_text_copy(note, sizeof(note), request->reason, strlen(request->reason));
    int rc = ctl_name_of(request->address, name, sizeof(name), shm_name, sizeof(shm_name),
                         &private_to_user);
    if (!rc) {
        rc = sync_manager_connect(request->address, &options, &manager);
    }
    if (rc) {
        return rc;
    }
    rc = sync_note(manager, note);
    if (!rc) {
        rc = sy_segment_open(shm_name, true, &segment);
    }
    if (!rc) {
        rc = enlisted(segment, &actor)
                 ? break_as(&actor, request, &generation, ret_evicted)
                 : sy_fail(SYNC_ESYSTEM, "%s: this thread's slot is not to be found", shm_name);
        sy_segment_free(segment);
    }
    sync_manager_close(manager);
    return rc;
}

static const struct ctl_object *present(const struct ctl_request *request, struct ctl_view *view)
{
    for (size_t i = 0; i < view->object_count; i++) {
        if (strcmp(view->objects[i].name, request->names[0]) == 0) {
            return &view->objects[i];
        }
    }
    return NULL;
}

/* Nothing was done: who has it now, so that nobody hits the wrong one with the next try. */
static int refused(const struct ctl_request *request, const struct ctl_object *object)
{
    char who[240], held[40], text[700];
    const char *name = request->names[0];
    if (!object || !ctl_held(object)) {
        snprintf(text, sizeof(text), "%s: nothing broken: nobody holds it now", name);
    } else {
        ctl_who_long(&object->holder, who, sizeof(who));
        ctl_duration(held, sizeof(held), object->held);
        if (object->owner_died) {
            snprintf(text, sizeof(text),
                     "%s: nothing broken: its owner %s is dead, the next who acquires it is told",
                     name, who);
        } else {
            snprintf(text, sizeof(text),
                     "%s: nothing broken: token %" PRIu64 " is not the present ownership, which is "
                     "%" PRIu64 ": held %s by %s%s%s%s",
                     name, request->token, object->token, held, who,
                     object->holder.note[0] ? ", \"" : "", object->holder.note,
                     object->holder.note[0] ? "\"" : "");
        }
    }
    fprintf(stderr, "managerctl: %s\n", text);
    if (request->json) {
        ctl_json_error(request, SYNC_EPERM, text);
    }
    return CTL_FOUND;
}

static int usage(const struct ctl_request *request, const struct ctl_object *object)
{
    fprintf(stderr, "managerctl break: %s is missing\n",
            request->token ? "--reason TEXT" : "--token N");
    if (object && ctl_held(object) && object->kind->number == SYNC_KIND_MUTEX) {
        char who[240];
        ctl_who_long(&object->holder, who, sizeof(who));
        fprintf(stderr,
                "%s is held by %s; to take it away: managerctl break '%s' --token %" PRIu64
                " --reason TEXT\n",
                object->name, who, object->name, object->token);
    }
    return CTL_USAGE;
}

static int done(const struct ctl_request *request, const struct ctl_look *look,
                const sync_principal *evicted)
{
    char who[240];
    if (request->json) {
        json_t *document = ctl_json_begin(request, look);
        ctl_json_set(document, "broken", ctl_json_string(request->names[0]));
        ctl_json_set(document, "token", ctl_json_count(request->token));
        ctl_json_set(document, "reason", ctl_json_string(request->reason));
        ctl_json_set(document, "evicted", ctl_json_principal(evicted));
        ctl_json_end(document);
    } else {
        ctl_who_long(evicted, who, sizeof(who));
        printf("%s: taken away from %s; it is told SYNC_ELOST at its next call\n",
               request->names[0], who);
    }
    return CTL_OK;
}

int ctl_run_break(const struct ctl_request *request)
{
    struct ctl_view view;
    sync_principal evicted;
    memset(&evicted, 0, sizeof(evicted));
    int rc = ctl_begin(request, &view);
    if (rc) {
        return rc;
    }
    if (!request->token || !request->reason) {
        rc = usage(request, present(request, &view));
        ctl_view_end(&view);
        return rc;
    }
    /* Evicting the dead would take from the next owner that it is told of the death. */
    const struct ctl_object *object = present(request, &view);
    if (object && object->owner_died) {
        rc = refused(request, object);
        ctl_view_end(&view);
        return rc;
    }
    rc = attach_and_break(request, &evicted);
    if (rc == SYNC_EPERM) {
        struct ctl_view after;
        ctl_view_end(&view);
        if (ctl_view_take(request->address, &after)) {
            return ctl_refuse(request, SYNC_EGARBAGE);
        }
        rc = refused(request, present(request, &after));
        ctl_view_end(&after);
        return rc;
    }
    if (rc == SYNC_EBUSY) {
        sy_fail(rc,
                "%s: another is at work inside this object and does not go on; try again, or see: "
                "managerctl clients",
                request->names[0]);
    }
    rc = rc == SYNC_ENOENT ? (ctl_refuse(request, rc), CTL_FOUND)
         : rc              ? ctl_refuse(request, rc)
                           : done(request, &view.look, &evicted);
    ctl_view_end(&view);
    return rc;
}
