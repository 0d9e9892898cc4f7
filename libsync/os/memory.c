/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/valgrind.h"
#include "os/fault.h"
#include "os/os.h"

size_t sy_page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Address space only: PROT_NONE pages are neither charged nor locked by mlockall. */
void *sy_reserve(size_t size)
{
    if (sy_fault(SY_FAULT_RESERVE)) {
        return NULL;
    }
    void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

int sy_map(void *address, size_t size, int fd, uint64_t offset, bool writable)
{
    int fault = sy_fault(SY_FAULT_MAP);
    if (fault) {
        return -fault;
    }
    int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    /* Not by mmap(): to ThreadSanitizer that is a write to all of it, and two threads may well map
     * the same pages at the same place, which changes nothing. */
    if (syscall(SYS_mmap, address, size, protection, MAP_SHARED | MAP_FIXED, fd, offset) == -1) {
        return -errno;
    }
    SY_SHARED_MEMORY(address, size); /* after the mapping, which makes the tools forget */
    return 0;
}

/* Under qemu-user MADV_WIPEONFORK succeeds and does nothing; pthread_atfork is the other witness.
 */
sy_word *sy_wipe_page(void)
{
    size_t size = sy_page_size();
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }
    madvise(p, size, MADV_WIPEONFORK);
    sy_word *word = p;
    sy_put(word, 1);
    return word;
}
