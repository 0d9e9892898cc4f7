/* SPDX-License-Identifier: MIT */
/* What the harness must know of the processor: program counter, system call instruction,
 * breakpoints. */
#ifndef CRASH_ARCH_H
#define CRASH_ARCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CRASH_BREAKPOINTS = 4 };

/* Stops the calling thread under its tracer; the address of the stop says which of the two markers
 * it was. */
#if defined(__x86_64__)
#define CRASH_TRAP() __asm__ volatile("int3" ::: "memory")
#elif defined(__aarch64__)
#define CRASH_TRAP() __asm__ volatile("brk #0" ::: "memory")
#else
#error "the kill harness knows x86-64 and aarch64"
#endif

bool arch_pc(pid_t tid, uint64_t *ret_pc);

/* The tracee is at the trap of a marker: go past it, where that does not happen by itself. */
bool arch_pass_trap(pid_t tid);

/* These read the instruction from the tracer's own memory: the victim is its fork, and has the same
 * text there. */
bool arch_is_trap(uint64_t pc);
bool arch_is_syscall(uint64_t pc);
bool arch_is_repeat(uint64_t pc);

/* Address behind a load-exclusive … store-exclusive loop that begins at pc, or 0. A step inside
 * such a loop clears the monitor, and the loop never ends. */
uint64_t arch_exclusive_end(uint64_t pc);

/* Execution breakpoint `index`; address 0 clears it. The tracee must be stopped. */
bool arch_set_breakpoint(pid_t tid, unsigned index, uint64_t address);

/* True if a continued tracee that stands on a breakpoint would stop there again without having
 * moved. */
bool arch_breakpoint_sticks(void);

/* Before a signal: what lets a tracee leave the breakpoint it stands on would else be saved with
 * its registers, and let it pass there unseen when the handler returns. */
bool arch_rearm(pid_t tid);

/* The kernel's view of a thread: asleep in a futex call, or in any call at all. */
struct arch_call {
    bool running; /* not asleep */
    long number;
    uint64_t argument[6];
    uint64_t pc; /* where it will return to */
};
bool arch_read_call(int syscall_fd, struct arch_call *ret_call);
bool arch_is_futex(long number);
bool arch_is_epoll(long number);

#endif
