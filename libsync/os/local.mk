libsynccore_la_SOURCES += \
	libsync/os/clock.c \
	libsync/os/fault.c \
	libsync/os/fault.h \
	libsync/os/file.c \
	libsync/os/futex.c \
	libsync/os/memory.c \
	libsync/os/os.h \
	libsync/os/process.c \
	$(end)
