/* SPDX-License-Identifier: MIT */
#include "shm/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "os/fault.h"

#define INSTALLED "/etc/libsync/managerd.conf"

const struct sy_capacities sy_default_capacities = {.processes = 4096,
                                                    .threads = 32768,
                                                    .principals = SY_PRINCIPALS_MAX,
                                                    .records = 65536,
                                                    .chunks = 65536,
                                                    .ring = 4096};

const uint32_t sy_strides[SY_REGIONS] = {
    [SY_PROCESSES] = sizeof(struct sy_process),
    [SY_PRINCIPALS] = sizeof(struct sy_principal),
    [SY_EXECUTORS] = sizeof(struct sy_executor),
    [SY_HOTS] = sizeof(struct sy_hot),
    [SY_COLDS] = sizeof(struct sy_cold),
    [SY_BUCKETS] = sizeof(sy_word),
    [SY_CHUNKS] = sizeof(struct sy_chunk),
    [SY_RING] = sizeof(struct sy_entry),
    [SY_ARENA] = 65536,
};

/* Two programs agree on every byte, or they do not meet. */
static uint32_t fingerprint(void)
{
    uint32_t parts[SY_REGIONS + 7], count = 0;
    memset(parts, 0, sizeof(parts));
    for (; count < SY_REGIONS; count++) {
        parts[count] = sy_strides[count];
    }
    parts[count++] = (uint32_t)sizeof(pthread_mutex_t);
    parts[count++] = (uint32_t)sizeof(struct sy_header);
    parts[count++] = 0x01020304; /* its first byte tells the order */
    parts[count++] = (uint32_t)sizeof(void *);
    parts[count++] = (uint32_t)offsetof(struct sy_cold, name);
    parts[count++] = (uint32_t)offsetof(struct sy_executor, waiting);
    parts[count++] = (uint32_t)offsetof(struct sy_header, reaper_owed);
    return sy_hash((const char *)parts, sizeof(parts));
}

int sy_segment_name(const char *name, char *to, size_t size, int *ret_private)
{
    size_t length;
    const char *rule = sy_text_check(name, 63, &length);
    if (!rule && strchr(name, '/')) {
        rule = "holds a slash";
    }
    if (rule) {
        return sy_fail(SYNC_EADDRESS, "manager name \"%.80s\" %s: 1-63 bytes of UTF-8 without '/'",
                       name, rule);
    }
    *ret_private = access(INSTALLED, F_OK) != 0;
    if (*ret_private) {
        snprintf(to, size, "/libsync.%u.%s", (unsigned)geteuid(), name);
    } else {
        snprintf(to, size, "/libsync.%s", name);
    }
    return 0;
}

static uint64_t align(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static uint32_t power_of_two(uint32_t least)
{
    uint32_t value = 64;
    while (value < least) {
        value *= 2;
    }
    return value;
}

static struct sy_segment *segment_new(const char *shm_name, int fd, bool writable)
{
    struct sy_segment *segment = calloc(1, sizeof(*segment));
    if (segment) {
        segment->fd = fd;
        segment->writable = writable;
        segment->process = SY_NONE;
        snprintf(segment->shm_name, sizeof(segment->shm_name), "%s", shm_name);
    }
    return segment;
}

static bool is_ours(struct sy_segment *segment, int fd)
{
    struct stat status;
    return fd >= 0 && fstat(fd, &status) == 0 && status.st_dev == segment->device &&
           status.st_ino == segment->inode;
}

void sy_segment_free(struct sy_segment *segment)
{
    if (segment) {
        if (segment->base) {
            munmap(segment->base, segment->size);
        }
        if (segment->inode ? is_ours(segment, segment->fd) : segment->fd >= 0) {
            close(segment->fd);
        }
        free(segment);
    }
}

/* Through a file description of its own: a mapping keeps its description, with all its byte locks,
 * alive in every forked child. The one behind segment->fd is never mapped. */
int sy_segment_map_file(struct sy_segment *segment, void *address, size_t size, uint64_t offset)
{
    int kept = sy_segment_fd(segment);
    int fd = kept < 0 ? -EBADF : sy_reopen(kept, segment->writable);
    if (fd == -ENOENT) { /* no /proc */
        fd = sy_shm_open(segment->shm_name, segment->writable ? O_RDWR : O_RDONLY, 0);
    }
    if (fd < 0) {
        return fd;
    }
    int rc = is_ours(segment, fd) ? sy_map(address, size, fd, offset, segment->writable) : -EBADF;
    close(fd);
    return rc;
}

/* Reserve the addresses of the whole file and map the header. */
static int segment_map(struct sy_segment *segment, uint64_t size)
{
    struct stat status;
    if (fstat(segment->fd, &status) < 0) {
        return sy_fail_errno(errno, "fstat /dev/shm%s", segment->shm_name);
    }
    segment->device = status.st_dev;
    segment->inode = status.st_ino;
    segment->size = size;
    segment->base = sy_reserve(size);
    if (!segment->base) {
        return sy_fail(SYNC_ENOMEM, "cannot reserve %" PRIu64 " MiB of addresses for /dev/shm%s",
                       size >> 20, segment->shm_name);
    }
    int rc = sy_segment_map_file(segment, segment->base, align(SY_HEADER_SIZE, sy_page_size()), 0);
    if (rc < 0) {
        return sy_fail_errno(-rc, "mmap /dev/shm%s", segment->shm_name);
    }
    segment->header = (struct sy_header *)(void *)segment->base;
    struct sy_process_facts facts;
    sy_self_facts(&facts);
    segment->pid_namespace = facts.pid_namespace;
    return 0;
}

static void find_regions(struct sy_segment *segment, const struct sy_header *header)
{
    for (int i = 0; i < SY_REGIONS; i++) {
        segment->regions[i] = (struct sy_geometry){
            header->regions[i].offset, header->regions[i].capacity, header->regions[i].step};
        segment->start[i] = segment->base + header->regions[i].offset;
    }
    segment->threads = header->threads;
    segment->granularity = header->granularity;
}

static void lay_out(struct sy_header *header, const struct sy_capacities *capacities)
{
    const uint32_t counts[SY_REGIONS] = {
        [SY_PROCESSES] = capacities->processes,
        [SY_PRINCIPALS] = capacities->principals,
        [SY_EXECUTORS] = capacities->threads,
        [SY_HOTS] = capacities->records,
        [SY_COLDS] = capacities->records,
        [SY_BUCKETS] = power_of_two(capacities->records),
        [SY_CHUNKS] = capacities->chunks,
        [SY_RING] = capacities->ring,
        [SY_ARENA] = 0,
    };
    uint64_t unit = header->granularity, offset = align(SY_HEADER_SIZE, unit);
    for (int i = 0; i < SY_REGIONS; i++) {
        struct sy_region *region = &header->regions[i];
        uint64_t bytes = align((uint64_t)counts[i] * sy_strides[i], unit);
        region->offset = offset;
        region->stride = sy_strides[i];
        region->capacity = counts[i];
        /* An eighth at a time, but at least a page: few growths, little waste. */
        uint64_t step = align(bytes / 8 < (1u << 20) ? bytes / 8 : (1u << 20), unit);
        region->step = (uint32_t)(step / sy_strides[i]);
        if (i == SY_BUCKETS || i == SY_RING) {
            region->step = counts[i];
        }
        if (region->step == 0) {
            region->step = 1;
        }
        offset += bytes;
    }
    header->size = offset;
}

static int fill_new(struct sy_segment *segment, const struct sy_segment_config *config,
                    const struct sy_header *plan, const char *name)
{
    struct sy_header *header = segment->header;
    memcpy(header, plan, offsetof(struct sy_header, state));
    header->layout = SY_LAYOUT_VERSION;
    header->fingerprint = fingerprint();
    header->created_at = (uint64_t)sy_now();
    header->uid = config->uid;
    header->mode = config->mode;
    header->threads = config->capacities.threads;
    sy_boot_id(header->boot_id, sizeof(header->boot_id));
    snprintf(header->name, sizeof(header->name), "%.63s", name);
    sy_put(&header->default_timeout, (uint64_t)config->default_timeout);
    sy_put(&header->directory_epoch, 1);
    find_regions(segment, plan);
    segment->threads = config->capacities.threads;
    int rc = sy_segment_grow(segment, SY_BUCKETS, 0);
    if (!rc) {
        rc = sy_segment_grow(segment, SY_RING, 0);
    }
    sy_put(&header->state, SY_STATE_RUNNING);
    header->magic = SY_MAGIC;
    return rc;
}

/* Under another name first, so that nobody ever opens half a segment; a manager killed here leaves
 * that file to the next one. */
int sy_segment_create(const char *shm_name, const struct sy_segment_config *config,
                      struct sy_segment **ret_segment)
{
    char draft[SY_PATH_MAX + 8];
    snprintf(draft, sizeof(draft), "%s.new", shm_name);
    sy_shm_unlink(draft);
    int fd = sy_shm_open(draft, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0) {
        return sy_fail_errno(-fd, "shm_open %s", draft);
    }
    struct sy_header plan;
    memset(&plan, 0, sizeof(plan));
    plan.granularity = (uint32_t)(sy_page_size() > 16384 ? sy_page_size() : 16384);
    lay_out(&plan, &config->capacities);
    struct sy_segment *segment = segment_new(shm_name, fd, true);
    int rc = segment ? 0 : sy_fail(SYNC_ENOMEM, "out of memory for a segment");
    if (!segment) {
        close(fd);
    }
    if (!rc && ftruncate(fd, (off_t)plan.size) < 0) {
        rc = sy_fail_errno(errno, "ftruncate /dev/shm%s", draft);
    }
    if (!rc) {
        int error = sy_allocate(fd, 0, plan.granularity);
        rc = error < 0 ? sy_fail_errno(-error, "fallocate /dev/shm%s", draft) : 0;
    }
    if (!rc) {
        rc = segment_map(segment, plan.size);
    }
    if (!rc) {
        const char *name = strrchr(shm_name, '.');
        rc = fill_new(segment, config, &plan, name ? name + 1 : shm_name);
    }
    /* fchmod, as the umask cut what shm_open was asked for. */
    if (!rc && (fchown(fd, config->uid, config->gid) < 0 || fchmod(fd, config->mode) < 0)) {
        rc = sy_fail_errno(errno, "fchown or fchmod of /dev/shm%s", draft);
    }
    if (!rc) {
        int error = sy_shm_rename(draft, shm_name);
        if (error == -EEXIST) {
            rc = sy_fail(SYNC_EEXIST, "/dev/shm%s exists", shm_name);
        } else if (error < 0) {
            rc = sy_fail_errno(-error, "rename /dev/shm%s", draft);
        }
    }
    if (rc) {
        sy_shm_unlink(draft);
        sy_segment_free(segment);
        return rc;
    }
    *ret_segment = segment;
    return 0;
}

static int check_header(const struct sy_header *header, uint64_t size, const char *shm_name)
{
    if (header->magic != SY_MAGIC) {
        return sy_fail(SYNC_EGARBAGE,
                       "/dev/shm%s is not a segment of libsync (magic %016" PRIx64 ")", shm_name,
                       header->magic);
    }
    if (header->layout != SY_LAYOUT_VERSION || header->fingerprint != fingerprint()) {
        return sy_fail(SYNC_EVERSION,
                       "/dev/shm%s has layout %u/%08x, this library has %u/%08x: all programs and "
                       "managerd must use one version of libsync and libc",
                       shm_name, header->layout, header->fingerprint, SY_LAYOUT_VERSION,
                       fingerprint());
    }
    char boot_id[40];
    sy_boot_id(boot_id, sizeof(boot_id));
    if (strncmp(boot_id, header->boot_id, sizeof(boot_id)) != 0) {
        return sy_fail(SYNC_EGARBAGE, "/dev/shm%s is of another boot", shm_name);
    }
    const char *broken =
        header->size != size                                                      ? "size"
        : header->granularity < 4096 || header->granularity % sy_page_size()      ? "granularity"
        : header->threads != header->regions[SY_EXECUTORS].capacity               ? "threads"
        : header->threads > header->regions[SY_PRINCIPALS].capacity               ? "threads"
        : header->regions[SY_PRINCIPALS].capacity > SY_PRINCIPALS_MAX             ? "principals"
        : header->regions[SY_HOTS].capacity != header->regions[SY_COLDS].capacity ? "records"
        : header->regions[SY_BUCKETS].capacity & (header->regions[SY_BUCKETS].capacity - 1)
            ? "buckets"
            : NULL;
    for (int i = 0; i < SY_REGIONS && !broken; i++) {
        const struct sy_region *region = &header->regions[i];
        uint64_t bytes = align((uint64_t)region->capacity * sy_strides[i], header->granularity);
        if (region->stride != sy_strides[i] || region->offset % header->granularity ||
            region->offset < SY_HEADER_SIZE || region->offset > size ||
            bytes > size - region->offset || region->step == 0) {
            broken = "a region";
        }
    }
    return broken
               ? sy_fail(SYNC_EGARBAGE, "/dev/shm%s is damaged: %s does not fit", shm_name, broken)
               : 0;
}

/* Somebody else's file under our name may be a trap: only its rightful owner's is opened. */
static int check_owner(const struct stat *status, const char *shm_name)
{
    struct stat conf;
    unsigned user;
    uid_t expected = geteuid();
    if (sscanf(shm_name, "/libsync.%u.", &user) == 1) {
        expected = user;
    } else if (stat(INSTALLED, &conf) == 0) {
        uint32_t installed;
        expected = sy_user_id("libsync", &installed) == 0 ? installed : conf.st_uid;
    }
    if (status->st_uid != expected && status->st_uid != 0) {
        char owner[32], wanted[32];
        sy_user_name(status->st_uid, owner, sizeof(owner));
        sy_user_name(expected, wanted, sizeof(wanted));
        return sy_fail(SYNC_EACCES,
                       "/dev/shm%s belongs to %s, expected %s: not used. See: managerctl doctor",
                       shm_name, owner, wanted);
    }
    return 0;
}

static int refuse_open(int error, const char *shm_name)
{
    struct stat status;
    char path[SY_PATH_MAX + 16], owner[32];
    snprintf(path, sizeof(path), "/dev/shm%s", shm_name);
    if (error == ENOENT) {
        return sy_fail(SYNC_ENOMANAGER, "no manager has made %s yet; start one: managerd", path);
    }
    if (error == EACCES && stat(path, &status) == 0) {
        sy_user_name(status.st_uid, owner, sizeof(owner));
        return sy_fail(SYNC_EACCES,
                       "%s: owner %s, mode %04o, group %u: your user may not open it; join that "
                       "group, or set group and mode in managerd.conf",
                       path, owner, status.st_mode & 07777u, (unsigned)status.st_gid);
    }
    return sy_fail_errno(error, "shm_open %s", shm_name);
}

int sy_segment_open(const char *shm_name, bool writable, struct sy_segment **ret_segment)
{
    int fd = sy_shm_open(shm_name, writable ? O_RDWR : O_RDONLY, 0);
    if (fd < 0) {
        return refuse_open(-fd, shm_name);
    }
    struct stat status;
    struct sy_segment *segment = segment_new(shm_name, fd, writable);
    if (!segment) {
        close(fd);
        return sy_fail(SYNC_ENOMEM, "out of memory for a segment");
    }
    int rc = 0;
    if (fstat(fd, &status) < 0) {
        rc = sy_fail_errno(errno, "fstat /dev/shm%s", shm_name);
    }
    if (!rc) {
        rc = check_owner(&status, shm_name);
    }
    if (!rc && (status.st_size < (off_t)SY_HEADER_SIZE || status.st_size > (1ll << 42))) {
        rc = sy_fail(SYNC_EGARBAGE, "/dev/shm%s is no segment of libsync: %lld bytes", shm_name,
                     (long long)status.st_size);
    }
    if (!rc) {
        rc = segment_map(segment, (uint64_t)status.st_size);
    }
    if (!rc) {
        struct sy_header copy; /* what was checked is what is used */
        memcpy(&copy, segment->header, sizeof(copy));
        rc = check_header(&copy, (uint64_t)status.st_size, shm_name);
        if (!rc) {
            find_regions(segment, &copy);
        }
    }
    if (rc) {
        sy_segment_free(segment);
        return rc;
    }
    *ret_segment = segment;
    return 0;
}

/* Does the name still lead to this file? Asked where no descriptor is left to ask. */
static bool leads_to(struct sy_segment *segment)
{
    char path[SY_PATH_MAX + 16];
    struct stat status;
    snprintf(path, sizeof(path), "/dev/shm%s", segment->shm_name);
    if (stat(path, &status) < 0) {
        return errno != ENOENT;
    }
    return status.st_dev == segment->device && status.st_ino == segment->inode;
}

int sy_segment_fd(struct sy_segment *segment)
{
    int fd = segment->fd;
    if (sy_likely(is_ours(segment, fd))) {
        return fd;
    }
    int again = sy_shm_open(segment->shm_name, segment->writable ? O_RDWR : O_RDONLY, 0);
    if (!is_ours(segment, again)) {
        if (again >= 0) {
            close(again);
        }
        return -1;
    }
    if (segment->process != SY_NONE) {
        sy_byte_lock(again, SY_BYTE_PROCESS(segment->process));
    }
    if (!atomic_compare_exchange_strong(&segment->fd, &fd, again)) {
        close(again); /* another thread was first */
        return segment->fd;
    }
    return again;
}

bool sy_segment_check_orphan(struct sy_segment *segment)
{
    if (sy_get(&segment->header->state) == SY_STATE_ORPHANED) {
        return true;
    }
    struct stat status;
    int fd = sy_segment_fd(segment);
    /* Cut short it is as lost as without its name: pages of it are gone for good. */
    bool gone = fd >= 0 ? fstat(fd, &status) == 0 &&
                              (status.st_nlink == 0 || (uint64_t)status.st_size < segment->size)
                        : !leads_to(segment) && !leads_to(segment);
    if (gone) {
        if (segment->writable) {
            sy_store_sc(&segment->header->state, SY_STATE_ORPHANED);
        }
        return true;
    }
    return false;
}
