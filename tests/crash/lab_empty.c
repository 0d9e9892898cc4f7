/* SPDX-License-Identifier: MIT */
/* The world that begins without a segment; and the processes that outlive their starters. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"
#include "lab_manager.h"
#include "os/os.h"

static void forget_view(struct lab *lab)
{
    if (lab->view != NULL) {
        munmap(lab->view, lab->view_size);
    }
    lab->view = NULL;
    lab->view_inode = 0;
}

/* The file as it is now, under its own name or as the draft of it. */
static void look_at(struct lab *lab, const char *shm_name)
{
    struct stat status;
    int fd = sy_shm_open(shm_name, O_RDONLY, 0);
    if (fd >= 0 && fstat(fd, &status) == 0 && status.st_ino != lab->view_inode &&
        (uint64_t)status.st_size >= SY_HEADER_SIZE) {
        forget_view(lab);
        lab->view_size = (size_t)status.st_size;
        void *view = mmap(NULL, lab->view_size, PROT_READ, MAP_SHARED, fd, 0);
        lab->view = view == MAP_FAILED ? NULL : view;
        lab->view_inode = status.st_ino;
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void draft_of(struct lab *lab, char *to, size_t size)
{
    snprintf(to, size, "%s.new", lab->shm_name);
}

unsigned lab_empty_ranges(struct crash_case *c, struct crash_range *ret_ranges)
{
    struct lab *lab = lab_of(c);
    char draft[SY_PATH_MAX + 8];
    draft_of(lab, draft, sizeof draft);
    look_at(lab, draft);
    look_at(lab, lab->shm_name);
    if (lab->view == NULL) {
        return 0;
    }
    unsigned count = lab_header_ranges(lab->view, ret_ranges);
    struct sy_header *header = lab->view;
    for (unsigned id = 0; id < SY_REGIONS; id++) {
        const struct sy_region *region = &header->regions[id];
        size_t size = (size_t)sy_load(&header->regions[id].committed) * region->stride;
        if (size > 0 && region->offset <= lab->view_size &&
            size <= lab->view_size - region->offset) {
            ret_ranges[count].base = (const char *)lab->view + region->offset;
            ret_ranges[count++].size = size;
        }
    }
    return count;
}

void lab_empty_close(struct crash_case *c)
{
    struct lab *lab = lab_of(c);
    char draft[SY_PATH_MAX + 8];
    lab_manager_stop(c);
    lab_end_descendants();
    draft_of(lab, draft, sizeof draft);
    sy_shm_unlink(lab->shm_name);
    sy_shm_unlink(draft);
    forget_view(lab);
    if (lab->segment != NULL) {
        sy_segment_free(lab->segment);
    }
    free(lab);
    c->world = NULL;
}

/* True if there is a next one. */
static bool next_child(FILE *children, pid_t *ret_pid)
{
    return children != NULL && fscanf(children, "%d", ret_pid) == 1;
}

void lab_end_descendants(void)
{
    for (pid_t pid; waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD;) {
        FILE *children = fopen("/proc/thread-self/children", "re");
        while (next_child(children, &pid)) {
            kill(pid, SIGKILL);
        }
        if (children != NULL) {
            fclose(children);
        }
        waitpid(-1, NULL, 0);
    }
}

static bool is_known(struct crash_case *c, pid_t pid)
{
    bool known = pid == lab_of(c)->manager.pid;
    for (unsigned i = 0; i < c->actors; i++) {
        known |= !c->actor[i].ended && c->actor[i].pid == pid;
    }
    return known;
}

bool lab_adopt(struct crash_case *c)
{
    FILE *children = fopen("/proc/thread-self/children", "re");
    bool done = children != NULL;
    for (pid_t pid; next_child(children, &pid);) {
        if (!is_known(c, pid) && c->actors < CRASH_ACTORS) {
            done &= process_watch(&c->actor[c->actors++], pid, pid);
        }
    }
    if (children != NULL) {
        fclose(children);
    }
    return done || case_trouble(c, "cannot adopt what the victim left behind");
}
