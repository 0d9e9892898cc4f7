if MANAGERCTL
noinst_LTLIBRARIES += libmanagerctlcore.la
libmanagerctlcore_la_SOURCES = \
	managerd/ctl/alloc.c \
	managerd/ctl/begin.c \
	managerd/ctl/begin.h \
	managerd/ctl/ctl.h \
	managerd/ctl/events.c \
	managerd/ctl/events.h \
	managerd/ctl/json.c \
	managerd/ctl/json.h \
	managerd/ctl/look.c \
	managerd/ctl/look.h \
	managerd/ctl/parse.c \
	managerd/ctl/table.c \
	managerd/ctl/table.h \
	managerd/ctl/tree.c \
	managerd/ctl/tree.h \
	managerd/ctl/usage.c \
	managerd/ctl/verb_break.c \
	managerd/ctl/verb_clients.c \
	managerd/ctl/verb_deadlocks.c \
	managerd/ctl/verb_list.c \
	managerd/ctl/verb_locks.c \
	managerd/ctl/verb_show.c \
	managerd/ctl/verbs.c \
	managerd/ctl/view.c \
	managerd/ctl/view.h \
	managerd/ctl/view_clients.c \
	managerd/ctl/words.c \
	managerd/ctl/words.h \
	$(end)
libmanagerctlcore_la_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SMARTCOLS_CFLAGS)

bin_PROGRAMS += managerd/ctl/managerctl
managerd_ctl_managerctl_SOURCES = managerd/ctl/main.c
managerd_ctl_managerctl_LDADD = libmanagerctlcore.la libsynccore.la $(JANSSON_LIBS) $(SMARTCOLS_LIBS)
endif
EXTRA_DIST += managerd/ctl/README.md
