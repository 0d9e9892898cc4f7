# The daemon is a library, so that its tests can link it; main() alone stays outside.
noinst_LTLIBRARIES += libmanagerdcore.la
libmanagerdcore_la_CPPFLAGS = $(AM_CPPFLAGS) $(INIH_CFLAGS)
libmanagerdcore_la_SOURCES = \
	managerd/beat.c \
	managerd/config.c \
	managerd/detach.c \
	managerd/log.c \
	managerd/loop.c \
	managerd/managerd.h \
	managerd/reaper.c \
	managerd/singleton.c \
	$(end)

sbin_PROGRAMS += managerd/managerd
managerd_managerd_SOURCES = managerd/main.c
managerd_managerd_LDADD = libmanagerdcore.la libsynccore.la $(INIH_LIBS)
