libsynccore_la_SOURCES += \
	libsync/shm/directory.c \
	libsync/shm/directory.h \
	libsync/shm/growth.c \
	libsync/shm/guard.c \
	libsync/shm/guard.h \
	libsync/shm/hello.h \
	libsync/shm/layout.h \
	libsync/shm/liveness.c \
	libsync/shm/opens.c \
	libsync/shm/opens.h \
	libsync/shm/ring.c \
	libsync/shm/ring.h \
	libsync/shm/segment.c \
	libsync/shm/segment.h \
	libsync/shm/slots.c \
	libsync/shm/slots.h \
	$(end)
