libsynccore_la_SOURCES += \
	libsync/api/api.h \
	libsync/api/barrier.c \
	libsync/api/event.c \
	libsync/api/manager.c \
	libsync/api/mutex.c \
	libsync/api/object.c \
	libsync/api/semaphore.c \
	libsync/api/time.c \
	$(end)
