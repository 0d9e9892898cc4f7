/* SPDX-License-Identifier: MIT */
#include "managerd/ctl/view.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "managerd/ctl/words.h"

/* ---- who waits ---- */

/* A slot whose thread died still says what it waited for, until somebody cleans up. */
static bool dead(struct ctl_view *view, uint32_t executor)
{
    uint64_t tenancy;
    uint32_t owner = ctl_id_of(view, executor, &tenancy);
    return sy_tenancy_state(tenancy) != SY_SLOT_LIVE ||
           sy_owner_dead(view->look.segment, owner, false);
}

static void take_wait(struct ctl_view *view, struct sy_waiting *waiting, uint32_t executor,
                      uint32_t which)
{
    view->waits = ctl_grow(view->waits, &view->wait_room, view->wait_count, sizeof(*view->waits));
    struct ctl_wait *wait = &view->waits[view->wait_count];
    uint64_t tenancy;
    uint32_t owner = ctl_id_of(view, executor, &tenancy);
    int64_t ticket = (int64_t)sy_get(&waiting->ticket);
    int64_t deadline = (int64_t)sy_get(&waiting->deadline), now = view->look.now;
    memset(wait, 0, sizeof(*wait));
    wait->record = sy_get(&waiting->records[which]) - 1;
    wait->generation = sy_get(&waiting->generations[which]);
    wait->for_whom = sy_get(&waiting->principal) & SY_OWNER;
    wait->executor = executor;
    wait->waited = ticket > 0 && ticket < now ? now - ticket : 0;
    wait->left = deadline == INT64_MAX ? INT64_MAX : deadline > now ? deadline - now : 0;
    /* A second is what a sleeper may oversleep at most. */
    wait->overdue = deadline > 0 && deadline < now - 1100000000ll;
    ctl_principal(view, owner, &wait->who);
    struct sy_principal *principal = sy_principal_at(view->look.segment, executor);
    wait->client = principal ? ctl_client_at(view, sy_tenancy_process(tenancy),
                                             sy_get(&principal->process_generation))
                             : NULL;
    if (wait->who.state != SYNC_STATE_DEAD) {
        view->wait_count++;
    }
}

static int by_record_and_age(const void *a, const void *b)
{
    const struct ctl_wait *x = a, *y = b;
    return x->record != y->record           ? (x->record < y->record ? -1 : 1)
           : x->generation != y->generation ? (x->generation < y->generation ? -1 : 1)
           : x->waited != y->waited         ? (x->waited > y->waited ? -1 : 1)
                                            : 0;
}

static void take_waits(struct ctl_view *view)
{
    struct sy_segment *segment = view->look.segment;
    uint32_t count = sy_committed(segment, SY_EXECUTORS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_executor *executor = sy_executor_at(segment, i);
        uint32_t records = executor ? sy_load(&executor->waiting.count) : 0;
        if (!records || dead(view, i)) {
            continue;
        }
        for (uint32_t j = 0; j < records && j < SY_WAIT_MAX; j++) {
            take_wait(view, &executor->waiting, i, j);
        }
    }
    if (view->wait_count) {
        qsort(view->waits, view->wait_count, sizeof(*view->waits), by_record_and_age);
    }
}

/* ---- who has what open ---- */

static bool take_open(struct sy_segment *segment, uint32_t process, uint32_t generation,
                      struct sy_open *entry, void *argument)
{
    struct ctl_view *view = argument;
    (void)segment;
    view->opens = ctl_grow(view->opens, &view->open_room, view->open_count, sizeof(*view->opens));
    struct ctl_open *open = &view->opens[view->open_count];
    open->record = sy_get(&entry->record) - 1;
    open->generation = sy_get(&entry->generation);
    open->handles = sy_get(&entry->opens);
    open->permits = sy_get(&entry->permits);
    open->arrived = sy_get(&entry->arrived);
    open->client = ctl_client_at(view, process, generation);
    if (open->client && (open->handles || open->permits)) {
        open->client->opens += open->client->state != SYNC_STATE_DEAD;
        view->open_count++;
    }
    return false;
}

static int by_record(const void *a, const void *b)
{
    const struct ctl_open *x = a, *y = b;
    return x->record != y->record           ? (x->record < y->record ? -1 : 1)
           : x->generation != y->generation ? (x->generation < y->generation ? -1 : 1)
                                            : 0;
}

/* ---- objects ---- */

/* Broken incarnations stay until nobody needs them; their name leads to the next one. */
static bool superseded(struct ctl_view *view, uint32_t record, struct sy_cold *cold)
{
    char text[sizeof(cold->name)];
    memcpy(text, cold->name, sizeof(text));
    uint32_t size = sy_get(&cold->name_size);
    struct sy_name name = {text, size < SYNC_NAME_MAX ? size : SYNC_NAME_MAX, sy_get(&cold->hash)};
    uint32_t found = sy_directory_find(view->look.segment, &name);
    return found != SY_NONE && found != record;
}

static uint32_t evicted_of(struct ctl_view *view, struct sy_hot *hot)
{
    struct sy_segment *segment = view->look.segment;
    uint32_t previous = sy_get(&hot->u.mutex.previous);
    struct sy_hot *old = previous ? sy_hot_at(segment, previous - 1) : NULL;
    if (!old || !sy_mutex_broken(old)) {
        return 0;
    }
    uint32_t evicted = sy_get(&old->u.mutex.evicted);
    return evicted && !sy_owner_dead(segment, evicted, false) ? evicted : 0;
}

static void fill_object(struct ctl_view *view, struct ctl_object *object, struct sy_hot *hot,
                        struct sy_cold *cold)
{
    sync_info info;
    memset(&info, 0, sizeof(info));
    object->kind->describe(view->look.segment, object->record, &info);
    sy_complete_principal(view->look.segment, &info.holder);
    object->flags = sy_hot_flags(hot);
    object->created_at = (int64_t)sy_get(&cold->created_at);
    object->timeout = (int64_t)sy_get(&cold->timeout);
    object->max_hold = (int64_t)sy_get(&cold->max_hold);
    object->contended = sy_get(&cold->contended);
    object->timeouts = sy_get(&cold->timeouts);
    object->deaths = sy_get(&cold->deaths);
    object->holder = info.holder;
    ctl_clean(&object->holder);
    int64_t since = info.holder.since, now = view->look.now;
    object->held = since > 0 && since < now ? now - since : 0;
    object->token = info.token;
    object->rounds = info.generation_count;
    object->depth = info.depth;
    object->value = info.value;
    object->maximum = info.maximum;
    object->cause = info.cause;
    object->poisoned = info.poisoned != 0;
    object->broken = info.broken != 0;
    object->owner_died = info.owner_died != 0 || (ctl_held(object) && object->holder.principal &&
                                                  object->holder.state == SYNC_STATE_DEAD);
    object->evicted = object->kind->number == SYNC_KIND_MUTEX ? evicted_of(view, hot) : 0;
}

/* UNLINKING is what somebody does who looks whether it is open anywhere; mostly it is. */
static bool in_use(uint32_t state)
{
    return sy_state_of(state) == SY_RECORD_LIVE || sy_state_of(state) == SY_RECORD_UNLINKING;
}

static void take_object(struct ctl_view *view, uint32_t record)
{
    struct sy_hot *hot = sy_hot_at(view->look.segment, record);
    struct sy_cold *cold = sy_cold_at(view->look.segment, record);
    uint32_t state = hot ? sy_load_sc(&hot->state) : 0;
    const struct sy_kind *kind = hot ? sy_kind_of(sy_hot_kind(hot)) : NULL;
    if (!kind || !cold || !in_use(state) || superseded(view, record, cold)) {
        return;
    }
    view->objects = ctl_grow(view->objects, &view->object_room, view->object_count,
                             sizeof(*view->objects));
    struct ctl_object *object = &view->objects[view->object_count];
    char raw[SYNC_NAME_MAX + 1] = "", name[SYNC_NAME_MAX + 8];
    memset(object, 0, sizeof(*object));
    memcpy(raw, cold->name, SYNC_NAME_MAX);
    sy_text_copy(name, sizeof(name), raw, SYNC_NAME_MAX);
    object->record = record;
    object->generation = sy_state_generation(state);
    object->kind = kind;
    fill_object(view, object, hot, cold);
    uint32_t after = sy_load_sc(&hot->state);
    if (in_use(after) && sy_state_generation(after) == object->generation) {
        object->name = ctl_copy(name);
        view->object_count++;
    }
}

struct ctl_object *ctl_object_at(struct ctl_view *view, uint32_t record)
{
    size_t low = 0, high = view->object_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (view->objects[middle].record < record) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < view->object_count && view->objects[low].record == record ? &view->objects[low]
                                                                           : NULL;
}

/* Both lists are sorted by record: each object gets its stretch of them. */
static void join(struct ctl_view *view)
{
    for (size_t i = 0; i < view->wait_count; i++) {
        struct ctl_wait *wait = &view->waits[i];
        struct ctl_object *object = ctl_object_at(view, wait->record);
        if (object && object->generation == wait->generation) {
            wait->object = object;
            object->waits = object->waits ? object->waits : wait;
            object->wait_count++;
        }
    }
    for (size_t i = 0; i < view->open_count; i++) {
        struct ctl_open *open = &view->opens[i];
        struct ctl_object *object = ctl_object_at(view, open->record);
        if (object && object->generation == open->generation) {
            object->opens = object->opens ? object->opens : open;
            object->open_count++;
            object->opener_count += open->client->state != SYNC_STATE_DEAD;
        }
    }
}

int ctl_view_take(const char *address, struct ctl_view *ret_view)
{
    struct ctl_view *view = ret_view;
    memset(view, 0, sizeof(*view));
    int rc = ctl_look(address, &view->look);
    if (rc) {
        return rc;
    }
    struct sy_segment *segment = view->look.segment;
    ctl_take_clients(view);
    take_waits(view);
    sy_opens_visit(segment, SY_NONE, 0, take_open, view);
    if (view->open_count) {
        qsort(view->opens, view->open_count, sizeof(*view->opens), by_record);
    }
    uint32_t count = sy_committed(segment, SY_HOTS);
    for (uint32_t i = 0; i < count; i++) {
        take_object(view, i);
    }
    join(view);
    return 0;
}

void ctl_view_end(struct ctl_view *view)
{
    for (size_t i = 0; i < view->object_count; i++) {
        free(view->objects[i].name);
    }
    free(view->objects);
    free(view->opens);
    free(view->waits);
    free(view->members);
    free(view->clients);
    free(view->client_of);
    ctl_look_end(&view->look);
}

/* ---- questions ---- */

static bool matches(const char *pattern, const char *name)
{
    return strcmp(pattern, name) == 0 || fnmatch(pattern, name, 0) == 0;
}

bool ctl_wanted(const struct ctl_request *request, const struct ctl_object *object)
{
    bool named = request->name_count == 0;
    for (int i = 0; i < request->name_count && !named; i++) {
        named = matches(request->names[i], object->name);
    }
    return named && (!request->kind || request->kind == object->kind->number);
}

bool ctl_held(const struct ctl_object *object)
{
    if (ctl_kind_of(object)->held_by_holder) {
        return object->holder.principal != 0 && !object->broken;
    }
    for (size_t i = 0; i < object->open_count; i++) {
        if (object->opens[i].permits) {
            return true;
        }
    }
    return false;
}

int64_t ctl_longest(const struct ctl_object *object)
{
    return object->wait_count ? object->waits[0].waited : 0;
}

static bool in_cycle(const struct sy_cycle *cycles, size_t count, uint32_t principal)
{
    for (size_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < cycles[i].count; j++) {
            if (cycles[i].principals[j] == principal) {
                return true;
            }
        }
    }
    return false;
}

/* Each of its members finds a cycle; the first one seen stands for all. */
size_t ctl_cycles(struct ctl_view *view, struct sy_cycle **ret_cycles)
{
    struct sy_cycle *cycles = NULL;
    size_t count = 0, room = 0;
    for (size_t i = 0; i < view->wait_count; i++) {
        struct ctl_wait *wait = &view->waits[i];
        struct sy_executor *executor = sy_executor_at(view->look.segment, wait->executor);
        if (!executor || in_cycle(cycles, count, wait->for_whom)) {
            continue;
        }
        cycles = ctl_grow(cycles, &room, count, sizeof(*cycles));
        count += sy_deadlock_find(view->look.segment, executor, &cycles[count], true);
    }
    for (size_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < cycles[i].count; j++) {
            struct ctl_object *object = ctl_object_at(view, cycles[i].records[j]);
            if (object) {
                object->in_cycle = true;
            }
        }
    }
    *ret_cycles = cycles;
    return count;
}
