syncdir = $(includedir)/sync
dist_sync_HEADERS = \
	include/sync/barrier.h \
	include/sync/error.h \
	include/sync/event.h \
	include/sync/manager.h \
	include/sync/mutex.h \
	include/sync/object.h \
	include/sync/semaphore.h \
	include/sync/sync.h \
	include/sync/time.h \
	$(end)
