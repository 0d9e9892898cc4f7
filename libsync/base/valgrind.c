/* SPDX-License-Identifier: MIT */
#include "base/valgrind.h"

#ifndef sy_on_valgrind
unsigned sy_on_valgrind;

__attribute__((constructor)) static void look(void)
{
    sy_on_valgrind = RUNNING_ON_VALGRIND;
}

/* drd and helgrind answer to different requests; each ignores the other's. */
void sy_happens_before(void *p)
{
    DO_CREQ_v_W(_VG_USERREQ__HG_USERSO_SEND_PRE, void *, p);
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DRD_ANNOTATE_HAPPENS_BEFORE, p, 0, 0, 0, 0);
}

void sy_happens_after(void *p)
{
    DO_CREQ_v_W(_VG_USERREQ__HG_USERSO_RECV_POST, void *, p);
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DRD_ANNOTATE_HAPPENS_AFTER, p, 0, 0, 0, 0);
}
#endif
