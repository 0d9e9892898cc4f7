/* SPDX-License-Identifier: MIT */
/* The most read lines of the project: what failed, who is in the way, and what to type next. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "direct/direct.h"

static const char *state_word(int state)
{
    static const char *const words[] = {
        [SYNC_STATE_UNKNOWN] = "state unknown",
        [SYNC_STATE_ALIVE] = "alive",
        [SYNC_STATE_STOPPED] = "STOPPED (kill -CONT lets it go on)",
        [SYNC_STATE_DUMPING] = "dumping core",
        [SYNC_STATE_SUSPECT] = "suspect: looks dead, not proved",
        [SYNC_STATE_DEAD] = "dead",
    };
    return state >= 0 && (size_t)state < SY_COUNT(words) ? words[state] : "state unknown";
}

/* exposer[4711] thread "main", ana@lab3, "flat fields" */
static void name_principal(char *to, size_t size, const sync_principal *p)
{
    if (!p->principal) {
        snprintf(to, size, "nobody");
        return;
    }
    if (!p->pid) {
        snprintf(to, size, "a thread that is gone");
        return;
    }
    int used = snprintf(to, size, "%s[%d]", p->label, p->pid);
    if (p->kind == SYNC_PRINCIPAL_HANDLE) {
        used += snprintf(to + used, size - (size_t)used, " (a handle)");
    } else if (p->thread[0]) {
        used += snprintf(to + used, size - (size_t)used, " thread \"%s\"", p->thread);
    }
    used += snprintf(to + used, size - (size_t)used, ", %s@%s", p->user, p->host);
    if (p->note[0]) {
        snprintf(to + used, size - (size_t)used, ", \"%s\"", p->note);
    }
}

static uint32_t waiters_before(struct sy_call *call)
{
    uint32_t before = 0, at = 0, id;
    struct sy_executor *executor;
    while ((executor = sy_next_waiter(call->segment, call->record, call->generation, &at, &id))) {
        before += executor != call->actor.executor &&
                  sy_get(&executor->waiting.ticket) < (uint64_t)call->began;
    }
    return before;
}

static const char *verb_of(uint32_t kind)
{
    return kind == SYNC_KIND_EVENT     ? "not set"
           : kind == SYNC_KIND_BARRIER ? "not complete"
                                       : "not acquired";
}

static void timeout_text(char *to, size_t size, struct sy_call *call, const sync_info *info,
                         const sync_error *error)
{
    char waited[40], held[40], who[320];
    uint32_t kind = (uint32_t)info->kind;
    sy_text_duration(waited, sizeof(waited), error->waited);
    int used = snprintf(to, size, "%s: %s in %s", info->name, verb_of(kind), waited);
    char *rest = to + used;
    size_t left = size - (size_t)used;
    name_principal(who, sizeof(who), &error->holder);
    if (kind == SYNC_KIND_MUTEX && error->holder.principal) {
        sy_text_duration(held, sizeof(held), sy_now() - error->holder.since);
        snprintf(
            rest, left,
            ": held %s by %s\n        %s, %" PRIu32 " waiters before you; token %" PRIu64
            ".   see: managerctl show %s      last resort: managerctl break %s --token %" PRIu64,
            held, who, state_word(error->holder.state), waiters_before(call), error->token,
            info->name, info->name, error->token);
    } else if (kind == SYNC_KIND_MUTEX) {
        snprintf(rest, left, ": released just now; %" PRIu32 " waiters before you",
                 waiters_before(call));
    } else if (kind == SYNC_KIND_SEMAPHORE) {
        snprintf(rest, left,
                 ": %u of the %u wanted are free; %" PRIu32
                 " waiters before you.   see: managerctl show %s",
                 info->value, call->count, waiters_before(call), info->name);
    } else if (kind == SYNC_KIND_BARRIER) {
        snprintf(rest, left, ": %u of %u had arrived.   see: managerctl show %s", call->count,
                 info->maximum, info->name);
    } else {
        snprintf(rest, left, ".   see: managerctl show %s", info->name);
    }
}

static void broken_text(char *to, size_t size, const sync_info *info, const sync_error *error)
{
    char who[320];
    name_principal(who, sizeof(who), &error->holder);
    switch (error->cause) {
    case SYNC_CAUSE_TIMEOUT:
        snprintf(to, size, "%s: broken: %s waited too long", info->name, who);
        break;
    case SYNC_CAUSE_ABORT:
        snprintf(to, size, "%s: broken: aborted by %s", info->name, who);
        break;
    case SYNC_CAUSE_DIED:
        snprintf(to, size, "%s: broken: %s died", info->name, who);
        break;
    case SYNC_CAUSE_RESET:
        snprintf(to, size, "%s: broken: reset by %s", info->name, who);
        break;
    case SYNC_CAUSE_ACTION:
        snprintf(to, size, "%s: broken: the action run by %s returned %d", info->name, who,
                 error->action_code);
        break;
    case SYNC_CAUSE_LEFT:
        snprintf(to, size, "%s: broken: member %s closed it", info->name, who);
        break;
    default:
        snprintf(to, size,
                 "%s: broken, and again since, so who broke this round is not known any more.   "
                 "see: managerctl show %s",
                 info->name, info->name);
        break;
    }
}

static void cycle_text(char *to, size_t size, struct sy_call *call, const struct sy_cycle *cycle,
                       sync_error *error)
{
    char who[320];
    size_t used = (size_t)snprintf(to, size, "deadlock:");
    error->cycle_count = cycle->count;
    for (uint32_t i = 0; i < cycle->count; i++) {
        struct sy_cold *cold = sy_cold_at(call->segment, cycle->records[i]);
        char name[SYNC_NAME_MAX + 8] = "";
        if (cold) {
            sy_text_copy(name, sizeof(name), cold->name, SYNC_NAME_MAX);
        }
        sy_describe_principal(call->segment, cycle->principals[i], &error->cycle[i]);
        name_principal(who, sizeof(who), &error->cycle[i]);
        if (used >= size) {
            continue; /* the text is cut, the details are whole */
        }
        used += (size_t)snprintf(to + used, size - used, "%s %s waits for %s%s", i ? "," : "",
                                 i ? who : "this thread", name,
                                 i + 1 == cycle->count ? ", held by this thread" : "");
    }
}

static bool still_held(struct sy_segment *segment, const sync_error *error)
{
    size_t size = strlen(error->object);
    struct sy_name name = {error->object, (uint32_t)size, sy_hash(error->object, size)};
    uint32_t record = sy_directory_find(segment, &name);
    struct sy_hot *hot = record == SY_NONE ? NULL : sy_hot_at(segment, record);
    return hot && (sy_load(&hot->word) & SY_OWNER) == error->holder.principal &&
           sy_get(&hot->u.mutex.fence) == error->token;
}

/* A mere try that failed is no event. It costs a few loads; for a mutex the text is made, and how
 * the holder does is looked at, when somebody asks. Segments are never unmapped. */
static void try_text(void *segment, sync_error *error, char *to, size_t size)
{
    char held[40], who[320];
    sy_complete_principal(segment, &error->holder);
    name_principal(who, sizeof(who), &error->holder);
    if (error->holder.principal && !still_held(segment, error)) {
        snprintf(to, size, "%s: not acquired at once: held by %s then, and not any more",
                 error->object, who);
    } else if (error->holder.principal) {
        sy_text_duration(held, sizeof(held), sy_now() - error->holder.since);
        snprintf(to, size,
                 "%s: not acquired at once: held %s by %s\n        %s; token %" PRIu64
                 ".   see: managerctl show %s",
                 error->object, held, who, state_word(error->holder.state), error->token,
                 error->object);
    } else {
        snprintf(to, size, "%s: not acquired at once: released just now", error->object);
    }
}

static int report_try(struct sy_call *call, int rc)
{
    sync_info info;
    sync_error error;
    sy_error_clear(&error);
    sy_describe_briefly(call->segment, call->record, &info);
    memcpy(error.object, info.name, sizeof(error.object));
    error.kind = info.kind;
    error.holder = info.holder;
    error.token = info.token;
    error.depth = info.depth;
    atomic_fetch_add_explicit(&call->cold->timeouts, 1, memory_order_relaxed);
    switch (info.kind) {
    case SYNC_KIND_MUTEX:
        return sy_fail_later(&error, rc, try_text, call->segment);
    case SYNC_KIND_SEMAPHORE:
        return sy_fail_info(&error, rc,
                            "%s: not acquired at once: %u of the %u wanted are free.   see: "
                            "managerctl show %s",
                            info.name, info.value, call->count, info.name);
    case SYNC_KIND_BARRIER:
        return sy_fail_info(&error, rc,
                            "%s: not complete at once: %u of %u had arrived.   see: managerctl "
                            "show %s",
                            info.name, call->count, info.maximum, info.name);
    default:
        return sy_fail_info(&error, rc, "%s: %s at once.   see: managerctl show %s", info.name,
                            verb_of((uint32_t)info.kind), info.name);
    }
}

int sy_report(struct sy_call *call, const struct sy_kind *kind, int rc,
              const struct sy_cycle *cycle)
{
    sync_info info;
    sync_error error;
    char text[1000], who[320];
    if (rc == SYNC_ETIMEDOUT && !call->published) {
        return report_try(call, rc);
    }
    sy_error_clear(&error);
    if (!sy_describe(call->segment, call->record, &info)) {
        sy_text_copy(info.name, sizeof(info.name), call->cold->name, SYNC_NAME_MAX);
        info.kind = (int32_t)kind->number;
    }
    memcpy(error.object, info.name, sizeof(error.object));
    error.code = rc;
    error.kind = info.kind;
    error.holder = info.holder;
    error.token = info.token;
    error.depth = info.depth;
    error.waiters = info.waiters ? info.waiters - (call->published ? 1 : 0) : 0;
    error.waited = sy_now() - call->began;
    switch (rc) {
    case SYNC_ETIMEDOUT:
        timeout_text(text, sizeof(text), call, &info, &error);
        atomic_fetch_add_explicit(&call->cold->timeouts, 1, memory_order_relaxed);
        sy_ring_add(call->segment, &(struct sy_ring_event){.type = SY_EVENT_TIMEDOUT,
                                                           .record = call->record,
                                                           .generation = call->generation,
                                                           .principal = call->principal,
                                                           .other = info.holder.principal,
                                                           .value = (uint64_t)error.waited});
        break;
    case SYNC_EBROKEN:
        error.cause = call->cause;
        error.action_code = call->action_code;
        sy_describe_principal(call->segment, call->culprit, &error.holder);
        broken_text(text, sizeof(text), &info, &error);
        break;
    case SYNC_EDEADLK:
        if (cycle) {
            cycle_text(text, sizeof(text), call, cycle, &error);
            sy_ring_add(call->segment, &(struct sy_ring_event){.type = SY_EVENT_DEADLOCK,
                                                               .record = call->record,
                                                               .generation = call->generation,
                                                               .principal = call->principal});
        } else {
            snprintf(text, sizeof(text), "%s: held by this thread already, and not recursive",
                     info.name);
        }
        break;
    case SYNC_EBUSY:
        sy_describe_principal(call->segment, sy_load(&call->hot->guard) & SY_OWNER, &error.holder);
        name_principal(who, sizeof(who), &error.holder);
        snprintf(text, sizeof(text), "%s: %s is inside this object and does not go on: %s",
                 info.name, who, state_word(error.holder.state));
        break;
    case SYNC_EORPHANED:
        snprintf(text, sizeof(text),
                 "%s: the name of the segment was taken away; nothing is granted "
                 "any more. See: managerctl doctor",
                 info.name);
        break;
    case SYNC_ELOST:
        snprintf(text, sizeof(text), "%s: this ownership was broken; release it to depth 0 first",
                 info.name);
        break;
    default:
        snprintf(text, sizeof(text), "%s: %s", info.name, sync_strerror(rc));
        break;
    }
    return sy_fail_info(&error, rc, "%s", text);
}

static void died_text(void *segment, sync_error *error, char *to, size_t size)
{
    const sync_principal *dead = &error->holder;
    const char *quote = dead->note[0] ? "\"" : "";
    sy_complete_principal(segment, &error->holder);
    snprintf(to, size, "%s: acquired; %s[%d]%s%s%s%s died holding it", error->object,
             dead->pid ? dead->label : "a thread that is gone", dead->pid,
             dead->note[0] ? ", " : "", quote, dead->note, quote);
}

int sy_report_died(struct sy_call *call, const sync_principal *dead)
{
    sync_error error;
    sy_error_clear(&error);
    sy_text_copy(error.object, sizeof(error.object), call->cold->name, SYNC_NAME_MAX);
    error.kind = (int32_t)sy_hot_kind(call->hot);
    error.holder = *dead;
    return sy_fail_later(&error, SYNC_OWNER_DIED, died_text, call->segment);
}
