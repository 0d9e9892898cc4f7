libsynccore_la_SOURCES += \
	libsync/direct/attachment.c \
	libsync/direct/direct.h \
	libsync/direct/fast.h \
	libsync/direct/fork.c \
	libsync/direct/handle.c \
	libsync/direct/hello.c \
	libsync/direct/launch.c \
	libsync/direct/opened.c \
	libsync/direct/report.c \
	libsync/direct/thread.c \
	libsync/direct/wait.c \
	$(end)
