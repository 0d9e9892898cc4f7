libsynccore_la_SOURCES += \
	libsync/base/base.h \
	libsync/base/error.c \
	libsync/base/error.h \
	libsync/base/text.c \
	libsync/base/text.h \
	libsync/base/valgrind.c \
	libsync/base/valgrind.h \
	$(end)
