/* SPDX-License-Identifier: MIT */
/* All of libsync, in reading order. */
#ifndef SYNC_SYNC_H
#define SYNC_SYNC_H

#include <sync/error.h>
#include <sync/time.h>
#include <sync/manager.h>
#include <sync/object.h>
#include <sync/mutex.h>
#include <sync/semaphore.h>
#include <sync/event.h>
#include <sync/barrier.h>

#endif
