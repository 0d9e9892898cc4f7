/* SPDX-License-Identifier: MIT */
/* Words every file of libsync may use. */
#ifndef SY_BASE_H
#define SY_BASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define sy_likely(x) __builtin_expect(!!(x), 1)
#define sy_unlikely(x) __builtin_expect(!!(x), 0)
#define SY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef _Atomic uint32_t sy_word;  /* a shared 32-bit word; what a futex compares */
typedef _Atomic uint64_t sy_dword; /* a shared 64-bit word */

/* Owner-only fields and hints are read by inspectors while their owner writes: relaxed, no more. */
#define sy_get(p) atomic_load_explicit((p), memory_order_relaxed)
#define sy_put(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define sy_load(p) atomic_load_explicit((p), memory_order_acquire)
#define sy_store(p, v) atomic_store_explicit((p), (v), memory_order_release)
/* For the Dekker-like pairs "publish, then look": sequentially consistent on both sides. */
#define sy_load_sc(p) atomic_load_explicit((p), memory_order_seq_cst)
#define sy_store_sc(p, v) atomic_store_explicit((p), (v), memory_order_seq_cst)

static inline bool sy_cas32(sy_word *word, uint32_t *expected, uint32_t desired)
{
    return atomic_compare_exchange_strong_explicit(word, expected, desired, memory_order_seq_cst,
                                                   memory_order_acquire);
}
static inline bool sy_cas64(sy_dword *word, uint64_t *expected, uint64_t desired)
{
    return atomic_compare_exchange_strong_explicit(word, expected, desired, memory_order_seq_cst,
                                                   memory_order_acquire);
}

static inline void sy_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#endif
}

#endif
