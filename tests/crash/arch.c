/* SPDX-License-Identifier: MIT */
#include "arch.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>
#if defined(__aarch64__)
#include <asm/ptrace.h>
#endif

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

static const unsigned char *text_at(uint64_t pc)
{
    return (const unsigned char *)(uintptr_t)pc;
}

#if defined(__x86_64__)

bool arch_pc(pid_t tid, uint64_t *ret_pc)
{
    errno = 0;
    long pc = ptrace(PTRACE_PEEKUSER, tid, (void *)offsetof(struct user_regs_struct, rip), NULL);
    if (errno != 0) {
        return false;
    }
    *ret_pc = (uint64_t)pc;
    return true;
}

bool arch_pass_trap(pid_t tid)
{
    (void)tid; /* int3 reports itself after it has executed */
    return true;
}

bool arch_is_trap(uint64_t pc)
{
    return text_at(pc)[0] == 0xcc;
}

bool arch_is_syscall(uint64_t pc)
{
    const unsigned char *text = text_at(pc);
    return text[0] == 0x0f && text[1] == 0x05;
}

bool arch_is_repeat(uint64_t pc)
{
    const unsigned char *text = text_at(pc);
    if (text[0] != 0xf2 && text[0] != 0xf3) {
        return false;
    }
    unsigned char opcode = (text[1] & 0xf0) == 0x40 ? text[2] : text[1];
    return (opcode >= 0xa4 && opcode <= 0xa7) || (opcode >= 0xaa && opcode <= 0xaf);
}

uint64_t arch_exclusive_end(uint64_t pc)
{
    (void)pc;
    return 0;
}

bool arch_set_breakpoint(pid_t tid, unsigned index, uint64_t address)
{
    const size_t base = offsetof(struct user, u_debugreg);
    const size_t enable = base + 7 * sizeof(long);
    errno = 0;
    long control = ptrace(PTRACE_PEEKUSER, tid, (void *)enable, NULL);
    if (errno != 0) {
        return false;
    }
    /* Two enable bits for each register; type and length fields stay 0: execution. */
    long without = control & ~(3L << (2 * index));
    if (without != control && ptrace(PTRACE_POKEUSER, tid, (void *)enable, (void *)without) != 0) {
        return false;
    }
    if (address == 0) {
        return true;
    }
    if (ptrace(PTRACE_POKEUSER, tid, (void *)(base + index * sizeof(long)),
               (void *)(uintptr_t)address) != 0) {
        return false;
    }
    return ptrace(PTRACE_POKEUSER, tid, (void *)enable, (void *)(without | (1L << (2 * index)))) ==
           0;
}

bool arch_rearm(pid_t tid)
{
    const long resume = 1L << 16;
    void *flags = (void *)offsetof(struct user_regs_struct, eflags);
    errno = 0;
    long now = ptrace(PTRACE_PEEKUSER, tid, flags, NULL);
    return errno == 0 && ptrace(PTRACE_POKEUSER, tid, flags, (void *)(now & ~resume)) == 0;
}

bool arch_breakpoint_sticks(void)
{
    return false; /* the kernel sets the resume flag */
}

#elif defined(__aarch64__)

static bool regset(pid_t tid, int write, unsigned long type, void *data, size_t size)
{
    struct iovec io = {.iov_base = data, .iov_len = size};
    return ptrace(write ? PTRACE_SETREGSET : PTRACE_GETREGSET, tid, (void *)type, &io) == 0;
}

static uint32_t word_at(uint64_t pc)
{
    uint32_t word;
    memcpy(&word, text_at(pc), sizeof word);
    return word;
}

bool arch_pc(pid_t tid, uint64_t *ret_pc)
{
    struct user_regs_struct registers;
    if (!regset(tid, 0, NT_PRSTATUS, &registers, sizeof registers)) {
        return false;
    }
    *ret_pc = registers.pc;
    return true;
}

bool arch_pass_trap(pid_t tid)
{
    struct user_regs_struct registers;
    if (!regset(tid, 0, NT_PRSTATUS, &registers, sizeof registers)) {
        return false;
    }
    if (!arch_is_trap(registers.pc)) {
        return true;
    }
    registers.pc += 4;
    return regset(tid, 1, NT_PRSTATUS, &registers, sizeof registers);
}

bool arch_is_trap(uint64_t pc)
{
    return (word_at(pc) & 0xffe0001fu) == 0xd4200000u;
}

bool arch_is_syscall(uint64_t pc)
{
    return (word_at(pc) & 0xffe0001fu) == 0xd4000001u;
}

bool arch_is_repeat(uint64_t pc)
{
    (void)pc;
    return false;
}

uint64_t arch_exclusive_end(uint64_t pc)
{
    if ((word_at(pc) & 0x3fe00000u) != 0x08400000u) {
        return 0; /* neither LDXR nor LDAXR */
    }
    for (unsigned i = 1; i < 16; i++) {
        if ((word_at(pc + 4 * i) & 0x3fe00000u) == 0x08000000u) {
            return pc + 4 * (i + 2); /* behind the store and the branch that repeats */
        }
    }
    return 0;
}

bool arch_set_breakpoint(pid_t tid, unsigned index, uint64_t address)
{
    struct user_hwdebug_state state;
    memset(&state, 0, sizeof state);
    size_t size = offsetof(struct user_hwdebug_state, dbg_regs) +
                  CRASH_BREAKPOINTS * sizeof state.dbg_regs[0];
    if (!regset(tid, 0, NT_ARM_HW_BREAK, &state, size)) {
        return false;
    }
    state.dbg_regs[index].addr = address;
    state.dbg_regs[index].ctrl =
        address == 0 ? 0 : (0xfu << 5 | 2u << 1 | 1u); /* four bytes, user mode, enabled */
    return regset(tid, 1, NT_ARM_HW_BREAK, &state, size);
}

bool arch_rearm(pid_t tid)
{
    (void)tid;
    return true;
}

bool arch_breakpoint_sticks(void)
{
    return true;
}

#endif

bool arch_read_call(int syscall_fd, struct arch_call *ret_call)
{
    char text[256];
    ssize_t size = pread(syscall_fd, text, sizeof text - 1, 0);
    if (size <= 0) {
        return false;
    }
    text[size] = '\0';
    memset(ret_call, 0, sizeof *ret_call);
    unsigned long long value[8];
    ret_call->number = -1;
    ret_call->running = true;
    /* "running", or number, six arguments, stack, program counter; "-1 …" is a stop or a fault
     * outside of any call. */
    if (sscanf(text, "%ld %llx %llx %llx %llx %llx %llx %llx %llx", &ret_call->number, &value[0],
               &value[1], &value[2], &value[3], &value[4], &value[5], &value[6], &value[7]) != 9) {
        return true;
    }
    for (unsigned i = 0; i < 6; i++) {
        ret_call->argument[i] = value[i];
    }
    ret_call->pc = value[7];
    ret_call->running = false;
    return true;
}

bool arch_is_futex(long number)
{
    return number == SYS_futex || number == SYS_futex_waitv;
}

bool arch_is_epoll(long number)
{
#ifdef SYS_epoll_wait
    if (number == SYS_epoll_wait) {
        return true;
    }
#endif
    return number == SYS_epoll_pwait;
}
