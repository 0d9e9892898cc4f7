/* SPDX-License-Identifier: MIT */
#include "managerd/ctl/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "managerd/ctl/words.h"

/* %w who, %o the other, %p who by the label and pid noted in the entry, %t its text, and its value:
 * %d as a duration, %c as the cause of a broken barrier, %m as what a manager did. */
static const struct {
    const char *name, *sentence;
} types[] = {
    [SY_EVENT_NONE] = {"none", "nothing"},
    [SY_EVENT_SLOW] = {"slow", "%w got it after %d"},
    [SY_EVENT_DIED] = {"died", "%p died"},
    [SY_EVENT_TAKEN] = {"taken", "%w took over from %o, who had died"},
    [SY_EVENT_TIMEDOUT] = {"timed out", "%w gave up after %d; in the way: %o"},
    [SY_EVENT_BROKEN] = {"broken", "%w took it away from %o: \"%t\""},
    [SY_EVENT_BARRIER] = {"barrier broken", "broken: %c (%o)"},
    [SY_EVENT_CLOSED] = {"closed", "%w: %t"},
    [SY_EVENT_DEADLOCK] = {"deadlock", "%w was told of a deadlock"},
    [SY_EVENT_CREATED] = {"created", "created by %w"},
    [SY_EVENT_UNLINKED] = {"unlinked", "unlinked by %w"},
    [SY_EVENT_MANAGER] = {"manager", "managerd%p %m"},
    [SY_EVENT_NOTE] = {"note", "%w: %t"},
};

static void put(char *to, size_t size, size_t *used, const char *text)
{
    size_t left = size - *used;
    int wrote = snprintf(to + *used, left, "%s", text);
    *used += wrote < 0 ? 0 : (size_t)wrote < left ? (size_t)wrote : left - 1;
}

static void person(const sync_principal *who, int32_t pid, char *to, size_t size)
{
    if (!who->pid && pid) {
        snprintf(to, size, "[%d]", pid); /* its slot has another tenant, its pid was noted */
    } else {
        ctl_who(who, to, size);
    }
}

static void word(const struct ctl_event *event, char letter, char *to, size_t size)
{
    switch (letter) {
    case 'w':
        person(&event->who, event->pid, to, size);
        break;
    case 'o':
        person(&event->other, 0, to, size);
        break;
    case 'd':
        ctl_duration(to, size, event->value < INT64_MAX ? (int64_t)event->value : INT64_MAX);
        break;
    case 'c':
        snprintf(to, size, "%s",
                 ctl_cause_word(event->value < 256 ? (int32_t)event->value : SYNC_CAUSE_NONE));
        break;
    case 't':
        snprintf(to, size, "%s", event->text);
        break;
    default:
        snprintf(to, size, "%%%c", letter);
        break;
    }
}

static void make_sentence(struct ctl_event *event)
{
    const char *from = types[event->type].sentence;
    size_t used = 0, size = sizeof(event->sentence);
    for (; *from; from++) {
        char text[160] = {*from, 0};
        if (*from == '%' && from[1]) {
            word(event, *++from, text, sizeof(text));
        }
        put(event->sentence, size, &used, text);
    }
}

/* An incarnation that was broken keeps its record, and with it the name. */
static bool concerns(struct ctl_view *view, const struct ctl_object *object,
                     const struct sy_entry *entry)
{
    uint32_t record = entry->record - 1;
    if (!object || (record == object->record && entry->generation == object->generation)) {
        return true;
    }
    struct sy_hot *hot = sy_hot_at(view->look.segment, record);
    struct sy_cold *cold = sy_cold_at(view->look.segment, record);
    char raw[SYNC_NAME_MAX + 1] = "", name[SYNC_NAME_MAX + 8];
    if (!hot || !cold || sy_hot_generation(hot) != entry->generation) {
        return false;
    }
    memcpy(raw, cold->name, SYNC_NAME_MAX);
    sy_text_copy(name, sizeof(name), raw, SYNC_NAME_MAX);
    return strcmp(name, object->name) == 0;
}

static void fill(struct ctl_view *view, const struct sy_entry *entry, uint64_t place,
                 struct ctl_event *ret_event)
{
    memset(ret_event, 0, sizeof(*ret_event));
    ret_event->place = place;
    ret_event->time = (int64_t)entry->time;
    ret_event->ago = ret_event->time > 0 && ret_event->time < view->look.now
                         ? view->look.now - ret_event->time
                         : 0;
    ret_event->type = entry->type < SY_COUNT(types) ? entry->type : SY_EVENT_NONE;
    ret_event->name = types[ret_event->type].name;
    ret_event->value = entry->value;
    ret_event->pid = (int32_t)entry->pid;
    ctl_principal(view, entry->principal, &ret_event->who);
    ctl_principal(view, entry->other, &ret_event->other);
    sy_text_copy(ret_event->text, sizeof(ret_event->text), entry->text, sizeof(entry->text));
    make_sentence(ret_event);
}

size_t ctl_events(struct ctl_view *view, const struct ctl_object *object, size_t most,
                  struct ctl_event **ret_events)
{
    struct sy_segment *segment = view->look.segment;
    uint64_t head = sy_get(&segment->header->ring_head);
    uint32_t room = sy_committed(segment, SY_RING);
    struct ctl_event *events = ctl_alloc((most + 1) * sizeof(*events));
    size_t count = 0;
    for (uint64_t place = head, left = room; place && left && count < most; place--, left--) {
        struct sy_entry entry;
        if (sy_ring_read(segment, place, &entry) && concerns(view, object, &entry)) {
            fill(view, &entry, place, &events[count++]);
        }
    }
    for (size_t i = 0; i < count / 2; i++) {
        struct ctl_event swap = events[i];
        events[i] = events[count - 1 - i];
        events[count - 1 - i] = swap;
    }
    *ret_events = events;
    return count;
}
