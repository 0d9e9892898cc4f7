/* SPDX-License-Identifier: MIT */
#include "base/valgrind.h"

#ifndef sy_on_valgrind
unsigned sy_on_valgrind;

__attribute__((constructor)) static void look(void)
{
    sy_on_valgrind = RUNNING_ON_VALGRIND;
}
#endif
