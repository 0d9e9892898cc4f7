libsynccore_la_SOURCES += \
	libsync/transport/address.c \
	libsync/transport/address.h \
	$(end)
