/* SPDX-License-Identifier: MIT */
/* A forked child owns nothing and is somebody else. Two witnesses: pthread_atfork, and a page that
 * the kernel wipes in the child, for those who fork by a bare system call. */
#include <errno.h>
#include <stdlib.h>

#include "direct/direct.h"

static sy_word fallback = 1; /* without the page only atfork tells */
sy_word *sy_alive = &fallback;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int prepared;

static void hold(void)
{
    sy_attachments_hold(true);
}

static void let_go(void)
{
    sy_attachments_hold(false);
}

static void forked(void)
{
    sy_put(sy_alive, 1);
    sy_attachments_forked();
    sy_threads_forked();
}

static void prepare(void)
{
    sy_word *page = sy_wipe_page();
    if (page) {
        sy_alive = page;
    }
    prepared = pthread_atfork(hold, let_go, forked) == 0 ? 1 : -1;
}

int sy_fork_prepare(void)
{
    pthread_once(&once, prepare);
    return prepared > 0 ? 0 : SYNC_ENOMEM;
}

void sy_fork_notice(void)
{
    forked();
}
