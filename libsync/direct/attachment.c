/* SPDX-License-Identifier: MIT */
/* Attachments: one per process and segment, shared by all connects, never unmapped. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "base/valgrind.h"
#include "direct/direct.h"
#include "os/fault.h"

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sy_attachment *attachments;

int sy_refuse_orphan(struct sy_attachment *attachment)
{
    return sy_fail(
        SYNC_EORPHANED,
        "the name /dev/shm%s was taken away (rm, or logind's RemoveIPC at logout): no lock "
        "is granted any more, as newcomers would not see it. End the programs that use "
        "it, then start again; see: managerctl doctor",
        attachment->segment->shm_name);
}

#define KEEP_UP 100000000ll /* ns between two looks */

bool sy_keep_up(struct sy_attachment *attachment, int64_t now)
{
    int64_t kept_at = sy_get(&attachment->kept_at);
    if (now - kept_at < KEEP_UP ||
        !atomic_compare_exchange_strong(&attachment->kept_at, &kept_at, now)) {
        return false;
    }
    sy_process_keep_byte(attachment->segment);
    if (sy_manager_stale(attachment->segment, now)) {
        sy_segment_check_orphan(attachment->segment);
    } else {
        sy_greet(attachment);
    }
    return true;
}

/* ---- reaping without a daemon ---- */

#define OTHERS_PASS 100000000ll /* ns; what another reaper needs for one, unless it is stopped */

/* Slots or names ran out: perhaps only the dead, or nobody, have them. True if it is worth another
 * try: also when it was somebody else who freed some meanwhile. */
bool sy_make_room(struct sy_segment *segment, int rc)
{
    struct sy_actor reaper;
    if (rc != SYNC_ENOSLOT && rc != SYNC_ENONAMES) {
        return false;
    }
    for (int64_t limit = sy_now() + OTHERS_PASS; !sy_reaper_begin(segment, &reaper);) {
        if (sy_now() > limit) {
            return true;
        }
        sy_sleep_until(sy_now() + 1000000);
    }
    sy_reap(&reaper);
    sy_retire(&reaper);
    sy_directory_sweep(segment); /* out of their chains */
    sy_directory_sweep(segment); /* and free, if nobody reads */
    sy_reaper_end(&reaper);
    return true;
}

static int claim_process(struct sy_attachment *attachment)
{
    int rc = sy_process_claim(attachment->segment, attachment->label);
    if (rc && sy_make_room(attachment->segment, rc)) {
        rc = sy_process_claim(attachment->segment, attachment->label);
    }
    return rc;
}

/* ---- fork ---- */

/* No table may be half changed in the child: its changer does not exist there. */
void sy_attachments_hold(bool hold)
{
    if (hold) {
        pthread_mutex_lock(&list_lock);
    }
    for (struct sy_attachment *a = attachments; a; a = a->next) {
        if (hold) {
            pthread_mutex_lock(&a->lock);
        } else {
            pthread_mutex_unlock(&a->lock);
        }
    }
    if (!hold) {
        pthread_mutex_unlock(&list_lock);
    }
}

static void forget_entries(struct sy_attachment *a)
{
    for (uint32_t i = 0; i < a->opened_size; i++) {
        for (struct sy_opened *o = a->opened[i]; o; o = o->next) {
            o->entry = NULL;
        }
    }
}

/* The child's copy of the descriptor would keep the parent's byte locked for as long as the child
 * lives, so it becomes a new open file description, in place. Signal-safe. */
void sy_attachments_forked(void)
{
    int saved = errno;
    pthread_mutex_init(&list_lock, NULL); /* and the others: held by sy_attachments_hold */
    sy_reaper_forked();
    for (struct sy_attachment *a = attachments; a; a = a->next) {
        pthread_mutex_init(&a->lock, NULL);
        a->segment->process = SY_NONE;
        a->segment->room = NULL;
        a->segment->reaping = false;
        int old = sy_segment_fd(a->segment), fd = old < 0 ? -1 : sy_reopen(old, true);
        if (fd >= 0) {
            dup3(fd, old, O_CLOEXEC);
            close(fd);
        }
        sy_hello_close(a);
        forget_entries(a);
        atomic_fetch_add(&a->generation, 1);
    }
    errno = saved;
}

int sy_reattach(struct sy_attachment *attachment)
{
    if (sy_likely(attachment->segment->process != SY_NONE)) {
        return 0;
    }
    pthread_mutex_lock(&attachment->lock);
    int rc = attachment->segment->process == SY_NONE ? claim_process(attachment) : 0;
    pthread_mutex_unlock(&attachment->lock);
    if (!rc) {
        sy_greet(attachment);
    }
    return rc;
}

/* ---- the end of the process ---- */

static bool threads_left(struct sy_segment *segment)
{
    uint32_t count = sy_committed(segment, SY_PRINCIPALS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_principal *principal = sy_principal_at(segment, i);
        uint64_t tenancy = principal ? sy_load(&principal->tenancy) : 0;
        if (sy_tenancy_state(tenancy) != SY_SLOT_FREE &&
            sy_tenancy_process(tenancy) == segment->process) {
            return true;
        }
    }
    return false;
}

/* A member that leaves without a close is missed by the others, so its end must be noticed. */
static bool is_member(struct sy_segment *segment, struct sy_open *entry)
{
    struct sy_hot *hot = sy_hot_at(segment, sy_get(&entry->record) - 1);
    return hot && sy_get(&entry->opens) && sy_hot_kind(hot) == SYNC_KIND_BARRIER &&
           (sy_hot_flags(hot) & SYNC_FLAG_MEMBERS);
}

static bool holds_permits(struct sy_segment *segment, uint32_t process, uint32_t generation,
                          struct sy_open *entry, void *argument)
{
    (void)argument;
    struct sy_process *own = sy_process_at(segment, segment->process);
    return process == segment->process &&
           generation == sy_tenancy_generation(sy_load(&own->tenancy)) &&
           (sy_get(&entry->permits) || is_member(segment, entry));
}

/* After an orderly exit there is nothing to bury, unless other threads still run, or something is
 * held: then the slot is left to be found dead. */
__attribute__((destructor)) static void process_exit(void)
{
    sy_thread_exit();
    for (struct sy_attachment *a = attachments; a && sy_get(sy_alive); a = a->next) {
        struct sy_segment *segment = a->segment;
        struct sy_process *process = segment->process == SY_NONE
                                         ? NULL
                                         : sy_process_at(segment, segment->process);
        if (!process || threads_left(segment) || pthread_mutex_trylock(&a->lock)) {
            continue;
        }
        if (!sy_opens_visit(segment, SY_NONE, 0, holds_permits, NULL)) {
            /* A thread that still runs must not write into entries that are another's by then. */
            forget_entries(a);
            sy_opens_release(segment, segment->process,
                             sy_tenancy_generation(sy_load(&process->tenancy)));
            sy_process_release(segment);
        }
        pthread_mutex_unlock(&a->lock);
    }
}

/* ---- attach ---- */

static void default_label(char *to, size_t size)
{
    const char *name = program_invocation_short_name;
    sy_text_copy(to, size, name && *name ? name : "?", strlen(name && *name ? name : "?"));
}

static int open_or_launch(const char *name, const char *shm_name, bool launch,
                          struct sy_segment **ret_segment)
{
    int rc = sy_segment_open(shm_name, true, ret_segment);
    if (rc == SYNC_ENOMANAGER && launch) {
        rc = sy_launch_manager(name);
        if (!rc) {
            rc = sy_segment_open(shm_name, true, ret_segment);
        }
    }
    return rc;
}

/* A system's manager is its administrator's to start. */
static int refuse_start(const char *shm_name)
{
    return sy_fail(SYNC_ENOMANAGER,
                   "the manager of this host has not made /dev/shm%s; start it: "
                   "systemctl start managerd",
                   shm_name);
}

static int attach_new(const char *name, const char *shm_name, bool private_to_user,
                      const sync_manager_options *options, struct sy_attachment **ret_attachment)
{
    struct sy_attachment *a = sy_fault(SY_FAULT_MALLOC) ? NULL : calloc(1, sizeof(*a));
    if (!a) {
        return sy_fail(SYNC_ENOMEM, "out of memory for an attachment");
    }
    sy_wait_prepare();
    a->hello = -1;
    a->references = 1;
    a->opened_size = 64;
    a->opened = calloc(a->opened_size, sizeof(struct sy_opened *));
    pthread_mutex_init(&a->lock, NULL);
    snprintf(a->name, sizeof(a->name), "%.63s", name);
    if (options && options->label) {
        sy_text_copy(a->label, sizeof(a->label), options->label, strlen(options->label));
    } else {
        default_label(a->label, sizeof(a->label));
    }
    bool launch = private_to_user && !(options && options->no_autostart);
    int rc = a->opened ? open_or_launch(name, shm_name, launch, &a->segment)
                       : sy_fail(SYNC_ENOMEM, "out of memory for an attachment");
    if (rc == SYNC_ENOMANAGER && !private_to_user) {
        rc = refuse_start(shm_name);
    }
    if (!rc && sy_segment_check_orphan(a->segment)) {
        rc = sy_refuse_orphan(a);
    }
    if (!rc) {
        rc = claim_process(a);
    }
    if (rc) {
        sy_segment_free(a->segment);
        free(a->opened);
        free(a);
        return rc;
    }
    sy_greet(a);
    *ret_attachment = a;
    return 0;
}

/* Is the shared attachment still the segment that the name leads to? After a restart of the lab in
 * this process' lifetime it is not, and the old one stays mapped for its life words. */
static bool current(struct sy_attachment *a)
{
    return !sy_segment_check_orphan(a->segment);
}

int sy_attach(const char *name, const sync_manager_options *options, bool separate,
              struct sy_attachment **ret_attachment)
{
    char shm_name[SY_PATH_MAX];
    int private_to_user;
    int rc = sy_segment_name(name, shm_name, sizeof(shm_name), &private_to_user);
    if (!rc && sy_fork_prepare()) {
        rc = sy_fail(SYNC_ENOMEM, "pthread_atfork failed");
    }
    if (rc) {
        return rc;
    }
    if (!sy_get(sy_alive)) {
        sy_fork_notice();
    }
    pthread_mutex_lock(&list_lock);
    struct sy_attachment *a = attachments;
    while (a && (separate || a->separate || strcmp(a->segment->shm_name, shm_name) != 0 ||
                 !current(a))) {
        a = a->next;
    }
    if (a) {
        a->references++;
    } else {
        rc = attach_new(name, shm_name, private_to_user != 0, options, &a);
        if (!rc) {
            a->separate = separate;
            a->private_to_user = private_to_user != 0;
            a->next = attachments;
            attachments = a;
        }
    }
    pthread_mutex_unlock(&list_lock);
    if (!rc) {
        *ret_attachment = a;
        rc = sy_reattach(a);
    }
    return rc;
}

/* The mapping and the slot stay: threads are registered in it. They cost one process slot until the
 * process ends, and the next connect finds them. */
void sy_detach(struct sy_attachment *attachment)
{
    pthread_mutex_lock(&list_lock);
    if (attachment->references) {
        attachment->references--;
    }
    pthread_mutex_unlock(&list_lock);
}
