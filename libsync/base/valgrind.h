/* SPDX-License-Identifier: MIT */
/* What helgrind and drd cannot see: our words order memory as a mutex does. */
#ifndef SY_VALGRIND_H
#define SY_VALGRIND_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#if defined(HAVE_VALGRIND_HELGRIND_H) && defined(HAVE_VALGRIND_DRD_H)
#include <valgrind/drd.h>
#include <valgrind/helgrind.h>
#include <valgrind/valgrind.h>

extern unsigned sy_on_valgrind; /* set when the library is loaded; the fast path asks only this */
/* The requests need a frame of 112 bytes, which the fast path is spared. */
__attribute__((cold, noinline)) void sy_happens_before(void *p);
__attribute__((cold, noinline)) void sy_happens_after(void *p);
#define SY_HAPPENS_BEFORE(p)                                                                       \
    do {                                                                                           \
        if (sy_unlikely(sy_on_valgrind)) {                                                         \
            sy_happens_before((void *)(p));                                                        \
        }                                                                                          \
    } while (0)
#define SY_HAPPENS_AFTER(p)                                                                        \
    do {                                                                                           \
        if (sy_unlikely(sy_on_valgrind)) {                                                         \
            sy_happens_after((void *)(p));                                                         \
        }                                                                                          \
    } while (0)
/* The life mutex is locked for a thread's whole life: hidden, as it protects nothing. */
#define SY_LIFE_HIDE(m)                                                                            \
    do {                                                                                           \
        VALGRIND_HG_MUTEX_UNLOCK_PRE(m);                                                           \
        VALGRIND_HG_MUTEX_UNLOCK_POST(m);                                                          \
    } while (0)
#define SY_LIFE_SHOW(m)                                                                            \
    do {                                                                                           \
        VALGRIND_HG_MUTEX_LOCK_PRE(m, 0);                                                          \
        VALGRIND_HG_MUTEX_LOCK_POST(m);                                                            \
    } while (0)
#define SY_SHARED_MEMORY(p, size)                                                                  \
    do {                                                                                           \
        VALGRIND_HG_DISABLE_CHECKING((p), (size));                                                 \
        DRD_IGNORE_RANGE_(p, size);                                                                \
    } while (0)
#define DRD_IGNORE_RANGE_(p, size)                                                                 \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DRD_START_SUPPRESSION, (p), (size), 0, 0, 0)
#else
#define sy_on_valgrind 0u
#define SY_HAPPENS_BEFORE(p) ((void)0)
#define SY_HAPPENS_AFTER(p) ((void)0)
#define SY_LIFE_HIDE(m) ((void)0)
#define SY_LIFE_SHOW(m) ((void)0)
#define SY_SHARED_MEMORY(p, size) ((void)0)
#endif

#endif
