libsynccore_la_SOURCES += \
	libsync/objects/barrier.c \
	libsync/objects/break.c \
	libsync/objects/deadlock.c \
	libsync/objects/describe.c \
	libsync/objects/event.c \
	libsync/objects/kind.h \
	libsync/objects/kinds.c \
	libsync/objects/mutex.c \
	libsync/objects/recovery.c \
	libsync/objects/retire.c \
	libsync/objects/semaphore.c \
	$(end)
