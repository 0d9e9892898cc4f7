/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static struct sy_segment *segment;

static void refused(int code, const char *words)
{
    struct sy_segment *opened;
    sync_manager *manager;
    sync_manager_options options = {.no_autostart = 1};
    POISON(&opened);
    POISON(&manager);
    EXPECT(code, sy_segment_open(lab_shm(), true, &opened));
    SAYS(words);
    SAYS(lab_path());
    EXPECT(code, sy_segment_open(lab_shm(), false, &opened));
    EXPECT(code, sync_manager_connect(NULL, &options, &manager));
    SAYS(words);
    CHECK(UNTOUCHED(&opened) && UNTOUCHED(&manager));
}

static void names(void)
{
    char name[SY_PATH_MAX], expected[SY_PATH_MAX];
    int private_to_user = -1;
    POISON(&name);
    EXPECT(0, sy_segment_name("default", name, sizeof(name), &private_to_user));
    NUMBER(1, private_to_user);
    snprintf(expected, sizeof(expected), "/libsync.%u.default", (unsigned)geteuid());
    CHECK(strcmp(name, expected) == 0);
    EXPECT(SYNC_EADDRESS, sy_segment_name("", name, sizeof(name), &private_to_user));
    EXPECT(SYNC_EADDRESS, sy_segment_name("../x", name, sizeof(name), &private_to_user));
    SAYS("holds a slash");
}

static void made_whole(void)
{
    struct stat status;
    struct sy_segment *second;
    segment = lab_alone();
    struct sy_header *header = segment->header;
    CHECK(stat(lab_path(), &status) == 0);
    NUMBER(0600, status.st_mode & 07777);
    NUMBER(geteuid(), status.st_uid);
    NUMBER(header->size, status.st_size);
    CHECK(status.st_blocks * 512 < status.st_size); /* sparse */
    NUMBER(SY_STATE_RUNNING, sy_get(&header->state));
    NUMBER(0, sy_get(&header->epoch));
    NUMBER(0, sy_get(&header->manager_pid));
    uint64_t end = SY_HEADER_SIZE;
    for (int i = 0; i < SY_REGIONS; i++) {
        struct sy_region *region = &header->regions[i];
        CHECK(region->offset >= end);
        CHECK(region->offset % header->granularity == 0);
        end = region->offset + (uint64_t)region->capacity * region->stride;
        CHECK(end <= header->size);
        CHECK(sy_get(&region->committed) <= region->capacity);
    }
    POISON(&second);
    struct sy_segment_config config = {
        .capacities = sy_default_capacities, .uid = geteuid(), .gid = (uint32_t)-1, .mode = 0600};
    EXPECT(SYNC_EEXIST, sy_segment_create(lab_shm(), &config, &second));
    CHECK(UNTOUCHED(&second));
    char draft[SY_PATH_MAX + 32];
    snprintf(draft, sizeof(draft), "%s.new", lab_path());
    CHECK(access(draft, F_OK) != 0);
    EXPECT(0, sy_segment_open(lab_shm(), true, &second));
    NUMBER(segment->inode, second->inode);
    sy_segment_free(second);
}

static void missing(void)
{
    lab_name();
    refused(SYNC_ENOMANAGER, "no manager has made");
}

static void another_version(void)
{
    segment = lab_alone();
    segment->header->layout++;
    refused(SYNC_EVERSION, "has layout 2/");
    segment->header->layout--;
    segment->header->fingerprint++;
    refused(SYNC_EVERSION, "one version of libsync and libc");
}

static void another_boot(void)
{
    segment = lab_alone();
    segment->header->boot_id[3] ^= 1;
    refused(SYNC_EGARBAGE, "is of another boot");
}

static void no_segment_at_all(void)
{
    lab_name();
    int fd = open(lab_path(), O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0);
    refused(SYNC_EGARBAGE, "is no segment of libsync: 0 bytes");
    CHECK(ftruncate(fd, 4095) == 0);
    refused(SYNC_EGARBAGE, "4095 bytes");
    CHECK(ftruncate(fd, 1 << 20) == 0);
    refused(SYNC_EGARBAGE, "is not a segment of libsync (magic 0000000000000000)");
    CHECK(ftruncate(fd, (1ll << 42) + 1) == 0);
    refused(SYNC_EGARBAGE, "bytes");
    close(fd);
}

static void cut_off(void)
{
    struct stat status;
    lab_alone();
    CHECK(stat(lab_path(), &status) == 0);
    CHECK(truncate(lab_path(), status.st_size - 4096) == 0);
    refused(SYNC_EGARBAGE, "is damaged: size does not fit");
    CHECK(truncate(lab_path(), 4096) == 0);
    refused(SYNC_EGARBAGE, "is damaged: size");
}

static void of_another_user(void)
{
    lab_alone();
    CHECK(chown(lab_path(), 65534, 65534) == 0);
    refused(SYNC_EACCES, "belongs to nobody, expected root: not used");
    SAYS("managerctl doctor");
}

/* Every number of the header that others build on. */
static void a_damaged_header(void)
{
    segment = lab_alone();
    struct sy_header *header = segment->header, good = *header;
    static const uint64_t bad64[] = {0, 1, 12345, UINT64_MAX, 1ull << 63};
    static const uint32_t bad32[] = {0, 3, 0x7fffffff, UINT32_MAX};
    for (size_t i = 0; i < SY_COUNT(bad64); i++) {
        header->size = bad64[i];
        refused(SYNC_EGARBAGE, "is damaged: size does not fit");
        header->size = good.size;
    }
    for (size_t i = 0; i < SY_COUNT(bad32); i++) {
        if (bad32[i] % sy_page_size() || bad32[i] < 4096) {
            header->granularity = bad32[i];
            refused(SYNC_EGARBAGE, "granularity");
            header->granularity = good.granularity;
        }
        header->threads = bad32[i];
        refused(SYNC_EGARBAGE, "threads");
        header->threads = good.threads;
    }
    for (int r = 0; r < SY_REGIONS; r++) {
        struct sy_region *region = &header->regions[r], was = *region;
        region->stride++;
        refused(SYNC_EGARBAGE, "a region does not fit");
        region->stride = was.stride;
        region->step = 0;
        refused(SYNC_EGARBAGE, "a region does not fit");
        region->step = was.step;
        for (size_t i = 0; i < SY_COUNT(bad64); i++) {
            region->offset = bad64[i];
            refused(SYNC_EGARBAGE, "a region does not fit");
        }
        region->offset = was.offset;
        if (r != SY_ARENA) {
            region->capacity = UINT32_MAX;
            refused(SYNC_EGARBAGE, "does not fit");
            region->capacity = was.capacity;
        }
    }
    struct sy_segment *opened;
    EXPECT(0, sy_segment_open(lab_shm(), true, &opened));
    sy_segment_free(opened);
}

/* A `committed` beyond the capacity, or beyond the file's memory, is not believed. */
static void a_region_that_claims_too_much(void)
{
    struct sy_segment *opened;
    segment = lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    sy_put(&segment->header->regions[SY_HOTS].committed, UINT32_MAX);
    NUMBER(512, sy_committed(segment, SY_HOTS));
    EXPECT(0, sy_segment_open(lab_shm(), true, &opened));
    CHECK(sy_hot_at(opened, 511) != NULL);
    CHECK(sy_hot_at(opened, 512) == NULL);
    CHECK(sy_hot_at(opened, UINT32_MAX) == NULL);
    sy_segment_free(opened);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
}

static void orphaned(void)
{
    segment = lab_alone();
    CHECK(!sy_segment_check_orphan(segment));
    NUMBER(SY_STATE_RUNNING, sy_get(&segment->header->state));
    CHECK(unlink(lab_path()) == 0);
    CHECK(sy_segment_check_orphan(segment));
    NUMBER(SY_STATE_ORPHANED, sy_get(&segment->header->state));
    CHECK(sy_segment_check_orphan(segment));
}

/* Nothing half made is ever under the name. */
static void each_failure_while_it_is_made(void)
{
    static const struct {
        enum sy_fault_point point;
        int error, code;
        uint32_t calls;
    } faults[] = {
        {SY_FAULT_SHM_OPEN, EMFILE, SYNC_ESYSTEM, 1}, {SY_FAULT_SHM_OPEN, ENOSPC, SYNC_ENOSPC, 1},
        {SY_FAULT_ALLOCATE, ENOSPC, SYNC_ENOSPC, 3},  {SY_FAULT_RESERVE, ENOMEM, SYNC_ENOMEM, 1},
        {SY_FAULT_MAP, EAGAIN, SYNC_EMEMLOCK, 1},     {SY_FAULT_MAP, ENOMEM, SYNC_ENOMEM, 1}};
    struct sy_segment_config config = {
        .capacities = sy_default_capacities, .uid = geteuid(), .gid = (uint32_t)-1, .mode = 0600};
    char draft[SY_PATH_MAX + 32];
    snprintf(draft, sizeof(draft), "%s.new", lab_path());
    for (size_t i = 0; i < SY_COUNT(faults); i++) {
        for (uint32_t call = 1; call <= faults[i].calls; call++) {
            POISON(&segment);
            sy_fault_set(faults[i].point, call, 1, faults[i].error);
            EXPECT(faults[i].code, sy_segment_create(lab_shm(), &config, &segment));
            sy_fault_set(faults[i].point, 0, 0, 0);
            CHECK(UNTOUCHED(&segment));
            CHECK(access(lab_path(), F_OK) != 0 && access(draft, F_OK) != 0);
        }
    }
    EXPECT(0, sy_segment_create(lab_shm(), &config, &segment));
    sy_segment_free(segment);
}

HARNESS_MAIN(CASE(names), CASE(made_whole), CASE(missing), CASE(another_version),
             CASE(another_boot), CASE(no_segment_at_all), CASE(cut_off), CASE(of_another_user),
             CASE(a_damaged_header), CASE(a_region_that_claims_too_much), CASE(orphaned),
             CASE(each_failure_while_it_is_made))
